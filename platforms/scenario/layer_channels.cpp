// SPDX-License-Identifier: Apache-2.0
// Rows that look at one pixel at a time or join layers: sums, products, concatenations, choices of channels, functions,
// and the operators of attention.
#include "platforms/scenario/layer_reading.h"

namespace mho {
namespace {

using dnn::Function;
using dnn::Shape;

/// PyTorch's defaults.
constexpr double kLeakySlope = 0.01, kHardSigmoidSlope = 1.0 / 6, kEpsilon = 1e-5;

/// Files hold float; the codes of a network must not depend on whether it went through one.
double as_float(double value) { return double(float(value)); }

Function function_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::kTanh:
      return Function::kTanh;
    case LayerKind::kLeakyRelu:
      return Function::kLeakyRelu;
    case LayerKind::kHardSigmoid:
      return Function::kHardSigmoid;
    case LayerKind::kHardSwish:
      return Function::kHardSwish;
    case LayerKind::kGelu:
      return Function::kGelu;
    default:
      return Function::kSigmoid;
  }
}

}  // namespace

Shape LayerReading::read_element_wise() const {
  const Shape& other = table.graph.input_of(node, 1).shape;
  if (!(other == input) && !(other == Shape{1, 1, input.channels}))
    throw error("from", "joins " + text_of(input) + " with " + text_of(other),
                "equal shapes, or 1 x 1 x " + std::to_string(input.channels) + " as the second");
  return input;
}

Shape LayerReading::read_concat() const {
  Shape shape = input;
  std::int64_t channels = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Shape& other = table.graph.input_of(node, i).shape;
    channels += other.channels;
    if (other.height != input.height || other.width != input.width)
      throw error("from", "joins " + text_of(input) + " with " + text_of(other), "equal heights and widths");
  }
  if (channels > dnn::kMaxExtent)
    throw error("from", "joins too many channels", "at most " + std::to_string(dnn::kMaxExtent));
  shape.channels = int(channels);
  return shape;
}

Shape LayerReading::read_slice() {
  const int first = reader.get("first", layer_number(scope, 0), 0, "first channel");
  const int count = number("count", "channels from there");
  if (first + count > input.channels)
    throw error("count", "takes channels " + std::to_string(first) + " to " + std::to_string(first + count - 1),
                "channels 0 to " + std::to_string(input.channels - 1));
  for (int i = 0; i < count; ++i) node.channels.push_back(first + i);
  return {input.height, input.width, count};
}

/// Channel i of group g goes behind channel i of group g - 1.
Shape LayerReading::read_shuffle() {
  const int groups = number("groups", "groups of channels that are interleaved");
  if (input.channels % groups != 0)
    throw error("groups", "is " + std::to_string(groups), "a divisor of " + std::to_string(input.channels));
  const int of_group = input.channels / groups;
  for (int i = 0; i < of_group; ++i)
    for (int g = 0; g < groups; ++g) node.channels.push_back(g * of_group + i);
  return input;
}

int LayerReading::read_heads(int channels) {
  const int heads = reader.get("heads", layer_number(scope, 1), 1, "equal runs of channels, each by itself");
  if (channels % heads != 0)
    throw error("heads", "is " + std::to_string(heads), "a divisor of " + std::to_string(channels) + " channels");
  return heads;
}

Shape LayerReading::read_matmul() {
  const Shape& b = table.graph.input_of(node, 1).shape;
  node.transposed = reader.get("transposed", config::boolean(), false,
                               "true: products of channels, scores of attention; false: of positions, its context");
  node.heads = read_heads(b.channels);
  const std::int64_t scores = std::int64_t(node.heads) * b.height * b.width;
  const std::int64_t wanted = node.transposed ? b.channels : scores;
  if (input.channels != wanted)
    throw error("from",
                "multiplies " + text_of(input) + " by " + text_of(b) + " for " + std::to_string(node.heads) + " heads",
                std::to_string(wanted) + " channels of the first");
  const std::int64_t length = input.channels / node.heads;
  if (length > dnn::kMaxDotLength / 2)
    throw error("from", "sums " + std::to_string(length) + " products",
                "at most " + std::to_string(dnn::kMaxDotLength / 2));
  if (scores > dnn::kMaxExtent)
    throw error("from", "makes too many channels", "at most " + std::to_string(dnn::kMaxExtent));
  return {input.height, input.width, node.transposed ? int(scores) : b.channels};
}

void LayerReading::read_function(LayerKind kind) {
  node.function = function_of(kind);
  const auto slope = [&](double otherwise, const char* description) {
    return as_float(reader.get("slope", config::real({-1e6, 1e6}), otherwise, description));
  };
  if (kind == LayerKind::kLeakyRelu) node.parameter = slope(kLeakySlope, "of negative values");
  if (kind == LayerKind::kHardSigmoid) node.parameter = slope(kHardSigmoidSlope, "between 0 and 1");
}

Shape LayerReading::shape_of(LayerKind kind) {
  switch (node.op) {
    case dnn::Operator::kConvolution:
      return read_products(kind);
    case dnn::Operator::kMaxPool:
    case dnn::Operator::kAveragePool:
      return read_pool(kind);
    case dnn::Operator::kPad:
      return read_padding();
    case dnn::Operator::kAdd:
    case dnn::Operator::kMultiply:
      return read_element_wise();
    case dnn::Operator::kConcat:
      return read_concat();
    case dnn::Operator::kSelect:
      return kind == LayerKind::kSlice ? read_slice() : read_shuffle();
    case dnn::Operator::kMatMul:
      return read_matmul();
    case dnn::Operator::kFunction:
      read_function(kind);
      return input;
    case dnn::Operator::kSoftmax:
      node.heads = read_heads(input.channels);
      return input;
    case dnn::Operator::kLayerNorm:
      node.epsilon =
          as_float(reader.get("epsilon", config::real({1e-30, 1e6}), kEpsilon, "added to the variance of a pixel"));
      return input;
    default:
      return input;
  }
}

}  // namespace mho
