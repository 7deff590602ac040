// SPDX-License-Identifier: Apache-2.0
// The walk over an ONNX graph: initialisers and inputs first, then nodes in their order, then outputs. Inputs and
// outputs themselves are read in model_boundary.cpp.
#include "models/dnn/onnx/model_reader.h"

#include <filesystem>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/onnx/operator_readers.h"
#include "models/dnn/onnx/protobuf_file.h"
#include "models/dnn/onnx/stored_tensor.h"
#include "models/input_error.h"

namespace mho::dnn {

namespace {

constexpr std::int64_t kLowestOpset = 10, kHighestOpset = 17;
constexpr std::int64_t kLowestIr = 3, kHighestIr = 8;

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

bool same(const CodeFormat& a, const CodeFormat& b) {
  return a.type == b.type && a.scale == b.scale && a.zero_point == b.zero_point;
}

}  // namespace

ModelReader::ModelReader(const onnx::ModelProto& model, std::string path) : model_(model), path_(std::move(path)) {}

void ModelReader::refuse(const std::string& problem, const std::string& allowed) const {
  throw InputError(path_, 0, 0, problem, allowed);
}

Graph ModelReader::read() {
  check_model();
  graph_.name = model_.graph().name().empty() ? std::filesystem::path(path_).stem().string() : model_.graph().name();
  read_initialisers();
  read_inputs();
  count_readers();
  read_nodes();
  finish_inputs();
  finish_formats();
  read_outputs();
  try {
    validate(graph_);
  } catch (const InputError& error) {
    refuse(error.problem(), error.allowed());
  }
  return std::move(graph_);
}

void ModelReader::check_model() {
  if (model_.ir_version() < kLowestIr || model_.ir_version() > kHighestIr)
    refuse("has IR version " + std::to_string(model_.ir_version()),
           std::to_string(kLowestIr) + " to " + std::to_string(kHighestIr));
  std::int64_t opset = 0;
  for (const onnx::OperatorSetIdProto& import : model_.opset_import())
    if (is_default_domain(import.domain())) opset = import.version();
  if (opset < kLowestOpset || opset > kHighestOpset)
    refuse("uses opset " + std::to_string(opset),
           std::to_string(kLowestOpset) + " to " + std::to_string(kHighestOpset) + " of the default domain");
  opset_ = int(opset);
  if (!model_.has_graph()) refuse("holds no graph", "an ONNX model");
  if (model_.graph().sparse_initializer_size() > 0) refuse("has sparse initialisers", "dense initialisers");
}

void ModelReader::read_initialisers() {
  for (const onnx::TensorProto& initialiser : model_.graph().initializer()) {
    Value value;
    value.constant = &initialiser;
    define(initialiser.name(), value);
  }
}

void ModelReader::read_inputs() {
  // Before IR version 4 initialisers stood among the inputs as well: what has a value is no input.
  for (const onnx::ValueInfoProto& info : model_.graph().input()) {
    const Value* known = find(info.name());
    if (known == nullptr || known->kind != Value::Kind::kConstant) read_input(info);
  }
}

void ModelReader::count_readers() {
  for (const onnx::NodeProto& node : model_.graph().node())
    for (const std::string& input : node.input()) ++readers_[input];
  for (const onnx::ValueInfoProto& output : model_.graph().output()) ++readers_[output.name()];
}

void ModelReader::read_nodes() {
  for (const onnx::NodeProto& node : model_.graph().node()) {
    NodeReader reader(*this, node);
    const OperatorReader read_node = is_default_domain(node.domain()) ? operator_reader(node.op_type()) : nullptr;
    if (read_node == nullptr) reader.refuse("operator is not supported", supported_operators());
    read_node(reader);
    reader.require_all_read();
  }
}

void ModelReader::finish_formats() {
  for (std::size_t i = 0; i < graph_.tensors.size(); ++i) {
    const Tensor& origin = tensor(origin_[i]);
    graph_.tensors[i].scale = origin.scale;
    graph_.tensors[i].zero_point = origin.zero_point;
  }
}

const Value* ModelReader::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

void ModelReader::define(const std::string& name, Value value) {
  if (name.empty()) refuse("a value has no name", "each initialiser, input and output has a name");
  if (!values_.emplace(name, std::move(value)).second)
    refuse("value " + excerpt(name) + " is written twice", "each initialiser, input and output once");
}

int ModelReader::readers(const std::string& name) const {
  const auto found = readers_.find(name);
  return found == readers_.end() ? 0 : found->second;
}

void ModelReader::charge(std::size_t bytes) {
  decoded_bytes_ += bytes;
  if (decoded_bytes_ > kMaxDecodedBytes)
    refuse("reads its constants too often", "at most " + std::to_string(kMaxDecodedBytes) + " bytes in all");
}

const onnx::TensorProto* ModelReader::keep(onnx::TensorProto constant) {
  kept_.push_back(std::move(constant));
  return &kept_.back();
}

int ModelReader::add_tensor(const std::string& name, const Shape& shape, const CodeFormat& format) {
  const int index = int(graph_.tensors.size());
  graph_.tensors.push_back({name, shape, format.type, format.scale, format.zero_point});
  origin_.push_back(index);
  format_known_.push_back(true);
  return index;
}

int ModelReader::add_tensor_like(const std::string& name, const Shape& shape, int origin) {
  const int index = add_tensor(name, shape, format(origin));
  origin_.back() = origin_[std::size_t(origin)];
  return index;
}

int ModelReader::quantise_input(const std::string& name, const Shape& shape, const CodeFormat& format) {
  const auto known = quantised_inputs_.find(name);
  if (known != quantised_inputs_.end()) return same(this->format(known->second), format) ? known->second : -1;
  return quantised_inputs_[name] = add_tensor(name, shape, format);
}

CodeFormat ModelReader::format(int tensor) const {
  const Tensor& origin = graph_.tensors[std::size_t(origin_[std::size_t(tensor)])];
  return {origin.type, origin.scale, origin.zero_point};
}

bool ModelReader::agree_on_format(int tensor, const CodeFormat& format) {
  const auto origin = std::size_t(origin_[std::size_t(tensor)]);
  Tensor& t = graph_.tensors[origin];
  if (!format_known_[origin] && t.type == format.type) {
    t.scale = format.scale;
    t.zero_point = format.zero_point;
    format_known_[origin] = true;
  }
  return same(this->format(tensor), format);
}

void ModelReader::add_node(Node node) {
  const std::string name = node.name;
  for (int i = 2; !node_names_.insert(node.name).second; ++i) node.name = name + "#" + std::to_string(i);
  graph_.nodes.push_back(std::move(node));
}

Graph read_onnx(const std::string& path) {
  onnx::ModelProto model;
  read_message(path, "an ONNX model", model);
  return ModelReader(model, path).read();
}

}  // namespace mho::dnn
