// SPDX-License-Identifier: Apache-2.0
// Sums of cell levels along rows and columns: what bounds column sums and what cell currents follow from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/arithmetic/encoding.h"

namespace mho::arithmetic {

/// Adds the levels of one row to columns[] and returns their sum.
std::uint32_t add_row(const std::uint8_t* levels, std::size_t count, std::uint32_t* columns);
/// Of pairs: adds positive levels to above[], magnitudes of negative ones to below[], and returns the sum of both.
std::uint32_t add_signs(const std::uint8_t* levels, std::size_t count, std::uint32_t* above, std::uint32_t* below);

/// What a pulse on a row meets, and how far a column can reach. Of a pair, one device at most has a level above 0:
/// along rows, levels are magnitudes.
struct LevelTotals {
  std::vector<std::uint32_t> levels;        ///< [row] of cells that hold weights
  std::vector<std::uint32_t> cells;         ///< [row] that hold weights, in devices; empty: all of them
  std::vector<std::uint32_t> spare_levels;  ///< [row] of the others; empty as well
  std::uint32_t all_cells = 0;              ///< devices of any row
  /// The columns, and the sums of their levels of one sign, that reach furthest above and below zero.
  int highest = 0, lowest = 0;
  std::int64_t above = 0, below = 0;  ///< below is not positive
};
LevelTotals level_totals(const EncodedBlock& block);
/// Sum over rows of pulses[row] * totals[row].
std::uint64_t times_pulses(const std::vector<std::uint32_t>& totals, const std::vector<std::uint32_t>& pulses);

}  // namespace mho::arithmetic
