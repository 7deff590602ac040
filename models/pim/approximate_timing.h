// SPDX-License-Identifier: Apache-2.0
// Which part of a run is simulated item by item, with one transaction an input slice and arbitration, in place of one
// transaction a batch. The rest of the run stays loosely timed.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace mho::pim {

/// Output rows are selected whole: those that start within the window of time, of the chosen nodes and tiles.
struct ApproximateTiming {
  bool enabled = false;
  double from_s = 0.0;  ///< since the job began
  double to_s = std::numeric_limits<double>::infinity();
  std::vector<int> nodes;       ///< of the graph; empty: all
  std::vector<int> tiles;       ///< that a node's placements touch; empty: all
  std::uint64_t first_row = 0;  ///< of a node's output, counted through all inferences
  std::uint64_t last_row = std::numeric_limits<std::uint64_t>::max();
  int psum_registers = 4;  ///< [default] windows of one replica whose psums may be under way at once
};

}  // namespace mho::pim
