// SPDX-License-Identifier: Apache-2.0
// From stored codes to numbers and back: the one place where a real value becomes an 8-bit code. Rounding is to
// nearest, ties to even, once per result.
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/dnn/graph.h"

namespace mho::dnn {

/// `value` rounded to the nearest integer, ties to even, for |value| < 2^51. The same as std::nearbyint in the default
/// rounding mode, but baseline x86-64 has no instruction for that one and calls a function per number; this vectorises.
inline double round_to_even(double value) {
  constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52: the sum has no bits left for a fraction
  return (value + kShift) - kShift;
}

/// Reads codes of one tensor as integers without their zero point.
class Centred {
 public:
  explicit Centred(const Tensor& tensor)
      : flip_(tensor.type == CodeType::kInt8 ? 0x80u : 0u), origin_(tensor.zero_point + int(flip_)) {}
  /// code - zero point. Flipping the sign bit orders two's complement codes like unsigned ones, without a branch.
  int operator()(std::uint8_t code) const { return int(code ^ flip_) - origin_; }

 private:
  unsigned flip_;
  int origin_;
};

/// Turns real values into codes of one tensor: clip(rint(real / scale) + zero point).
class Quantiser {
 public:
  /// Codes stay within [lower, upper], a range inside the tensor's type.
  Quantiser(const Tensor& tensor, int lower, int upper)
      : scale_(tensor.scale),
        lowest_(lower - tensor.zero_point),
        highest_(upper - tensor.zero_point),
        zero_point_(tensor.zero_point) {}
  /// `real` may be infinite, not NaN. Clipping comes first: both bounds are integers, so the order does not matter,
  /// and what is rounded stays small.
  std::uint8_t operator()(double real) const {
    const double steps = std::min(std::max(real / scale_, lowest_), highest_);
    return std::uint8_t(int(round_to_even(steps)) + zero_point_);
  }

 private:
  double scale_, lowest_, highest_;
  int zero_point_;
};

}  // namespace mho::dnn
