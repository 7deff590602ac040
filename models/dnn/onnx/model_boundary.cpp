// SPDX-License-Identifier: Apache-2.0
// Inputs and outputs of an ONNX graph: types, shapes, the leading axis that counts inferences, and the check that what
// is declared is what comes out.
#include <algorithm>
#include <set>

#include "models/dnn/onnx/channel_selection.h"
#include "models/dnn/onnx/model_reader.h"
#include "models/dnn/onnx/stored_tensor.h"
#include "models/input_error.h"

namespace mho::dnn {

void ModelReader::read_shape(const onnx::ValueInfoProto& info, Value& value) {
  const std::string input = "graph input " + excerpt(info.name());
  const onnx::TensorShapeProto& shape = info.type().tensor_type().shape();
  const int rank = shape.dim_size();
  if (rank < 2 || rank > 4)
    refuse(input + " has " + std::to_string(rank) + " dimensions",
           "[N, channels, height, width], [N, positions, channels] or [N, channels]");
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
  std::uint64_t elements = 1;
  for (const int extent : extents) {
    if (std::uint64_t(extent) > kMaxTensorBytes / elements)
      refuse(input + " is too large", "at most " + std::to_string(kMaxTensorBytes) + " codes");
    elements *= std::uint64_t(extent);
  }
  if (rank == 3) {
    value.shape = sequence_shape(extents[0], extents[1]);
    value.view = View::sequence(value.shape);
    return;
  }
  value.shape = rank == 2 ? Shape{1, 1, extents[0]} : Shape{extents[1], extents[2], extents[0]};
  value.view = rank == 2 ? View::vector(value.shape) : View::map(value.shape);
}

void ModelReader::read_float_input(const onnx::ValueInfoProto& info, Value& value) {
  value.kind = Value::Kind::kFloatInput;
  if (read_as_real_.count(info.name()) == 0) return;
  value.kind = Value::Kind::kReal;
  value.tensor = network_.add_real_tensor(info.name(), value.shape);
  network_.tensor(value.tensor).sequence = value.view.rank() == 3;
}

void ModelReader::read_input(const onnx::ValueInfoProto& info) {
  Value value;
  read_shape(info, value);
  const int type = info.type().tensor_type().elem_type();
  if (type == onnx::TensorProto::FLOAT) {
    read_float_input(info, value);
  } else if (type == onnx::TensorProto::UINT8 || type == onnx::TensorProto::INT8) {
    value.kind = Value::Kind::kCodes;
    CodeFormat format;
    format.type = type == onnx::TensorProto::UINT8 ? CodeType::kUint8 : CodeType::kInt8;
    value.tensor = network_.add_tensor(info.name(), value.shape, format);
    network_.forget_format(value.tensor);
    network_.tensor(value.tensor).sequence = value.view.rank() == 3;
  } else {
    refuse("graph input " + excerpt(info.name()) + " has type " + type_name(type), "uint8, int8 or float");
  }
  define(info.name(), value);
}

void ModelReader::finish_inputs() {
  for (const onnx::ValueInfoProto& info : model_.graph().input()) {
    const Value& value = values_.at(info.name());
    if (value.kind == Value::Kind::kConstant) continue;
    const int tensor = value.kind == Value::Kind::kFloatInput ? network_.quantised_input(info.name()) : value.tensor;
    if (tensor < 0)
      refuse("graph input " + excerpt(info.name()) + " is float and never quantised", "an input that a node reads");
    inputs_.push_back(tensor);
  }
}

void ModelReader::check_output(const onnx::ValueInfoProto& info, const Value& value) {
  const std::string output = "graph output " + excerpt(info.name());
  if (value.kind != Value::Kind::kCodes && value.kind != Value::Kind::kReal)
    refuse(output + " is not computed from an input", "the output of a node that reads activations");
  const View& view = value.view;
  const bool sequence = view.rank() == 3 && view == View::sequence(value.shape);
  const bool pixel = value.shape.height * value.shape.width == 1;
  if (view.rank() == 2 && view == View::vector(value.shape) && !pixel)
    refuse(output + " is a flattened map", "maps [N, C, H, W], sequences [N, positions, C] or vectors [N, C]");
  if (!sequence && !(view.rank() == 2 && view == View::vector(value.shape)) && !(view == View::map(value.shape)))
    refuse(output + " has its elements in another order than they are computed in",
           "maps [N, C, H, W], sequences [N, positions, C] or vectors [N, C]");
  network_.tensor(value.tensor).sequence = sequence;
  check_declaration(info, value);
}

void ModelReader::check_declaration(const onnx::ValueInfoProto& info, const Value& value) const {
  const std::string output = "graph output " + excerpt(info.name());
  const onnx::TypeProto_Tensor& type = info.type().tensor_type();
  const bool is_uint8 = network_.tensor(value.tensor).type == CodeType::kUint8;
  const int expected = value.kind == Value::Kind::kReal ? onnx::TensorProto::FLOAT
                       : is_uint8                       ? onnx::TensorProto::UINT8
                                                        : onnx::TensorProto::INT8;
  if (info.has_type() && type.elem_type() != expected)
    refuse(output + " is declared " + type_name(type.elem_type()), type_name(expected) + " as computed");
  if (!type.has_shape()) return;
  const std::vector<std::int64_t> dims = value.view.dims();
  bool fits = type.shape().dim_size() == value.view.rank();
  for (int i = 1; fits && i < value.view.rank(); ++i) {
    const onnx::TensorShapeProto_Dimension& dim = type.shape().dim(i);
    fits = !dim.has_dim_value() || dim.dim_value() == dims[std::size_t(i)];
  }
  std::string computed = "[N";
  for (std::size_t i = 1; i < dims.size(); ++i) computed += ", " + std::to_string(dims[i]);
  if (!fits) refuse(output + " is declared with another shape", computed + "] as computed");
}

void ModelReader::read_outputs() {
  std::set<int> seen;
  for (const onnx::ValueInfoProto& info : model_.graph().output()) {
    const Value* found = find(info.name());
    if (found == nullptr) refuse("graph output " + excerpt(info.name()) + " is never written", "the output of a node");
    Value value = *found;
    if (value.kind == Value::Kind::kPending) {
      value.tensor = network_.settle(*value.pending);
      value.kind = Value::Kind::kReal;
    }
    if (value.tensor >= 0) value = in_plain_order(*this, value);
    check_output(info, value);
    if (!seen.insert(value.tensor).second) {
      const auto twin = std::find(outputs_.begin(), outputs_.end(), value.tensor);
      refuse("graph outputs " + excerpt(model_.graph().output(int(twin - outputs_.begin())).name()) + " and " +
                 excerpt(info.name()) + " are the same codes",
             "one name for each tensor");
    }
    outputs_.push_back(value.tensor);
  }
  // Renaming comes last and leaves inputs alone; validate refuses an output that is an input.
  const std::set<int> inputs(inputs_.begin(), inputs_.end());
  for (int i = 0; i < model_.graph().output_size(); ++i) {
    const int index = outputs_[std::size_t(i)];
    if (inputs.count(index) == 0) network_.tensor(index).name = model_.graph().output(i).name();
  }
}

}  // namespace mho::dnn
