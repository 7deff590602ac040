// SPDX-License-Identifier: Apache-2.0
// Geometry of a graph: shapes of sliding windows, lengths of dot products, and which input rows an output row needs.
// Nothing here checks a graph; graph_checks.cpp does, and these functions count on it.
#include "models/dnn/graph.h"

#include <algorithm>
#include <cmath>

namespace mho::dnn {

namespace {

/// A second operand of one pixel that is read at every pixel of the first.
bool is_broadcast(const Graph& graph, const Node& node, std::size_t input) {
  if ((node.op != Operator::kAdd && node.op != Operator::kMultiply) || input == 0) return false;
  const Shape& shape = graph.input_of(node, input).shape;
  return shape.height == 1 && shape.width == 1;
}

/// Positions of a window along one axis, 0 where it does not fit.
std::int64_t positions(std::int64_t length, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                       std::int64_t padding) {
  if (length < 1 || kernel < 1 || stride < 1 || dilation < 1) return 0;
  const std::int64_t room = length + padding - ((kernel - 1) * dilation + 1);
  return room < 0 ? 0 : room / stride + 1;
}

}  // namespace

int lowest_code(CodeType type) { return type == CodeType::kUint8 ? 0 : -128; }
int highest_code(CodeType type) { return type == CodeType::kUint8 ? 255 : 127; }

const char* name_of(Operator op) {
  switch (op) {
    case Operator::kConvolution:
      return "convolution";
    case Operator::kMaxPool:
      return "max_pool";
    case Operator::kAveragePool:
      return "average_pool";
    case Operator::kAdd:
      return "add";
    case Operator::kConcat:
      return "concat";
    case Operator::kRequantise:
      return "requantise";
    case Operator::kMultiply:
      return "multiply";
    case Operator::kFunction:
      return "function";
    case Operator::kAffine:
      return "affine";
    case Operator::kSelect:
      return "select";
    case Operator::kPad:
      return "pad";
    case Operator::kSoftmax:
      return "softmax";
    case Operator::kLayerNorm:
      return "layer_norm";
    case Operator::kMatMul:
      return "matmul";
  }
  return "unknown";
}

const char* name_of(Function function) {
  switch (function) {
    case Function::kSigmoid:
      return "sigmoid";
    case Function::kTanh:
      return "tanh";
    case Function::kLeakyRelu:
      return "leaky_relu";
    case Function::kHardSigmoid:
      return "hard_sigmoid";
    case Function::kHardSwish:
      return "hard_swish";
    case Function::kGelu:
      return "gelu";
  }
  return "unknown";
}

double value_of(Function function, double parameter, double x) {
  switch (function) {
    case Function::kSigmoid:
      return 1.0 / (1.0 + std::exp(-x));
    case Function::kTanh:
      return std::tanh(x);
    case Function::kLeakyRelu:
      return x >= 0 ? x : parameter * x;
    case Function::kHardSigmoid:
      return std::clamp(parameter * x + 0.5, 0.0, 1.0);
    case Function::kHardSwish:
      return x * std::clamp(x / 6.0 + 0.5, 0.0, 1.0);
    case Function::kGelu:
      return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
  }
  return x;
}

int sequence_row(int positions) {
  for (int width = std::min(positions, 16); width > 1; --width)
    if (positions % width == 0) return width;
  return 1;
}

Shape sequence_shape(int positions, int channels) {
  const int width = sequence_row(positions);
  return {positions / width, width, channels};
}

std::string text_of(const Shape& s) {
  return std::to_string(s.height) + " x " + std::to_string(s.width) + " x " + std::to_string(s.channels);
}

bool slides(const Node& node) {
  return node.op == Operator::kConvolution || node.op == Operator::kMaxPool || node.op == Operator::kAveragePool;
}

Shape windowed_shape(const Shape& input, const Window& window, int channels) {
  const std::int64_t height = positions(input.height, window.kernel_height, window.stride_y, window.dilation_y,
                                        std::int64_t(window.pad_top) + window.pad_bottom);
  const std::int64_t width = positions(input.width, window.kernel_width, window.stride_x, window.dilation_x,
                                       std::int64_t(window.pad_left) + window.pad_right);
  if (height < 1 || width < 1 || height > INT32_MAX || width > INT32_MAX) return {0, 0, 0};
  return {int(height), int(width), channels};
}

int dot_length(const Graph& graph, const Node& node) {
  return node.window.kernel_height * node.window.kernel_width * graph.input_of(node).shape.channels /
         node.weights.groups;
}

int filters_of(const Graph& graph, const Node& node) { return graph.output_of(node).shape.channels; }

bool is_fully_connected(const Graph& graph, const Node& node) {
  const Window& w = node.window;
  const Shape& input = graph.input_of(node).shape;
  return node.op == Operator::kConvolution && node.weights.groups == 1 && w.kernel_height == input.height &&
         w.kernel_width == input.width && w.pad_top == 0 && w.pad_left == 0 && w.pad_bottom == 0 && w.pad_right == 0;
}

std::uint64_t macs(const Graph& graph, const Node& node) {
  if (node.op != Operator::kConvolution) return 0;
  return std::uint64_t(graph.output_of(node).shape.bytes()) * std::uint64_t(dot_length(graph, node));
}

std::uint64_t macs(const Graph& graph) {
  std::uint64_t sum = 0;
  for (const Node& node : graph.nodes) sum += macs(graph, node);
  return sum;
}

std::uint64_t digital_macs(const Graph& graph, const Node& node) {
  if (node.op != Operator::kMatMul) return 0;
  const Shape& a = graph.input_of(node, 0).shape;
  const Shape& b = graph.input_of(node, 1).shape;
  const std::uint64_t pixels = std::uint64_t(b.height) * std::uint64_t(b.width);
  return std::uint64_t(a.height) * std::uint64_t(a.width) * pixels * std::uint64_t(b.channels);
}

int last_input_row(const Graph& graph, const Node& node, int y, std::size_t input) {
  const int end = graph.input_of(node, input).shape.height - 1;
  if (is_broadcast(graph, node, input)) return 0;
  if (node.op == Operator::kMatMul) return input == 0 ? y : end;
  if (node.op == Operator::kPad) return std::clamp(y - node.window.pad_top, 0, end);
  if (!slides(node)) return y;
  const Window& w = node.window;
  return std::clamp(y * w.stride_y + (w.kernel_height - 1) * w.dilation_y - w.pad_top, 0, end);
}

int first_input_row(const Graph& graph, const Node& node, int y, std::size_t input) {
  if (is_broadcast(graph, node, input) || (node.op == Operator::kMatMul && input > 0)) return 0;
  const int end = graph.input_of(node, input).shape.height - 1;
  if (node.op == Operator::kPad) return std::clamp(y - node.window.pad_top, 0, end);
  if (!slides(node)) return y;
  return std::clamp(y * node.window.stride_y - node.window.pad_top, 0, end);
}

}  // namespace mho::dnn
