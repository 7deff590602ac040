// SPDX-License-Identifier: Apache-2.0
// Keys of a network's YAML file, and the two keys for files that it shares with scenarios.
#include "platforms/scenario/network_descriptor.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "platforms/scenario/layer_scope.h"
#include "platforms/scenario/layer_table_reader.h"

namespace mho {
namespace {

using config::Node;
using config::Reader;

std::string existing_file(const Node& written, const std::string& what) {
  const std::string path = path_from(written.position(), written.text());
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw written.position().error(what + ": there is no file " + excerpt(path),
                                   "a path, relative to the file it is written in");
  return path;
}

bool is_onnx(const std::string& path) { return std::filesystem::path(path).extension() == ".onnx"; }

}  // namespace

std::optional<std::vector<InputFile>> read_inputs(Reader& reader) {
  constexpr const char* kDescription =
      "ONNX tensor files whose leading axis counts inferences: a list with one file a graph input, or a mapping from "
      "graph inputs to files; synthetic: codes drawn from `seed`";
  const Node* written = reader.peek("inputs");
  std::vector<InputFile> files;
  if (written != nullptr && written->is(Node::Kind::mapping)) {
    reader.find("inputs", config::map_of(config::text("a path")), kDescription);
    for (const Node::Member& member : written->members())
      files.push_back({member.key, existing_file(member.value, "inputs." + member.key)});
    return files;
  }
  const auto type = config::or_word(config::list_of(config::text("a path"), 1), "synthetic");
  const auto list = reader.find("inputs", type, kDescription);
  if (!list || written == nullptr) return std::nullopt;  // the second only while the reference of keys is collected
  if (*list)
    for (const Node& item : written->items()) files.push_back({"", existing_file(item, "inputs")});
  return files;
}

std::optional<std::string> read_labels(Reader& reader) {
  const auto labels = reader.find("labels", config::text("a path"),
                                  "ONNX tensor file with the class of every inference; gives accuracy");
  const Node* written = reader.peek("labels");
  if (!labels || written == nullptr) return std::nullopt;
  return existing_file(*written, "labels");
}

Node read_network_parameters(Reader& reader, const NetworkDescriptor* network) {
  reader.find("network_parameters", config::map_of(network_parameter()),
              "values for parameters of a network that lists layers, in place of the defaults in its file; BERT has "
              "sequence_length and feed_forward_only");
  const Node* written = reader.peek("network_parameters");
  if (written == nullptr || network == nullptr) return Node::mapping();
  if (!network->lists_layers())
    throw reader.error("network_parameters", "is set, and the network is an ONNX model", "a network that lists layers");
  return *written;
}

bool NetworkDescriptor::lists_layers() const { return !is_onnx(model); }

NetworkDescriptor read_network(const Node& network, const ScenarioFiles& files) {
  NetworkDescriptor result;
  const std::string path = files.find("network", network);
  result.name = is_path(network.text()) ? std::filesystem::path(path).stem().string() : network.text();
  if (is_onnx(path)) {
    result.model = path;
    return result;
  }
  Node tree = config::load_file(path);
  if (is_layer_table(tree)) {
    result.model = path;
    return result;
  }
  Reader reader(std::move(tree));
  reader.get("model", config::text("a path"), config::kRequired, "quantised ONNX model");
  result.model = existing_file(*reader.peek("model"), "model");
  result.inputs = read_inputs(reader).value_or(std::vector<InputFile>{});
  result.labels = read_labels(reader).value_or("");
  result.description = reader.get("description", config::text(), " ", "one sentence for lists of networks");
  reader.finish();
  return result;
}

}  // namespace mho
