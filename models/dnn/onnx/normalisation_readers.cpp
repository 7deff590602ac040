// SPDX-License-Identifier: Apache-2.0
// Softmax, LayerNormalization and ReduceMean: operators over some axes. What those axes are in memory decides: a run of
// channels for the first two, all pixels for the mean.
#include <cmath>

#include "models/dnn/onnx/axis_operands.h"
#include "models/dnn/onnx/constants.h"
#include "models/dnn/onnx/operator_readers.h"

namespace mho::dnn {

namespace {

/// Length of the run of channels that axes first .. last - 1 make up, in any order; 0 where they are something else.
std::int64_t channel_run(const Value& value, int first, int last) {
  const std::optional<View> view = split_at_pixels(value.view, value.shape.channels);
  if (!view) return 0;
  const Factors digits = view->joined(first, last);
  const std::int64_t length = extent_of(digits);
  return length <= value.shape.channels && within_channels(digits, length) ? length : 0;
}

}  // namespace

Open softmax(NodeReader& node, const Value& x) {
  const int rank = x.view.rank();
  const bool flattens = node.model().opset() < 13;  // all axes from `axis` on
  const int axis = axis_of(node, node.integer("axis", flattens ? 1 : -1), rank);
  const std::int64_t length = channel_run(x, axis, flattens ? rank : axis + 1);
  if (length == 0 || x.shape.channels % length != 0)
    node.refuse("axis " + std::to_string(axis) + " is no run of channels", "softmax over the channels of a pixel");
  const auto pending = pending_node(node, Operator::kSoftmax, x);
  pending->node.heads = int(x.shape.channels / length);
  return {pending, x.view};
}

void read_softmax(NodeReader& node) {
  node.require_inputs(1, 1);
  const Open open = softmax(node, node.real(0));
  node.result(open.pending, open.view);
}

void read_layer_normalization(NodeReader& node) {
  node.require_inputs(1, 3);
  node.integer("stash_type", 1);  // of the mean, which is refused
  const Value x = node.real(0);
  const int rank = x.view.rank();
  const int axis = axis_of(node, node.integer("axis", -1), rank);
  if (channel_run(x, axis, rank) != x.shape.channels)
    node.refuse("normalises other axes than the channels", "the channels of a pixel, as the last axis");
  const auto pending = pending_node(node, Operator::kLayerNorm, x);
  pending->node.epsilon = node.number("epsilon", 1e-5);
  if (!(pending->node.epsilon > 0) || std::isinf(pending->node.epsilon))
    node.refuse("attribute `epsilon` is " + std::to_string(pending->node.epsilon), "positive finite numbers");
  node.model().charge(std::size_t(x.shape.channels) * 2 * sizeof(double));
  pending->node.gain.assign(std::size_t(x.shape.channels), 1.0);
  pending->node.offset.assign(std::size_t(x.shape.channels), 0.0);
  for (const int i : {1, 2}) {
    if (!node.has(i)) continue;
    const ScaledConstant constant = node.weights(i);
    (i == 1 ? pending->node.gain : pending->node.offset) =
        per_channel(node, x, constant.codes.dims, real_values(node, constant));
  }
  node.result(pending, x.view);
}

void read_reduce_mean(NodeReader& node) {
  node.require_inputs(1, 1);
  const bool keeps = node.integer("keepdims", 1) != 0;
  const Value x = node.real(0);
  const int rank = x.view.rank();
  const std::optional<View> view = split_at_pixels(x.view, x.shape.channels);
  std::vector<bool> goes(std::size_t(rank), false);
  for (const std::int64_t axis : node.list("axes")) goes[std::size_t(axis_of(node, axis, rank))] = true;
  bool fits = view.has_value();
  for (int i = 0; fits && i < rank; ++i)
    fits = goes[std::size_t(i)] ? within_pixels(view->axes[std::size_t(i)], x.shape.channels)
                                : within_channels(view->axes[std::size_t(i)], x.shape.channels);
  if (!fits) node.refuse("averages over other axes than the pixels", "height and width, or all positions");
  View left;
  for (int i = 0; i < rank; ++i) {
    if (!goes[std::size_t(i)]) left.axes.push_back(view->axes[std::size_t(i)]);
    if (goes[std::size_t(i)] && keeps) left.axes.push_back({});
  }
  const auto pending = pending_node(node, Operator::kAveragePool, x);
  pending->node.window.kernel_height = x.shape.height;
  pending->node.window.kernel_width = x.shape.width;
  pending->shape = {1, 1, x.shape.channels};
  pending->sequence = false;
  node.result(pending, left);
}

}  // namespace mho::dnn
