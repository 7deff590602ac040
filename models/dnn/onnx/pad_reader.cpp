// SPDX-License-Identifier: Apache-2.0
// Pad with zeros around a map. A convolution or an average behind it takes the frame into its
// window.
#include "models/dnn/onnx/operator_readers.h"

namespace mho::dnn {

namespace {

/// Smaller than the extent of the kernel, as windows have it.
bool is_narrow(int padding, int kernel, int dilation) { return padding < (std::int64_t(kernel) - 1) * dilation + 1; }

}  // namespace

bool is_open_pad(const Value& value) {
  return value.kind == Value::Kind::kPending && value.pending->is_open() && value.pending->node.op == Operator::kPad &&
         !value.pending->is_bounded() && value.view == View::map(value.shape);
}

bool joins_window(const PendingNode& pad, Window& window) {
  const Window& frame = pad.node.window;
  Window sum = window;
  sum.pad_top += frame.pad_top, sum.pad_bottom += frame.pad_bottom;
  sum.pad_left += frame.pad_left, sum.pad_right += frame.pad_right;
  for (const int padding : {sum.pad_top, sum.pad_bottom})
    if (!is_narrow(padding, window.kernel_height, window.dilation_y)) return false;
  for (const int padding : {sum.pad_left, sum.pad_right})
    if (!is_narrow(padding, window.kernel_width, window.dilation_x)) return false;
  window = sum;
  return true;
}

void read_pad(NodeReader& node) {
  const bool old = node.model().opset() < 11;
  node.require_inputs(old ? 1 : 2, old ? 1 : 3);
  const Value x = require_map(node, node.real(0));
  const std::string mode = node.text("mode", "constant");
  const double value = old ? node.number("value", 0.0) : node.has(2) ? node.constant_number(2) : 0.0;
  if (mode != "constant" || value != 0) node.refuse("pads with other values", "mode = constant with zeros");
  const std::vector<std::int64_t> pads = old ? node.list("pads") : node.integers(1);
  if (pads.size() != 8) node.refuse("has " + std::to_string(pads.size()) + " pads", "8, two an axis of a map");
  for (std::size_t i = 0; i < pads.size(); ++i)
    if (pads[i] < 0 || pads[i] > kMaxExtent || (i % 4 < 2 && pads[i] != 0))
      node.refuse("pads axis " + std::to_string(i % 4) + " by " + std::to_string(pads[i]),
                  "0 or more around height and width");
  const auto pending = pending_node(node, Operator::kPad, x);
  pending->node.window.pad_top = int(pads[2]);
  pending->node.window.pad_left = int(pads[3]);
  pending->node.window.pad_bottom = int(pads[6]);
  pending->node.window.pad_right = int(pads[7]);
  if (x.shape.height + pads[2] + pads[6] > kMaxExtent || x.shape.width + pads[3] + pads[7] > kMaxExtent)
    node.refuse("makes the map too large", "at most " + std::to_string(kMaxExtent) + " rows and columns");
  pending->shape.height += int(pads[2] + pads[6]);
  pending->shape.width += int(pads[3] + pads[7]);
  pending->sequence = false;
  node.result(pending, View::map(pending->shape));
}

}  // namespace mho::dnn
