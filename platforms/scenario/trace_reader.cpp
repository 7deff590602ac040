// SPDX-License-Identifier: Apache-2.0
// Both forms of the key `trace`.
#include "platforms/scenario/trace_reader.h"

#include <filesystem>
#include <system_error>

#include "platforms/scenario/scenario_files.h"
#include "platforms/scenario/trace_index.h"

namespace mho {
namespace {

using config::Node;
using config::Reader;

constexpr const char* kDescription =
    "in place of inputs: single layers of the network run on what `mho trace` or scripts/record_torch_inputs.py has "
    "recorded; `trace: FOLDER` for all layers of a folder";

std::string existing_folder(const Node& written, const std::string& key) {
  const std::string folder = path_from(written.position(), written.text());
  std::error_code error;
  if (!std::filesystem::is_regular_file(std::filesystem::path(folder) / kTraceIndex, error))
    throw written.position().error(
        '`' + key + "`: there is no file " + excerpt((std::filesystem::path(folder) / kTraceIndex).string()),
        "a folder that `mho trace` wrote, relative to the file it is written in");
  return folder;
}

std::vector<LayerName> read_layers(Reader& section) {
  const auto names = section.get(
      "layers", config::or_word(config::list_of(config::text("the name of a node, see `layers.csv`"), 1), "all"),
      std::nullopt, "which of the recorded layers run, by their name in the network");
  std::vector<LayerName> layers;
  const Node* const written = section.peek("layers");
  if (!names || written == nullptr) return layers;
  for (std::size_t i = 0; i < names->size(); ++i) layers.push_back({(*names)[i], written->items()[i].position()});
  return layers;
}

}  // namespace

std::optional<TraceRequest> read_trace(Reader& root) {
  const auto folder = config::text("a path");
  const Node* const written = root.peek("trace");
  if (written != nullptr && !written->is(Node::Kind::mapping)) {
    root.get("trace", folder, config::kRequired, kDescription);
    return TraceRequest{existing_folder(*written, "trace"), {}};
  }
  std::optional<Reader> section = root.find_section("trace", kDescription);
  if (!section) return std::nullopt;
  section->get("folder", folder, config::kRequired, "has index.yaml and the tensors it names");
  TraceRequest trace;
  trace.layers = read_layers(*section);
  const Node* const path = section->peek("folder");
  if (path == nullptr) return std::nullopt;  // only while the reference of keys is collected
  trace.folder = existing_folder(*path, "trace.folder");
  return trace;
}

Node trace_node(const TraceRequest& trace) {
  Node node = Node::mapping();
  node.set("folder", Node::scalar(std::filesystem::absolute(trace.folder).lexically_normal().string(), true));
  if (trace.layers.empty()) {
    node.set("layers", Node::scalar("all", false));
    return node;
  }
  Node layers = Node::sequence();
  for (const LayerName& layer : trace.layers) layers.append(Node::scalar(layer.name, true));
  node.set("layers", std::move(layers));
  return node;
}

}  // namespace mho
