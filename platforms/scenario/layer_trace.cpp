// SPDX-License-Identifier: Apache-2.0
// Graphs of single layers, and the tensors of a recorded folder as their inputs.
#include "platforms/scenario/layer_trace.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "models/dnn/onnx/onnx_reader.h"
#include "platforms/config/quantity.h"
#include "platforms/config/suggest.h"

namespace mho {
namespace {

using Codes = std::vector<std::uint8_t>;

/// Scales that differ by less were one number before it was written as a float.
constexpr double kSameScale = 1e-6;
constexpr std::size_t kMostNames = 20;  ///< in a message

std::string names_of(const std::vector<TracedLayer>& layers) {
  std::vector<std::string> names;
  for (const TracedLayer& layer : layers)
    if (names.size() < kMostNames) names.push_back(layer.node);
  return (layers.size() > kMostNames ? "among others " : "") + config::alternatives(names);
}

/// The recorded layers that run, by their node.
std::map<int, const TracedLayer*> chosen(const TraceRequest& trace, const TraceIndex& index, const dnn::Graph& graph) {
  std::map<int, const TracedLayer*> layers;
  if (trace.layers.empty())
    for (const TracedLayer& layer : index.layers) {
      const char* const key = layer.written->peek("node") != nullptr ? "node" : "name";
      const std::string path = config::join_path(layer.written->path(), key);
      layers[weighted_layers({{layer.node, layer.written->position(key)}}, graph, path).front()] = &layer;
    }
  for (const LayerName& name : trace.layers) {
    const int node = weighted_layers({name}, graph, "trace.layers").front();
    const auto found = std::find_if(index.layers.begin(), index.layers.end(),
                                    [&](const TracedLayer& layer) { return layer.node == name.name; });
    if (found == index.layers.end())
      throw name.at.error("`trace.layers`: " + excerpt(trace.folder) + " has no layer " + excerpt(name.name),
                          names_of(index.layers));
    layers[node] = &*found;
  }
  return layers;
}

/// Codes mean what the network's codes mean.
void check_format(const TracedLayer& layer, const dnn::Tensor& tensor) {
  if (layer.type == "float") return;
  const std::string type = tensor.type == dnn::CodeType::kUint8 ? "uint8" : "int8";
  const std::string wanted =
      type + ", scale " + config::format_real(tensor.scale) + ", zero point " + std::to_string(tensor.zero_point);
  const std::string allowed = wanted + " as in the network, or float";
  if (layer.type != type) throw layer.error("type", "is " + layer.type, allowed);
  if (std::abs(*layer.scale - tensor.scale) > kSameScale * tensor.scale)
    throw layer.error("scale", "is " + config::format_real(*layer.scale), allowed);
  if (*layer.zero_point != tensor.zero_point)
    throw layer.error("zero_point", "is " + std::to_string(*layer.zero_point), allowed);
}

/// Fully connected layers take maps as well; PyTorch has flattened them, channels first.
void unflatten(dnn::OnnxTensor& stored, const dnn::Tensor& tensor) {
  const dnn::Shape& shape = tensor.shape;
  if (stored.dims.size() == 2 && (shape.height != 1 || shape.width != 1) && !tensor.sequence &&
      stored.dims[1] == std::int64_t(shape.bytes()))
    stored.dims = {stored.dims[0], shape.channels, shape.height, shape.width};
}

std::string hexadecimal(std::uint32_t value) { return config::address().write(value).text(); }

std::vector<Codes> read_codes(const TraceIndex& index, const TracedLayer& layer, const dnn::Tensor& tensor,
                              std::int64_t inferences) {
  check_format(layer, tensor);
  const std::string path = (std::filesystem::path(index.folder) / layer.tensor.name).string();
  const std::optional<std::uint32_t> crc32 = crc32_of(path);
  if (!crc32) throw layer.error("file", "is not there: " + excerpt(path), "the folder as a whole");
  if (*crc32 != layer.tensor.crc32)
    throw layer.error("crc32", "is " + hexadecimal(layer.tensor.crc32) + ", that of the file " + hexadecimal(*crc32),
                      "files as they were recorded");
  dnn::OnnxTensor stored = dnn::read_tensor(path);
  if (stored.dims != layer.dims)
    throw layer.error("dims", "differs from those in " + excerpt(layer.tensor.name), "those of the file");
  unflatten(stored, tensor);
  return dnn::to_codes(stored, tensor, inferences, path);
}

/// A name that no tensor has.
std::string input_name(const std::string& node, std::set<std::string>& names) {
  std::string name = node + ".input";
  while (!names.insert(name).second) name += '_';
  return name;
}

}  // namespace

std::vector<int> weighted_layers(const dnn::Graph& graph) {
  std::vector<int> nodes;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].op == dnn::Operator::kConvolution) nodes.push_back(int(i));
  return nodes;
}

