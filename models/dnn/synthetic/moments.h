// SPDX-License-Identifier: Apache-2.0
// First two moments of an activation's real values, and what each operator makes of them under the assumption that
// elements are independent and normal. Good enough to choose scales without data; GraphBuilder uses it.
#pragma once

#include <algorithm>
#include <cmath>

namespace mho::dnn {

/// Expected distribution of a tensor's real values.
struct Moments {
  double mean = 0;
  double square = 1;  ///< E[x^2]

  double deviation() const { return std::sqrt(std::max(square - mean * mean, 1e-12)); }

  /// max(0, x): mean m P + s p, second moment (m^2 + s^2) P + m s p, with P = P(x > 0) and p the density at 0 times s.
  Moments rectified() const {
    const double s = deviation(), m = mean;
    const double density = std::exp(-m * m / (2 * s * s)) / std::sqrt(2 * std::acos(-1.0));
    const double positive = 0.5 * std::erfc(-m / (s * std::sqrt(2.0)));
    return {m * positive + s * density, (m * m + s * s) * positive + m * s * density};
  }

  /// x + y.
  Moments plus(const Moments& y) const { return {mean + y.mean, square + y.square + 2 * mean * y.mean}; }

  /// Largest of n: four normals have mean +1.03 s and deviation 0.70 s, nine +1.49 s and 0.60 s.
  Moments largest_of(double n) const {
    if (n < 2) return *this;
    const double m = mean + 0.65 * deviation() * std::sqrt(2 * std::log(n)), s = 0.7 * deviation();
    return {m, m * m + s * s};
  }

  /// Average of n of one channel; a tenth of the variance is taken to lie between channels, where it stays.
  Moments average_of(double n) const {
    const double variance = deviation() * deviation();
    return {mean, mean * mean + variance * (0.1 + 0.9 / n)};
  }
};

}  // namespace mho::dnn
