// SPDX-License-Identifier: Apache-2.0
// Typed access to one ONNX node, with a message for everything that is not as expected.
#include "models/dnn/onnx/node_reader.h"

#include <cmath>

#include "models/dnn/onnx/stored_tensor.h"
#include "models/input_error.h"

namespace mho::dnn {

namespace {

constexpr const char* kActivations = "a float graph input, a DequantizeLinear, or the result of a node that reads them";

}  // namespace

NodeReader::NodeReader(ModelReader& model, const onnx::NodeProto& node) : model_(model), node_(node) {
  if (node.output_size() < 1 || node.output(0).empty())
    model.refuse("node " + excerpt(node.name()) + " (" + printable(node.op_type(), kExcerptLength) + ") has no output",
                 "one");
}

void NodeReader::check_outputs(Outputs allowed) const {
  if (allowed == Outputs::kMany) return;
  for (int i = 1; i < outputs(); ++i)
    if (!node_.output(i).empty() && (allowed == Outputs::kOne || is_read(i))) refuse("has more than one output", "one");
}

void NodeReader::refuse(const std::string& problem, const std::string& allowed) const {
  model_.refuse("node " + excerpt(name()) + " (" + printable(node_.op_type(), kExcerptLength) + "): " + problem,
                allowed);
}

void NodeReader::check_size(const Shape& shape) const {
  // Two factors of at most 2^24 fit 64 bits, the third only once the product is known to be small.
  const std::uint64_t row = shape.row_bytes();
  if (shape.height > kMaxExtent || shape.width > kMaxExtent || shape.channels > kMaxExtent || row > kMaxTensorBytes ||
      row * std::uint64_t(shape.height) > kMaxTensorBytes)
    refuse("result is too large", "at most " + std::to_string(kMaxTensorBytes) + " codes");
}

void NodeReader::check_axes(const View& view) const {
  if (view.rank() < 1 || view.rank() > kMaxRank)
    refuse("result has " + std::to_string(view.rank()) + " axes", "1 to " + std::to_string(kMaxRank));
}

void NodeReader::require_inputs(int least, int most) const {
  for (int i = 0; i < least; ++i)
    if (!has(i)) refuse("input " + std::to_string(i) + " is missing", std::to_string(least) + " or more inputs");
  if (inputs() > most) refuse("has " + std::to_string(inputs()) + " inputs", "at most " + std::to_string(most));
}

const Value& NodeReader::value_of_any(int i) const {
  if (!has(i)) refuse("input " + std::to_string(i) + " is missing", "a value");
  const Value* value = model_.find(node_.input(i));
  if (value == nullptr)
    refuse("reads " + excerpt(node_.input(i)) + ", which nothing before it writes",
           "graph inputs, initialisers and outputs of earlier nodes");
  return *value;
}

const Value& NodeReader::value(int i) const {
  const Value& value = value_of_any(i);
  if (value.kind == Value::Kind::kPending && model_.readers(node_.input(i)) > 1 &&
      !model_.is_only_chosen_from(node_.input(i)))
    model_.network().settle(*value.pending);
  return value;
}

Value NodeReader::activation(int i) const {
  Value v = value(i);
  if (v.kind == Value::Kind::kPending && !v.pending->is_open()) {
    v.tensor = v.pending->tensor;
    v.kind = Value::Kind::kReal;
  }
  if (v.kind != Value::Kind::kReal && v.kind != Value::Kind::kPending)
    refuse("input " + std::to_string(i) + " is no activation in real values", kActivations);
  return v;
}

Value NodeReader::closed(Value v) const {
  if (v.kind != Value::Kind::kPending) return v;
  v.tensor = model_.network().settle(*v.pending);
  v.kind = Value::Kind::kReal;
  return v;
}

Value NodeReader::real(int i) const { return closed(activation(i)); }

const Value& NodeReader::codes(int i) const {
  const Value& v = value(i);
  if (v.kind != Value::Kind::kCodes)
    refuse("input " + std::to_string(i) + " is no tensor of codes", "a graph input or a quantised result");
  return v;
}

bool NodeReader::is_constant(int i) const {
  const Value::Kind kind = value(i).kind;
  return kind == Value::Kind::kConstant || kind == Value::Kind::kScaledConstant;
}

ScaledConstant NodeReader::weights(int i) const {
  const Value& v = value(i);
  if (v.kind == Value::Kind::kScaledConstant) return *v.scaled;
  return {constant(i), {}, 0};
}

OnnxTensor NodeReader::decoded(const onnx::TensorProto& stored) const {
  try {
    OnnxTensor tensor = decode(stored, model_.folder());
    if (stored.external_data_size() > 0) model_.permit(stored, tensor.raw.size());
    model_.charge(tensor.raw.size());
    return tensor;
  } catch (const TensorFault& fault) {
    refuse("input " + excerpt(stored.name()) + " " + fault.what(), fault.allowed);
  }
}

OnnxTensor NodeReader::constant(int i) const {
  const Value& v = value(i);
  if (v.kind != Value::Kind::kConstant)
    refuse("input " + std::to_string(i) + " is not constant", "an initialiser or a Constant node");
  return decoded(*v.constant);
}

std::vector<std::int64_t> NodeReader::integers(int i) const {
  const OnnxTensor tensor = constant(i);
  if (tensor.type == OnnxTensor::Type::kFloat || tensor.dims.size() > 1)
    refuse("input " + std::to_string(i) + " is no list of integers", "int64 or int32, at most one axis");
  return dnn::integers(tensor);
}

double NodeReader::constant_number(int i) const {
  const OnnxTensor tensor = constant(i);
  const std::vector<double> all = numbers(tensor);
  if (all.size() != 1 || std::isnan(all[0])) refuse("input " + std::to_string(i) + " is not a number", "one number");
  return all[0];
}

std::vector<double> NodeReader::scales(int i) const {
  const OnnxTensor tensor = constant(i);
  if (tensor.type != OnnxTensor::Type::kFloat) refuse(std::string("scale has type ") + name_of(tensor.type), "float");
  if (tensor.dims.size() > 1) refuse("scale has more than one dimension", "one number, or one an output channel");
  std::vector<double> all = numbers(tensor);
  for (const double scale : all)
    if (!(scale > 0) || std::isinf(scale)) refuse("scale is " + std::to_string(scale), "positive finite numbers");
  return all;
}

CodeFormat NodeReader::format(int scale, int zero_point) const {
  CodeFormat format;
  const std::vector<double> scale_values = scales(scale);
  if (scale_values.size() != 1) refuse("an activation has a scale per channel", "one scale per tensor");
  format.scale = scale_values[0];
  if (!has(zero_point)) return format;
  const OnnxTensor zero = constant(zero_point);
  if (zero.type != OnnxTensor::Type::kUint8 && zero.type != OnnxTensor::Type::kInt8)
    refuse(std::string("an activation has type ") + name_of(zero.type), "uint8 or int8");
  format.type = zero.type == OnnxTensor::Type::kUint8 ? CodeType::kUint8 : CodeType::kInt8;
  if (zero.elements() != 1) refuse("an activation has a zero point per channel", "one zero point per tensor");
  format.zero_point = int(dnn::integers(zero)[0]);
  return format;
}

const onnx::AttributeProto* NodeReader::find(const char* name, int type) {
  read_.insert(name);
  for (const onnx::AttributeProto& attribute : node_.attribute()) {
    if (attribute.name() != name) continue;
    if (attribute.type() != type)
      refuse(std::string("attribute `") + name + "` has another type", "the type that the operator states");
    return &attribute;
  }
  return nullptr;
}

std::int64_t NodeReader::integer(const char* name, std::int64_t otherwise) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::INT);
  return attribute != nullptr ? attribute->i() : otherwise;
}

