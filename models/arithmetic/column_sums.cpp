// SPDX-License-Identifier: Apache-2.0
// Codes become values on the word lines a few vectors at a time, then sums.
#include "models/arithmetic/column_sums.h"

#include <algorithm>
#include <array>
#include <limits>

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// Inputs of one pass over the buffers between codes and sums, which should stay in the second-level cache.
constexpr int kBatch = 16;

using Limits = std::numeric_limits<std::int16_t>;

MHO_VECTORISED
void saturate(const std::int32_t* __restrict from, std::size_t count, std::int16_t* __restrict to) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] = std::int16_t(std::min<std::int32_t>(std::max<std::int32_t>(from[i], Limits::min()), Limits::max()));
}

MHO_VECTORISED
std::int32_t sum_of(const std::uint8_t* values, std::size_t count) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += values[i];
  return sum;
}

template <class T>
std::unique_ptr<T[]> uninitialised(std::size_t count) {
  return std::unique_ptr<T[]>(new T[count]);
}

}  // namespace

ColumnSums::ColumnSums(const EncodedBlock& block, const InputStream& stream, const std::optional<ArrayNoise>& noise)
    : rows_(block.rows),
      columns_(block.columns()),
      is_signed_(stream.is_signed),
      digital_unit_(block.recombination.digital_unit),
      driver_(stream),
      levels_(block),
      bits_pay_(!block.paired && driver_.plain_bits() && bit_planes_pay(block.cell_bits)) {
  if (!noise || !(noise->model.changes_cells() || noise->model.changes_sums())) return;
  const auto ideal = levels_.all();
  const int cells = columns_ + (digital_unit_ ? 0 : 1);
  noise_ = std::make_unique<NoisyArray>(
      *noise, Levels{ideal.data(), rows_, cells, levels_.stride(), block.cell_bits, block.paired}, driver_.top());
}

void ColumnSums::of_all(const std::uint8_t* codes, int count, std::uint64_t first_vector, std::int16_t* sums) const {
  if (noise_ != nullptr && !noise_->keeps_exact_sums()) return by_noisy_cells(codes, count, first_vector, sums);
  if (bits_pay_)
    by_bits(codes, count, sums);
  else
    by_levels(codes, count, sums);
  if (noise_ != nullptr) noise_->disturb(sums, count, driver_.whole(), first_vector);
}

void ColumnSums::of_column(const std::uint8_t* codes, std::uint64_t vector, int column, int speculated,
                           std::int16_t* sums) const {
  const std::vector<int>& cycles = driver_.recovering(speculated);
  if (noise_ != nullptr && !noise_->keeps_exact_sums()) {
    const auto width = std::size_t(rows_);
    const auto values = uninitialised<std::uint8_t>(cycles.size() * width);
    driver_.drive(codes, rows_, cycles, values.get());
    for (std::size_t i = 0; i < cycles.size(); ++i)
      sums[i] = noise_->sum(values.get() + i * width, column, vector, cycles[i]);
    return;
  }
  std::array<std::int32_t, 8> exact;  // a slice is at most 8 bits wide
  by_column(codes, column, cycles, exact.data());
  saturate(exact.data(), cycles.size(), sums);
  for (std::size_t i = 0; noise_ != nullptr && i < cycles.size(); ++i)
    sums[i] = noise_->disturbed(sums[i], column, vector, cycles[i]);
}

void ColumnSums::by_bits(const std::uint8_t* codes, int count, std::int16_t* sums) const {
  const BitPlanes& planes = *levels_.planes();
  const int own_bits = driver_.own_bits();
  const std::size_t stride = std::size_t(planes.stride()), step = stride * driver_.whole().size();
  const std::size_t extension = driver_.whole().size() - std::size_t(own_bits);
  std::vector<std::uint16_t> packed(std::size_t(std::min(count, kBatch)) * std::size_t(planes.words() * 8));
  for (int first = 0; first < count; first += kBatch) {
    const int now = std::min(kBatch, count - first);
    for (int v = 0; v < now; ++v)
      RowDriver::pack(codes + std::size_t(first + v) * std::size_t(rows_), rows_, planes.words(),
                      packed.data() + std::size_t(v * planes.words() * 8));
    std::int16_t* of_batch = sums + std::size_t(first) * step;
    planes.column_sums(packed.data(), now, own_bits, of_batch + extension * stride, step);
    for (int v = 0; v < now; ++v, of_batch += step)
      for (std::size_t s = 0; s < extension; ++s)
        if (is_signed_)
          std::copy_n(of_batch + extension * stride, stride, of_batch + s * stride);
        else
          std::fill_n(of_batch + s * stride, stride, std::int16_t{0});
  }
}

