// SPDX-License-Identifier: Apache-2.0
// Currents as integers from products, readings from them in float, 32 columns at a time.
#include "models/arithmetic/noisy_array.h"

#include <algorithm>
#include <stdexcept>

#include "models/arithmetic/noisy_kernels.h"
#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// Of the seeds mixed from that of an array, cells take those of row numbers; readings take the last one.
constexpr std::uint64_t kReadings = ~std::uint64_t{0};
/// Rows of one pass over the buffers between currents and sums, which should stay in the second-level cache.
constexpr std::size_t kRowsAtOnce = 64;

/// As the vectorised loops take it.
struct Reading {
  float unit = 1;                             ///< levels a unit of the currents
  float variance = 0, variance_of_total = 0;  ///< of a reading, and what N+ + N- of one adds to it

  bool exact() const { return variance == 0.0f && variance_of_total == 0.0f; }
};

Reading reading_of(const NoiseModel& model, float unit) {
  return {unit, float(model.read_noise * model.read_noise), float(model.proportional_noise * model.proportional_noise)};
}

MHO_INLINE std::int16_t saturated(float sum) {
  const float up = sum < -32768.0f ? -32768.0f : sum;
  return std::int16_t(rounded(up > 32767.0f ? 32767.0f : up));
}

MHO_INLINE float deviation(const Reading& how, float total) {
  return square_root(how.variance + how.variance_of_total * (total * how.unit));
}

MHO_INLINE std::int16_t read_one(const Reading& how, float net, float total, float normal) {
  return saturated(net * how.unit + deviation(how, total) * normal);
}

/// sums[kDrawnAtOnce] of the currents net and total.
template <class Current>
MHO_INLINE void read_block(const Reading& how, std::uint64_t key, std::uint32_t block, const Current* net,
                           const Current* total, std::int16_t* sums) {
  float normals[kDrawnAtOnce], read[kDrawnAtOnce];
  draw_normals_at_once(key, block, normals);
  if (how.variance_of_total == 0.0f) {
    const float same = deviation(how, 0.0f);
    for (std::size_t i = 0; i < kDrawnAtOnce; ++i) read[i] = float(net[i]) * how.unit + same * normals[i];
  } else {
    for (std::size_t i = 0; i < kDrawnAtOnce; ++i)
      read[i] = float(net[i]) * how.unit + deviation(how, float(total[i])) * normals[i];
  }
  for (std::size_t i = 0; i < kDrawnAtOnce; ++i) sums[i] = saturated(read[i]);
}

/// All columns of one cycle; the last block takes a way over buffers of its own.
template <class Current>
MHO_INLINE void read_columns(const Reading& how, std::uint64_t key, std::size_t columns, const Current* net,
                             const Current* total, std::int16_t* sums) {
  std::size_t first = 0;
  std::uint32_t block = 0;
  for (; first + kDrawnAtOnce <= columns; first += kDrawnAtOnce, ++block)
    read_block(how, key, block, net + first, total + first, sums + first);
  if (first == columns) return;
  Current nets[kDrawnAtOnce] = {}, totals[kDrawnAtOnce] = {};
  std::int16_t last[kDrawnAtOnce];
  std::copy_n(net + first, columns - first, nets);
  std::copy_n(total + first, columns - first, totals);
  read_block(how, key, block, nets, totals, last);
  std::copy_n(last, columns - first, sums + first);
}

MHO_VECTORISED
void disturb_columns(const Reading& how, std::uint64_t key, std::size_t columns, std::int16_t* sums) {
  read_columns(how, key, columns, sums, sums, sums);
}

MHO_VECTORISED
void read_currents(const Reading& how, std::uint64_t key, std::size_t columns, const std::int32_t* net,
                   const std::int32_t* total, std::int16_t* sums) {
  read_columns(how, key, columns, net, total, sums);
}

