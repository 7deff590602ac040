// SPDX-License-Identifier: Apache-2.0
// Two loops of their own, because one alone keeps the compiler from vectorising the other.
#include "models/arithmetic/level_sums.h"

#include <algorithm>

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

MHO_INLINE std::uint8_t magnitude(std::uint8_t level, bool paired) {
  return paired && level >= 128 ? std::uint8_t(0u - level) : level;
}

MHO_VECTORISED
std::uint32_t sum_of_magnitudes(const std::uint8_t* levels, std::size_t count, bool paired) {
  std::uint32_t sum = 0;
  for (std::size_t c = 0; c < count; ++c) sum += magnitude(levels[c], paired);
  return sum;
}

MHO_VECTORISED
std::uint64_t sum_of_products(const std::uint32_t* a, const std::uint32_t* b, std::size_t count) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += std::uint64_t{a[i]} * b[i];
  return sum;
}

}  // namespace

MHO_VECTORISED
std::uint32_t add_row(const std::uint8_t* __restrict levels, std::size_t count, std::uint32_t* __restrict columns) {
  for (std::size_t c = 0; c < count; ++c) columns[c] += levels[c];
  std::uint32_t sum = 0;
  for (std::size_t c = 0; c < count; ++c) sum += levels[c];
  return sum;
}

MHO_VECTORISED
std::uint32_t add_signs(const std::uint8_t* __restrict levels, std::size_t count, std::uint32_t* __restrict above,
                        std::uint32_t* __restrict below) {
  for (std::size_t c = 0; c < count; ++c) above[c] += std::uint8_t(levels[c] < 128 ? levels[c] : 0);
  for (std::size_t c = 0; c < count; ++c) below[c] += std::uint8_t(levels[c] < 128 ? 0 : 0u - levels[c]);
  std::uint32_t sum = 0;
  for (std::size_t c = 0; c < count; ++c) sum += magnitude(levels[c], true);
  return sum;
}

LevelTotals level_totals(const EncodedBlock& block) {
  const auto columns = std::size_t(block.columns()), per_filter = std::size_t(block.recombination.columns_per_filter);
  const std::uint32_t devices = block.paired ? 2 : 1;
  std::vector<std::uint32_t> above(columns), below(columns);
  LevelTotals totals;
  totals.all_cells = std::uint32_t(columns) * devices;
  for (std::size_t row = 0; row < std::size_t(block.rows); ++row) {
    const std::uint8_t* const levels = block.levels.data() + row * columns;
    totals.levels.push_back(block.paired ? add_signs(levels, columns, above.data(), below.data())
                                         : add_row(levels, columns, above.data()));
    if (block.weighted.empty()) continue;
    const auto first = std::size_t(block.weighted[row].first) * per_filter;
    const auto held = std::size_t(block.weighted[row].count) * per_filter;
    const std::uint32_t weighted = sum_of_magnitudes(levels + first, held, block.paired);
    totals.cells.push_back(std::uint32_t(held) * devices);
    totals.spare_levels.push_back(totals.levels.back() - weighted);
    totals.levels.back() = weighted;
  }
  const auto highest = std::max_element(above.begin(), above.end());
  const auto lowest = std::max_element(below.begin(), below.end());
  totals.highest = int(highest - above.begin());
  totals.lowest = int(lowest - below.begin());
  totals.above = *highest;
  totals.below = -std::int64_t{*lowest};
  return totals;
}

std::uint64_t times_pulses(const std::vector<std::uint32_t>& totals, const std::vector<std::uint32_t>& pulses) {
  return sum_of_products(totals.data(), pulses.data(), totals.size());
}

}  // namespace mho::arithmetic
