// SPDX-License-Identifier: Apache-2.0
// Protobuf by hand; the only place of the tests that writes ONNX models.
#include "testbenches/models/dnn/onnx/model_writer.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/input_error.h"

namespace mho::dnn::testing {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "mho_onnx_XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

ModelWriter::ModelWriter(int opset) {
  model.set_ir_version(8);
  model.add_opset_import()->set_version(opset);
  model.mutable_graph()->set_name("written");
}

onnx::ValueInfoProto& ModelWriter::declare(onnx::ValueInfoProto& info, const std::string& name, int type,
                                           const Dims& dims) {
  info.set_name(name);
  info.mutable_type()->mutable_tensor_type()->set_elem_type(type);
  onnx::TensorShapeProto* shape = info.mutable_type()->mutable_tensor_type()->mutable_shape();
  for (const std::int64_t extent : dims) {
    if (extent == 0)
      shape->add_dim()->set_dim_param("N");
    else
      shape->add_dim()->set_dim_value(extent);
  }
  return info;
}

std::string ModelWriter::input(const std::string& name, int type, const Dims& dims) {
  return declare(*model.mutable_graph()->add_input(), name, type, dims).name();
}

void ModelWriter::output(const std::string& name, int type, const Dims& dims) {
  declare(*model.mutable_graph()->add_output(), name, type, dims);
}

std::string ModelWriter::floats(const std::string& name, const std::vector<float>& values, const Dims& dims) {
  onnx::TensorProto& t = *model.mutable_graph()->add_initializer();
  t.set_name(name);
  t.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : dims) t.add_dims(extent);
  t.set_raw_data(values.data(), values.size() * sizeof(float));
  return name;
}

std::string ModelWriter::integers(const std::string& name, int type, const std::vector<int>& values, const Dims& dims) {
  onnx::TensorProto& t = *model.mutable_graph()->add_initializer();
  t.set_name(name);
  t.set_data_type(type);
  for (const std::int64_t extent : dims) t.add_dims(extent);
  for (const int value : values) {
    if (type == onnx::TensorProto::INT64)
      t.add_int64_data(value);
    else
      t.add_int32_data(value);
  }
  return name;
}

onnx::NodeProto& ModelWriter::node(const std::string& op, const Names& inputs, const std::string& output) {
  onnx::NodeProto& n = *model.mutable_graph()->add_node();
  n.set_op_type(op);
  n.set_name(output + "." + op);
  for (const std::string& name : inputs) n.add_input(name);
  n.add_output(output);
  return n;
}

std::string ModelWriter::linear(const char* op, const std::string& input, const std::string& output, float scale,
                                int zero, int type) {
  node(op, {input, floats(output + ".scale", {scale}), integers(output + ".zero", type, {zero})}, output);
  return output;
}

std::string ModelWriter::quantise(const std::string& x, const std::string& name, float scale, int zero, int type) {
  return linear("QuantizeLinear", x, name, scale, zero, type);
}

std::string ModelWriter::dequantise(const std::string& codes, const std::string& name, float scale, int zero,
                                    int type) {
  return linear("DequantizeLinear", codes, name, scale, zero, type);
}

std::string ModelWriter::weights(const std::string& name, const Dims& dims, const std::vector<int>& values,
                                 const std::vector<float>& scales, int axis) {
  const Dims one = scales.size() == 1 ? Dims{} : Dims{std::int64_t(scales.size())};
  integers(name + ".codes", onnx::TensorProto::INT8, values, dims);
  floats(name + ".scale", scales, one);
  integers(name + ".zero", onnx::TensorProto::INT8, std::vector<int>(scales.size(), 0), one);
  onnx::NodeProto& n = node("DequantizeLinear", {name + ".codes", name + ".scale", name + ".zero"}, name);
  if (scales.size() > 1) set_integer(n, "axis", axis);
  return name;
}

