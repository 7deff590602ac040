// SPDX-License-Identifier: Apache-2.0
// Geometry of a graph: shapes of sliding windows, lengths of dot products, and which input rows an output row needs.
// Nothing here checks a graph; graph_checks.cpp does, and these functions count on it.
#include "models/dnn/graph.h"

#include <algorithm>

namespace mho::dnn {

namespace {

bool slides(const Node& node) {
  return node.op == Operator::kConvolution || node.op == Operator::kMaxPool || node.op == Operator::kAveragePool;
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
  }
  return "unknown";
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

int last_input_row(const Graph& graph, const Node& node, int y) {
  if (!slides(node)) return y;
  const Window& w = node.window;
  const int last = y * w.stride_y + (w.kernel_height - 1) * w.dilation_y - w.pad_top;
  return std::clamp(last, 0, graph.input_of(node).shape.height - 1);
}

int first_input_row(const Graph& graph, const Node& node, int y) {
  if (!slides(node)) return y;
  const int first = y * node.window.stride_y - node.window.pad_top;
  return std::clamp(first, 0, graph.input_of(node).shape.height - 1);
}

}  // namespace mho::dnn
