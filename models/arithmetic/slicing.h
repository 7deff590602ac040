// SPDX-License-Identifier: Apache-2.0
// How an n-bit code is cut into slices, most significant first, and put together again. Two's complement codes need
// their sign bit in a slice of its own, because that slice counts negatively (ISAAC, ISCA 2016, section V).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mho::arithmetic {

/// Widths of the slices of a code, most significant first; an 8-bit code cut 4-2-2 is {4, 2, 2}.
class Slicing {
 public:
  /// 1..16 bits in all, each slice 1..8 bits wide; throws std::invalid_argument otherwise.
  explicit Slicing(std::vector<int> widths);
  /// `bits` in slices of `width`, the most significant slice narrower where they do not divide.
  static Slicing uniform(int bits, int width);

  int count() const { return int(widths_.size()); }
  int bits() const { return bits_; }
  int width(int slice) const { return widths_[std::size_t(slice)]; }
  /// Place value of a slice's least significant bit, as a power of two.
  int shift(int slice) const { return shifts_[std::size_t(slice)]; }
  int widest() const;
  /// Slice of the low `bits()` bits of a code (two's complement where negative): 0 .. 2^width - 1.
  unsigned slice(std::int32_t code, int index) const {
    return (std::uint32_t(code) >> shift(index)) & ((1u << width(index)) - 1u);
  }
  /// +2^shift, or -2^shift for the first slice of a signed code. Throws std::invalid_argument where `is_signed` and
  /// the first slice is wider than one bit.
  std::int64_t weight(int index, bool is_signed) const;
  bool operator==(const Slicing& other) const { return widths_ == other.widths_; }
  const std::vector<int>& widths() const { return widths_; }

 private:
  std::vector<int> widths_, shifts_;
  int bits_ = 0;
};

}  // namespace mho::arithmetic
