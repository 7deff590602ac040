// SPDX-License-Identifier: Apache-2.0
// Two ways to read weights back. The quick one is Freivalds' check of a matrix product: with factors r[row],
// sum(r w) = unit coefficient * sum(r) + sum over columns of coefficient * sum(r level), all modulo 2^32.
#include "models/arithmetic/stored_weights.h"

#include <numeric>

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

MHO_VECTORISED
void add_scaled(const std::uint8_t* __restrict levels, std::size_t count, std::uint32_t factor,
                std::uint32_t* __restrict sums) {
  for (std::size_t c = 0; c < count; ++c) sums[c] += factor * levels[c];
}

MHO_VECTORISED
std::uint32_t scaled_sum(const std::int32_t* __restrict weights, const std::uint32_t* __restrict factors,
                         std::size_t count) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += factors[i] * std::uint32_t(weights[i]);
  return sum;
}

/// Odd, so that a single wrong weight never goes unnoticed, and without a pattern that errors could share.
std::uint32_t factor_of(std::uint32_t row) {
  row = (row + 1) * 0x9e3779b9u;
  row = (row ^ (row >> 16)) * 0x85ebca6bu;
  row = (row ^ (row >> 13)) * 0xc2b2ae35u;
  return (row ^ (row >> 16)) | 1u;
}

}  // namespace

std::vector<std::int32_t> stored_weights(const EncodedBlock& block) {
  const auto rows = std::size_t(block.rows), filters = std::size_t(block.filters);
  const auto per_filter = std::size_t(block.recombination.columns_per_filter);
  std::vector<std::int32_t> weights(rows * filters);
  const std::uint8_t* levels = block.levels.data();
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t f = 0; f < filters; ++f, levels += per_filter) {
      auto weight = std::uint32_t(block.recombination.unit_coefficient[f]);
      for (std::size_t k = 0; k < per_filter; ++k)
        weight += std::uint32_t(block.recombination.coefficient[f * per_filter + k]) * levels[k];
      weights[f * rows + row] = std::int32_t(weight);
    }
  return weights;
}

bool stores(const EncodedBlock& block, const std::vector<std::int32_t>& weights) {
  const auto rows = std::size_t(block.rows), columns = std::size_t(block.columns());
  const auto per_filter = std::size_t(block.recombination.columns_per_filter);
  std::vector<std::uint32_t> factors(rows), sums(columns);
  for (std::size_t row = 0; row < rows; ++row) {
    factors[row] = factor_of(std::uint32_t(row));
    add_scaled(block.levels.data() + row * columns, columns, factors[row], sums.data());
  }
  const std::uint32_t all = std::accumulate(factors.begin(), factors.end(), 0u);
  for (std::size_t f = 0; f < std::size_t(block.filters); ++f) {
    std::uint32_t stored = all * std::uint32_t(block.recombination.unit_coefficient[f]);
    for (std::size_t c = f * per_filter; c < (f + 1) * per_filter; ++c)
      stored += std::uint32_t(block.recombination.coefficient[c]) * sums[c];
    if (stored != scaled_sum(weights.data() + f * rows, factors.data(), rows)) return false;
  }
  return true;
}

}  // namespace mho::arithmetic
