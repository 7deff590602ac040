// SPDX-License-Identifier: Apache-2.0
// Levels kept as bit planes, from which everything else is derived on first use: the kernels for multi-bit slices and
// the product of effective weights.
#include "models/arithmetic/programmed_array.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "models/arithmetic/bit_planes.h"
#include "models/arithmetic/integer_product.h"
#include "models/arithmetic/level_sums.h"
#include "models/arithmetic/row_driver.h"
#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// Inputs of one pass over the buffers between codes and sums, which should stay in the second-level cache.
constexpr int kBatch = 16;

/// Of levels that use more bits than cells have, some bit above them is set.
MHO_VECTORISED
std::uint8_t all_bits(const std::uint8_t* levels, std::size_t count) {
  std::uint8_t bits = 0;
  for (std::size_t i = 0; i < count; ++i) bits = std::uint8_t(bits | levels[i]);
  return bits;
}

void check(const EncodedBlock& block, const Slicing& slicing) {
  const auto& rule = block.recombination;
  if (block.rows < 1 || block.filters < 1 || rule.columns_per_filter < 1 || block.cell_bits < 1 || block.cell_bits > 8)
    throw std::invalid_argument("an array needs rows, filters and columns, and cells of 1 to 8 bits");
  const auto columns = std::size_t(block.columns());
  if (block.levels.size() != std::size_t(block.rows) * columns || rule.coefficient.size() != columns ||
      rule.unit_coefficient.size() != std::size_t(block.filters))
    throw std::invalid_argument("levels or coefficients do not match " + std::to_string(block.rows) + " rows and " +
                                std::to_string(columns) + " columns");
  if (all_bits(block.levels.data(), block.levels.size()) >> block.cell_bits != 0)
    throw std::invalid_argument("a level that cells of " + std::to_string(block.cell_bits) + " bits cannot hold");
  const int slice = (1 << slicing.widest()) - 1, level = (1 << block.cell_bits) - 1;
  if (std::int64_t{block.rows} * slice * level > 32767)
    throw std::invalid_argument("column sums leave 16 bits: " + std::to_string(block.rows) + " rows * slice " +
                                std::to_string(slice) + " * level " + std::to_string(level) + " (up to 32767)");
}

MHO_VECTORISED
void narrow(const std::int32_t* from, std::size_t count, std::int16_t* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = std::int16_t(from[i]);
}

template <std::size_t Columns>
MHO_INLINE void add_columns(const std::int32_t* __restrict coefficients, const std::int32_t* __restrict offsets,
                            const std::uint8_t* __restrict levels, std::size_t filters,
                            std::int32_t* __restrict weights) {
  for (std::size_t f = 0; f < filters; ++f) {
    auto weight = std::uint32_t(offsets[f]);
#pragma GCC unroll 8
    for (std::size_t c = 0; c < Columns; ++c)
      weight += std::uint32_t(coefficients[f * Columns + c]) * levels[f * Columns + c];
    weights[f] = std::int32_t(weight);
  }
}

/// weights[f] = offset[f] + sum over its columns of coefficient * level, modulo 2^32.
MHO_VECTORISED
void weights_of_row(const std::int32_t* coefficients, const std::int32_t* offsets, const std::uint8_t* levels,
                    std::size_t filters, std::size_t per_filter, std::int32_t* weights) {
  if (per_filter == 4) return add_columns<4>(coefficients, offsets, levels, filters, weights);
  if (per_filter == 8) return add_columns<8>(coefficients, offsets, levels, filters, weights);
  for (std::size_t f = 0; f < filters; ++f) {
    auto weight = std::uint32_t(offsets[f]);
    for (std::size_t c = f * per_filter; c < (f + 1) * per_filter; ++c)
      weight += std::uint32_t(coefficients[c]) * levels[c];
    weights[f] = std::int32_t(weight);
  }
}

}  // namespace

struct ProgrammedArray::State {
  int rows, filters, cell_bits;
  Recombination rule;
  InputStream stream;
  RowDriver driver;
  bool by_bits;  ///< column sums from bit planes, else from int8 products
  BitPlanes planes;
  std::vector<std::uint32_t> row_levels;  ///< sum of each row's levels
  std::size_t worst_column;               ///< of the greatest sum of levels, perhaps the unit column
  std::int64_t worst_levels;              ///< that sum
  mutable std::once_flag product_made, level_product_made;
  mutable std::unique_ptr<IntegerProduct> made_product, made_level_product;

