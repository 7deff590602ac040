// SPDX-License-Identifier: Apache-2.0
// Keys of index.yaml and its checksums. A checksum finds files that were damaged, cut off or mixed up; it is no
// protection against intent, so 32 bits by Boost.CRC, which is here already and equals zlib's crc32, are enough.
#include "platforms/scenario/trace_index.h"

#include <array>
#include <boost/crc.hpp>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <system_error>

#include "models/dnn/graph.h"
#include "platforms/config/document.h"

namespace mho {
namespace {

using config::Node;
using config::Reader;

constexpr std::int64_t kMostInferences = 1'000'000'000;
constexpr std::int64_t kLargestExtent = std::int64_t{1} << 32;
constexpr const char* kFormat = "mho trace";
constexpr std::size_t kChunk = 1 << 16;

config::ValueType<std::int64_t> extent() { return config::integer64(1, kLargestExtent); }
config::ValueType<std::uint64_t> checksum() { return config::address(std::numeric_limits<std::uint32_t>::max()); }
config::ValueType<double> scale() { return config::real({dnn::kSmallestScale, dnn::kLargestScale}); }

/// The index lies beside its files: a name that leads elsewhere is a mistake or an attack.
std::string file_name(const Reader& reader, const std::string& name) {
  if (name == ".." || name == "." || name.find('/') != std::string::npos)
    throw reader.error("file", "leads out of the folder", "the name of a file beside the index");
  return name;
}

TraceFile read_file(Reader& reader) {
  TraceFile file;
  file.name =
      file_name(reader, reader.get("file", config::text("the name of a file"), config::kRequired, "beside the index"));
  file.crc32 = std::uint32_t(reader.get("crc32", checksum(), config::kRequired, "CRC-32 of the file"));
  return file;
}

TracedLayer read_layer(Reader reader) {
  TracedLayer layer;
  layer.name = reader.get("name", config::text("a name"), config::kRequired, "as the recorder calls the layer");
  layer.node = reader.get("node", config::text("a name"), layer.name, "of the network");
  layer.op = reader.get("operator", config::text(), " ", "what the layer computes");
  layer.tensor = read_file(reader);
  layer.dims = reader.get("dims", config::list_of(extent(), 2, 4), config::kRequired, "of the tensor");
  layer.type = reader.get("type", config::word({"uint8", "int8", "float"}), config::kRequired,
                          "uint8, int8: codes; float: real values");
  layer.scale = reader.find("scale", scale(), "of codes");
  layer.zero_point = reader.find("zero_point", config::integer(-128, 255), "of codes");
  if (auto sums = reader.find_section("column_sums", "histograms of column sums")) layer.sums = read_file(*sums);
  layer.written = std::make_shared<const Reader>(reader);
  if (layer.type == "float") return layer;
  for (const char* key : {"scale", "zero_point"})
    if (reader.peek(key) == nullptr)
      throw reader.position().error(
          "missing key " + excerpt(config::join_path(reader.path(), key)) + ": the tensor holds codes",
          "scale and zero_point, or `type: float`");
  return layer;
}

void check_layers(const TraceIndex& index, const Reader& root) {
  if (index.layers.empty()) throw root.error("layers", "names no layer", "one or more");
  std::set<std::string> nodes;
  for (const TracedLayer& layer : index.layers) {
    if (!nodes.insert(layer.node).second)
      throw layer.error(layer.written->peek("node") != nullptr ? "node" : "name",
                        "is " + excerpt(layer.node) + ", as that of a layer before", "each node once");
    if (layer.dims.front() != index.inferences)
      throw layer.error("dims", "begins with " + std::to_string(layer.dims.front()),
                        "`inferences`, which is " + std::to_string(index.inferences));
  }
}

Node file_node(Node node, const TraceFile& file) {
  node.set("file", Node::scalar(file.name, true));
  node.set("crc32", checksum().write(file.crc32));
  return node;
}

Node layer_node(const TracedLayer& layer) {
  Node node = Node::mapping();
  node.set("name", Node::scalar(layer.name, true));
  if (layer.node != layer.name) node.set("node", Node::scalar(layer.node, true));
  if (!layer.op.empty()) node.set("operator", Node::scalar(layer.op, false));
  node = file_node(std::move(node), layer.tensor);
  node.set("dims", config::list_of(extent()).write(layer.dims));
  node.set("type", Node::scalar(layer.type, false));
  if (layer.scale) node.set("scale", scale().write(*layer.scale));
  if (layer.zero_point) node.set("zero_point", config::integer(-128, 255).write(*layer.zero_point));
  if (layer.sums) node.set("column_sums", file_node(Node::mapping(), *layer.sums));
  return node;
}

}  // namespace

InputError TracedLayer::error(const char* key, const std::string& problem, const std::string& allowed) const {
  return written->error(key, problem, allowed);
}

TraceIndex read_trace_index(const std::string& folder) {
  Reader root(config::load_file((std::filesystem::path(folder) / kTraceIndex).string()));
  TraceIndex index;
  index.folder = folder;
  root.get("format", config::word({kFormat}), config::kRequired, "what this file is");
  root.get("version", config::integer(kTraceVersion, kTraceVersion), config::kRequired, "of the format");
  index.network = root.get("network", config::text(), " ", "that was traced");
  index.seed = root.find("seed", config::unsigned_integer(), "of its synthetic weights");
  index.seed_at = root.position("seed");
  index.inferences = root.get("inferences", config::integer64(1, kMostInferences), config::kRequired,
                              "leading extent of every tensor");
  for (Reader& layer : root.sections("layers", "recorded layers")) index.layers.push_back(read_layer(layer));
  root.finish();
  check_layers(index, root);
  return index;
}

std::string to_yaml(const TraceIndex& index) {
  Node root = Node::mapping();
  root.set("format", Node::scalar(kFormat, false));
  root.set("version", config::integer(kTraceVersion, kTraceVersion).write(kTraceVersion));
  if (!index.network.empty()) root.set("network", Node::scalar(index.network, true));
  if (index.seed) root.set("seed", config::unsigned_integer().write(*index.seed));
  root.set("inferences", extent().write(index.inferences));
  Node layers = Node::sequence();
  for (const TracedLayer& layer : index.layers) layers.append(layer_node(layer));
  root.set("layers", std::move(layers));
  return config::write_yaml(root);
}

std::optional<std::uint32_t> crc32_of(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  boost::crc_32_type crc;
  std::array<char, kChunk> chunk;
  while (in) {
    in.read(chunk.data(), chunk.size());
    crc.process_bytes(chunk.data(), std::size_t(in.gcount()));
  }
  if (!in.eof()) return std::nullopt;
  return crc.checksum();
}

}  // namespace mho