double NodeReader::number(const char* name, double otherwise) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::FLOAT);
  const double value = attribute != nullptr ? double(attribute->f()) : otherwise;
  if (std::isnan(value)) refuse(std::string("attribute `") + name + "` is not a number", "a number");
  return value;
}

std::string NodeReader::text(const char* name, const char* otherwise) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::STRING);
  return attribute != nullptr ? attribute->s() : otherwise;
}

std::vector<std::int64_t> NodeReader::list(const char* name) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::INTS);
  if (attribute == nullptr) return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}

const onnx::TensorProto* NodeReader::tensor(const char* name) {
  const onnx::AttributeProto* attribute = find(name, onnx::AttributeProto::TENSOR);
  return attribute != nullptr ? &attribute->t() : nullptr;
}

bool NodeReader::has_attribute(const char* name) const {
  for (const onnx::AttributeProto& attribute : node_.attribute())
    if (attribute.name() == name) return true;
  return false;
}

void NodeReader::require_all_read() const {
  std::set<std::string> seen;
  for (const onnx::AttributeProto& attribute : node_.attribute()) {
    if (read_.count(attribute.name()) == 0)
      refuse("attribute " + excerpt(attribute.name()) + " is not supported",
             "what the standard defines for this operator");
    if (!seen.insert(attribute.name()).second)
      refuse("attribute " + excerpt(attribute.name()) + " stands twice", "once");
  }
}

void NodeReader::result(Value value) {
  if (value.kind != Value::Kind::kConstant && value.kind != Value::Kind::kScaledConstant) check_axes(value.view);
  model_.define(output_name(), std::move(value));
}

void NodeReader::result(std::shared_ptr<PendingNode> pending, const View& view, int which) {
  check_size(pending->shape);
  check_axes(view);
  Value value;
  value.kind = Value::Kind::kPending;
  value.view = view;
  value.shape = pending->shape;
  pending->name = node_.output(which);
  value.pending = std::move(pending);
  model_.define(node_.output(which), std::move(value));
}

}  // namespace mho::dnn
