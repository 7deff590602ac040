// SPDX-License-Identifier: Apache-2.0
// Turning rows into columns eight by eight, and the sum of one column, a dot product that AVX-512 VNNI has an
// instruction for.
#include "models/arithmetic/column_levels.h"

#include <algorithm>
#include <cstring>

#include "models/arithmetic/instruction_set.h"
#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// A column of levels is filled up with zeros to a multiple of the widest vector.
constexpr std::size_t kRows = 64;

/// to[c][r] = from[r][c] of 8 x 8 bytes (Hacker's Delight, 7-3, for bytes): blocks of 4, 2, then 1 change places.
MHO_INLINE void turn_eight(const std::uint8_t* __restrict from, std::size_t from_step, std::uint8_t* __restrict to,
                           std::size_t to_step) {
  std::uint64_t rows[8];
  for (std::size_t i = 0; i < 8; ++i) std::memcpy(&rows[i], from + i * from_step, 8);
  constexpr std::uint64_t kMasks[3] = {0x00000000ffffffffULL, 0x0000ffff0000ffffULL, 0x00ff00ff00ff00ffULL};
#pragma GCC unroll 3
  for (std::size_t step = 0; step < 3; ++step) {
    const std::size_t apart = std::size_t{4} >> step;
    for (std::size_t i = 0; i < 8; ++i) {
      if ((i & apart) != 0) continue;
      const std::uint64_t turned = ((rows[i] >> (8 * apart)) ^ rows[i + apart]) & kMasks[step];
      rows[i + apart] ^= turned;
      rows[i] ^= turned << (8 * apart);
    }
  }
  for (std::size_t i = 0; i < 8; ++i) std::memcpy(to + i * to_step, &rows[i], 8);
}

/// to[c][r] = from[r][c], rows of `from` being `step` apart, those of `to` `to_step`.
void turn(const std::uint8_t* from, std::size_t step, std::size_t rows, std::size_t columns, std::uint8_t* to,
          std::size_t to_step) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "eight levels are loaded as one number, the first lowest");
  const std::size_t whole_rows = rows / 8 * 8, whole_columns = columns / 8 * 8;
  for (std::size_t c = 0; c < whole_columns; c += 8)
    for (std::size_t r = 0; r < whole_rows; r += 8)
      turn_eight(from + r * step + c, step, to + c * to_step + r, to_step);
  for (std::size_t c = 0; c < columns; ++c)
    for (std::size_t r = c < whole_columns ? whole_rows : 0; r < rows; ++r) to[c * to_step + r] = from[r * step + c];
}

template <class Level>
MHO_INLINE std::int32_t dot(const std::uint8_t* values, const std::uint8_t* levels, std::size_t rows,
                            std::uint8_t mask) {
  std::int32_t sum = 0;
  for (std::size_t r = 0; r < rows; ++r) sum += std::int32_t{std::uint8_t(values[r] & mask)} * Level(levels[r]);
  return sum;
}

/// The rows after the last kRows are copied to a vector of their own: a loop over single ones would cost as much as
/// hundreds of others.
template <class Level>
MHO_INLINE void dots(const std::uint8_t* values, const std::uint8_t* levels, std::size_t rows,
                     const std::uint8_t* masks, std::size_t count, std::int32_t* sums) {
  const std::size_t whole = rows / kRows * kRows;
  alignas(kRows) std::uint8_t rest[kRows] = {};
  std::memcpy(rest, values + whole, rows - whole);
  for (std::size_t m = 0; m < count; ++m) {
    sums[m] = dot<Level>(values, levels, whole, masks[m]);
    if (rows != whole) sums[m] += dot<Level>(rest, levels + whole, kRows, masks[m]);
  }
}

MHO_VECTORISED
void dots_unsigned(const std::uint8_t* values, const std::uint8_t* levels, std::size_t rows, const std::uint8_t* masks,
                   std::size_t count, std::int32_t* sums) {
  dots<std::uint8_t>(values, levels, rows, masks, count, sums);
}

MHO_VECTORISED
void dots_signed(const std::uint8_t* values, const std::uint8_t* levels, std::size_t rows, const std::uint8_t* masks,
                 std::size_t count, std::int32_t* sums) {
  dots<std::int8_t>(values, levels, rows, masks, count, sums);
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define MHO_X86_DOTS 1
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,prefer-vector-width=512"))) void dots_by_vnni(
    const std::uint8_t* values, const std::uint8_t* levels, std::size_t rows, const std::uint8_t* masks,
    std::size_t count, std::int32_t* sums) {
  dots<std::int8_t>(values, levels, rows, masks, count, sums);
}
#endif

}  // namespace

ColumnLevels::Dots ColumnLevels::dots_of(bool is_signed) {
  if (!is_signed) return dots_unsigned;
#if defined(MHO_X86_DOTS)
  if (InstructionSet::in_effect().vnni) return dots_by_vnni;
#endif
  return dots_signed;
}

ColumnLevels::ColumnLevels(const std::uint8_t* levels, std::size_t step, int rows, int columns, int stride,
                           bool is_signed)
    : rows_(std::size_t(rows)),
      stride_(std::size_t(stride)),
      is_signed_(is_signed),
      step_((rows_ + kRows - 1) / kRows * kRows),
      dots_(dots_of(is_signed)),
      levels_(step_ * stride_) {
  turn(levels, step, rows_, std::size_t(columns), levels_.data(), step_);
  std::fill_n(levels_.begin() + std::ptrdiff_t(step_) * columns, rows_, std::uint8_t{1});
}

int ColumnLevels::level(int row, int column) const {
  const std::uint8_t level = levels_[std::size_t(column) * step_ + std::size_t(row)];
  return is_signed_ ? int(std::int8_t(level)) : int(level);
}

void ColumnLevels::all(std::uint8_t* levels) const { turn(levels_.data(), step_, stride_, rows_, levels, stride_); }

void ColumnLevels::sums(const std::uint8_t* values, int column, const std::uint8_t* masks, std::size_t count,
                        std::int32_t* sums) const {
  dots_(values, levels_.data() + std::size_t(column) * step_, rows_, masks, count, sums);
}

IntegerProduct ColumnLevels::product() const {
  const std::uint8_t* levels = levels_.data();
  std::vector<std::uint8_t> dense(step_ == rows_ ? 0 : rows_ * stride_);
  if (!dense.empty()) {
    for (std::size_t c = 0; c < stride_; ++c) std::memcpy(&dense[c * rows_], levels + c * step_, rows_);
    levels = dense.data();
  }
  return IntegerProduct::of_filters(reinterpret_cast<const std::int8_t*>(levels), int(rows_), int(stride_));
}

}  // namespace mho::arithmetic
