// SPDX-License-Identifier: Apache-2.0
// Weights for networks whose trained ones cannot be shipped: bell-shaped codes from a seed, and scales and biases under
// which psums have a standard deviation near one. The same on every platform.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "models/dnn/graph.h"
#include "models/dnn/synthetic/moments.h"

namespace mho::dnn {

/// Scales are float in every file format; products of floats with codes are exact in double.
inline double as_float(double scale) { return double(float(scale)); }

/// `count` codes from -127 to 127, mean 0, standard deviation 30.
std::vector<std::int8_t> bell_shaped(std::mt19937_64& random, std::size_t count);

/// Gives the filters of `weights` a scale and a bias. `input` is the distribution of the real inputs, `input_scale`
/// their scale. Filters differ a little in gain and offset. Nothing is done where `filters` does not divide the values.
void scale_weights(Weights& weights, int filters, double input_scale, const Moments& input, std::mt19937_64& random);

}  // namespace mho::dnn