std::string ModelWriter::bias(const std::string& name, const std::vector<int>& values,
                              const std::vector<float>& scales) {
  const Dims one = scales.size() == 1 ? Dims{} : Dims{std::int64_t(scales.size())};
  integers(name + ".codes", onnx::TensorProto::INT32, values, {std::int64_t(values.size())});
  floats(name + ".scale", scales, one);
  onnx::NodeProto& n = node("DequantizeLinear", {name + ".codes", name + ".scale"}, name);
  if (scales.size() > 1) set_integer(n, "axis", 0);
  return name;
}

onnx::TensorProto& ModelWriter::initialiser(const std::string& name) {
  for (onnx::TensorProto& t : *model.mutable_graph()->mutable_initializer())
    if (t.name() == name) return t;
  throw std::logic_error("no initialiser " + name);
}

onnx::NodeProto& ModelWriter::node_of(const std::string& output) {
  for (onnx::NodeProto& n : *model.mutable_graph()->mutable_node())
    if (n.output(0) == output) return n;
  throw std::logic_error("no node writes " + output);
}

Graph ModelWriter::load() const {
  const TemporaryFolder folder;
  write_bytes(folder.file("model.onnx"), model.SerializeAsString());
  return read_onnx(folder.file("model.onnx"));
}

FloatNetwork ModelWriter::load_network() const {
  const TemporaryFolder folder;
  write_bytes(folder.file("model.onnx"), model.SerializeAsString());
  return read_network(folder.file("model.onnx"));
}

namespace {

template <class Load>
std::string refusal_of(const Load& load) {
  try {
    load();
  } catch (const InputError& error) {
    if (std::string(error.what()).find('\n') != std::string::npos) return "more than one line";
    if (error.allowed().empty() || error.line() != 0) return "nothing said about what is allowed";
    return error.problem() + " (" + error.allowed() + ")";
  }
  return "accepted";
}

}  // namespace

std::string ModelWriter::refusal() const {
  return refusal_of([&] { load(); });
}

std::string ModelWriter::network_refusal() const {
  return refusal_of([&] { load_network(); });
}

std::string write_ints(ModelWriter& m, const std::string& name, const std::vector<int>& values) {
  return m.integers(name, onnx::TensorProto::INT64, values, {std::int64_t(values.size())});
}

void set_list(onnx::NodeProto& node, const std::string& name, const Dims& values) {
  onnx::AttributeProto& a = *node.add_attribute();
  a.set_name(name);
  a.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) a.add_ints(value);
}

void set_integer(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  onnx::AttributeProto& a = *node.add_attribute();
  a.set_name(name);
  a.set_type(onnx::AttributeProto::INT);
  a.set_i(value);
}

void set_number(onnx::NodeProto& node, const std::string& name, float value) {
  onnx::AttributeProto& a = *node.add_attribute();
  a.set_name(name);
  a.set_type(onnx::AttributeProto::FLOAT);
  a.set_f(value);
}

void set_text(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  onnx::AttributeProto& a = *node.add_attribute();
  a.set_name(name);
  a.set_type(onnx::AttributeProto::STRING);
  a.set_s(value);
}

ModelWriter small_convolution(int opset) {
  ModelWriter m(opset);
  const std::string x = m.dequantise(m.input("image", onnx::TensorProto::UINT8, {0, 2, 2, 2}), "x", 0.5f);
  // Filter 0: channel 0 is 1 2 3 4, channel 1 is 5 6 7 8; filter 1 the negatives.
  const std::string w = m.weights("w", {2, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8, -1, -2, -3, -4, -5, -6, -7, -8}, {0.25f});
  onnx::NodeProto& conv = m.node("Conv", {x, w, m.bias("b", {8, 16}, {0.125f})}, "sum");
  set_list(conv, "kernel_shape", {2, 2});
  m.node("Relu", {"sum"}, "relu");
  m.quantise("relu", "y", 2.0f, -3, onnx::TensorProto::INT8);
  m.output("y", onnx::TensorProto::INT8, {0, 2, 1, 1});
  return m;
}

}  // namespace mho::dnn::testing
