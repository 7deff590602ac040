// SPDX-License-Identifier: Apache-2.0
// The walk over an ONNX graph: initialisers and inputs first, then nodes in their order, then outputs. Inputs and
// outputs themselves are read in model_boundary.cpp.
#include "models/dnn/onnx/model_reader.h"

#include <algorithm>
#include <filesystem>

#include "models/dnn/onnx/chains.h"
#include "models/dnn/onnx/constant_folding.h"
#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/onnx/operator_readers.h"
#include "models/dnn/onnx/protobuf_file.h"
#include "models/dnn/onnx/stored_tensor.h"
#include "models/dnn/quantisation/float_reference.h"
#include "models/input_error.h"

namespace mho::dnn {

namespace {

// Semantics are those of opset 17; of newer ones those operators are read that have not changed since.
constexpr std::int64_t kLowestOpset = 7, kHighestOpset = 21;
constexpr std::int64_t kLowestIr = 3, kHighestIr = 10;

}  // namespace

ModelReader::ModelReader(const onnx::ModelProto& model, std::string path) : model_(model), path_(std::move(path)) {
  folder_ = std::filesystem::path(path_).parent_path().string();
  if (folder_.empty()) folder_ = ".";
  permitted_bytes_ = model.ByteSizeLong();
}

void ModelReader::refuse(const std::string& problem, const std::string& allowed) const {
  throw InputError(path_, 0, 0, problem, allowed);
}

FloatNetwork ModelReader::read() {
  check_model();
  count_readers();
  read_initialisers();
  read_inputs();
  read_nodes();
  finish_inputs();
  read_outputs();
  FloatNetwork& network = network_.close();
  Graph& graph = network.graph;
  graph.name = model_.graph().name().empty() ? std::filesystem::path(path_).stem().string() : model_.graph().name();
  graph.inputs = inputs_;
  graph.outputs = outputs_;
  check_network(network);
  return std::move(network);
}

void ModelReader::check_network(const FloatNetwork& network) const {
  try {
    if (is_quantised(network))
      validate(network.graph);
    else
      validate(network);
  } catch (const InputError& error) {
    refuse(error.problem(), error.allowed());
  }
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
  nodes_ = fused_nodes(model_.graph(), fused_);
  for (const onnx::NodeProto* node : nodes_) {
    for (const std::string& input : node->input()) {
      // A shape is no use of the values.
      if (node->op_type() == "Shape") continue;
      ++readers_[input];
      if (node->op_type() != "QuantizeLinear") read_as_real_.insert(input);
    }
    const std::string& op = node->op_type();
    if (node->input_size() > 0 && (op == "Split" || op == "Slice" || op == "Gather")) ++choosers_[node->input(0)];
    for (const std::string& output : node->output()) network_.reserve(output);
  }
  for (const onnx::ValueInfoProto& output : model_.graph().output()) {
    ++readers_[output.name()];
    read_as_real_.insert(output.name());
  }
}

void ModelReader::read_nodes() {
  for (const onnx::NodeProto* node : nodes_) read_node(*node);
}

void ModelReader::read_node(const onnx::NodeProto& node) {
  const SupportedOperator* supported = supported_operator(node.domain(), node.op_type());
  NodeReader reader(*this, node);
  if (supported == nullptr) reader.refuse("operator is not supported", supported_operators());
  reader.check_outputs(supported->outputs);
  if (opset_ >= supported->changed)
    reader.refuse("operator has changed in opset " + std::to_string(supported->changed),
                  "a model exported with opset 17 or lower");
  const bool folded = is_default_domain(node.domain()) && fold_constant(reader, node.op_type());
  if (!folded && supported->read == nullptr)
    reader.refuse("computes with activations", "constants alone, or a chain that is one operator here");
  if (!folded) supported->read(reader);
  reader.require_all_read();
}

const Value* ModelReader::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

void ModelReader::define(const std::string& name, Value value) {
  if (name.empty()) refuse("a value has no name", "each initialiser, input and output has a name");
  if (!values_.emplace(name, std::move(value)).second)
    refuse("value " + excerpt(name) + " is written twice", "each initialiser, input and output once");
  network_.reserve(name);
}

int ModelReader::readers(const std::string& name) const {
  const auto found = readers_.find(name);
  return found == readers_.end() ? 0 : found->second;
}

bool ModelReader::is_only_chosen_from(const std::string& name) const {
  const auto found = choosers_.find(name);
  return found != choosers_.end() && found->second == readers(name);
}

void ModelReader::charge(std::size_t bytes) {
  decoded_bytes_ += bytes;
  const std::uint64_t most = std::min(kLeastDecodedBytes + kDecodedBytesPerByte * permitted_bytes_, kMostDecodedBytes);
  if (decoded_bytes_ > most)
    refuse("reads its constants too often, or makes too much of them",
           "at most " + std::to_string(most) + " bytes in all");
}

void ModelReader::permit(const onnx::TensorProto& stored, std::size_t bytes) {
  if (external_.insert(&stored).second) permitted_bytes_ += bytes;
}

const onnx::TensorProto* ModelReader::keep(onnx::TensorProto constant) {
  kept_.push_back(std::move(constant));
  return &kept_.back();
}

FloatNetwork read_network(const std::string& path) {
  onnx::ModelProto model;
  read_message(path, "an ONNX model", model);
  return ModelReader(model, path).read();
}

Graph read_onnx(const std::string& path) {
  FloatNetwork network = read_network(path);
  static const char* const kRemedy =
      "quantised models; `mho import MODEL --samples FILE --out DIR` quantises the network";
  const Graph& graph = network.graph;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (!network.real_weights[i].values.empty())
      throw InputError(path, 0, 0, "node " + excerpt(graph.nodes[i].name) + " has weights in float", kRemedy);
  for (std::size_t i = 0; i < graph.tensors.size(); ++i)
    if (!network.quantised[i])
      throw InputError(path, 0, 0, "tensor " + excerpt(graph.tensors[i].name) + " is float, without scale", kRemedy);
  return std::move(network.graph);
}

}  // namespace mho::dnn
