// SPDX-License-Identifier: Apache-2.0
// SystemC's library refers to sc_main; the tests start from Catch2's main instead.
#include <systemc>

int sc_main(int, char**) { return 0; }
