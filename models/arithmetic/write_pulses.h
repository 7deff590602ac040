// SPDX-License-Identifier: Apache-2.0
// What it takes to move one row of cells from old levels to new ones with program-and-verify: one pulse a level step,
// SET steps of a row together, then RESET steps together. Pulse lengths and energies belong to the scenario.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mho::arithmetic {

/// Steps of one row, or of several added up.
struct WriteSteps {
  std::uint64_t up = 0;    ///< sum of level increases
  std::uint64_t down = 0;  ///< sum of level decreases
  std::uint64_t cells_changed = 0;
  int longest_up = 0;    ///< largest increase in the row: pulses of its SET phase
  int longest_down = 0;  ///< largest decrease: pulses of its RESET phase
};

/// Steps from `before` to `after`, `cells` levels each.
WriteSteps count_steps(const std::uint8_t* before, const std::uint8_t* after, std::size_t cells);

}  // namespace mho::arithmetic
