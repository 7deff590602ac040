// SPDX-License-Identifier: Apache-2.0
// Operators that move no numbers: Reshape, Transpose, Flatten, Squeeze, Unsqueeze, Identity, Dropout, Cast. They change
// how axes lie over a stored tensor, or pass constants on.
#include "models/dnn/onnx/axis_operands.h"
#include "models/dnn/onnx/operator_readers.h"
#include "models/dnn/onnx/stored_tensor.h"

namespace mho::dnn {

namespace {

/// Input 0, an activation of any kind.
Value activation_of(const NodeReader& node) {
  Value value = node.value(0);
  if (value.kind == Value::Kind::kFloatInput)
    node.refuse("input 0 is a graph input that is not quantised yet", "QuantizeLinear first");
  if (node.is_constant(0)) node.refuse("input 0 is constant", "an activation");
  return value;
}

/// The input under another name and other axes.
void pass_on(NodeReader& node, Value value, const View& view) {
  value.view = view;
  if (value.kind == Value::Kind::kPending && value.pending->is_open()) return node.result(value.pending, view);
  node.result(std::move(value));
}

void pass_on_reshaped(NodeReader& node, const Value& value, const std::vector<std::int64_t>& dims) {
  const std::optional<View> view = value.view.reshaped(dims);
  if (!view) node.refuse("the new shape cuts through the stored elements", "axes that are split or joined whole");
  pass_on(node, value, *view);
}

}  // namespace

void read_identity(NodeReader& node) {
  node.require_inputs(1, 1);
  const Value value = node.value(0);
  if (value.kind == Value::Kind::kFloatInput)
    node.refuse("input 0 is a graph input that is not quantised yet", "QuantizeLinear first");
  pass_on(node, value, value.view);
}

void read_dropout(NodeReader& node) {
  node.require_inputs(1, 3);
  node.number("ratio", 0.5);
  node.integer("seed", 0);
  if (node.has(2) && node.constant_number(2) != 0) node.refuse("is exported for training", "training_mode = 0");
  const Value value = activation_of(node);
  pass_on(node, value, value.view);
}

void read_cast(NodeReader& node) {
  node.require_inputs(1, 1);
  const Value value = activation_of(node);
  int type = onnx::TensorProto::FLOAT;
  if (value.kind == Value::Kind::kCodes)
    type = node.model().network().format(value.tensor).type == CodeType::kUint8 ? onnx::TensorProto::UINT8
                                                                                : onnx::TensorProto::INT8;
  if (node.integer("to", 0) != type) node.refuse("changes the type of an activation", type_name(type) + ", as it is");
  pass_on(node, value, value.view);
}

void read_flatten(NodeReader& node) {
  node.require_inputs(1, 1);
  const std::int64_t axis = node.integer("axis", 1);
  const Value value = activation_of(node);
  const int rank = value.view.rank();
  if (axis < -rank || axis > rank) node.refuse("axis is " + std::to_string(axis), "an axis of the input");
  View view;
  const int first = int(axis < 0 ? axis + rank : axis);
  view.axes = {value.view.joined(0, first), value.view.joined(first, rank)};
  pass_on(node, value, view);
}

void read_reshape(NodeReader& node) {
  node.require_inputs(2, 2);
  const Value value = activation_of(node);
  const std::vector<std::int64_t> dims = node.integers(1);
  if (dims.empty()) node.refuse("the new shape has no axes", "one or more");
  // A number at the leading axis holds for one inference only, unless it was computed from the input's own.
  if (!node.model().single_batch() && !node.value(1).of_batch && (dims[0] > 0 || value.view.extent(0) != 1))
    node.refuse("the new shape does not flatten each inference by itself", "0 or -1 at the leading axis");
  pass_on_reshaped(node, value, target_dims(node, value.view.dims(), dims));
}

void read_transpose(NodeReader& node) {
  node.require_inputs(1, 1);
  const Value value = activation_of(node);
  pass_on(node, value, value.view.transposed(transpose_order(node, value.view.rank())));
}

void read_squeeze(NodeReader& node) {
  const Value value = activation_of(node);
  pass_on_reshaped(node, value, squeezed_dims(node, value.view.dims()));
}

void read_unsqueeze(NodeReader& node) {
  const Value value = activation_of(node);
  pass_on_reshaped(node, value, unsqueezed_dims(node, value.view.dims()));
}

}  // namespace mho::dnn
