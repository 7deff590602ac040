// SPDX-License-Identifier: Apache-2.0
// MaxPool, AveragePool, GlobalAveragePool. The maximum also works on codes as they are, without a DequantizeLinear.
#include "models/dnn/onnx/operator_readers.h"

namespace mho::dnn {

namespace {

void require_map(const NodeReader& node, const Value& input) {
  if (input.rank != 4) node.refuse("input is a vector", "a map [N, C, H, W]");
}

}  // namespace

void read_max_pool(NodeReader& node) {
  node.require_inputs(1, 1);
  const Value input = node.value(0);
  if (input.kind != Value::Kind::kCodes) node.real(0);
  require_map(node, input);
  node.integer("storage_order", 0);  // of the second output, which is refused
  const std::vector<std::int64_t> kernel = read_kernel(node);
  const bool ceil = node.integer("ceil_mode", 0) != 0;
  const auto pending = pending_node(node, Operator::kMaxPool, input);
  pending->node.window = read_window(node, input.shape, kernel, ceil);
  Value output = input;
  output.shape = checked_shape(node, input.shape, pending->node.window, input.shape.channels);
  if (input.kind == Value::Kind::kReal) return node.result(pending, output.shape, output.rank);
  output.tensor = node.model().add_tensor_like(node.output_name(), output.shape, input.tensor);
  pending->node.output = output.tensor;
  pending->node.lower = lowest_code(node.model().format(input.tensor).type);
  pending->node.upper = highest_code(node.model().format(input.tensor).type);
  node.model().add_node(std::move(pending->node));
  node.result(std::move(output));
}

void read_average_pool(NodeReader& node) {
  node.require_inputs(1, 1);
  const Value& input = node.real(0);
  require_map(node, input);
  const std::vector<std::int64_t> kernel = read_kernel(node);
  const auto pending = pending_node(node, Operator::kAveragePool, input);
  pending->node.count_include_pad = node.integer("count_include_pad", 0) != 0;
  const bool ceil = node.integer("ceil_mode", 0) != 0;
  pending->node.window = read_window(node, input.shape, kernel, ceil);
  const Shape shape = checked_shape(node, input.shape, pending->node.window, input.shape.channels);
  node.result(pending, shape, input.rank);
}

void read_global_average_pool(NodeReader& node) {
  node.require_inputs(1, 1);
  const Value& input = node.real(0);
  require_map(node, input);
  const auto pending = pending_node(node, Operator::kAveragePool, input);
  pending->node.window.kernel_height = input.shape.height;
  pending->node.window.kernel_width = input.shape.width;
  node.result(pending, {1, 1, input.shape.channels}, input.rank);
}

}  // namespace mho::dnn
