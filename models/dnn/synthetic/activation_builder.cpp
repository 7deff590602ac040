// SPDX-License-Identifier: Apache-2.0
// The part of GraphBuilder for operators between products. Moments of a function's values come from its values over
// four deviations to either side of the mean.
#include <array>
#include <cmath>
#include <utility>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/dnn/synthetic/synthetic_weights.h"

namespace mho::dnn {

namespace {

Moments moments_of(Function function, double parameter, const Moments& x) {
  Moments sum{0, 0};
  double weights = 0;
  for (int i = -40; i <= 40; ++i) {
    const double z = i / 10.0, weight = std::exp(-z * z / 2);
    const double value = value_of(function, parameter, x.mean + z * x.deviation());
    sum.mean += weight * value;
    sum.square += weight * value * value;
    weights += weight;
  }
  return {sum.mean / weights, sum.square / weights};
}

/// x * y, independent.
Moments product(const Moments& x, const Moments& y) { return {x.mean * y.mean, x.square * y.square}; }

/// Sum of n independent values.
Moments sum_of(double n, const Moments& x) {
  const double mean = n * x.mean;
  return {mean, mean * mean + n * x.deviation() * x.deviation()};
}

}  // namespace

int GraphBuilder::sequence(int positions, int channels) {
  const int tensor = input(sequence_shape(positions, channels), CodeType::kInt8);
  graph_.tensors[std::size_t(tensor)].sequence = true;
  return tensor;
}

void GraphBuilder::calibrate_unit(const Moments& values, CodeType type, double largest) {
  calibrate(values, type == CodeType::kUint8);
  const int output = graph_.nodes.back().output;
  graph_.tensors[std::size_t(output)].scale = as_float(1.0 / largest);
  moments_[std::size_t(output)] = values;
}

int GraphBuilder::multiply(int a, int b) {
  const int output = add_node(Operator::kMultiply, "", {a, b}, shape_of(a), {});
  const auto is_unsigned = [this](int tensor) { return graph_.tensors[std::size_t(tensor)].type == CodeType::kUint8; };
  const Moments moments = product(moments_[std::size_t(a)], moments_[std::size_t(b)]);
  calibrate(moments, is_unsigned(a) && is_unsigned(b));
  moments_[std::size_t(output)] = moments;
  return output;
}

int GraphBuilder::function(int input, Function function, double parameter) {
  const Moments moments = moments_of(function, parameter, moments_[std::size_t(input)]);
  const int output = add_node(Operator::kFunction, "", {input}, shape_of(input), {});
  graph_.nodes.back().function = function;
  graph_.nodes.back().parameter = parameter;
  if (function == Function::kSigmoid || function == Function::kHardSigmoid)
    calibrate_unit(moments, CodeType::kUint8, 255);
  else if (function == Function::kTanh)
    calibrate_unit(moments, CodeType::kInt8, 127);
  else
    calibrate(moments, false);
  return output;
}

int GraphBuilder::affine(int input, std::vector<double> gain, std::vector<double> offset) {
  const int output = add_node(Operator::kAffine, "", {input}, shape_of(input), {});
  const Moments x = moments_[std::size_t(input)];
  Moments mixed{0, 0};
  for (std::size_t c = 0; c < gain.size() && c < offset.size(); ++c) {
    mixed.mean += (gain[c] * x.mean + offset[c]) / double(gain.size());
    mixed.square +=
        (gain[c] * gain[c] * x.square + 2 * gain[c] * offset[c] * x.mean + offset[c] * offset[c]) / double(gain.size());
  }
  graph_.nodes.back().gain = std::move(gain);
  graph_.nodes.back().offset = std::move(offset);
  calibrate(mixed, false);
  return output;
}

int GraphBuilder::select(int input, std::vector<int> channels) {
  Shape shape = shape_of(input);
  shape.channels = int(channels.size());
  const int output = add_node(Operator::kSelect, "", {input}, shape, {});
  graph_.nodes.back().channels = std::move(channels);
  return output;
}

int GraphBuilder::pad(int input, const Window& frame) {
  Shape shape = shape_of(input);
  shape.height += frame.pad_top + frame.pad_bottom;
  shape.width += frame.pad_left + frame.pad_right;
  return add_node(Operator::kPad, "", {input}, shape, frame);
}

int GraphBuilder::softmax(int input, int heads) {
  const int output = add_node(Operator::kSoftmax, "", {input}, shape_of(input), {});
  graph_.nodes.back().heads = heads;
  // Powers of e of a normal distribution of deviation 1 have E[p^2] = e E[p]^2.
  const double mean = double(heads) / shape_of(input).channels;
  calibrate_unit({mean, std::exp(1.0) * mean * mean}, CodeType::kUint8, 256);
  return output;
}

int GraphBuilder::layer_norm(int input) {
  const int output = add_node(Operator::kLayerNorm, "", {input}, shape_of(input), {});
  const auto scatter = [this] { return double(random_() >> 11) * 0x1p-53 * 0.4 - 0.2; };
  for (int c = 0; c < shape_of(input).channels; ++c) {
    graph_.nodes.back().gain.push_back(as_float(1.0 + scatter()));
    graph_.nodes.back().offset.push_back(as_float(scatter()));
  }
  graph_.nodes.back().epsilon = as_float(1e-5);
  calibrate({0.0, 1.02}, false);
  return output;
}

int GraphBuilder::matmul(int a, int b, int heads, bool transposed) {
  const Shape& of_b = shape_of(b);
  const int pixels = of_b.height * of_b.width;
  Shape shape = shape_of(a);
  shape.channels = transposed ? heads * pixels : of_b.channels;
  const double length = transposed ? double(of_b.channels) / heads : pixels;
  const Moments moments = sum_of(length, product(moments_[std::size_t(a)], moments_[std::size_t(b)]));
  const int output = add_node(Operator::kMatMul, "", {a, b}, shape, {});
  graph_.nodes.back().heads = heads;
  graph_.nodes.back().transposed = transposed;
  calibrate(moments, false);
  return output;
}

int GraphBuilder::attention(int queries, int keys, int values, int heads) {
  return matmul(softmax(matmul(queries, keys, heads, true), heads), values, heads, false);
}

}  // namespace mho::dnn