  State(const EncodedBlock& block, InputStream given)
      : rows(block.rows),
        filters(block.filters),
        cell_bits(block.cell_bits),
        rule(block.recombination),
        stream(std::move(given)),
        driver(stream.slicing, stream.is_signed),
        by_bits(driver.one_bit() && bit_planes_pay(cell_bits)),
        planes(block.levels.data(), block.rows, block.columns(), block.cell_bits),
        row_levels(std::size_t(block.rows)) {
    const auto width = std::size_t(block.columns());
    std::vector<std::uint32_t> columns(width + 1);
    for (std::size_t row = 0; row < row_levels.size(); ++row)
      row_levels[row] = add_row(block.levels.data() + row * width, width, columns.data());
    columns[width] = std::uint32_t(block.rows);
    const auto worst = std::max_element(columns.begin(), columns.end());
    worst_column = std::size_t(worst - columns.begin());
    worst_levels = *worst;
  }

  int columns() const { return filters * rule.columns_per_filter; }
  const IntegerProduct& product() const;
  const IntegerProduct& level_product() const;
  void sum_bits(const std::uint8_t* codes, int count, std::int16_t* sums) const;
  void sum_levels(const std::uint8_t* codes, int count, std::int16_t* sums) const;
};

/// Of the weights as the levels stand: sum over a filter's columns of coefficient * level, and the unit coefficient,
/// modulo 2^32 as shift-and-add has it.
const IntegerProduct& ProgrammedArray::State::product() const {
  std::call_once(product_made, [this] {
    const auto of_filters = std::size_t(filters);
    std::vector<std::uint8_t> levels(std::size_t(planes.stride()));
    std::vector<std::int32_t> weights(std::size_t(rows) * of_filters);
    for (int row = 0; row < rows; ++row) {
      planes.row_levels(row, levels.data());
      weights_of_row(rule.coefficient.data(), rule.unit_coefficient.data(), levels.data(), of_filters,
                     std::size_t(rule.columns_per_filter), weights.data() + std::size_t(row) * of_filters);
    }
    made_product = std::make_unique<IntegerProduct>(weights.data(), rows, filters);
  });
  return *made_product;
}

/// Of the levels themselves, as wide as the sums.
const IntegerProduct& ProgrammedArray::State::level_product() const {
  std::call_once(level_product_made, [this] {
    std::vector<std::uint8_t> levels(std::size_t(planes.stride()));
    std::vector<std::int32_t> weights;
    for (int row = 0; row < rows; ++row) {
      planes.row_levels(row, levels.data());
      weights.insert(weights.end(), levels.begin(), levels.end());
    }
    made_level_product = std::make_unique<IntegerProduct>(weights.data(), rows, planes.stride());
  });
  return *made_level_product;
}

void ProgrammedArray::State::sum_bits(const std::uint8_t* codes, int count, std::int16_t* sums) const {
  const std::size_t stride = std::size_t(planes.stride()), step = stride * std::size_t(driver.slices());
  const auto extension = std::size_t(driver.slices() - driver.own_bits());
  std::vector<std::uint16_t> packed(std::size_t(std::min(count, kBatch)) * std::size_t(planes.words() * 8));
  for (int first = 0; first < count; first += kBatch) {
    const int now = std::min(kBatch, count - first);
    for (int v = 0; v < now; ++v)
      RowDriver::pack(codes + std::size_t(first + v) * std::size_t(rows), rows, planes.words(),
                      packed.data() + std::size_t(v * planes.words() * 8));
    std::int16_t* of_batch = sums + std::size_t(first) * step;
    planes.column_sums(packed.data(), now, driver.own_bits(), of_batch + extension * stride, step);
    for (int v = 0; v < now; ++v, of_batch += step)
      for (std::size_t s = 0; s < extension; ++s)
        if (stream.is_signed)
          std::copy_n(of_batch + extension * stride, stride, of_batch + s * stride);
        else
          std::fill_n(of_batch + s * stride, stride, std::int16_t{0});
  }
}

