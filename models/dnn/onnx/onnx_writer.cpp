// SPDX-License-Identifier: Apache-2.0
// Every tensor is written as codes and opened once by a DequantizeLinear; each node stands between that and a
// QuantizeLinear. Weights go back to ONNX's channel-first order.
#include "models/dnn/onnx/onnx_writer.h"

#include <algorithm>
#include <cmath>

#include "models/dnn/onnx/onnx_proto.h"
#include "models/dnn/onnx/protobuf_file.h"
#include "models/input_error.h"

namespace mho::dnn {

namespace {

constexpr int kOpset = 13, kIrVersion = 8;

using Dims = std::vector<std::int64_t>;

onnx::TensorProto::DataType onnx_type(CodeType type) {
  return type == CodeType::kUint8 ? onnx::TensorProto::UINT8 : onnx::TensorProto::INT8;
}

class ModelWriter {
 public:
  explicit ModelWriter(const Graph& graph) : graph_(graph), opened_(graph.tensors.size()) {
    find_vectors();
    model_.set_ir_version(kIrVersion);
    model_.set_producer_name("mho");
    model_.add_opset_import()->set_version(kOpset);
    model_.mutable_graph()->set_name(graph.name.empty() ? "network" : graph.name);
    for (const int input : graph.inputs) declare(input, *model_.mutable_graph()->add_input());
    for (const Node& node : graph.nodes) write(node);
    for (const int output : graph.outputs) declare(output, *model_.mutable_graph()->add_output());
  }
  const onnx::ModelProto& model() const { return model_; }

 private:
  void find_vectors();
  void declare(int tensor, onnx::ValueInfoProto& info) const;
  onnx::NodeProto& add(const char* op, const std::vector<std::string>& inputs, const std::string& output);
  std::string constant(const std::string& name, int type, const Dims& dims, const void* bytes, std::size_t length);
  std::string real(int tensor);
  std::string scale_of(int tensor);
  std::string zero_of(int tensor);
  std::string weights_of(const Node& node, const std::string& name, bool matrix);
  std::string bias_of(const Node& node, const std::string& name);
  void write(const Node& node);
  onnx::NodeProto& write_operator(const Node& node, const std::string& name, const std::string& result);
  std::string write_clip(const Node& node, const std::string& name, const std::string& value);
  const std::string& name_of_tensor(int tensor) const { return graph_.tensors[std::size_t(tensor)].name; }
  bool is_matrix(const Node& node) const { return vector_[std::size_t(node.output)]; }

