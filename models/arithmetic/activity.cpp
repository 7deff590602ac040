// SPDX-License-Identifier: Apache-2.0
// Adding up counts of several operations.
#include "models/arithmetic/activity.h"

namespace mho::arithmetic {

Activity& Activity::operator+=(const Activity& other) {
  vectors += other.vectors;
  array_cycles += other.array_cycles;
  row_drives += other.row_drives;
  row_pulses += other.row_pulses;
  current_level_pulses += other.current_level_pulses;
  cell_pulses += other.cell_pulses;
  spare_cell_pulses += other.spare_cell_pulses;
  spare_level_pulses += other.spare_level_pulses;
  conversions += other.conversions;
  unit_conversions += other.unit_conversions;
  saturations += other.saturations;
  shift_adds += other.shift_adds;
  return *this;
}

}  // namespace mho::arithmetic
