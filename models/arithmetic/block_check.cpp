// SPDX-License-Identifier: Apache-2.0
// Refusals of blocks, each with the numbers that do not fit together.
#include "models/arithmetic/block_check.h"

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// Of levels - of pairs: of their magnitudes - that use more bits than cells have, some bit above them is set.
MHO_VECTORISED
std::uint8_t all_bits(const std::uint8_t* levels, std::size_t count, bool paired) {
  std::uint8_t bits = 0;
  for (std::size_t i = 0; i < count; ++i)
    bits = std::uint8_t(bits | (paired && levels[i] >= 128 ? std::uint8_t(0u - levels[i]) : levels[i]));
  return bits;
}

void check_sizes(const EncodedBlock& block) {
  const auto& rule = block.recombination;
  const int most_bits = block.paired ? 7 : 8;
  if (block.rows < 1 || block.filters < 1 || rule.columns_per_filter < 1 || block.cell_bits < 1 ||
      block.cell_bits > most_bits)
    throw std::invalid_argument("an array needs rows, filters and columns, and cells of 1 to " +
                                std::to_string(most_bits) + " bits");
  const auto columns = std::size_t(block.columns());
  if (block.levels.size() != std::size_t(block.rows) * columns || rule.coefficient.size() != columns ||
      rule.unit_coefficient.size() != std::size_t(block.filters))
    throw std::invalid_argument("levels or coefficients do not match " + std::to_string(block.rows) + " rows and " +
                                std::to_string(columns) + " columns");
  bool whole = block.weighted.empty() || block.weighted.size() == std::size_t(block.rows);
  for (const FilterRange& range : block.weighted)
    whole = whole && range.first >= 0 && range.count >= 0 && range.count <= block.filters &&
            range.first <= block.filters - range.count;
  if (!whole)
    throw std::invalid_argument("rows with weights of other filters than the " + std::to_string(block.filters) +
                                " of " + std::to_string(block.rows) + " rows");
}

}  // namespace

void check(const EncodedBlock& block, const InputStream& stream) {
  check_sizes(block);
  if (all_bits(block.levels.data(), block.levels.size(), block.paired) >> block.cell_bits != 0)
    throw std::invalid_argument("a level that cells of " + std::to_string(block.cell_bits) + " bits cannot hold");
  // Pairs saturate, but the sum of the inputs is a number that shift-and-add counts on.
  const int slice = largest_slice(stream), level = block.paired ? 1 : (1 << block.cell_bits) - 1;
  if (std::int64_t{block.rows} * slice * level > std::numeric_limits<std::int16_t>::max())
    throw std::invalid_argument("column sums leave 16 bits: " + std::to_string(block.rows) + " rows * slice " +
                                std::to_string(slice) + " * level " + std::to_string(level) + " (up to 32767)");
}

}  // namespace mho::arithmetic
