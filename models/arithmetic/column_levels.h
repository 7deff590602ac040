// SPDX-License-Identifier: Apache-2.0
// The levels of a row block column by column: how pairs are kept, and what single columns are read from. A level takes
// a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/arithmetic/integer_product.h"

namespace mho::arithmetic {

/// Immutable. One more column than given follows the last one, all ones; columns of zeros fill up to stride().
class ColumnLevels {
 public:
  /// levels[rows][step], of each row the first `columns`; int8 in two's complement where `is_signed`.
  ColumnLevels(const std::uint8_t* levels, std::size_t step, int rows, int columns, int stride, bool is_signed);

  int stride() const { return int(stride_); }
  int level(int row, int column) const;
  /// levels[rows][stride()].
  void all(std::uint8_t* levels) const;
  /// sums[m] = sum over rows of (value & masks[m]) * level, for each of `count` masks: values[rows].
  void sums(const std::uint8_t* values, int column, const std::uint8_t* masks, std::size_t count,
            std::int32_t* sums) const;
  /// For the sums of all stride() columns at once. Signed levels only.
  IntegerProduct product() const;

 private:
  using Dots = void (*)(const std::uint8_t* values, const std::uint8_t* levels, std::size_t rows,
                        const std::uint8_t* masks, std::size_t count, std::int32_t* sums);
  static Dots dots_of(bool is_signed);

  std::size_t rows_, stride_;
  bool is_signed_;
  std::size_t step_;  ///< from column to column: rows, and zeros behind them
  Dots dots_;
  std::vector<std::uint8_t> levels_;  ///< [column][step_]
};

}  // namespace mho::arithmetic