/// Calls read(values of whole cycles, first vector, vectors) for some vectors at a time.
template <class Read>
void ColumnSums::by_values(const std::uint8_t* codes, int count, Read read) const {
  const auto width = std::size_t(rows_), step = driver_.whole().size() * width;
  const auto values = uninitialised<std::uint8_t>(std::size_t(std::min(count, kBatch)) * step);
  for (int first = 0; first < count; first += kBatch) {
    const int now = std::min(kBatch, count - first);
    for (std::size_t v = 0; v < std::size_t(now); ++v)
      driver_.drive(codes + (std::size_t(first) + v) * width, rows_, driver_.whole(), values.get() + v * step);
    read(values.get(), std::size_t(first), now);
  }
}

void ColumnSums::by_levels(const std::uint8_t* codes, int count, std::int16_t* sums) const {
  const std::size_t cycles = driver_.whole().size(), step = cycles * std::size_t(levels_.stride());
  const auto wide = uninitialised<std::int32_t>(std::size_t(std::min(count, kBatch)) * step);
  by_values(codes, count, [&](const std::uint8_t* values, std::size_t first, int now) {
    levels_.product().run(values, false, now * int(cycles), wide.get());
    saturate(wide.get(), std::size_t(now) * step, sums + first * step);
  });
}

void ColumnSums::by_noisy_cells(const std::uint8_t* codes, int count, std::uint64_t first_vector,
                                std::int16_t* sums) const {
  const auto stride = std::size_t(levels_.stride()), cycles = driver_.whole().size(), width = std::size_t(rows_);
  by_values(codes, count, [&](const std::uint8_t* values, std::size_t first, int now) {
    std::int16_t* const of_batch = sums + first * cycles * stride;
    noise_->sums(values, now, driver_.whole(), first_vector + first, of_batch);
    for (std::size_t i = 0; digital_unit_ && i < std::size_t(now) * cycles; ++i)
      of_batch[i * stride + std::size_t(columns_)] = std::int16_t(sum_of(values + i * width, width));
  });
}

/// Bits are left where they stand in the byte, and the place value comes off the sum.
void ColumnSums::by_column(const std::uint8_t* codes, int column, const std::vector<int>& cycles,
                           std::int32_t* sums) const {
  const auto width = std::size_t(rows_);
  if (!driver_.in_bytes()) {
    const std::uint8_t all = 255;
    const auto values = uninitialised<std::uint8_t>(cycles.size() * width);
    driver_.drive(codes, rows_, cycles, values.get());
    for (std::size_t i = 0; i < cycles.size(); ++i)
      levels_.columns().sums(values.get() + i * width, column, &all, 1, sums + i);
    return;
  }
  std::array<std::uint8_t, 8> masks;
  const auto cycle = [&](std::size_t i) -> const InputCycle& { return driver_.cycles()[std::size_t(cycles[i])]; };
  for (std::size_t i = 0; i < cycles.size(); ++i) masks[i] = RowDriver::mask(cycle(i));
  std::vector<std::uint8_t> room(width * std::size_t(driver_.in_passes()));
  const std::uint8_t* const bytes = driver_.bytes(codes, rows_, cycle(0), room.data());
  levels_.columns().sums(bytes, column, masks.data(), cycles.size(), sums);
  for (std::size_t i = 0; i < cycles.size(); ++i) sums[i] >>= cycle(i).shift;
}

}  // namespace mho::arithmetic
