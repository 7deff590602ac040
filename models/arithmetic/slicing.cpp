// SPDX-License-Identifier: Apache-2.0
// Construction and place values of slicings; cutting a code is inline in the header.
#include "models/arithmetic/slicing.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace mho::arithmetic {
namespace {

constexpr int kMaxBits = 16, kMaxWidth = 8;

std::vector<int> uniform_widths(int bits, int width) {
  if (bits < 1 || bits > kMaxBits || width < 1 || width > kMaxWidth)
    throw std::invalid_argument("cannot cut " + std::to_string(bits) + " bits into slices of " + std::to_string(width) +
                                " (1 to 16 bits in slices of 1 to 8)");
  std::vector<int> widths(std::size_t((bits + width - 1) / width), width);
  if (bits % width != 0) widths.front() = bits % width;
  return widths;
}

}  // namespace

Slicing::Slicing(std::vector<int> widths) : widths_(std::move(widths)), shifts_(widths_.size()) {
  for (std::size_t i = widths_.size(); i-- > 0;) {
    if (widths_[i] < 1 || widths_[i] > kMaxWidth)
      throw std::invalid_argument("a slice of " + std::to_string(widths_[i]) + " bits (1 to 8 allowed)");
    shifts_[i] = bits_;
    bits_ += widths_[i];
    if (bits_ > kMaxBits) throw std::invalid_argument("slices of more than 16 bits in all (1 to 16 allowed)");
  }
  if (widths_.empty()) throw std::invalid_argument("a slicing without slices (1 to 16 bits allowed)");
}

Slicing Slicing::uniform(int bits, int width) { return Slicing(uniform_widths(bits, width)); }

int Slicing::widest() const { return *std::max_element(widths_.begin(), widths_.end()); }

std::int64_t Slicing::weight(int index, bool is_signed) const {
  if (is_signed && widths_.front() != 1)
    throw std::invalid_argument("the sign bit shares a slice of " + std::to_string(widths_.front()) +
                                " bits (signed codes need a first slice of 1 bit)");
  const std::int64_t place = std::int64_t{1} << shift(index);
  return is_signed && index == 0 ? -place : place;
}

}  // namespace mho::arithmetic
