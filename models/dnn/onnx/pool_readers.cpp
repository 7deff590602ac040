// SPDX-License-Identifier: Apache-2.0
// MaxPool, AveragePool, GlobalAveragePool. The maximum also works on codes as they are, without a DequantizeLinear.
#include "models/dnn/onnx/channel_selection.h"
#include "models/dnn/onnx/operator_readers.h"

namespace mho::dnn {

Value require_map(NodeReader& node, const Value& input) {
  const View map = View::map(input.shape);
  if (input.view == map) return input;
  const Value plain = in_plain_order(node.model(), input);
  if (!(plain.view == map)) node.refuse("input is no map", "a map [N, C, H, W]");
  return plain;
}

namespace {

/// A pool over `stored`; the kernel is in the attributes.
std::shared_ptr<PendingNode> pool(NodeReader& node, Operator op, const Value& stored) {
  const Value input = require_map(node, stored);
  const std::vector<std::int64_t> kernel = read_kernel(node);
  const bool ceil = node.integer("ceil_mode", 0) != 0;
  const auto pending = pending_node(node, op, input);
  pending->node.window = read_window(node, input.shape, kernel, ceil);
  pending->shape = checked_shape(node, input.shape, pending->node.window, input.shape.channels);
  pending->sequence = false;
  return pending;
}

}  // namespace

void read_max_pool(NodeReader& node) {
  node.require_inputs(1, 1);
  node.integer("storage_order", 0);  // of the second output, which is refused
  const bool is_codes = node.value(0).kind == Value::Kind::kCodes;
  const Value input = is_codes ? node.value(0) : node.real(0);
  const auto pending = pool(node, Operator::kMaxPool, input);
  const View view = View::map(pending->shape);
  if (!is_codes) return node.result(pending, view);
  Value output = input;
  output.shape = pending->shape;
  output.view = view;
  pending->name = node.output_name();
  node.check_size(pending->shape);
  output.tensor = node.model().network().settle(*pending);
  node.result(std::move(output));
}

Open average_pool(NodeReader& node, const Value& stored) {
  const bool counts = node.integer("count_include_pad", 0) != 0, is_padded = is_open_pad(stored);
  Value input = stored;
  if (is_padded) input.tensor = stored.pending->node.inputs[0];
  const auto pending = pool(node, Operator::kAveragePool, input);
  Window& window = pending->node.window;
  pending->node.count_include_pad = counts;
  if (!is_padded) return {pending, View::map(pending->shape)};
  // PyTorch writes an average that counts its padding as a Pad and an average without: the frame's zeros count.
  const bool pads = window.pad_top + window.pad_left + window.pad_bottom + window.pad_right > 0;
  if ((counts || !pads) && joins_window(*stored.pending, window))
    pending->node.count_include_pad = true;
  else
    pending->node.inputs = {node.closed(stored).tensor};
  return {pending, View::map(pending->shape)};
}

void read_average_pool(NodeReader& node) {
  node.require_inputs(1, 1);
  const Value input = node.activation(0);
  const Open open = average_pool(node, is_open_pad(input) ? input : node.closed(input));
  node.result(open.pending, open.view);
}

Open global_average_pool(NodeReader& node, const Value& stored) {
  const Value input = require_map(node, stored);
  const auto pending = pending_node(node, Operator::kAveragePool, input);
  pending->node.window.kernel_height = input.shape.height;
  pending->node.window.kernel_width = input.shape.width;
  pending->shape = {1, 1, input.shape.channels};
  pending->sequence = false;
  return {pending, View::map(pending->shape)};
}

void read_global_average_pool(NodeReader& node) {
  node.require_inputs(1, 1);
  const Open open = global_average_pool(node, node.real(0));
  node.result(open.pending, open.view);
}

}  // namespace mho::dnn
