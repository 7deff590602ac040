// SPDX-License-Identifier: Apache-2.0
// Devices are drawn row by row: normals and words of a row have keys of their own for each device of the pairs.
#include "models/arithmetic/noisy_cells.h"

#include <algorithm>
#include <cmath>

#include "models/arithmetic/noisy_kernels.h"
#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// What is drawn for the devices of one row: streams 0 and 1 of the row's key are the spread of the first and of the
/// second device of its pairs, 2 and 3 whether they are stuck.
constexpr std::uint64_t kStuckStream = 2;

/// As the vectorised loops take it.
struct Programming {
  float spread = 0;
  float grid = 1;               ///< units a level
  std::int32_t off = -1;        ///< a device whose 31 random bits are up to this is stuck off ...
  std::int32_t off_or_on = -1;  ///< ... else up to this, stuck on
  std::int32_t highest = 1;     ///< level
  bool stuck() const { return off_or_on >= 0; }
};

/// levels[kDrawnAtOnce] of devices that are not stuck.
MHO_INLINE void stick(const Programming& how, std::uint64_t key, std::uint32_t block, std::int32_t* levels) {
  std::uint32_t words[kDrawnAtOnce];
  draw_words_at_once(key, block, words);
  for (std::size_t i = 0; i < kDrawnAtOnce; ++i) {
    const auto drawn = std::int32_t(words[i] >> 1);
    const std::int32_t working = drawn <= how.off_or_on ? how.highest : levels[i];
    levels[i] = drawn <= how.off ? 0 : working;
  }
}

/// conductances[i] = level * (1 + spread * normal), on the grid and not below zero.
MHO_INLINE void spread_out(const Programming& how, std::uint64_t key, std::uint32_t block, const std::int32_t* levels,
                           std::int32_t* conductances) {
  float normals[kDrawnAtOnce];
  draw_normals_at_once(key, block, normals);
  for (std::size_t i = 0; i < kDrawnAtOnce; ++i) {
    const float conductance = float(levels[i]) * (1.0f + how.spread * normals[i]);
    conductances[i] = rounded((conductance < 0.0f ? 0.0f : conductance) * how.grid);
  }
}

/// One device of each cell of a row; levels[columns] become conductances, columns a multiple of kDrawnAtOnce.
MHO_VECTORISED
void program_devices(const Programming& how, std::uint64_t spread_key, std::uint64_t stuck_key, std::size_t columns,
                     std::int32_t* levels) {
  for (std::size_t first = 0; first < columns; first += kDrawnAtOnce) {
    const auto block = std::uint32_t(first / kDrawnAtOnce);
    if (how.stuck()) stick(how, stuck_key, block, levels + first);
    if (how.spread > 0.0f) spread_out(how, spread_key, block, levels + first, levels + first);
  }
}

/// The largest index that `share` of all 31-bit words do not exceed; -1 for none.
std::int32_t last_of(double share) { return std::int32_t(std::int64_t(std::llround(share * 0x1p31)) - 1); }

/// Units a level, a power of two.
float grid_of(const NoiseModel& model, const Levels& levels, int largest_slice) {
  if (model.conductance_spread == 0.0) return 1.0f;
  const double highest =
      double((1 << levels.cell_bits) - 1) * (1.0 + model.conductance_spread * double(kLargestNormal));
  constexpr double kMostConductance = 32639.0;  // of two balanced int8 digits, which products are made of
  const double devices = levels.paired ? 2.0 : 1.0;
  const double most_current = 0x1p31 / (devices * double(levels.rows) * double(std::max(largest_slice, 1)));
  double grid = 1024.0;
  while (highest * devices * grid > kMostConductance || highest * grid >= most_current) grid /= 2.0;
  return float(grid);
}

/// Device `device` of each cell: of a pair, 0 has the levels above zero, 1 those below.
void devices_of(const Levels& levels, int row, int device, std::int32_t* of_row) {
  const std::uint8_t* from = levels.levels + std::size_t(row) * std::size_t(levels.stride);
  for (int c = 0; c < levels.columns; ++c) {
    const int level = levels.paired ? std::int8_t(from[c]) : from[c];
    of_row[c] = std::max(device == 0 ? level : -level, 0);
  }
}

