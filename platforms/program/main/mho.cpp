// SPDX-License-Identifier: Apache-2.0
// The program mho. SystemC's library brings a main of its own, which prints a banner and calls sc_main; this one does
// neither, and sc_main is there for simulators that insist on starting with it.
#include <systemc>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "platforms/program/run_main.h"

namespace {

/// Weights of a large network are taken and given back by several threads in pieces of megabytes. With a heap for each
/// thread, and pieces that are kept instead of given back, twice the memory is held that is ever in use.
void keep_one_heap() {
#if defined(__GLIBC__)
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

}  // namespace

int sc_main(int argc, char** argv) { return mho::run_main(argc, argv, MHO_SCENARIOS_DIR); }

int main(int argc, char** argv) {
  keep_one_heap();
  return sc_main(argc, argv);
}
