// SPDX-License-Identifier: Apache-2.0
// What it takes to move one row of cells from old levels to new ones with program-and-verify: one pulse a level step,
// SET steps of a row together, then RESET steps together. A pair of devices (2T2R) is two cells, one of which is off:
// going from level a to b takes |b+ - a+| + |b- - a-| steps, l+ = max(l, 0) and l- = max(-l, 0), and both word lines of
// the row are in the same phase. Pulse lengths and energies belong to the scenario.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mho::arithmetic {

/// Steps of one row, or of several added up.
struct WriteSteps {
  std::uint64_t up = 0;             ///< sum of level increases
  std::uint64_t down = 0;           ///< sum of level decreases
  std::uint64_t cells_changed = 0;  ///< of pairs, devices
  int longest_up = 0;               ///< largest increase in the row: pulses of its SET phase
  int longest_down = 0;             ///< largest decrease: pulses of its RESET phase
};

/// Steps from `before` to `after`, `cells` levels each; `paired`: levels are int8 in the byte.
WriteSteps count_steps(const std::uint8_t* before, const std::uint8_t* after, std::size_t cells, bool paired = false);

}  // namespace mho::arithmetic
