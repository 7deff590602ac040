// SPDX-License-Identifier: Apache-2.0
// What an array is, put together of its parts: column sums, products, totals of rows and bounds of columns.
#include "models/arithmetic/programmed_array.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <numeric>
#include <utility>

#include "models/arithmetic/block_check.h"
#include "models/arithmetic/column_sums.h"
#include "models/arithmetic/integer_product.h"
#include "models/arithmetic/level_sums.h"
#include "models/arithmetic/stored_weights.h"

namespace mho::arithmetic {

struct ProgrammedArray::State {
  int rows, filters, cell_bits;
  Recombination rule;
  InputStream stream;
  std::vector<FilterRange> weighted;
  std::optional<ArrayNoise> noise;
  ColumnSums sums;
  LevelTotals totals;
  mutable std::once_flag product_made;
  mutable std::unique_ptr<IntegerProduct> made_product;

  State(const EncodedBlock& block, InputStream given, const std::optional<ArrayNoise>& given_noise)
      : rows(block.rows),
        filters(block.filters),
        cell_bits(block.cell_bits),
        rule(block.recombination),
        stream(std::move(given)),
        weighted(block.weighted),
        noise(given_noise),
        sums(block, stream, noise),
        totals(level_totals(block)) {}

  int columns() const { return filters * rule.columns_per_filter; }
  const RowDriver& driver() const { return sums.driver(); }
  const ArrayLevels& levels() const { return sums.levels(); }
  const IntegerProduct& product() const;
};

/// Of the weights as the levels stand, modulo 2^32 as shift-and-add has it.
const IntegerProduct& ProgrammedArray::State::product() const {
  std::call_once(product_made, [this] {
    const auto of_filters = std::size_t(filters);
    const auto all = levels().all();
    std::vector<std::int32_t> weights(std::size_t(rows) * of_filters);
    for (std::size_t row = 0; row < std::size_t(rows); ++row)
      weights_of_row(rule, levels().paired(), all.data() + row * std::size_t(levels().stride()), of_filters,
                     weights.data() + row * of_filters);
    made_product = std::make_unique<IntegerProduct>(weights.data(), rows, filters);
  });
  return *made_product;
}

ProgrammedArray::ProgrammedArray(EncodedBlock block, InputStream stream, std::optional<ArrayNoise> noise) {
  check(block, stream);
  state_ = std::make_unique<State>(block, std::move(stream), noise);
}
ProgrammedArray::~ProgrammedArray() = default;

int ProgrammedArray::rows() const { return state_->rows; }
int ProgrammedArray::filters() const { return state_->filters; }
int ProgrammedArray::columns() const { return state_->columns(); }
int ProgrammedArray::cell_bits() const { return state_->cell_bits; }
int ProgrammedArray::level(int row, int column) const { return state_->levels().level(row, column); }
const Recombination& ProgrammedArray::recombination() const { return state_->rule; }
const InputStream& ProgrammedArray::stream() const { return state_->stream; }
const std::optional<ArrayNoise>& ProgrammedArray::noise() const { return state_->noise; }
const std::vector<InputCycle>& ProgrammedArray::cycles() const { return state_->driver().cycles(); }
CycleCounts ProgrammedArray::cycle_counts() const { return state_->driver().counts(); }
bool ProgrammedArray::paired() const { return state_->levels().paired(); }
int ProgrammedArray::sums_stride() const { return state_->levels().stride(); }

EncodedBlock ProgrammedArray::block() const {
  EncodedBlock block{rows(), filters(), cell_bits(), {}, state_->rule, paired(), state_->weighted};
  const auto all = state_->levels().all();
  for (auto row = all.begin(); row != all.end(); row += sums_stride())
    block.levels.insert(block.levels.end(), row, row + columns());
  return block;
}

void ProgrammedArray::column_sums(const std::uint8_t* codes, int count, std::int16_t* sums,
                                  std::uint64_t first_vector) const {
  state_->sums.of_all(codes, count, first_vector, sums);
}

void ProgrammedArray::recovery_sums(const std::uint8_t* codes, std::uint64_t vector, int column, int speculated,
                                    std::int16_t* sums) const {
  state_->sums.of_column(codes, vector, column, speculated, sums);
}

void ProgrammedArray::product(const std::uint8_t* codes, int count, std::int32_t* psums) const {
  if (!state_->driver().narrow()) return state_->product().run(codes, stream().is_signed, count, psums);
  std::vector<std::uint8_t> values(std::size_t(count) * std::size_t(rows()));
  std::transform(codes, codes + values.size(), values.begin(),
                 [this](std::uint8_t code) { return std::uint8_t(state_->driver().value(code)); });
  state_->product().run(values.data(), stream().is_signed, count, psums);
}

Activity ProgrammedArray::drive(const std::uint8_t* codes, int count, int crossbar_columns) const {
  const auto crossbars = std::uint64_t((columns() + crossbar_columns - 1) / crossbar_columns);
  std::vector<std::uint32_t> pulses(static_cast<std::size_t>(rows()));
  state_->driver().add_pulses(codes, count, rows(), pulses.data());
  Activity activity;
  activity.vectors = std::uint64_t(count);
  activity.array_cycles = std::uint64_t(count) * std::uint64_t(cycle_counts().all()) * crossbars;
  activity.row_drives = activity.array_cycles * std::uint64_t(rows());
  const LevelTotals& totals = state_->totals;
  const std::uint64_t all = std::accumulate(pulses.begin(), pulses.end(), std::uint64_t{0});
  activity.row_pulses = all * crossbars;
  activity.current_level_pulses = times_pulses(totals.levels, pulses);
  activity.spare_level_pulses = times_pulses(totals.spare_levels, pulses);
  activity.cell_pulses = totals.cells.empty() ? all * totals.all_cells : times_pulses(totals.cells, pulses);
  activity.spare_cell_pulses = all * totals.all_cells - activity.cell_pulses;
  return activity;
}

std::optional<std::string> ProgrammedArray::loss(const AdcRange& range) const {
  if (state_->sums.noisy()) return "its column sums are noisy";
  using Limits = std::numeric_limits<std::int16_t>;
  const std::int64_t lowest = std::max<std::int64_t>(range.lowest, Limits::min());
  const std::int64_t highest = std::min<std::int64_t>(range.highest, Limits::max());
  const LevelTotals& furthest = state_->totals;
  const std::int64_t top = state_->driver().top(), speculated = state_->driver().speculated_top();
  const std::int64_t unit = recombination().digital_unit ? 0 : rows();
  const auto says = [&range](int column, std::int64_t sum, const std::string& adc) {
    return (column < 0 ? "the unit column" : "column " + std::to_string(column)) + " can sum to " +
           std::to_string(sum) + ", " + adc + std::to_string(range.lowest) + " to " + std::to_string(range.highest);
  };
  const std::string converts = "the ADC converts ", fails = "speculation fails at the ends of the ADC's ";
  if (furthest.below * top < lowest) return says(furthest.lowest, furthest.below * top, converts);
  const bool by_unit = unit > furthest.above;
  if (std::max(unit, furthest.above) * top > highest || lowest > 0)
    return says(by_unit ? -1 : furthest.highest, std::max(unit, furthest.above) * top, converts);
  if (cycle_counts().recovery == 0) return std::nullopt;
  if (furthest.below * speculated <= lowest) return says(furthest.lowest, furthest.below * speculated, fails);
  if (furthest.above * speculated >= highest) return says(furthest.highest, furthest.above * speculated, fails);
  return std::nullopt;
}

}  // namespace mho::arithmetic
