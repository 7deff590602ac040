// SPDX-License-Identifier: Apache-2.0
// Names, constants, codes and real values of the model that is written, and the order of its nodes.
#include "models/dnn/onnx/graph_writer.h"

#include <algorithm>

namespace mho::dnn {

namespace {

constexpr int kOpset = 13, kIrVersion = 8;

onnx::TensorProto::DataType onnx_type(CodeType type) {
  return type == CodeType::kUint8 ? onnx::TensorProto::UINT8 : onnx::TensorProto::INT8;
}

}  // namespace

void set_list(onnx::NodeProto& node, const char* name, const std::vector<std::int64_t>& values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

void set_integer(onnx::NodeProto& node, const char* name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void set_number(onnx::NodeProto& node, const char* name, double value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::FLOAT);
  attribute.set_f(float(value));
}

void set_window(onnx::NodeProto& node, const Window& w, bool dilations) {
  set_list(node, "kernel_shape", {w.kernel_height, w.kernel_width});
  set_list(node, "strides", {w.stride_y, w.stride_x});
  set_list(node, "pads", {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right});
  if (dilations) set_list(node, "dilations", {w.dilation_y, w.dilation_x});
}

GraphWriter::GraphWriter(const Graph& graph) : graph_(graph) {
  find_forms();
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name("mho");
  model_.add_opset_import()->set_version(kOpset);
  model_.mutable_graph()->set_name(graph.name.empty() ? "network" : graph.name);
  for (const int input : graph.inputs) declare(input, *model_.mutable_graph()->add_input());
  for (const Node& node : graph.nodes) write(node);
  for (const int output : graph.outputs) declare(output, *model_.mutable_graph()->add_output());
}

void GraphWriter::need_opset(int version) {
  onnx::OperatorSetIdProto& opset = *model_.mutable_opset_import(0);
  opset.set_version(std::max<std::int64_t>(opset.version(), version));
}

void GraphWriter::declare(int index, onnx::ValueInfoProto& info) const {
  const Tensor& t = tensor(index);
  info.set_name(t.name);
  onnx::TypeProto_Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_type(t.type));
  type.mutable_shape()->add_dim()->set_dim_param("N");
  Dims dims = {t.shape.channels, t.shape.height, t.shape.width};
  if (form_of(index) == Form::kVector) dims = {t.shape.channels};
  if (form_of(index) == Form::kSequence) dims = {std::int64_t(t.shape.height) * t.shape.width, t.shape.channels};
  for (const std::int64_t extent : dims) type.mutable_shape()->add_dim()->set_dim_value(extent);
}

onnx::NodeProto& GraphWriter::add(const char* op, const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type(op);
  node.set_name(output + "/" + op);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

std::string GraphWriter::constant(const std::string& name, int type, const Dims& dims, const void* bytes,
                                  std::size_t length) {
  onnx::TensorProto& stored = *model_.mutable_graph()->add_initializer();
  stored.set_name(name);
  stored.set_data_type(type);
  for (const std::int64_t extent : dims) stored.add_dims(extent);
  stored.set_raw_data(bytes, length);
  return name;
}

std::string GraphWriter::number(const std::string& name, double value) { return numbers(name, {}, {value}); }

std::string GraphWriter::numbers(const std::string& name, const Dims& dims, const std::vector<double>& values) {
  const std::vector<float> floats(values.begin(), values.end());
  return constant(name, onnx::TensorProto::FLOAT, dims, floats.data(), floats.size() * sizeof(float));
}

std::string GraphWriter::integers(const std::string& name, const Dims& values) {
  return constant(name, onnx::TensorProto::INT64, {std::int64_t(values.size())}, values.data(),
                  values.size() * sizeof(std::int64_t));
}

std::string GraphWriter::reshaped(const std::string& value, const std::string& name, const Dims& dims) {
  add("Reshape", {value, integers(name + "_shape", dims)}, name);
  return name;
}

std::string GraphWriter::transposed(const std::string& value, const std::string& name, const Dims& axes) {
  set_list(add("Transpose", {value}, name), "perm", axes);
  return name;
}

std::string GraphWriter::scale_of(int index) { return number(tensor(index).name + "/scale", tensor(index).scale); }

std::string GraphWriter::zero_of(int index) {
  const Tensor& t = tensor(index);
  const auto zero = std::uint8_t(t.zero_point);
  return constant(t.name + "/zero", onnx_type(t.type), {}, &zero, sizeof zero);
}

/// A Relu where codes end at the zero point, a Clip for other bounds within the type.
std::string GraphWriter::write_clip(const Node& node, const std::string& name, const std::string& value) {
  const Tensor& output = graph_.output_of(node);
  const bool whole_top = node.upper == highest_code(output.type);
  if (whole_top && node.lower == output.zero_point) {
    add("Relu", {value}, name + "/relu");
    return name + "/relu";
  }
  if (whole_top && node.lower == lowest_code(output.type)) return value;
  add("Clip",
      {value, number(name + "/low", (node.lower - output.zero_point) * output.scale),
       number(name + "/high", (node.upper - output.zero_point) * output.scale)},
      name + "/clipped");
  return name + "/clipped";
}

GraphWriter::Result GraphWriter::write_operator(const Node& node, const std::string& name) {
  switch (node.op) {
    case Operator::kConvolution:
      return write_product(node, name);
    case Operator::kMaxPool:
    case Operator::kAveragePool:
      return write_pool(node, name);
    case Operator::kAdd:
    case Operator::kMultiply:
      return write_element_wise(node, name);
    case Operator::kConcat:
      return write_concat(node, name);
    case Operator::kSelect:
      return write_select(node, name);
    case Operator::kPad:
      return write_pad(node, name);
    case Operator::kAffine:
      return write_affine(node, name);
    case Operator::kFunction:
      return write_function(node, name);
    case Operator::kSoftmax:
      return write_softmax(node, name);
    case Operator::kLayerNorm:
      return write_layer_norm(node, name);
    case Operator::kMatMul:
      return write_matmul(node, name);
    case Operator::kRequantise:
      break;
  }
  return {real_as(node.inputs[0], own_form(node)), own_form(node)};
}

void GraphWriter::keep_name(const Node& node, int first) {
  const bool is_chain = node.op == Operator::kFunction && node.function == Function::kGelu;
  onnx::NodeProto* named = nullptr;
  for (int i = first; i < model_.graph().node_size() && (named == nullptr || is_chain); ++i) {
    onnx::NodeProto* const written = model_.mutable_graph()->mutable_node(i);
    const std::string& op = written->op_type();
    if (op != "DequantizeLinear" && op != "Reshape" && op != "Transpose" && op != "Flatten") named = written;
  }
  if (named != nullptr && !node.name.empty()) named->set_name(node.name);
}

void GraphWriter::write(const Node& node) {
  const std::string& name = tensor(node.output).name;
  const int first = model_.graph().node_size();
  const Result result = write_operator(node, name);
  const std::string value =
      write_clip(node, name, converted(result.value, node.output, result.form, form_of(node.output), name));
  keep_name(node, first);
  const std::string scale = scale_of(node.output), zero = zero_of(node.output);
  add("QuantizeLinear", {value, scale, zero}, name);
}

}  // namespace mho::dnn
