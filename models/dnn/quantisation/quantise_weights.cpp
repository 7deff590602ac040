// SPDX-License-Identifier: Apache-2.0
// Weights and biases, filter by filter.
#include <algorithm>
#include <cmath>

#include "models/dnn/codes.h"
#include "models/dnn/quantisation/quantise.h"
#include "models/dnn/share_out.h"

namespace mho::dnn {

namespace {

constexpr double kLargestCode = 127;
constexpr double kLargestBias = 0x1p30;  ///< leaves room for the psum
constexpr double kWeakest = 0x1p-24;     ///< a filter's scale over the layer's largest: below it nothing is heard
constexpr int kCandidates = 60;          ///< scales that are tried from the largest weight's down, 1 % apart

double code_at(float weight, double scale) {
  return round_to_even(std::min(std::max(double(weight) / scale, -kLargestCode), kLargestCode));
}

double squared_error(const float* weights, std::size_t length, double scale) {
  double error = 0;
  for (std::size_t k = 0; k < length; ++k) {
    const double rest = double(weights[k]) - code_at(weights[k], scale) * scale;
    error += rest * rest;
  }
  return error;
}

/// The scale with the least squared error of `length` weights.
double least_error(const float* weights, std::size_t length, double whole) {
  double best = whole, least = squared_error(weights, length, whole);
  for (int i = 1; i < kCandidates; ++i) {
    const double scale = whole * (1.0 - 0.01 * i), error = squared_error(weights, length, scale);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

double largest_of(const float* weights, std::size_t length) {
  double largest = 0;
  for (std::size_t k = 0; k < length; ++k) largest = std::max(largest, std::abs(double(weights[k])));
  return largest;
}

}  // namespace

Weights quantised_weights(const RealWeights& real, std::size_t filters, int groups, double x_scale,
                          const QuantiseOptions& options) {
  const std::size_t length = real.values.size() / filters;
  const double layer = largest_of(real.values.data(), real.values.size()) / kLargestCode;
  Weights weights;
  weights.groups = groups;
  weights.values.resize(real.values.size());
  weights.bias.resize(filters, 0);
  weights.scale.resize(filters);
  share_out(filters, options.threads, [&](std::size_t f, int) {
    const float* const values = real.values.data() + f * length;
    const double bias = real.bias.empty() ? 0.0 : double(real.bias[f]);
    double scale = largest_of(values, length) / kLargestCode;
    if (scale > 0 && options.range == RangeMethod::kMeanSquareError) scale = least_error(values, length, scale);
    scale = double(float(std::max({scale, layer * kWeakest, std::abs(bias) / (x_scale * kLargestBias)})));
    if (!(scale > 0)) scale = 1.0;  // weights and bias are zero
    for (std::size_t k = 0; k < length; ++k) weights.values[f * length + k] = std::int8_t(code_at(values[k], scale));
    weights.bias[f] = std::int32_t(std::nearbyint(bias / (x_scale * scale)));
    weights.scale[f] = scale;
  });
  return weights;
}

}  // namespace mho::dnn