  const Graph& graph_;
  onnx::ModelProto model_;
  std::vector<std::string> opened_;  ///< name of the real values of a tensor, once there are any
  std::vector<bool> vector_;         ///< [N, C]: outputs of fully connected layers that only such layers read
};

void set_list(onnx::NodeProto& node, const char* name, const Dims& values) {
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

void set_window(onnx::NodeProto& node, const Window& w, bool dilations) {
  set_list(node, "kernel_shape", {w.kernel_height, w.kernel_width});
  set_list(node, "strides", {w.stride_y, w.stride_x});
  set_list(node, "pads", {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right});
  if (dilations) set_list(node, "dilations", {w.dilation_y, w.dilation_x});
}

void ModelWriter::find_vectors() {
  vector_.assign(graph_.tensors.size(), false);
  for (const Node& node : graph_.nodes)
    if (is_fully_connected(graph_, node)) vector_[std::size_t(node.output)] = true;
  for (const Node& node : graph_.nodes)
    for (const int input : node.inputs)
      if (!is_fully_connected(graph_, node)) vector_[std::size_t(input)] = false;
}

void ModelWriter::declare(int tensor, onnx::ValueInfoProto& info) const {
  const Tensor& t = graph_.tensors[std::size_t(tensor)];
  info.set_name(t.name);
  onnx::TypeProto_Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_type(t.type));
  type.mutable_shape()->add_dim()->set_dim_param("N");
  type.mutable_shape()->add_dim()->set_dim_value(t.shape.channels);
  if (vector_[std::size_t(tensor)]) return;
  type.mutable_shape()->add_dim()->set_dim_value(t.shape.height);
  type.mutable_shape()->add_dim()->set_dim_value(t.shape.width);
}

onnx::NodeProto& ModelWriter::add(const char* op, const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type(op);
  node.set_name(output + "/" + op);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

std::string ModelWriter::constant(const std::string& name, int type, const Dims& dims, const void* bytes,
                                  std::size_t length) {
  onnx::TensorProto& tensor = *model_.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const std::int64_t extent : dims) tensor.add_dims(extent);
  tensor.set_raw_data(bytes, length);
  return name;
}

std::string ModelWriter::scale_of(int tensor) {
  const auto scale = float(graph_.tensors[std::size_t(tensor)].scale);
  return constant(name_of_tensor(tensor) + "/scale", onnx::TensorProto::FLOAT, {}, &scale, sizeof scale);
}

std::string ModelWriter::zero_of(int tensor) {
  const Tensor& t = graph_.tensors[std::size_t(tensor)];
  const auto zero = std::uint8_t(t.zero_point);
  return constant(t.name + "/zero", onnx_type(t.type), {}, &zero, sizeof zero);
}

/// Real values of a tensor. Scale and zero point of a node's output are there already.
std::string ModelWriter::real(int tensor) {
  std::string& name = opened_[std::size_t(tensor)];
  if (!name.empty()) return name;
  const std::string& codes = name_of_tensor(tensor);
  const bool input = std::count(graph_.inputs.begin(), graph_.inputs.end(), tensor) > 0;
  const std::string scale = input ? scale_of(tensor) : codes + "/scale",
                    zero = input ? zero_of(tensor) : codes + "/zero";
  name = codes + "/real";
  add("DequantizeLinear", {codes, scale, zero}, name);
  return name;
}

std::string ModelWriter::weights_of(const Node& node, const std::string& name, bool matrix) {
  const Weights& w = node.weights;
  const auto filters = std::size_t(filters_of(graph_, node));
  const auto taps = std::size_t(node.window.kernel_height) * std::size_t(node.window.kernel_width);
  const std::size_t channels = std::size_t(dot_length(graph_, node)) / taps;
  std::vector<std::int8_t> codes(w.values.size());
  for (std::size_t f = 0; f < filters; ++f)
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t c = 0; c < channels; ++c)
        codes[(f * channels + c) * taps + tap] = w.values[(f * taps + tap) * channels + c];
  Dims dims = {std::int64_t(filters), std::int64_t(channels), node.window.kernel_height, node.window.kernel_width};
  if (matrix) dims = {std::int64_t(filters), std::int64_t(channels * taps)};
  const std::vector<float> scales(w.scale.begin(), w.scale.end());
  const Dims per_filter = {std::int64_t(filters)};
  const std::vector<std::int8_t> zeros(filters, 0);
  constant(name + "/weight", onnx::TensorProto::INT8, dims, codes.data(), codes.size());
  constant(name + "/weight_scale", onnx::TensorProto::FLOAT, per_filter, scales.data(), scales.size() * sizeof(float));
  constant(name + "/weight_zero", onnx::TensorProto::INT8, per_filter, zeros.data(), zeros.size());
  set_integer(
      add("DequantizeLinear", {name + "/weight", name + "/weight_scale", name + "/weight_zero"}, name + "/weight_real"),
      "axis", 0);
  return name + "/weight_real";
}

std::string ModelWriter::bias_of(const Node& node, const std::string& name) {
  const Weights& w = node.weights;
  std::vector<float> scales;
  for (const double scale : w.scale) scales.push_back(float(graph_.input_of(node).scale * scale));
  const Dims dims = {std::int64_t(w.bias.size())};
  constant(name + "/bias", onnx::TensorProto::INT32, dims, w.bias.data(), w.bias.size() * sizeof(std::int32_t));
  constant(name + "/bias_scale", onnx::TensorProto::FLOAT, dims, scales.data(), scales.size() * sizeof(float));
  set_integer(add("DequantizeLinear", {name + "/bias", name + "/bias_scale"}, name + "/bias_real"), "axis", 0);
  return name + "/bias_real";
}

onnx::NodeProto& ModelWriter::write_operator(const Node& node, const std::string& name, const std::string& result) {
  std::vector<std::string> inputs;
  for (const int input : node.inputs) inputs.push_back(real(input));
  const bool matrix = is_matrix(node);
  if (node.op == Operator::kConvolution) {
    if (matrix && !vector_[std::size_t(node.inputs[0])]) {
      add("Flatten", {inputs[0]}, name + "/flat");
      inputs[0] = name + "/flat";
    }
    inputs.push_back(weights_of(node, name, matrix));
    inputs.push_back(bias_of(node, name));
    onnx::NodeProto& written = add(matrix ? "Gemm" : "Conv", inputs, result);
    if (matrix) {
      set_integer(written, "transB", 1);
    } else {
      set_window(written, node.window, true);
      set_integer(written, "group", node.weights.groups);
    }
    return written;
  }
  if (node.op == Operator::kAdd) return add("Add", inputs, result);
  if (node.op == Operator::kConcat) {
    onnx::NodeProto& written = add("Concat", inputs, result);
    set_integer(written, "axis", 1);
    return written;
  }
  onnx::NodeProto& written = add(node.op == Operator::kMaxPool ? "MaxPool" : "AveragePool", inputs, result);
  set_window(written, node.window, node.op == Operator::kMaxPool);
  if (node.op == Operator::kAveragePool) set_integer(written, "count_include_pad", node.count_include_pad ? 1 : 0);
  return written;
}

/// A Relu where codes end at the zero point, a Clip for other bounds within the type.
std::string ModelWriter::write_clip(const Node& node, const std::string& name, const std::string& value) {
  const Tensor& output = graph_.output_of(node);
  const bool whole_top = node.upper == highest_code(output.type);
  if (whole_top && node.lower == output.zero_point) {
    add("Relu", {value}, name + "/relu");
    return name + "/relu";
  }
  if (whole_top && node.lower == lowest_code(output.type)) return value;
  const auto low = float((node.lower - output.zero_point) * output.scale);
  const auto high = float((node.upper - output.zero_point) * output.scale);
  constant(name + "/low", onnx::TensorProto::FLOAT, {}, &low, sizeof low);
  constant(name + "/high", onnx::TensorProto::FLOAT, {}, &high, sizeof high);
  add("Clip", {value, name + "/low", name + "/high"}, name + "/clipped");
  return name + "/clipped";
}

void ModelWriter::write(const Node& node) {
  const std::string& name = name_of_tensor(node.output);
  std::string value = node.op == Operator::kRequantise ? real(node.inputs[0]) : name + "/result";
  if (node.op != Operator::kRequantise) write_operator(node, name, value);
  value = write_clip(node, name, value);
  const std::string scale = scale_of(node.output), zero = zero_of(node.output);
  add("QuantizeLinear", {value, scale, zero}, name);
}

}  // namespace

void write_onnx(const std::string& path, const Graph& graph) {
  std::uint64_t weights = 0;
  for (const Node& node : graph.nodes) weights += node.weights.values.size();
  std::string bytes;
  if (weights > std::uint64_t(kMaxFileBytes) / 2 || !ModelWriter(graph).model().SerializeToString(&bytes) ||
      bytes.size() > std::size_t(kMaxFileBytes))
    throw InputError(path, 0, 0, "the model is too large for a file",
                     "at most " + std::to_string(kMaxFileBytes) + " bytes");
  write_whole_file(path, bytes);
}

}  // namespace mho::dnn
