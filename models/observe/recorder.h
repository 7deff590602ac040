// SPDX-License-Identifier: Apache-2.0
// Where begin and end of every transaction of a module are handed to whoever wants them. Off is a null pointer and one
// test of it; what becomes of the records is up to the recorder.
#pragma once

#include <cstdint>
#include <systemc>

namespace mho::observe {

/// One occupation of one module: from the first item's begin to the last item's end.
struct Occupation {
  const char* module = "";      ///< hierarchical name; valid as long as the module
  std::uint64_t operation = 0;  ///< what it belongs to: one output row of one node
  int node = -1;                ///< node of the network, -1: none
  std::uint64_t items = 1;
  sc_core::sc_time begin, end;
  sc_core::sc_time interval;  ///< between items
};

class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void record(const Occupation& occupation) = 0;
};

}  // namespace mho::observe
