// SPDX-License-Identifier: Apache-2.0
// The part of `validate` for operators between products: do the shapes of their inputs and outputs agree, are their
// numbers finite and complete, and can no sum of products of activations leave 32 bits.
#include <algorithm>
#include <cmath>

#include "models/dnn/graph_refusal.h"

namespace mho::dnn {

namespace {

const Shape& shape_of(const Refusal& refuse, const Node& node, std::size_t input = 0) {
  return refuse.graph.input_of(node, input).shape;
}

/// Equal shapes, or the second one a vector.
void check_element_wise(const Refusal& refuse, const Node& node) {
  const Shape &a = shape_of(refuse, node), b = shape_of(refuse, node, 1);
  if (!(b == a) && !(b == Shape{1, 1, a.channels}))
    refuse.node(node,
                (node.op == Operator::kAdd ? "adds shapes " : "multiplies shapes ") + text_of(a) + " and " + text_of(b),
                "equal shapes, or 1 x 1 x " + std::to_string(a.channels) + " as the second");
  check_shape(refuse, node, a);
}

void check_concat(const Refusal& refuse, const Node& node) {
  Shape expected = shape_of(refuse, node);
  std::int64_t channels = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Shape& input = shape_of(refuse, node, i);
    if (input.height != expected.height || input.width != expected.width)
      refuse.node(node, "input " + excerpt(refuse.graph.input_of(node, i).name) + " has shape " + text_of(input),
                  std::to_string(expected.height) + " x " + std::to_string(expected.width) + " pixels as the first");
    channels += input.channels;
  }
  expected.channels = int(std::min<std::int64_t>(channels, INT32_MAX));
  check_shape(refuse, node, expected);
}

void check_select(const Refusal& refuse, const Node& node) {
  Shape expected = shape_of(refuse, node);
  for (const int channel : node.channels)
    if (!within(channel, 0, expected.channels - 1))
      refuse.node(node, "selects channel " + std::to_string(channel), range_text(0, expected.channels - 1));
  if (node.channels.empty() || node.channels.size() > std::size_t(kMaxExtent))
    refuse.node(node, "selects " + std::to_string(node.channels.size()) + " channels", range_text(1, kMaxExtent));
  expected.channels = int(node.channels.size());
  check_shape(refuse, node, expected);
}

void check_pad(const Refusal& refuse, const Node& node) {
  Shape expected = shape_of(refuse, node);
  const Window& w = node.window;
  for (const int padding : {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right})
    if (!within(padding, 0, kMaxExtent))
      refuse.node(node, "padding is " + std::to_string(padding), range_text(0, kMaxExtent));
  expected.height += w.pad_top + w.pad_bottom;
  expected.width += w.pad_left + w.pad_right;
  check_shape(refuse, node, expected);
}

/// One finite number a channel.
void check_numbers(const Refusal& refuse, const Node& node, const std::vector<double>& numbers, const char* what) {
  const int channels = shape_of(refuse, node).channels;
  if (numbers.size() != std::size_t(channels))
    refuse.node(node, "has " + std::to_string(numbers.size()) + " " + what + "s", std::to_string(channels));
  for (std::size_t c = 0; c < numbers.size(); ++c)
    if (!std::isfinite(numbers[c]))
      refuse.node(node, std::string(what) + " of channel " + std::to_string(c) + " is " + std::to_string(numbers[c]),
                  "finite numbers");
}

void check_heads(const Refusal& refuse, const Node& node, const Shape& shape) {
  if (node.heads < 1 || shape.channels % node.heads != 0)
    refuse.node(node, std::to_string(node.heads) + " heads",
                "a divisor of " + std::to_string(shape.channels) + " channels");
}

/// Largest absolute value of a code without its zero point.
std::int64_t reach_of(const Tensor& tensor) {
  return std::max(highest_code(tensor.type) - tensor.zero_point, tensor.zero_point - lowest_code(tensor.type));
}

void check_matmul(const Refusal& refuse, const Node& node) {
  const Shape &a = shape_of(refuse, node), b = shape_of(refuse, node, 1);
  check_heads(refuse, node, b);
  // A tensor has at most 2^28 codes, so these products fit 64 bits.
  const std::int64_t pixels = std::int64_t(b.height) * b.width, scores = node.heads * pixels;
  const std::int64_t wanted = node.transposed ? b.channels : scores;
  if (a.channels != wanted)
    refuse.node(node,
                "multiplies " + text_of(a) + " by " + text_of(b) + " for " + std::to_string(node.heads) + " heads",
                std::to_string(wanted) + " channels of the first");
  const std::int64_t channels = node.transposed ? scores : b.channels;
  check_shape(refuse, node, {a.height, a.width, int(std::min<std::int64_t>(channels, INT32_MAX))});
  const std::int64_t length = a.channels / node.heads;
  if (length > INT32_MAX / (reach_of(refuse.graph.input_of(node)) * reach_of(refuse.graph.input_of(node, 1))))
    refuse.node(node, "sums of " + std::to_string(length) + " products can leave 32 bits", "shorter sums");
}

void check_layer_norm(const Refusal& refuse, const Node& node) {
  check_numbers(refuse, node, node.gain, "gain");
  check_numbers(refuse, node, node.offset, "offset");
  if (!is_scale(node.epsilon)) refuse.node(node, "epsilon is " + std::to_string(node.epsilon), kScales);
  check_shape(refuse, node, shape_of(refuse, node));
}

void check_function(const Refusal& refuse, const Node& node) {
  if (node.function > kLastFunction) refuse.node(node, "has no function", "a Function");
  if (!std::isfinite(node.parameter))
    refuse.node(node, "parameter is " + std::to_string(node.parameter), "a finite number");
  check_shape(refuse, node, shape_of(refuse, node));
}

}  // namespace

void check_activations(const Refusal& refuse, const Node& node) {
  switch (node.op) {
    case Operator::kAdd:
    case Operator::kMultiply:
      return check_element_wise(refuse, node);
    case Operator::kConcat:
      return check_concat(refuse, node);
    case Operator::kFunction:
      return check_function(refuse, node);
    case Operator::kAffine:
      check_numbers(refuse, node, node.gain, "gain");
      check_numbers(refuse, node, node.offset, "offset");
      break;
    case Operator::kSelect:
      return check_select(refuse, node);
    case Operator::kPad:
      return check_pad(refuse, node);
    case Operator::kSoftmax:
      check_heads(refuse, node, shape_of(refuse, node));
      break;
    case Operator::kLayerNorm:
      return check_layer_norm(refuse, node);
    case Operator::kMatMul:
      return check_matmul(refuse, node);
    default:
      break;
  }
  check_shape(refuse, node, shape_of(refuse, node));
}

}  // namespace mho::dnn
