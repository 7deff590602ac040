// SPDX-License-Identifier: Apache-2.0
// Walks through the rows of a file and expands blocks where rows use them.
#include "platforms/scenario/layer_table_reader.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "platforms/config/document.h"
#include "platforms/config/suggest.h"
#include "platforms/scenario/layer_row.h"
#include "platforms/scenario/layer_table_head.h"

namespace mho {
namespace {

using config::Reader;

constexpr int kMaxRepeat = 1000;
/// Uses of blocks by all rows together.
constexpr std::size_t kMaxUses = kMaxLayers;

/// Rows that stand for each other, with names for the numbers in which their uses differ.
struct Block {
  Reader reader;
  std::vector<std::string> parameters;
  std::vector<Reader> layers;
  bool used = false, open = false;  ///< open while its rows are added
};

struct Expansion {
  std::map<std::string, Block> blocks;
  dnn::LayerTable table;
  std::size_t uses = 0;
  std::set<std::string> left_out;  ///< paths of rows that a switch leaves out and that have been read once
  std::map<std::string, int> network_parameters;

  void read_blocks(Reader& root, const LayerScope& scope);
  void add_rows(std::vector<Reader>& rows, LayerScope& scope);
  void add_row(Reader& row, LayerScope& scope);
  void add_uses(Reader& row, LayerScope& scope);
  void leave_out(Reader& row, LayerScope scope);
  Block& block_of(Reader& row);
};

void Expansion::read_blocks(Reader& root, const LayerScope& scope) {
  for (auto& [name, reader] : root.named_sections("blocks", "groups of rows that `layers` may use by name")) {
    Block block{reader, {}, {}, false};
    block.parameters = block.reader.get("parameters", config::list_of(config::text("a name")), {},
                                        "names for numbers that differ between uses; rows write `$NAME`");
    const std::set<std::string> different(block.parameters.begin(), block.parameters.end());
    if (different.size() != block.parameters.size())
      throw block.reader.error("parameters", "names one twice", "different names");
    for (const std::string& parameter : block.parameters)
      if (scope.parameters.count(parameter) != 0)
        throw block.reader.error("parameters", "names " + excerpt(parameter) + ", a parameter of the network",
                                 "names of their own");
    block.layers = block.reader.sections("layers", "rows; the last is the block's output");
    if (block.layers.empty()) throw block.reader.error("layers", "is empty", "one row or more");
    blocks.emplace(name, std::move(block));
  }
}

/// What the rows of a block see: the network's parameters, and those that `row` gives.
std::map<std::string, int> arguments_of(Reader& row, const LayerScope& scope, const Block& block,
                                        const std::map<std::string, int>& of_network) {
  std::map<std::string, int> values = of_network;
  const auto given = row.get("with", config::map_of(layer_number(scope, 0)), {}, "values of parameters");
  for (const auto& [name, value] : given) {
    if (std::find(block.parameters.begin(), block.parameters.end(), name) == block.parameters.end())
      throw row.error("with", "gives " + excerpt(name) + ", which the block does not have",
                      block.parameters.empty() ? "no parameters" : config::alternatives(block.parameters));
    values[name] = value;
  }
  for (const std::string& name : block.parameters)
    if (values.count(name) == 0) throw row.error("with", "does not give " + excerpt(name), "all parameters");
  return values;
}

Block& Expansion::block_of(Reader& row) {
  const std::string name =
      row.get("block", config::text("a name"), config::kRequired, "the block that this row stands for");
  const auto found = blocks.find(name);
  if (found == blocks.end()) {
    std::vector<std::string> known;
    for (const auto& entry : blocks) known.push_back(entry.first);
    throw row.error("block", "is " + excerpt(name) + ", which is no block",
                    known.empty() ? "the file has no `blocks`" : config::alternatives(known));
  }
  if (found->second.open) throw row.error("block", "is " + excerpt(name) + ", which this row is a part of", "others");
  return found->second;
}

/// A row `block: NAME` becomes `repeat` copies of the block's rows, one behind the other.
void Expansion::add_uses(Reader& row, LayerScope& scope) {
  const std::string name = layer_name(row, scope);
  Block& block = block_of(row);
  block.used = block.open = true;
  const auto repeat = row.find("repeat", layer_number(scope, 1, kMaxRepeat),
                               "uses in a row, called NAME.0, NAME.1, ...; absent: one, called NAME");
  LayerScope inner;
  inner.parameters = arguments_of(row, scope, block, network_parameters);
  inner.switches = scope.switches;
  const auto from =
      row.find("from", config::text("the name of a layer"), "the block's input; default: the layer before");
  int previous = from ? tensor_named(row, scope, *from) : scope.previous;
  for (int i = 0; i < repeat.value_or(1); ++i) {
    if (++uses > kMaxUses)
      throw row.error("block", "is used once too often", "at most " + std::to_string(kMaxUses) + " uses of blocks");
    inner.prefix = scope.prefix + name + (repeat ? "." + std::to_string(i) : "") + ".";
    inner.tensors = {{"input", previous}};
    inner.previous = previous;
    add_rows(block.layers, inner);
    previous = inner.previous;
  }
  block.open = false;
  scope.previous = scope.tensors[name] = previous;
}

/// Rows that a switch leaves out are read as well, once and for nothing: a mistake in them shows in every run.
void Expansion::leave_out(Reader& row, LayerScope scope) {
  if (!left_out.insert(row.path()).second) return;
  const dnn::LayerTable kept = table;
  add_row(row, scope);
  table = kept;
}

void Expansion::add_row(Reader& row, LayerScope& scope) {
  if (row.peek("block") != nullptr) {
    add_uses(row, scope);
  } else {
    add_layer(row, scope, table);
  }
}

void Expansion::add_rows(std::vector<Reader>& rows, LayerScope& scope) {
  for (Reader& row : rows) {
    const auto unless = row.find("unless", layer_switch(scope), "leaves the row out where this parameter is true");
    const auto when = row.find("when", layer_switch(scope), "leaves the row out where this parameter is false");
    if (unless.value_or(false) || !when.value_or(true)) {
      leave_out(row, scope);
    } else {
      add_row(row, scope);
    }
  }
}

/// A layer without a reader is a slip in `from`, all but the last one, which is the network's output.
void refuse_unread(const dnn::Graph& graph, const config::Position& where) {
  std::vector<bool> read(graph.tensors.size(), false);
  for (const dnn::Node& node : graph.nodes)
    for (const int input : node.inputs) read[std::size_t(input)] = true;
  read.back() = true;
  for (std::size_t i = 0; i < read.size(); ++i)
    if (!read[i])
      throw where.error("`layers`: nothing reads " + excerpt(graph.tensors[i].name),
                        "a reader of every layer but the last, the network's output");
}

/// Rows of a block are named BLOCK.ROW, which a row outside of it may be called as well.
void refuse_equal_names(const dnn::Graph& graph, const config::Position& where) {
  std::set<std::string> names;
  for (const dnn::Tensor& tensor : graph.tensors)
    if (!names.insert(tensor.name).second)
      throw where.error("`layers`: two layers are named " + excerpt(tensor.name), "names of their own");
}

}  // namespace

bool is_layer_table(const config::Node& tree) {
  return tree.find("layers") != nullptr || tree.find("input") != nullptr || tree.find("blocks") != nullptr;
}

dnn::LayerTable read_layer_table(const std::string& path, const config::Node& parameters) {
  Reader root(config::load_file(path));
  root.find("description", config::text(), "one sentence for lists of networks");
  Expansion expansion;
  dnn::Graph& graph = expansion.table.graph;
  graph.name = std::filesystem::path(path).stem().string();
  LayerScope scope;
  read_parameters(root, graph.name, parameters, scope);
  expansion.network_parameters = scope.parameters;
  graph.tensors.push_back(read_input(root, scope));
  graph.inputs = {0};
  expansion.read_blocks(root, scope);
  std::vector<Reader> rows = root.sections("layers", "a row for each layer or use of a block, in order");
  scope.tensors["input"] = 0;
  expansion.add_rows(rows, scope);
  for (const auto& [name, block] : expansion.blocks)
    if (!block.used) throw block.reader.position().error("no layer uses block " + excerpt(name), "a row `block:`");
  root.finish();
  if (graph.nodes.empty()) throw root.error("layers", "is missing or empty", "one row or more");
  refuse_equal_names(graph, root.position("layers"));
  refuse_unread(graph, root.position("layers"));
  graph.outputs = {graph.nodes.back().output};
  return std::move(expansion.table);
}

}  // namespace mho