Programming programming_of(const NoiseModel& model, const Levels& levels, float grid) {
  Programming how;
  how.spread = float(model.conductance_spread);
  how.grid = grid;
  how.off = last_of(model.stuck_off);
  how.off_or_on = last_of(model.stuck_off + model.stuck_on);
  how.highest = (1 << levels.cell_bits) - 1;
  return how;
}

/// Conductances of the first device of each cell less those of the second, and both together where they are needed,
/// [rows][stride].
struct Conductances {
  std::vector<std::int32_t> net, total;

  Conductances(const Programming& how, std::uint64_t seed, const Levels& levels, bool with_total)
      : net(std::size_t(levels.rows) * std::size_t(levels.stride)), total(with_total ? net.size() : 0) {
    const auto columns = std::size_t(levels.columns), stride = std::size_t(levels.stride);
    std::vector<std::int32_t> device((columns + kDrawnAtOnce - 1) / kDrawnAtOnce * kDrawnAtOnce);
    for (int row = 0; row < levels.rows; ++row) {
      const std::uint64_t key = mix(seed, std::uint64_t(row));
      const std::size_t place = std::size_t(row) * stride;
      for (std::uint64_t d = 0; d < (levels.paired ? 2 : 1); ++d) {
        devices_of(levels, row, int(d), device.data());
        program_devices(how, mix(key, d), mix(key, kStuckStream + d), device.size(), device.data());
        for (std::size_t c = 0; c < columns; ++c) net[place + c] += d == 0 ? device[c] : -device[c];
        for (std::size_t c = 0; c < columns && with_total; ++c) total[place + c] += device[c];
      }
    }
  }
};

/// conductances[rows][stride] of rows first .. first + count - 1 -> columns[columns][rows].
void turn(const std::vector<std::int32_t>& conductances, std::size_t stride, std::size_t first, std::size_t count,
          std::size_t rows, std::vector<std::int16_t>& columns) {
  for (std::size_t c = 0; c < columns.size() / rows; ++c)
    for (std::size_t row = 0; row < count; ++row)
      columns[c * rows + first + row] = std::int16_t(conductances[row * stride + c]);
}

}  // namespace

NoisyCells::NoisyCells(const ArrayNoise& noise, const Levels& levels, int largest_slice)
    : rows_(levels.rows), columns_(levels.columns), stride_(levels.stride) {
  const float grid = grid_of(noise.model, levels, largest_slice);
  const bool with_total = levels.paired && noise.model.proportional_noise > 0.0;
  unit_ = 1.0f / grid;
  const Conductances drawn(programming_of(noise.model, levels, grid), noise.seed, levels, with_total);
  net_product_ = std::make_unique<IntegerProduct>(drawn.net.data(), rows_, stride_);
  if (with_total) total_product_ = std::make_unique<IntegerProduct>(drawn.total.data(), rows_, stride_);
}

void NoisyCells::currents(const std::uint8_t* values, int count, std::int32_t* currents) const {
  net_product_->run(values, false, count, currents);
}

void NoisyCells::total_currents(const std::uint8_t* values, int count, std::int32_t* currents) const {
  total_product_->run(values, false, count, currents);
}

/// Products keep conductances in a form of their own; they are read back as the currents of one pulse on each row.
const std::int16_t* NoisyCells::column_of(Columns& columns, const IntegerProduct& product, int column) const {
  const auto rows = std::size_t(rows_), stride = std::size_t(stride_);
  std::call_once(columns.made, [&] {
    constexpr std::size_t kPulsesAtOnce = 32;
    columns.values.resize(rows * std::size_t(columns_));
    std::vector<std::uint8_t> pulses(kPulsesAtOnce * rows);
    std::vector<std::int32_t> currents(kPulsesAtOnce * stride);
    for (std::size_t first = 0; first < rows; first += kPulsesAtOnce) {
      const std::size_t count = std::min(kPulsesAtOnce, rows - first);
      std::fill(pulses.begin(), pulses.end(), std::uint8_t{0});
      for (std::size_t row = 0; row < count; ++row) pulses[row * rows + first + row] = 1;
      product.run(pulses.data(), false, int(count), currents.data());
      turn(currents, stride, first, count, rows, columns.values);
    }
  });
  return columns.values.data() + std::size_t(column) * rows;
}

}  // namespace mho::arithmetic
