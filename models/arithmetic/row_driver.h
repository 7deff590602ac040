// SPDX-License-Identifier: Apache-2.0
// What row drivers make of input codes: slice values in the layouts that arrays compute on, and the pulses that they
// cost. A code is one byte; a slicing of more bits extends it by its sign or by zeros, one of fewer uses its low bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "models/arithmetic/slicing.h"

namespace mho::arithmetic {

class RowDriver {
 public:
  /// Throws std::invalid_argument where the sign bit of signed codes shares a slice.
  RowDriver(Slicing slicing, bool is_signed);

  int slices() const { return slicing_.count(); }
  /// Every slice is one bit wide.
  bool one_bit() const { return slicing_.widest() == 1; }
  /// The largest value that any slice of any code takes.
  int top() const { return top_; }
  /// The number that the slices stand for.
  std::int32_t value(std::uint8_t code) const;
  /// Codes may stand for other numbers than the plain uint8 or int8: the slicing is narrower than a byte.
  bool narrow() const { return slicing_.bits() < 8; }

  /// values[slice][row] of one vector of `rows` codes.
  void slice(const std::uint8_t* codes, int rows, std::uint8_t* values) const;
  /// Adds every code's sum of slice values to pulses[row], over `count` vectors of `rows` codes.
  void add_pulses(const std::uint8_t* codes, int count, int rows, std::uint32_t* pulses) const;

  /// One-bit slices only: how many of the last slices are the code's own bits. The slices before them, of a code
  /// extended beyond 8 bits, repeat the first of these where codes are signed, else are zero.
  int own_bits() const { return narrow() ? slicing_.bits() : 8; }
  /// Bit r % 16 of packed[r / 16][b] is bit b of row r's code; `words` words of 16 rows, rows beyond `rows` zero.
  static void pack(const std::uint8_t* codes, int rows, int words, std::uint16_t* packed);

 private:
  Slicing slicing_;
  bool is_signed_;
  int top_ = 0;
  std::array<std::uint16_t, 256> pulses_{};  ///< sum of slice values by code
};

}  // namespace mho::arithmetic
