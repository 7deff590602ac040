// SPDX-License-Identifier: Apache-2.0
// The levels of a row block, one bit of 16 rows of a column to a word, and the column sums of one-bit input slices by
// AND and population count on them. Every bit of a cell takes an eighth of a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/arithmetic/bit_plane_kernels.h"

namespace mho::arithmetic {

/// Immutable. One more column than given follows the last one: the unit column, all ones.
class BitPlanes {
 public:
  /// levels[rows][columns], each below 2^bits; bits 1 .. 8.
  BitPlanes(const std::uint8_t* levels, int rows, int columns, int bits);

  /// 16-bit words of a packed input: the rows, rounded up to what the kernels take.
  int words() const { return words_; }
  /// Columns, unit column and padding: a multiple of the widest vector of 16-bit sums.
  int stride() const { return groups_ * kColumnsAtOnce; }
  int level(int row, int column) const;
  /// The levels of one row, stride() of them: 1 in the unit column, 0 in the padding.
  void row_levels(int row, std::uint8_t* levels) const;

  /// Sums of all columns for one-bit slices of `count` inputs, packed[count][words()][8] as RowDriver::pack has them:
  /// slice i of an input is bit `slices` - 1 - i of its codes and goes to sums + input * step + i * stride().
  void column_sums(const std::uint16_t* packed, int count, int slices, std::int16_t* sums, std::size_t step) const;

 private:
  std::size_t group_step() const { return std::size_t(words_) * std::size_t(bits_); }
  std::size_t line(int row, int group) const {
    return std::size_t(group) * group_step() + std::size_t(row / 16) * std::size_t(bits_);
  }
  void sum_slice(const std::uint16_t* words, int group, int groups, std::int16_t* sums) const;

  int bits_, words_, groups_;
  BitPlaneKernel whole_, rest_;    ///< of eight words, and of the words after the last eight
  std::vector<PlaneLine> planes_;  ///< [group][word][bit]
};

}  // namespace mho::arithmetic
