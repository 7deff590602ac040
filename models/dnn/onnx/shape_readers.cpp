// SPDX-License-Identifier: Apache-2.0
// Operators that move no numbers or join tensors: Flatten, Reshape, Identity, Constant, Add, Concat. A flattened map
// stays a map; only the product that reads it must know, and it permutes its weights.
#include "models/dnn/onnx/operator_readers.h"
#include "models/dnn/onnx/stored_tensor.h"

namespace mho::dnn {

namespace {

/// The input under another name and rank, whatever it is.
void pass_on(NodeReader& node, int rank) {
  Value value = node.value(0);
  if (value.kind == Value::Kind::kFloatInput)
    node.refuse("input 0 is a graph input that is not quantised yet", "QuantizeLinear first");
  if (rank != 0 && (value.kind == Value::Kind::kConstant || value.kind == Value::Kind::kScaledConstant))
    node.refuse("input 0 is constant", "an activation");
  if (rank != 0) value.rank = rank;
  node.result(std::move(value));
}

void require_equal_shapes(const NodeReader& node, const Value& a, const Value& b) {
  if (!(a.shape == b.shape) || a.rank != b.rank)
    node.refuse("adds different shapes", "equal shapes: broadcasting is for a bias only");
}

bool is_flattened_map(const Value& value) { return value.rank == 2 && value.shape.height * value.shape.width > 1; }

}  // namespace

void read_identity(NodeReader& node) {
  node.require_inputs(1, 1);
  pass_on(node, 0);
}

void read_flatten(NodeReader& node) {
  node.require_inputs(1, 1);
  const std::int64_t axis = node.integer("axis", 1);
  const int rank = node.value(0).rank;
  if ((axis < 0 ? axis + rank : axis) != 1) node.refuse("axis is " + std::to_string(axis), "1");
  pass_on(node, 2);
}

void read_reshape(NodeReader& node) {
  node.require_inputs(2, 2);
  const OnnxTensor target = node.constant(1);
  if (target.type != OnnxTensor::Type::kInt64) node.refuse("the new shape is no int64 tensor", "int64");
  const std::vector<std::int64_t> dims = integers(target);
  const bool zero_keeps = node.integer("allowzero", 0) == 0;
  const std::int64_t all = std::int64_t(node.value(0).shape.bytes());
  bool flattens = dims.size() == 2;
  if (flattens) {
    const bool rest = dims[1] == -1 || dims[1] == all;
    const bool one = dims[0] == 1 && node.model().single_batch();
    flattens = rest && ((dims[0] == 0 && zero_keeps) || one || (dims[0] == -1 && dims[1] == all));
  }
  if (!flattens) node.refuse("the new shape does not flatten each inference", "[0, -1], [-1, n] or Flatten");
  pass_on(node, 2);
}

void read_constant(NodeReader& node) {
  node.require_inputs(0, 0);
  Value value;
  onnx::TensorProto single;
  if (node.has_attribute("value")) {
    value.constant = node.tensor("value");
  } else if (node.has_attribute("value_float")) {
    single.set_data_type(onnx::TensorProto::FLOAT);
    single.add_float_data(float(node.number("value_float", 0)));
  } else if (node.has_attribute("value_int")) {
    single.set_data_type(onnx::TensorProto::INT64);
    single.add_int64_data(node.integer("value_int", 0));
  } else if (node.has_attribute("value_ints")) {
    single.set_data_type(onnx::TensorProto::INT64);
    for (const std::int64_t item : node.list("value_ints")) single.add_int64_data(item);
    single.add_dims(single.int64_data_size());
  } else {
    node.refuse("has no value", "value, value_float, value_int or value_ints");
  }
  if (value.constant == nullptr) value.constant = node.model().keep(std::move(single));
  node.result(std::move(value));
}

void read_add(NodeReader& node) {
  node.require_inputs(2, 2);
  for (const int product : {0, 1}) {
    const Value& a = node.value(product);
    const Value& b = node.value(1 - product);
    if (a.kind != Value::Kind::kPending || b.kind != Value::Kind::kScaledConstant) continue;
    add_bias(node, *a.pending, *b.scaled, a.rank);
    return node.result(a.pending, a.shape, a.rank);
  }
  const Value& a = node.real(0);
  const Value& b = node.real(1);
  require_equal_shapes(node, a, b);
  const auto pending = pending_node(node, Operator::kAdd, a);
  pending->node.inputs.push_back(b.tensor);
  node.result(pending, a.shape, a.rank);
}

void read_concat(NodeReader& node) {
  node.require_inputs(2, kMaxExtent);
  const Value& first = node.real(0);
  if (!node.has_attribute("axis")) node.refuse("attribute `axis` is missing", "1, the channels");
  const std::int64_t axis = node.integer("axis", 1);
  if ((axis < 0 ? axis + first.rank : axis) != 1) node.refuse("axis is " + std::to_string(axis), "1, the channels");
  const auto pending = pending_node(node, Operator::kConcat, first);
  Shape shape = first.shape;
  std::int64_t channels = 0;
  for (int i = 0; i < node.inputs(); ++i) {
    const Value& input = node.real(i);
    if (is_flattened_map(input)) node.refuse("input " + std::to_string(i) + " is a flattened map", "maps or vectors");
    if (input.rank != first.rank || input.shape.height != shape.height || input.shape.width != shape.width)
      node.refuse("input " + std::to_string(i) + " has other pixels than the first", "equal heights and widths");
    if (i > 0) pending->node.inputs.push_back(input.tensor);
    channels += input.shape.channels;
  }
  if (channels > kMaxExtent) node.refuse("joins too many channels", "at most " + std::to_string(kMaxExtent));
  shape.channels = int(channels);
  node.result(pending, shape, first.rank);
}

}  // namespace mho::dnn
