// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic on the bits of the generator: the standard library's distributions differ between implementations.
#include "models/dnn/synthetic/synthetic_weights.h"

#include <algorithm>
#include <cmath>

namespace mho::dnn {

namespace {

/// The sum of eight random bytes has mean 1020 and deviation 209.
std::int8_t bell_shaped_code(std::mt19937_64& random) {
  std::uint64_t bits = random();
  int sum = -1020;
  for (int i = 0; i < 8; ++i, bits >>= 8) sum += int(bits & 0xff);
  return std::int8_t(std::clamp(sum / 7, -127, 127));
}

double uniform(std::mt19937_64& random) { return double(random() >> 11) * 0x1p-53; }

}  // namespace

std::vector<std::int8_t> bell_shaped(std::mt19937_64& random, std::size_t count) {
  std::vector<std::int8_t> values(count);
  for (std::int8_t& value : values) value = bell_shaped_code(random);
  return values;
}

void scale_weights(Weights& weights, int filters, double input_scale, const Moments& input, std::mt19937_64& random) {
  weights.scale.clear();
  weights.bias.clear();
  if (filters < 1 || weights.values.size() % std::size_t(filters) != 0) return;
  const std::size_t length = weights.values.size() / std::size_t(filters);
  const std::int8_t* value = weights.values.data();
  for (int f = 0; f < filters; ++f, value += length) {
    double sum = 0, square = 0;
    for (std::size_t k = 0; k < length; ++k) {
      const double w = value[k];
      sum += w;
      square += w * w;
    }
    // Psums of one unit's deviation, give or take a quarter, whose mean the bias takes away as batch normalisation
    // does.
    const double gain = 0.75 + 0.5 * uniform(random);
    weights.scale.push_back(as_float(gain / (std::sqrt(std::max(square, 1.0)) * input.deviation())));
    const double offset = 0.2 * (uniform(random) - 0.5) * std::sqrt(square) * input.deviation();
    weights.bias.push_back(std::int32_t(std::lround((offset - sum * input.mean) / input_scale)));
  }
}

}  // namespace mho::dnn
