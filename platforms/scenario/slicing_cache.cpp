// SPDX-License-Identifier: Apache-2.0
// Reads, checks and writes files of slicings. Fingerprints protect against accidents - another network under the same
// name, half a file, an edited line - not against intent.
#include "platforms/scenario/slicing_cache.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "models/input_error.h"
#include "platforms/config/document.h"
#include "platforms/config/writer.h"
#include "platforms/scenario/fingerprint.h"

namespace mho {
namespace {

namespace fs = std::filesystem;
using config::Node;

/// Grows when the search finds other slicings or files look different.
constexpr int kVersion = 1;

void add(Fingerprint& print, const dnn::Tensor& tensor) {
  print.add(tensor.shape.height).add(tensor.shape.width).add(tensor.shape.channels);
  print.add(int(tensor.type)).add(tensor.scale).add(tensor.zero_point);
}

void add(Fingerprint& print, const dnn::Window& w) {
  for (const int value : {w.kernel_height, w.kernel_width, w.stride_y, w.stride_x, w.pad_top, w.pad_left, w.pad_bottom,
                          w.pad_right, w.dilation_y, w.dilation_x})
    print.add(value);
}

void add(Fingerprint& print, const dnn::Node& node) {
  print.add(node.name).add(int(node.op)).add(node.inputs).add(node.output);
  add(print, node.window);
  print.add(int(node.count_include_pad)).add(node.weights.groups).add(node.weights.values);
  print.add(node.weights.bias).add(node.weights.scale).add(node.lower).add(node.upper);
  print.add(int(node.function)).add(node.parameter).add(node.gain).add(node.offset).add(node.epsilon);
  print.add(node.channels).add(node.heads).add(int(node.transposed));
}

/// What blocks, encoding and converters follow from. A policy of somebody else may read any of it.
void add(Fingerprint& print, const mapping::Machine& m) {
  print.add(int(m.crossbar.cell)).add(m.crossbar.rows).add(m.crossbar.columns).add(m.crossbar.cell_bits);
  print.add(m.crossbars_per_tile()).add(int(m.toeplitz));
  print.add(m.data_bits).add(m.dac_bits).add(int(m.signed_inputs)).add(int(m.input_sum));
  print.add(m.adc.bits).add(int(m.adc.is_signed)).add(m.encoding.name());
  for (const auto& [name, value] : m.encoding.values()) print.add(name).add(value);
}

std::string text_of(const std::vector<int>& slicing) {
  std::string text;
  for (const int width : slicing) text += (text.empty() ? "" : ", ") + std::to_string(width);
  return text;
}

/// Of a file's content, so that a changed line is noticed.
std::string checksum(const std::string& key, const mapping::LayerSlicings& slicings) {
  Fingerprint print;
  print.add(kVersion).add(key);
  for (const auto& [name, slicing] : slicings) print.add(name).add(slicing);
  return print.text();
}

Node scalar(const std::string& text) { return Node::scalar(text, true); }

std::string file_text(const std::string& key, const mapping::LayerSlicings& slicings) {
  Node root = Node::mapping();
  root.set("version", Node::scalar(std::to_string(kVersion), false));
  root.set("key", scalar(key));
  root.set("checksum", scalar(checksum(key, slicings)));
  Node& layers = root.set("layers", Node::sequence());
  for (const auto& [name, slicing] : slicings) {
    Node layer = Node::mapping();
    layer.set("name", scalar(name));
    layer.set("slicing", scalar(text_of(slicing)));
    layers.append(std::move(layer));
  }
  return config::write_yaml(root);
}

/// "4, 2, 2" as widths; anything else as other widths.
std::vector<int> slicing_of(const std::string& text) {
  std::vector<int> widths;
  for (std::size_t i = 0; i < text.size(); i += 3) widths.push_back(text[i] - '0');
  return widths;
}

std::string value(const Node& mapping, const char* key) {
  const Node* found = mapping.find(key);
  return found == nullptr ? "" : found->text();
}

/// Nothing where the file is not there or does not say exactly what was written under this key: the checksum covers
/// key and version as well.
std::optional<mapping::LayerSlicings> read(const std::string& path, const std::string& key) try {
  const Node root = config::load_file(path);
  mapping::LayerSlicings slicings;
  if (const Node* list = root.find("layers"))
    for (const Node& layer : list->items()) slicings[value(layer, "name")] = slicing_of(value(layer, "slicing"));
  if (value(root, "checksum") != checksum(key, slicings)) return std::nullopt;
  return slicings;
} catch (const InputError&) {
  return std::nullopt;
}

/// False where nothing could be kept there. The file is there as a whole or not at all.
bool write(const fs::path& path, const std::string& text) {
  std::error_code error;
  const fs::path folder = path.parent_path(), temporary = path.string() + ".partial-" + std::to_string(getpid());
  if (folder.filename() == ".slicing")
    fs::create_directory(folder, error);
  else
    fs::create_directories(folder, error);
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) fs::rename(temporary, path, error);
  const bool written = out && !error;
  if (!written) fs::remove(temporary, error);
  return written;
}

}  // namespace

std::string slicing_key(const dnn::Graph& graph, const mapping::Machine& machine,
                        const mapping::CalibrationInputs& inputs, const mapping::SlicingSearch& options) {
  Fingerprint print;
  print.add(kVersion).add(graph.inputs);
  for (const dnn::Tensor& tensor : graph.tensors) add(print, tensor);
  for (const dnn::Node& node : graph.nodes) add(print, node);
  add(print, machine);
  for (const auto& inference : inputs)
    for (const std::vector<std::uint8_t>& codes : inference) print.add(codes);
  print.add(std::uint64_t(inputs.size())).add(options.positions).add(options.seed).add(options.budget);
  return print.text();
}

std::vector<std::string> slicing_files(const std::string& network_file, const std::string& key) {
  if (network_file.empty()) return {};
  const fs::path network(network_file);
  const std::string name = network.filename().string() + ".slicing-" + key + ".yaml";
  std::vector<std::string> files{(network.parent_path() / ".slicing" / name).string()};
  const auto variable = [](const char* of) {
    const char* text = std::getenv(of);
    return fs::path(text == nullptr ? "" : text);
  };
  const fs::path cache = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (cache.is_absolute())  // a relative one is to be ignored
    files.push_back((cache / "mho" / name).string());
  else if (home.is_absolute())
    files.push_back((home / ".cache" / "mho" / name).string());
  return files;
}

mapping::LayerSlicings adaptive_slicings(const dnn::Graph& graph, const mapping::Machine& machine,
                                         const mapping::CalibrationInputs& inputs,
                                         const mapping::SlicingSearch& options, const std::string& network_file,
                                         const mapping::SlicingProgress& progress) {
  if (network_file.empty()) return mapping::search_slicings(graph, machine, inputs, options, progress);
  const std::string key = slicing_key(graph, machine, inputs, options);
  const std::vector<std::string> files = slicing_files(network_file, key);
  for (const std::string& file : files)
    if (const auto found = read(file, key)) return *found;
  mapping::LayerSlicings slicings = mapping::search_slicings(graph, machine, inputs, options, progress);
  const std::string text = file_text(key, slicings);
  for (const std::string& file : files)
    if (write(file, text)) break;
  return slicings;
}

}  // namespace mho