/// Without noise on the reading.
MHO_VECTORISED
void round_currents(float unit, std::size_t count, const std::int32_t* net, std::int16_t* sums) {
  for (std::size_t i = 0; i < count; ++i) sums[i] = saturated(float(net[i]) * unit);
}

MHO_VECTORISED
std::int32_t current_of(const std::uint8_t* values, const std::int16_t* conductances, std::size_t rows) {
  std::int32_t sum = 0;
  for (std::size_t row = 0; row < rows; ++row) sum += std::int32_t{values[row]} * conductances[row];
  return sum;
}

}  // namespace

NoisyArray::NoisyArray(const ArrayNoise& noise, const Levels& levels, int largest_slice)
    : columns_(std::size_t(levels.columns)),
      stride_(std::size_t(levels.stride)),
      model_(noise.model),
      seed_(mix(noise.seed, kReadings)) {
  validate(noise.model);
  if (noise.model.changes_cells() || (levels.paired && noise.model.proportional_noise > 0.0))
    cells_ = std::make_unique<NoisyCells>(noise, levels, largest_slice);
}

std::uint64_t NoisyArray::key(std::uint64_t vector, int cycle) const {
  return mix(mix(seed_, vector), std::uint64_t(cycle));
}

void NoisyArray::disturb(std::int16_t* sums, int count, const std::vector<int>& cycles,
                         std::uint64_t first_vector) const {
  const Reading how = reading_of(model_, 1.0f);
  if (how.exact()) return;
  for (std::uint64_t v = 0; v < std::uint64_t(count); ++v)
    for (const int cycle : cycles) {
      disturb_columns(how, key(first_vector + v, cycle), columns_, sums);
      sums += stride_;
    }
}

std::int16_t NoisyArray::disturbed(std::int32_t sum, int column, std::uint64_t vector, int cycle) const {
  const float exact = float(sum);
  const float normal = draw_normal(key(vector, cycle), std::uint32_t(column));
  return read_one(reading_of(model_, 1.0f), exact, exact, normal);
}

void NoisyArray::sums(const std::uint8_t* values, int count, const std::vector<int>& cycles, std::uint64_t first_vector,
                      std::int16_t* sums) const {
  const Reading how = reading_of(model_, cells_->unit());
  const bool with_totals = cells_->has_totals();
  const std::size_t all = std::size_t(count) * cycles.size(), at_once = std::min(all, kRowsAtOnce);
  std::vector<std::int32_t> net(at_once * stride_), total(with_totals ? net.size() : 0);
  for (std::size_t first = 0; first < all; first += kRowsAtOnce) {
    const std::size_t now = std::min(kRowsAtOnce, all - first);
    const std::uint8_t* driven = values + first * std::size_t(cells_->rows());
    cells_->currents(driven, int(now), net.data());
    if (with_totals) cells_->total_currents(driven, int(now), total.data());
    const std::int32_t* totals = with_totals ? total.data() : net.data();
    std::int16_t* of_pass = sums + first * stride_;
    round_currents(how.unit, now * stride_, net.data(), of_pass);
    for (std::size_t i = 0; i < now && !how.exact(); ++i) {
      const std::size_t cycle = (first + i) % cycles.size(), vector = (first + i) / cycles.size();
      read_currents(how, key(first_vector + vector, cycles[cycle]), columns_, net.data() + i * stride_,
                    totals + i * stride_, of_pass + i * stride_);
    }
  }
}

std::int16_t NoisyArray::sum(const std::uint8_t* values, int column, std::uint64_t vector, int cycle) const {
  const Reading how = reading_of(model_, cells_->unit());
  const auto rows = std::size_t(cells_->rows());
  const auto net = float(current_of(values, cells_->conductances(column), rows));
  if (how.exact()) return saturated(net * how.unit);
  const float total = cells_->has_totals() ? float(current_of(values, cells_->totals(column), rows)) : net;
  return read_one(how, net, total, draw_normal(key(vector, cycle), std::uint32_t(column)));
}

}  // namespace mho::arithmetic
