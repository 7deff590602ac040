// SPDX-License-Identifier: Apache-2.0
// The program mho. SystemC's library brings a main of its own, which prints a banner and calls sc_main; this one does
// neither, and sc_main is there for simulators that insist on starting with it.
#include <systemc>

#include "platforms/program/run_main.h"

int sc_main(int argc, char** argv) { return mho::run_main(argc, argv, MHO_SCENARIOS_DIR); }

int main(int argc, char** argv) { return sc_main(argc, argv); }
