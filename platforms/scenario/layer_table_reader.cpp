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

namespace mho {
namespace {

using config::Reader;

constexpr int kMaxRepeat = 1000;

/// Rows that stand for each other, with names for the numbers in which their uses differ.
struct Block {
  Reader reader;
  std::vector<std::string> parameters;
  std::vector<Reader> layers;
  bool used = false;
};

struct Expansion {
  std::map<std::string, Block> blocks;
  dnn::LayerTable table;

  void read_blocks(Reader& root);
  void add_rows(std::vector<Reader>& rows, LayerScope& scope);
  void add_uses(Reader& row, LayerScope& scope);
};

void Expansion::read_blocks(Reader& root) {
  for (auto& [name, reader] : root.named_sections("blocks", "groups of rows that `layers` may use by name")) {
    Block block{reader, {}, {}, false};
    block.parameters = block.reader.get("parameters", config::list_of(config::text("a name")), {},
                                        "names for numbers that differ between uses; rows write `$NAME`");
    const std::set<std::string> different(block.parameters.begin(), block.parameters.end());
    if (different.size() != block.parameters.size())
      throw block.reader.error("parameters", "names one twice", "different names");
    block.layers = block.reader.sections("layers", "rows; the last is the block's output");
    if (block.layers.empty()) throw block.reader.error("layers", "is empty", "one row or more");
    blocks.emplace(name, std::move(block));
  }
}

std::map<std::string, int> arguments_of(Reader& row, const Block& block) {
  std::map<std::string, int> values;
  const auto given = row.get("with", config::map_of(config::integer(0, kMaxLayerNumber)), {}, "values of parameters");
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

/// A row `block: NAME` becomes `repeat` copies of the block's rows, one behind the other.
void Expansion::add_uses(Reader& row, LayerScope& scope) {
  const std::string name = layer_name(row, scope);
  const std::string block_name =
      row.get("block", config::text("a name"), config::kRequired, "the block that this row stands for");
  const auto found = blocks.find(block_name);
  if (found == blocks.end()) {
    std::vector<std::string> known;
    for (const auto& entry : blocks) known.push_back(entry.first);
    throw row.error("block", "is " + excerpt(block_name) + ", which is no block",
                    known.empty() ? "the file has no `blocks`" : config::alternatives(known));
  }
  Block& block = found->second;
  block.used = true;
  const auto repeat = row.find("repeat", config::integer(1, kMaxRepeat),
                               "uses in a row, called NAME.0, NAME.1, ...; absent: one, called NAME");
  const std::map<std::string, int> arguments = arguments_of(row, block);
  const auto from =
      row.find("from", config::text("the name of a layer"), "the block's input; default: the layer before");
  int previous = from ? tensor_named(row, scope, *from) : scope.previous;
  for (int i = 0; i < repeat.value_or(1); ++i) {
    LayerScope inner;
    inner.prefix = scope.prefix + name + (repeat ? "." + std::to_string(i) : "") + ".";
    inner.parameters = arguments;
    inner.tensors["input"] = inner.previous = previous;
    add_rows(block.layers, inner);
    previous = inner.previous;
  }
  scope.previous = scope.tensors[name] = previous;
}

void Expansion::add_rows(std::vector<Reader>& rows, LayerScope& scope) {
  for (Reader& row : rows) {
    const bool top = scope.prefix.empty();  // blocks do not nest
    if (top && row.peek("block") != nullptr) {
      add_uses(row, scope);
    } else {
      add_layer(row, scope, table);
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

dnn::Shape read_input(Reader& root) {
  const auto extents = root.get("input", config::list_of(config::integer(1, kMaxLayerNumber), 3, 3), config::kRequired,
                                "shape of the network's input: channels, height, width");
  const std::uint64_t bytes = std::uint64_t(extents[0]) * std::uint64_t(extents[1]) * std::uint64_t(extents[2]);
  if (bytes > dnn::kMaxTensorBytes)
    throw root.error("input", "is too large", "at most " + std::to_string(dnn::kMaxTensorBytes) + " codes");
  return {extents[1], extents[2], extents[0]};
}

}  // namespace

bool is_layer_table(const config::Node& tree) {
  return tree.find("layers") != nullptr || tree.find("input") != nullptr || tree.find("blocks") != nullptr;
}

dnn::LayerTable read_layer_table(const std::string& path) {
  Reader root(config::load_file(path));
  root.find("description", config::text(), "one sentence for lists of networks");
  Expansion expansion;
  dnn::Graph& graph = expansion.table.graph;
  graph.name = std::filesystem::path(path).stem().string();
  graph.tensors.push_back({"input", read_input(root), dnn::CodeType::kUint8, 1.0, 0});
  graph.inputs = {0};
  expansion.read_blocks(root);
  std::vector<Reader> rows = root.sections("layers", "a row for each layer or use of a block, in order");
  LayerScope scope;
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
