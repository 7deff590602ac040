// SPDX-License-Identifier: Apache-2.0
// A sum is largest when the rows with the highest levels are driven: how many of them fit the range follows from how
// often a column has each level.
#include "models/mapping/slicing_search_columns.h"

#include <algorithm>
#include <stdexcept>

namespace mho::mapping {
namespace {

constexpr int kLargestLevel = 15;
constexpr int kLevels = 2 * kLargestLevel + 1;

/// Rows that may be driven without the sum leaving the range, whichever they are; counts[level + kLargestLevel].
int safe_pulses(const std::uint32_t* counts, arithmetic::AdcRange range) {
  constexpr std::int64_t kAny = std::numeric_limits<int>::max();
  const auto towards = [&](int sign, std::int64_t room) {
    std::int64_t pulses = 0;
    for (int level = kLargestLevel; level > 0; --level) {
      const std::int64_t cells = counts[kLargestLevel + sign * level];
      if (cells * level > room) return pulses + room / level;
      pulses += cells;
      room -= cells * level;
    }
    return kAny;
  };
  return int(std::min(towards(1, range.highest), towards(-1, -std::int64_t(range.lowest))));
}

/// The levels of one slice of a block.
class Slice {
 public:
  Slice(const arithmetic::EncodedBlock& block, int slice)
      : levels_(block.levels.data() + slice),
        step_(std::size_t(block.recombination.columns_per_filter)),
        columns_(std::size_t(block.columns())) {}
  std::int8_t at(std::size_t row, std::size_t filter) const {
    return std::int8_t(levels_[row * columns_ + filter * step_]);
  }

 private:
  const std::uint8_t* levels_;
  std::size_t step_, columns_;
};

/// [filter][level + kLargestLevel]: cells of its column.
std::vector<std::uint32_t> count_levels(const Slice& slice, std::size_t rows, std::size_t filters) {
  std::vector<std::uint32_t> counts(filters * kLevels);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t f = 0; f < filters; ++f) {
      const int level = slice.at(row, f) + kLargestLevel;
      if (level < 0 || level >= kLevels) throw std::invalid_argument("levels of more than four bits (1 to 4)");
      ++counts[f * kLevels + std::size_t(level)];
    }
  return counts;
}

}  // namespace

RiskyColumns columns_at_risk(const arithmetic::EncodedBlock& block, int slice, arithmetic::AdcRange range,
                             int most_pulses) {
  RiskyColumns columns;
  const Slice cells(block, slice);
  const auto rows = std::size_t(block.rows), filters = std::size_t(block.filters);
  const auto of_filter = std::size_t(block.recombination.columns_per_filter);
  const std::vector<std::uint32_t> counts = count_levels(cells, rows, filters);
  for (std::size_t f = 0; f < filters; ++f) {
    const int safe = safe_pulses(counts.data() + f * kLevels, range);
    if (safe >= most_pulses) continue;
    columns.filters.push_back(f);
    columns.coefficients.push_back(block.recombination.coefficient[f * of_filter + std::size_t(slice)]);
    columns.safe_pulses = std::min(columns.safe_pulses, safe);
  }
  constexpr std::size_t kGrain = RiskyColumns::kGrain;
  const std::size_t width = (columns.filters.size() + kGrain - 1) / kGrain * kGrain;
  columns.rows = block.rows;
  columns.width = int(width);
  columns.coefficients.resize(width);
  columns.levels.resize(rows * width);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t c = 0; c < columns.filters.size(); ++c)
      columns.levels[row * width + c] = cells.at(row, columns.filters[c]);
  return columns;
}

}  // namespace mho::mapping
