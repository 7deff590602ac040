// SPDX-License-Identifier: Apache-2.0
// What arrays and converters did while they computed: plain counts from which energy is derived when a report is
// written. Data-dependent physics is kept as level sums, never as joules.
#pragma once

#include <cstdint>

namespace mho::arithmetic {

/// Counts of one or many operations; they add up.
struct Activity {
  std::uint64_t vectors = 0;               ///< input vectors driven into a row block
  std::uint64_t array_cycles = 0;          ///< cycles of one crossbar: input slices x crossbars that took part
  std::uint64_t row_drives = 0;            ///< rows of a crossbar offered to their DAC, one an input slice
  std::uint64_t row_pulses = 0;            ///< sum over drives of the slice's value (1-bit-equivalent pulses)
  std::uint64_t current_level_pulses = 0;  ///< sum over pulses of the levels on the row: cell current
  std::uint64_t cell_pulses = 0;           ///< sum over pulses of the devices on the row, two a pair
  std::uint64_t spare_cell_pulses = 0;     ///< the same of cells without a weight, which the two above leave out
  std::uint64_t spare_level_pulses = 0;
  std::uint64_t conversions = 0;       ///< ADC conversions of columns that hold weights
  std::uint64_t unit_conversions = 0;  ///< ADC conversions of unit columns
  std::uint64_t saturations = 0;       ///< conversions whose sum lay outside the ADC's range
  std::uint64_t shift_adds = 0;        ///< codes added by the shift-and-add unit, unit columns included
  Activity& operator+=(const Activity& other);
};

}  // namespace mho::arithmetic