void ProgrammedArray::State::sum_levels(const std::uint8_t* codes, int count, std::int16_t* sums) const {
  const auto width = std::size_t(rows), slices = std::size_t(driver.slices()), stride = std::size_t(planes.stride());
  const auto batch = std::size_t(std::min(count, kBatch));
  std::vector<std::uint8_t> values(batch * slices * width);
  std::vector<std::int32_t> wide(batch * slices * stride);
  for (int first = 0; first < count; first += kBatch) {
    const auto now = std::size_t(std::min(kBatch, count - first));
    for (std::size_t v = 0; v < now; ++v)
      driver.slice(codes + (std::size_t(first) + v) * width, rows, values.data() + v * slices * width);
    level_product().run(values.data(), false, int(now * slices), wide.data());
    narrow(wide.data(), now * slices * stride, sums + std::size_t(first) * slices * stride);
  }
}

ProgrammedArray::ProgrammedArray(EncodedBlock block, InputStream stream) {
  check(block, stream.slicing);
  state_ = std::make_unique<State>(block, std::move(stream));
}
ProgrammedArray::~ProgrammedArray() = default;

int ProgrammedArray::rows() const { return state_->rows; }
int ProgrammedArray::filters() const { return state_->filters; }
int ProgrammedArray::columns() const { return state_->columns(); }
int ProgrammedArray::cell_bits() const { return state_->cell_bits; }
int ProgrammedArray::level(int row, int column) const { return state_->planes.level(row, column); }
const Recombination& ProgrammedArray::recombination() const { return state_->rule; }
const InputStream& ProgrammedArray::stream() const { return state_->stream; }
int ProgrammedArray::sums_stride() const { return state_->planes.stride(); }

EncodedBlock ProgrammedArray::block() const {
  EncodedBlock block{rows(), filters(), cell_bits(), {}, state_->rule};
  std::vector<std::uint8_t> levels(static_cast<std::size_t>(sums_stride()));
  for (int row = 0; row < rows(); ++row) {
    state_->planes.row_levels(row, levels.data());
    block.levels.insert(block.levels.end(), levels.begin(), levels.begin() + columns());
  }
  return block;
}

void ProgrammedArray::column_sums(const std::uint8_t* codes, int count, std::int16_t* sums) const {
  if (state_->by_bits)
    state_->sum_bits(codes, count, sums);
  else
    state_->sum_levels(codes, count, sums);
}

void ProgrammedArray::product(const std::uint8_t* codes, int count, std::int32_t* psums) const {
  if (!state_->driver.narrow()) return state_->product().run(codes, stream().is_signed, count, psums);
  std::vector<std::uint8_t> values(std::size_t(count) * std::size_t(rows()));
  std::transform(codes, codes + values.size(), values.begin(),
                 [this](std::uint8_t code) { return std::uint8_t(state_->driver.value(code)); });
  state_->product().run(values.data(), stream().is_signed, count, psums);
}

Activity ProgrammedArray::drive(const std::uint8_t* codes, int count, int crossbar_columns) const {
  const auto crossbars = std::uint64_t((columns() + crossbar_columns - 1) / crossbar_columns);
  std::vector<std::uint32_t> pulses(static_cast<std::size_t>(rows()));
  state_->driver.add_pulses(codes, count, rows(), pulses.data());
  Activity activity;
  activity.vectors = std::uint64_t(count);
  activity.array_cycles = std::uint64_t(count) * std::uint64_t(stream().slicing.count()) * crossbars;
  activity.row_drives = activity.array_cycles * std::uint64_t(rows());
  for (std::size_t row = 0; row < pulses.size(); ++row) {
    activity.row_pulses += pulses[row] * crossbars;
    activity.current_level_pulses += std::uint64_t{pulses[row]} * state_->row_levels[row];
  }
  return activity;
}

std::optional<std::string> ProgrammedArray::loss(const AdcRange& range) const {
  const std::int64_t bound = state_->worst_levels * state_->driver.top();
  if (bound <= range.highest && range.lowest <= 0) return std::nullopt;
  const int column = int(state_->worst_column);
  return (column == columns() ? "the unit column" : "column " + std::to_string(column)) + " can sum to " +
         std::to_string(bound) + ", the ADC converts " + std::to_string(range.lowest) + " to " +
         std::to_string(range.highest);
}

}  // namespace mho::arithmetic
