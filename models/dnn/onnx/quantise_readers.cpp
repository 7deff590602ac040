// SPDX-License-Identifier: Apache-2.0
// The steps between codes and real values: QuantizeLinear finishes a pending node, DequantizeLinear opens codes or
// constants, Relu and Clip become bounds on the codes that follow. Quantisation is monotonic, so bounding the real
// value and bounding the code are the same.
#include <algorithm>
#include <cmath>

#include "models/dnn/onnx/operator_readers.h"
#include "models/dnn/onnx/stored_tensor.h"
#include "models/input_error.h"

namespace mho::dnn {

namespace {

void dequantise_constant(NodeReader& node, std::int64_t axis) {
  auto scaled = std::make_shared<ScaledConstant>();
  scaled->codes = node.constant(0);
  scaled->scale = node.scales(1);
  const OnnxTensor::Type type = scaled->codes.type;
  if (type == OnnxTensor::Type::kUint8)
    node.refuse("weights are uint8", "int8 with zero point 0: quantise weights symmetrically");
  if (type != OnnxTensor::Type::kInt8 && type != OnnxTensor::Type::kInt32)
    node.refuse(std::string("constant has type ") + name_of(type), "int8 weights, int32 biases");
  if (node.has(2)) {
    const OnnxTensor zero = node.constant(2);
    if (zero.type != type) node.refuse("zero point and constant have different types", "equal types");
    if (zero.elements() != std::int64_t(scaled->scale.size()))
      node.refuse("has " + std::to_string(zero.elements()) + " zero points", "one a scale");
    for (const std::int64_t value : integers(zero))
      if (value != 0)
        node.refuse("zero point of a constant is " + std::to_string(value), "0: quantise weights symmetrically");
  }
  const auto rank = std::int64_t(scaled->codes.dims.size());
  if (scaled->scale.size() > 1) {
    if (axis < -rank || axis >= rank) node.refuse("axis is " + std::to_string(axis), "an axis of the constant");
    scaled->axis = int(axis < 0 ? axis + rank : axis);
    if (scaled->codes.dims[std::size_t(scaled->axis)] != std::int64_t(scaled->scale.size()))
      node.refuse("has " + std::to_string(scaled->scale.size()) + " scales",
                  std::to_string(scaled->codes.dims[std::size_t(scaled->axis)]) + " along axis " +
                      std::to_string(scaled->axis));
  }
  Value value;
  value.kind = Value::Kind::kScaledConstant;
  value.scaled = std::move(scaled);
  node.result(std::move(value));
}

/// Relu and Clip: on a pending result they tighten its bounds, on a tensor they are a node of their own.
void bound(NodeReader& node, double lower, double upper) {
  const Value input = node.activation(0);
  const bool is_open = input.kind == Value::Kind::kPending;
  const auto pending = is_open ? input.pending : pending_node(node, Operator::kRequantise, input);
  // min(max(v, lower), upper) behind earlier bounds: both ends pass through the new ones.
  RealRange& range = pending->range;
  range.lower = std::min(std::max(range.lower, lower), upper);
  range.upper = std::min(std::max(range.upper, lower), upper);
  node.result(pending, input.view);
}

}  // namespace

std::shared_ptr<PendingNode> pending_node(NodeReader& node, Operator op, const Value& input) {
  auto pending = std::make_shared<PendingNode>();
  pending->node.name = node.name();
  pending->node.op = op;
  pending->node.inputs = {input.tensor};
  pending->shape = input.shape;
  pending->sequence = node.model().network().tensor(input.tensor).sequence;
  return pending;
}

void finish(NodeReader& node, PendingNode& pending, const View& view, const CodeFormat& format) {
  node.check_size(pending.shape);
  Value codes;
  codes.kind = Value::Kind::kCodes;
  codes.view = view;
  codes.shape = pending.shape;
  codes.tensor = node.model().network().finish(pending, node.output_name(), format);
  node.result(std::move(codes));
}

void read_quantize_linear(NodeReader& node) {
  node.require_inputs(2, 3);
  node.integer("axis", 1);  // of scales per channel, which activations do not have
  const CodeFormat format = node.format(1, 2);
  Value input = node.value(0);
  NetworkBuilder& network = node.model().network();
  if (input.kind == Value::Kind::kFloatInput) {
    input.kind = Value::Kind::kCodes;
    input.tensor = network.quantise_input(node.input_name(0), input.shape, format);
    if (input.tensor < 0) node.refuse("a graph input is quantised in two ways", "one scale and zero point");
    network.tensor(input.tensor).sequence = input.view.rank() == 3;
    return node.result(std::move(input));
  }
  input = node.activation(0);
  if (input.kind == Value::Kind::kPending) return finish(node, *input.pending, input.view, format);
  // Quantising what has just been dequantised in the same way gives the same codes.
  if (!network.agree_on_format(input.tensor, format))
    return finish(node, *pending_node(node, Operator::kRequantise, input), input.view, format);
  input.kind = Value::Kind::kCodes;
  node.result(std::move(input));
}

void read_dequantize_linear(NodeReader& node) {
  node.require_inputs(2, 3);
  const std::int64_t axis = node.integer("axis", 1);
  const Value& input = node.value(0);
  if (input.kind == Value::Kind::kConstant) return dequantise_constant(node, axis);
  if (input.kind != Value::Kind::kCodes)
    node.refuse("input 0 is not quantised", "codes: a graph input, a QuantizeLinear or an initialiser");
  CodeFormat format = node.format(1, 2);
  if (!node.has(2)) format.type = node.model().network().format(input.tensor).type;
  if (!node.model().network().agree_on_format(input.tensor, format))
    node.refuse("scale, zero point or type differ from those that the codes were written with", "equal ones");
  Value real = input;
  real.kind = Value::Kind::kReal;
  node.result(std::move(real));
}

void read_relu(NodeReader& node) {
  node.require_inputs(1, 1);
  bound(node, 0.0, std::numeric_limits<double>::infinity());
}

void read_clip(NodeReader& node) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double lower = -kInfinity, upper = kInfinity;
  if (node.model().opset() < 11) {
    node.require_inputs(1, 1);
    lower = node.number("min", lower);
    upper = node.number("max", upper);
  } else {
    node.require_inputs(1, 3);
    if (node.has(1)) lower = node.constant_number(1);
    if (node.has(2)) upper = node.constant_number(2);
  }
  bound(node, lower, upper);
}

}  // namespace mho::dnn
