// SPDX-License-Identifier: Apache-2.0
// Inputs and outputs of an ONNX graph: types, shapes, the leading axis that counts inferences, and the check that what
// is declared is what comes out.
#include "models/dnn/onnx/model_reader.h"
#include "models/dnn/onnx/stored_tensor.h"
#include "models/input_error.h"

namespace mho::dnn {

Shape ModelReader::read_shape(const onnx::ValueInfoProto& info, int& rank) {
  const std::string input = "graph input " + excerpt(info.name());
  const onnx::TensorShapeProto& shape = info.type().tensor_type().shape();
  rank = shape.dim_size();
  if (rank != 2 && rank != 4)
    refuse(input + " has " + std::to_string(rank) + " dimensions", "[N, channels, height, width] or [N, channels]");
  if (shape.dim(0).has_dim_value() && shape.dim(0).dim_value() != 1)
    refuse(input + " has " + std::to_string(shape.dim(0).dim_value()) + " at its leading axis",
           "a name or 1: the axis counts inferences");
  single_batch_ = single_batch_ && shape.dim(0).has_dim_value();
  std::vector<int> extents;
  for (int i = 1; i < rank; ++i) {
    const std::int64_t extent = shape.dim(i).has_dim_value() ? shape.dim(i).dim_value() : 0;
    if (extent < 1 || extent > kMaxExtent)
      refuse(input + " has no usable extent at axis " + std::to_string(i), "1 to " + std::to_string(kMaxExtent));
    extents.push_back(int(extent));
  }
  return rank == 2 ? Shape{1, 1, extents[0]} : Shape{extents[1], extents[2], extents[0]};
}

void ModelReader::read_input(const onnx::ValueInfoProto& info) {
  Value value;
  value.shape = read_shape(info, value.rank);
  const int type = info.type().tensor_type().elem_type();
  if (type == onnx::TensorProto::FLOAT) {
    value.kind = Value::Kind::kFloatInput;
  } else if (type == onnx::TensorProto::UINT8 || type == onnx::TensorProto::INT8) {
    value.kind = Value::Kind::kCodes;
    CodeFormat format;
    format.type = type == onnx::TensorProto::UINT8 ? CodeType::kUint8 : CodeType::kInt8;
    value.tensor = add_tensor(info.name(), value.shape, format);
    format_known_.back() = false;
  } else {
    refuse("graph input " + excerpt(info.name()) + " has type " + type_name(type), "uint8, int8 or float");
  }
  define(info.name(), value);
}

void ModelReader::finish_inputs() {
  for (const onnx::ValueInfoProto& info : model_.graph().input()) {
    const Value& value = values_.at(info.name());
    if (value.kind == Value::Kind::kConstant) continue;
    const auto quantised = quantised_inputs_.find(info.name());
    if (value.kind == Value::Kind::kCodes)
      graph_.inputs.push_back(value.tensor);
    else if (quantised != quantised_inputs_.end())
      graph_.inputs.push_back(quantised->second);
    else
      refuse("graph input " + excerpt(info.name()) + " is float and never quantised", "a QuantizeLinear behind it");
  }
}

void ModelReader::check_output(const onnx::ValueInfoProto& info, const Value& value) const {
  const std::string output = "graph output " + excerpt(info.name());
  if (value.kind != Value::Kind::kCodes && value.kind != Value::Kind::kReal)
    refuse(output + " is not quantised", "a QuantizeLinear before it, and a DequantizeLinear where it shall be float");
  if (value.rank == 2 && value.shape.height * value.shape.width > 1)
    refuse(output + " is a flattened map", "maps [N, C, H, W] or vectors [N, C]");
  const onnx::TypeProto_Tensor& type = info.type().tensor_type();
  const bool is_uint8 = tensor(value.tensor).type == CodeType::kUint8;
  const int expected = value.kind == Value::Kind::kReal ? onnx::TensorProto::FLOAT
                       : is_uint8                       ? onnx::TensorProto::UINT8
                                                        : onnx::TensorProto::INT8;
  if (info.has_type() && type.elem_type() != expected)
    refuse(output + " is declared " + type_name(type.elem_type()), type_name(expected) + " as computed");
  if (!type.has_shape()) return;
  std::vector<std::int64_t> dims = {1, value.shape.channels, value.shape.height, value.shape.width};
  dims.resize(std::size_t(value.rank));
  bool fits = type.shape().dim_size() == value.rank;
  for (int i = 1; fits && i < value.rank; ++i) {
    const onnx::TensorShapeProto_Dimension& dim = type.shape().dim(i);
    fits = !dim.has_dim_value() || dim.dim_value() == dims[std::size_t(i)];
  }
  std::string computed = "[N";
  for (std::size_t i = 1; i < dims.size(); ++i) computed += ", " + std::to_string(dims[i]);
  if (!fits) refuse(output + " is declared with another shape", computed + "] as computed");
}

void ModelReader::read_outputs() {
  for (const onnx::ValueInfoProto& info : model_.graph().output()) {
    const Value* value = find(info.name());
    if (value == nullptr) refuse("graph output " + excerpt(info.name()) + " is never written", "the output of a node");
    check_output(info, *value);
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i)
      if (graph_.outputs[i] == value->tensor)
        refuse("graph outputs " + excerpt(model_.graph().output(int(i)).name()) + " and " + excerpt(info.name()) +
                   " are the same codes",
               "one name for each tensor");
    graph_.outputs.push_back(value->tensor);
  }
  // Renaming comes last and leaves inputs alone; validate refuses an output that is an input.
  for (int i = 0; i < model_.graph().output_size(); ++i) {
    const int index = graph_.outputs[std::size_t(i)];
    bool is_input = false;
    for (const int input : graph_.inputs) is_input = is_input || input == index;
    if (!is_input) graph_.tensors[std::size_t(index)].name = model_.graph().output(i).name();
  }
}

}  // namespace mho::dnn
