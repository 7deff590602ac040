// SPDX-License-Identifier: Apache-2.0
// One pass over the levels; weights are read back one by one only where coefficients alone do not bound them.
#include "models/mapping/encoded_block.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "models/arithmetic/stored_weights.h"

namespace mho::mapping {
namespace {

std::string fault_of_levels(const arithmetic::EncodedBlock& block, const arithmetic::Slicing& slicing) {
  const auto columns = std::size_t(block.columns()), per_filter = std::size_t(slicing.count());
  std::vector<std::uint8_t> used(columns, 0);
  for (std::size_t row = 0; row < std::size_t(block.rows); ++row)
    for (std::size_t c = 0; c < columns; ++c) {
      const std::uint8_t level = block.levels[row * columns + c];
      used[c] = std::uint8_t(used[c] | (block.paired ? std::abs(int(std::int8_t(level))) : level));
    }
  for (std::size_t c = 0; c < columns; ++c)
    if (used[c] >> slicing.width(int(c % per_filter)) != 0)
      return ", column " + std::to_string(c) + " has a level above its slice";
  return {};
}

/// Whether no level at all could leave `limit`; true of every encoding with the same offset for all weights.
bool coefficients_bound(const arithmetic::Recombination& rule, bool paired, const arithmetic::Slicing& slicing,
                        std::int64_t limit) {
  const auto per_filter = std::size_t(slicing.count());
  for (std::size_t f = 0; f < rule.unit_coefficient.size(); ++f) {
    std::int64_t lowest = rule.unit_coefficient[f], highest = lowest;
    for (std::size_t k = 0; k < per_filter; ++k) {
      const std::int64_t top = (std::int64_t{1} << slicing.width(int(k))) - 1;
      const std::int64_t reach = rule.coefficient[f * per_filter + k] * top;
      (reach < 0 ? lowest : highest) += reach;
      if (paired) (reach < 0 ? highest : lowest) -= reach;
    }
    if (lowest < -limit || highest >= limit) return false;
  }
  return true;
}

std::string fault_of_weights(const arithmetic::EncodedBlock& block, const arithmetic::Slicing& slicing) {
  const std::int64_t limit = std::int64_t{1} << (slicing.bits() - 1);
  if (coefficients_bound(block.recombination, block.paired, slicing, limit)) return {};
  if (arithmetic::weights_within(block, slicing.bits())) return {};
  const std::vector<std::int32_t> weights = arithmetic::stored_weights(block);
  const auto wrong = std::find_if(weights.begin(), weights.end(),
                                  [limit](std::int32_t weight) { return weight < -limit || weight >= limit; });
  if (wrong == weights.end()) return {};
  return ", filter " + std::to_string((wrong - weights.begin()) / block.rows) + ", row " +
         std::to_string((wrong - weights.begin()) % block.rows) + " stands for " + std::to_string(*wrong) +
         ", which leaves " + std::to_string(slicing.bits()) + " bits";
}

}  // namespace

std::string fault_of(const arithmetic::EncodedBlock& block, const arithmetic::Slicing& slicing) {
  if (block.recombination.columns_per_filter != slicing.count() || block.cell_bits != slicing.widest())
    return " has another slicing than the machine";
  const auto columns = std::size_t(block.columns());
  if (block.levels.size() != std::size_t(block.rows) * columns || block.recombination.coefficient.size() != columns ||
      block.recombination.unit_coefficient.size() != std::size_t(block.filters))
    return " has too few or too many levels or coefficients";
  const auto wrong = [&](const arithmetic::FilterRange& range) {
    return range.first < 0 || range.count < 0 || range.count > block.filters - range.first;
  };
  const bool whole = block.weighted.empty() || block.weighted.size() == std::size_t(block.rows);
  if (!whole || std::any_of(block.weighted.begin(), block.weighted.end(), wrong))
    return " says of other filters than its own where there are weights";
  const std::string fault = fault_of_levels(block, slicing);
  return fault.empty() ? fault_of_weights(block, slicing) : fault;
}

}  // namespace mho::mapping
