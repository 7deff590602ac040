// SPDX-License-Identifier: Apache-2.0
// Keys of a row depend on its operator: what an operator does not have is an unknown key.
#include "platforms/scenario/layer_row.h"

#include <algorithm>

#include "platforms/config/suggest.h"
#include "platforms/scenario/layer_reading.h"

namespace mho {
namespace {

using config::Reader;
using dnn::Activation;

std::vector<int> read_from(Reader& row, const LayerScope& scope) {
  const auto names = row.find("from", layer_names(),
                              "layers read, `input` is that of the network or block; default: "
                              "the layer before");
  if (!names) return {scope.previous};
  std::vector<int> tensors;
  for (const std::string& name : *names) {
    tensors.push_back(tensor_named(row, scope, name));
    if (std::count(tensors.begin(), tensors.end(), tensors.back()) > 1)
      throw row.error("from", "names " + excerpt(name) + " twice", "different layers");
  }
  return tensors;
}

/// Refuses another number of inputs than the operator has.
void check_inputs(const LayerReading& reading, LayerKind kind) {
  const std::size_t count = reading.node.inputs.size();
  const LayerInputs wanted = inputs_of(kind);
  if (wanted == LayerInputs::kOne && count != 1) throw reading.error("from", "names several layers", "one");
  if (wanted == LayerInputs::kTwo && count != 2)
    throw reading.error("from", "names " + std::to_string(count) + " layers", "two");
  if (wanted == LayerInputs::kSeveral && count < 2)
    throw reading.error("from", "names " + std::to_string(count) + " layers", "two or more");
  if (needs_map(kind) && reading.table.graph.input_of(reading.node).sequence)
    throw reading.error("op", "slides a window over a sequence", "`linear` and what looks at one position at a time");
}

Activation read_activation(Reader& row, LayerKind kind) {
  if (kind == LayerKind::kRelu) return Activation::kRelu;
  if (!can_be_rectified(kind)) return Activation::kNone;
  return row.get("activation",
                 config::choice<Activation>(
                     {{"none", Activation::kNone}, {"relu", Activation::kRelu}, {"relu6", Activation::kRelu6}}),
                 Activation::kNone, "fused behind the layer");
}

std::uint64_t activation_bytes(const dnn::Graph& graph) {
  std::uint64_t bytes = 0;
  for (const dnn::Tensor& tensor : graph.tensors) bytes += tensor.shape.bytes();
  return bytes;
}

}  // namespace

int LayerReading::number(const char* key, const char* description) {
  return reader.get(key, layer_number(scope, 1), config::kRequired, description);
}

std::pair<int, int> LayerReading::extent(const char* key, int min, int otherwise, const char* description) {
  return reader.get(key, layer_extent(scope, min), std::pair<int, int>{otherwise, otherwise}, description);
}

InputError LayerReading::error(const char* key, const std::string& problem, const std::string& allowed) const {
  return reader.error(key, "of layer " + excerpt(node.name) + ' ' + problem, allowed);
}

int tensor_named(const Reader& row, const LayerScope& scope, const std::string& name) {
  const auto found = scope.tensors.find(name);
  if (found != scope.tensors.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& entry : scope.tensors) known.push_back(entry.first);
  const std::string meant = config::nearest(name, known);
  throw row.error("from",
                  "names " + excerpt(name) + ", which is no layer before it" +
                      (meant.empty() ? "" : "; did you mean `" + meant + "`?"),
                  "`input` or the name of an earlier row");
}

std::string layer_name(Reader& row, const LayerScope& scope) {
  const std::string name = row.get("name", config::text("a name"), config::kRequired, "of the layer");
  if (name.size() > 60 ||
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != std::string::npos)
    throw row.error("name", "is " + excerpt(name), "up to 60 letters, digits, `_`, `.` and `-`");
  if (scope.tensors.count(name) != 0)
    throw row.error("name", "is " + excerpt(name) + ", which is taken", "a name of its own");
  return name;
}

void add_layer(Reader& row, LayerScope& scope, dnn::LayerTable& table) {
  dnn::Graph& graph = table.graph;
  const std::string name = layer_name(row, scope);
  if (graph.nodes.size() >= kMaxLayers)
    throw row.error("name", "is one layer too many", "at most " + std::to_string(kMaxLayers));
  dnn::Node node;
  node.name = scope.prefix + name;
  const LayerKind kind = read_kind(row);
  node.op = operator_of(kind);
  node.inputs = read_from(row, scope);
  LayerReading reading{row, scope, table, node, graph.input_of(node).shape};
  check_inputs(reading, kind);
  const dnn::Shape shape = reading.shape_of(kind);
  const std::uint64_t row_bytes = std::uint64_t(shape.width) * std::uint64_t(shape.channels);
  if (row_bytes > dnn::kMaxTensorBytes || row_bytes * std::uint64_t(shape.height) > dnn::kMaxTensorBytes ||
      activation_bytes(graph) > dnn::kMaxActivationBytes - dnn::kMaxTensorBytes)
    throw reading.error("op", "has too large an output", "at most " + std::to_string(dnn::kMaxTensorBytes) + " codes");
  table.activations.push_back(read_activation(row, kind));
  node.output = int(graph.tensors.size());
  scope.previous = scope.tensors[name] = node.output;
  graph.tensors.push_back({node.name, shape, dnn::CodeType::kUint8, 1.0, 0, graph.input_of(node).sequence});
  graph.nodes.push_back(std::move(node));
}

}  // namespace mho
