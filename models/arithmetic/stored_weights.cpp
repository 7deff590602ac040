// SPDX-License-Identifier: Apache-2.0
// Two ways to read weights back. The quick one is Freivalds' check of a matrix product: with factors r[row],
// sum(r w) = unit coefficient * sum(r) + sum over columns of coefficient * sum(r level), all modulo 2^32.
#include "models/arithmetic/stored_weights.h"

#include <numeric>

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

template <class Level>
MHO_INLINE void add_products(const std::uint8_t* __restrict levels, std::size_t count, std::uint32_t factor,
                             std::uint32_t* __restrict sums) {
  for (std::size_t c = 0; c < count; ++c) sums[c] += factor * std::uint32_t(Level(levels[c]));
}

MHO_VECTORISED
void add_scaled(const std::uint8_t* levels, bool paired, std::size_t count, std::uint32_t factor, std::uint32_t* sums) {
  if (paired) return add_products<std::int8_t>(levels, count, factor, sums);
  add_products<std::uint8_t>(levels, count, factor, sums);
}

template <class Level, std::size_t Columns>
MHO_INLINE void add_columns(const std::int32_t* __restrict coefficients, const std::int32_t* __restrict offsets,
                            const std::uint8_t* __restrict levels, std::size_t filters,
                            std::int32_t* __restrict weights) {
  for (std::size_t f = 0; f < filters; ++f) {
    auto weight = std::uint32_t(offsets[f]);
#pragma GCC unroll 8
    for (std::size_t c = f * Columns; c < (f + 1) * Columns; ++c)
      weight += std::uint32_t(coefficients[c]) * std::uint32_t(Level(levels[c]));
    weights[f] = std::int32_t(weight);
  }
}

template <class Level>
MHO_INLINE void add_levels(const std::int32_t* coefficients, const std::int32_t* offsets, const std::uint8_t* levels,
                           std::size_t filters, std::size_t per_filter, std::int32_t* weights) {
  if (per_filter == 3) return add_columns<Level, 3>(coefficients, offsets, levels, filters, weights);
  if (per_filter == 4) return add_columns<Level, 4>(coefficients, offsets, levels, filters, weights);
  if (per_filter == 8) return add_columns<Level, 8>(coefficients, offsets, levels, filters, weights);
  for (std::size_t f = 0; f < filters; ++f) {
    auto weight = std::uint32_t(offsets[f]);
    for (std::size_t c = f * per_filter; c < (f + 1) * per_filter; ++c)
      weight += std::uint32_t(coefficients[c]) * std::uint32_t(Level(levels[c]));
    weights[f] = std::int32_t(weight);
  }
}

MHO_VECTORISED
void add_row_of(bool paired, const std::int32_t* coefficients, const std::int32_t* offsets, const std::uint8_t* levels,
                std::size_t filters, std::size_t per_filter, std::int32_t* weights) {
  if (paired) return add_levels<std::int8_t>(coefficients, offsets, levels, filters, per_filter, weights);
  add_levels<std::uint8_t>(coefficients, offsets, levels, filters, per_filter, weights);
}

MHO_VECTORISED
std::uint32_t scaled_sum(const std::int32_t* __restrict weights, const std::uint32_t* __restrict factors,
                         std::size_t count) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += factors[i] * std::uint32_t(weights[i]);
  return sum;
}

/// Not zero where a weight, moved up by half the range, has a bit above the range.
MHO_VECTORISED
std::uint32_t bits_above(const std::int32_t* weights, std::size_t count, std::uint32_t half, std::uint32_t range) {
  std::uint32_t all = 0;
  for (std::size_t i = 0; i < count; ++i) all |= std::uint32_t(weights[i]) + half;
  return all & ~range;
}

/// Odd, so that a single wrong weight never goes unnoticed, and without a pattern that errors could share.
std::uint32_t factor_of(std::uint32_t row) {
  row = (row + 1) * 0x9e3779b9u;
  row = (row ^ (row >> 16)) * 0x85ebca6bu;
  row = (row ^ (row >> 13)) * 0xc2b2ae35u;
  return (row ^ (row >> 16)) | 1u;
}

}  // namespace

void weights_of_row(const Recombination& rule, bool paired, const std::uint8_t* levels, std::size_t filters,
                    std::int32_t* weights) {
  add_row_of(paired, rule.coefficient.data(), rule.unit_coefficient.data(), levels, filters,
             std::size_t(rule.columns_per_filter), weights);
}

std::vector<std::int32_t> stored_weights(const EncodedBlock& block) {
  const auto rows = std::size_t(block.rows), filters = std::size_t(block.filters);
  std::vector<std::int32_t> weights(rows * filters), of_row(filters);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::uint8_t* const levels = block.levels.data() + row * std::size_t(block.columns());
    weights_of_row(block.recombination, block.paired, levels, filters, of_row.data());
    for (std::size_t f = 0; f < filters; ++f) weights[f * rows + row] = of_row[f];
  }
  return weights;
}

bool weights_within(const EncodedBlock& block, int bits) {
  const std::uint32_t half = 1u << (bits - 1), range = half | (half - 1);
  std::vector<std::int32_t> of_row(static_cast<std::size_t>(block.filters));
  for (std::size_t row = 0; row < std::size_t(block.rows); ++row) {
    weights_of_row(block.recombination, block.paired, block.levels.data() + row * std::size_t(block.columns()),
                   of_row.size(), of_row.data());
    if (bits_above(of_row.data(), of_row.size(), half, range) != 0) return false;
  }
  return true;
}

bool stores(const EncodedBlock& block, const std::vector<std::int32_t>& weights) {
  const auto rows = std::size_t(block.rows), columns = std::size_t(block.columns());
  const auto per_filter = std::size_t(block.recombination.columns_per_filter);
  std::vector<std::uint32_t> factors(rows), sums(columns);
  for (std::size_t row = 0; row < rows; ++row) {
    factors[row] = factor_of(std::uint32_t(row));
    add_scaled(block.levels.data() + row * columns, block.paired, columns, factors[row], sums.data());
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
