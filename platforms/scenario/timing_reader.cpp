// SPDX-License-Identifier: Apache-2.0
// Keys of timing, and layer names against the network.
#include "platforms/scenario/timing_reader.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>

#include "platforms/config/suggest.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

using config::integer;
using config::or_word;
using config::quantity;
using config::Quantity;
using config::Reader;

constexpr const char* kSection = "approximately_timed";
constexpr int kMostTiles = 1 << 24;
constexpr int kMostRegisters = 65536;
constexpr std::size_t kNearest = 3;  ///< names that are suggested

void read_window(Reader& r, PlatformConfig& platform) {
  auto& timing = platform.approximate_timing;
  timing.from_s =
      r.get("from", quantity(Quantity::time), 0.0, "rows that start at this time or later, since the job began");
  timing.to_s = r.get("to", or_word(quantity(Quantity::time, config::kPositive), "end"), std::nullopt,
                      "rows that start before this time; end: to the last")
                    .value_or(std::numeric_limits<double>::infinity());
  if (timing.to_s <= timing.from_s) throw r.error("to", "is not after `from`", "a later time, or `end`");
}

void read_rows(Reader& r, PlatformConfig& platform) {
  const auto rows = r.get(
      "rows", or_word(config::list_of(config::integer64(0, std::numeric_limits<std::int64_t>::max()), 2, 2), "all"),
      std::nullopt, "first and last output row of each layer, counted from 0 through all inferences");
  if (!rows || rows->size() != 2) return;  // a list without elements stands for all others in the reference of keys
  if (rows->back() < rows->front()) throw r.error("rows", "ends before it begins", "[first, last]");
  platform.approximate_timing.first_row = std::uint64_t(rows->front());
  platform.approximate_timing.last_row = std::uint64_t(rows->back());
}

std::vector<LayerName> read_layers(Reader& r) {
  const auto names =
      r.get("layers", or_word(config::list_of(config::text("the name of a node, see `layers.csv`"), 1), "all"),
            std::nullopt, "nodes of the network, by name");
  std::vector<LayerName> layers;
  const config::Node* const written = r.peek("layers");
  if (!names || written == nullptr) return layers;
  for (std::size_t i = 0; i < names->size(); ++i) layers.push_back({(*names)[i], written->items()[i].position()});
  return layers;
}

InputError unknown_layer(const LayerName& layer, const dnn::Graph& graph, const std::string& key) {
  std::vector<std::string> names;
  for (const dnn::Node& node : graph.nodes) names.push_back(node.name);
  const std::size_t nearest = std::min(kNearest, names.size());
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return config::edit_distance(layer.name, a) < config::edit_distance(layer.name, b);
  });
  names.resize(nearest);
  return layer.at.error('`' + key + "`: the network has no node " + excerpt(layer.name),
                        "among others " + config::alternatives(names));
}

}  // namespace

std::vector<LayerName> read_timing(Reader& root, PlatformConfig& platform) {
  const bool approximate = root.get(
      "timing", config::choice<bool>({{"loosely_timed", false}, {"approximately_timed", true}}), false,
      "loosely_timed: one transaction a batch; approximately_timed: one an input slice, with arbitration and queues");
  const char* const description = "what part of a run is approximately timed; the rest stays loosely timed";
  // The section has defaults only where it means something; elsewhere nobody may believe it had an effect.
  std::optional<Reader> r =
      approximate ? root.section(kSection, description) : root.find_section(kSection, description);
  if (!r) return {};
  if (!approximate && root.peek(kSection) != nullptr)
    throw root.error(kSection, "has no effect on a loosely timed run",
                     "no such section, or `timing: approximately_timed`");
  platform.approximate_timing.enabled = true;
  read_window(*r, platform);
  std::vector<LayerName> layers = read_layers(*r);
  platform.approximate_timing.tiles = r->get("tiles", or_word(config::list_of(integer(0, kMostTiles - 1), 1), "all"),
                                             std::nullopt, "tiles, by number: layers that are placed on one of them")
                                          .value_or(std::vector<int>());
  read_rows(*r, platform);
  int& registers = platform.approximate_timing.psum_registers;
  registers = r->get("psum_registers", integer(1, kMostRegisters), registers,
                     "windows of one replica whose psums may be under way at once");
  return layers;
}

std::vector<int> nodes_named(const std::vector<LayerName>& layers, const dnn::Graph& graph, const std::string& key) {
  std::set<int> nodes;
  for (const LayerName& layer : layers) {
    const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                    [&](const dnn::Node& node) { return node.name == layer.name; });
    if (found == graph.nodes.end()) throw unknown_layer(layer, graph, key);
    nodes.insert(int(found - graph.nodes.begin()));
  }
  return {nodes.begin(), nodes.end()};
}

}  // namespace mho