std::vector<int> weighted_layers(const std::vector<LayerName>& names, const dnn::Graph& graph, const std::string& key) {
  const std::vector<int> nodes = nodes_named(names, graph, key);
  for (const LayerName& layer : names)
    for (const int index : nodes) {
      const dnn::Node& node = graph.nodes[std::size_t(index)];
      if (node.name == layer.name && node.op != dnn::Operator::kConvolution)
        throw layer.at.error(
            '`' + key + "`: " + excerpt(layer.name) + " (" + dnn::name_of(node.op) + ") has no weights",
            "convolutions and fully connected layers");
    }
  return nodes;
}

dnn::Graph layers_alone(dnn::Graph network, const std::vector<int>& nodes) {
  dnn::Graph alone;
  alone.name = network.name;
  std::set<std::string> names;
  for (const dnn::Tensor& tensor : network.tensors) names.insert(tensor.name);
  for (const int index : nodes) {
    dnn::Node node = std::move(network.nodes[std::size_t(index)]);
    alone.tensors.push_back(network.input_of(node));
    alone.tensors.back().name = input_name(node.name, names);
    alone.tensors.push_back(network.output_of(node));
    node.output = int(alone.tensors.size()) - 1;
    node.inputs = {node.output - 1};
    alone.inputs.push_back(node.output - 1);
    alone.outputs.push_back(node.output);
    alone.nodes.push_back(std::move(node));
  }
  dnn::validate(alone);
  return alone;
}

void add_inputs_to_outputs(dnn::Graph& graph, const std::vector<int>& nodes) {
  for (const int node : nodes) {
    const int tensor = graph.nodes[std::size_t(node)].inputs.front();
    const auto is_in = [tensor](const std::vector<int>& list) {
      return std::find(list.begin(), list.end(), tensor) != list.end();
    };
    if (!is_in(graph.inputs) && !is_in(graph.outputs)) graph.outputs.push_back(tensor);
  }
}

LayerTrace read_layer_trace(const TraceRequest& trace, dnn::Graph network, std::optional<std::uint64_t> seed,
                            std::int64_t inferences) {
  const TraceIndex index = read_trace_index(trace.folder);
  if (seed && index.seed && *seed != *index.seed)
    throw index.seed_at.error("the weights of " + excerpt(index.network) + " were drawn from seed " +
                                  std::to_string(*index.seed) + ", this run draws them from " + std::to_string(*seed),
                              "`seed: " + std::to_string(*index.seed) + "` in the scenario");
  const std::map<int, const TracedLayer*> layers = chosen(trace, index, network);
  std::vector<int> nodes;
  for (const auto& [node, layer] : layers) nodes.push_back(node);
  LayerTrace result;
  result.graph = layers_alone(std::move(network), nodes);
  std::size_t place = 0;
  for (const auto& [node, layer] : layers) {
    const dnn::Tensor& tensor = result.graph.tensors[std::size_t(result.graph.inputs[place++])];
    std::vector<Codes> codes = read_codes(index, *layer, tensor, inferences);
    result.inputs.resize(codes.size());
    for (std::size_t n = 0; n < codes.size(); ++n) result.inputs[n].push_back(std::move(codes[n]));
  }
  return result;
}

}  // namespace mho
