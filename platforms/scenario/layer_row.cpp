// SPDX-License-Identifier: Apache-2.0
// Keys of a row depend on its operator: what an operator does not have is an unknown key. Numbers are bounded by the
// limits of models/dnn before anything is allocated.
#include "platforms/scenario/layer_row.h"

#include <algorithm>
#include <tuple>

#include "platforms/config/suggest.h"

namespace mho {
namespace {

using config::Reader;
using dnn::Activation;
using dnn::Operator;
using dnn::Shape;

constexpr std::size_t kMaxLayers = 10'000;

enum class Kind {
  kConvolution,
  kDepthwise,
  kFullyConnected,
  kMaxPool,
  kAveragePool,
  kGlobalAveragePool,
  kAdd,
  kConcat,
  kRelu,
};

Kind read_kind(Reader& row) {
  return row.get("op",
                 config::choice<Kind>({{"convolution", Kind::kConvolution},
                                       {"depthwise_convolution", Kind::kDepthwise},
                                       {"fully_connected", Kind::kFullyConnected},
                                       {"max_pool", Kind::kMaxPool},
                                       {"average_pool", Kind::kAveragePool},
                                       {"global_average_pool", Kind::kGlobalAveragePool},
                                       {"add", Kind::kAdd},
                                       {"concat", Kind::kConcat},
                                       {"relu", Kind::kRelu}}),
                 config::kRequired, "what the layer computes");
}

Operator operator_of(Kind kind) {
  switch (kind) {
    case Kind::kMaxPool:
      return Operator::kMaxPool;
    case Kind::kAveragePool:
    case Kind::kGlobalAveragePool:
      return Operator::kAveragePool;
    case Kind::kAdd:
      return Operator::kAdd;
    case Kind::kConcat:
      return Operator::kConcat;
    case Kind::kRelu:
      return Operator::kRequantise;
    default:
      return Operator::kConvolution;
  }
}

/// Padding at the end that makes a window reach every element, where the file asks for `ceil`; as PyTorch, the last
/// window starts within the map or the padding before it.
int padding_after(int length, int kernel, int stride, int pad, bool ceil) {
  if (!ceil || length + 2 * pad < kernel) return pad;
  int count = (length + 2 * pad - kernel + stride - 1) / stride + 1;
  if ((count - 1) * stride >= length + pad) --count;
  return std::max(pad, (count - 1) * stride + kernel - length - pad);
}

/// A row while it is read.
struct Row {
  Reader& reader;
  const LayerScope& scope;
  dnn::LayerTable& table;
  dnn::Node& node;
  Shape input;

  int number(const char* key, const char* description) {
    return reader.get(key, layer_number(scope, 1), config::kRequired, description);
  }
  std::pair<int, int> extent(const char* key, int min, int otherwise, const char* description) {
    return reader.get(key, layer_extent(scope, min), std::pair<int, int>{otherwise, otherwise}, description);
  }
  InputError error(const char* key, const std::string& problem, const std::string& allowed) const {
    return reader.error(key, "of layer " + excerpt(node.name) + ' ' + problem, allowed);
  }
  int span_of(std::int64_t kernel, std::int64_t dilation) const;
  void read_window(bool pool);
  int read_groups(Kind kind, int filters);
  Shape read_products(Kind kind);
  Shape read_pool(Kind kind);
  Shape joined_shape() const;
  Shape shape_of(Kind kind);
};

/// Pixels from a window's first tap to its last.
int Row::span_of(std::int64_t kernel, std::int64_t dilation) const {
  const std::int64_t span = (kernel - 1) * dilation + 1;
  if (span > dnn::kMaxExtent)
    throw error("kernel", "spans " + std::to_string(span) + " pixels with its dilation",
                "at most " + std::to_string(dnn::kMaxExtent));
  return int(span);
}

void Row::read_window(bool pool) {
  dnn::Window& w = node.window;
  std::tie(w.kernel_height, w.kernel_width) =
      reader.get("kernel", layer_extent(scope, 1), config::kRequired, "height and width of the window");
  std::tie(w.stride_y, w.stride_x) = extent("stride", 1, 1, "step between windows");
  std::tie(w.pad_top, w.pad_left) = extent("pad", 0, 0, "padding on each side");
  if (!pool) std::tie(w.dilation_y, w.dilation_x) = extent("dilation", 1, 1, "distance between taps");
  const int height = span_of(w.kernel_height, w.dilation_y);
  const int width = span_of(w.kernel_width, w.dilation_x);
  if (w.pad_top >= height || w.pad_left >= width)
    throw error("pad", "is as wide as the window", "less than " + std::to_string(std::min(height, width)));
  const bool ceil = pool && reader.get("ceil", config::boolean(), false, "a last window may hang over the map's end");
  w.pad_bottom = padding_after(input.height, height, w.stride_y, w.pad_top, ceil);
  w.pad_right = padding_after(input.width, width, w.stride_x, w.pad_left, ceil);
  if (dnn::windowed_shape(input, w, 1).height == 0)
    throw error("kernel", "spans " + std::to_string(height) + " x " + std::to_string(width) + " pixels",
                "at most the padded input's " + std::to_string(input.height + w.pad_top + w.pad_bottom) + " x " +
                    std::to_string(input.width + w.pad_left + w.pad_right));
}

int Row::read_groups(Kind kind, int filters) {
  if (kind == Kind::kDepthwise) return input.channels;
  const int groups = reader.get("groups", layer_number(scope, 1), 1, "independent parts of channels and filters");
  if (input.channels % groups != 0 || filters % groups != 0)
    throw error("groups", "is " + std::to_string(groups),
                "a divisor of " + std::to_string(input.channels) + " input channels and of " + std::to_string(filters) +
                    " filters");
  return groups;
}

Shape Row::read_products(Kind kind) {
  int filters = input.channels;
  if (kind == Kind::kFullyConnected) {
    filters = number("outputs", "length of the output");
    node.window.kernel_height = input.height;
    node.window.kernel_width = input.width;
  } else {
    if (kind == Kind::kConvolution) filters = number("filters", "channels of the output");
    read_window(false);
    node.weights.groups = read_groups(kind, filters);
  }
  const std::int64_t length =
      std::int64_t(node.window.kernel_height) * node.window.kernel_width * (input.channels / node.weights.groups);
  const char* key = kind == Kind::kFullyConnected ? "outputs" : "kernel";
  if (length > dnn::kMaxDotLength)
    throw error(key, "gives dot products of " + std::to_string(length) + " elements",
                "at most " + std::to_string(dnn::kMaxDotLength));
  if (std::uint64_t(length) * std::uint64_t(filters) + dnn::weight_count(table) > dnn::kMaxWeightBytes)
    throw error(key, "makes the network too large", "at most " + std::to_string(dnn::kMaxWeightBytes) + " weights");
  return dnn::windowed_shape(input, node.window, filters);
}

Shape Row::read_pool(Kind kind) {
  if (kind == Kind::kGlobalAveragePool) {
    node.window.kernel_height = input.height;
    node.window.kernel_width = input.width;
  } else {
    read_window(true);
  }
  if (kind == Kind::kAveragePool)
    node.count_include_pad =
        reader.get("count_include_pad", config::boolean(), false, "padding counts in the divisor of averages");
  return dnn::windowed_shape(input, node.window, input.channels);
}

/// Shape of a sum or concatenation.
Shape Row::joined_shape() const {
  Shape shape = input;
  const bool sum = node.op == Operator::kAdd;
  if (node.inputs.size() < 2 || (sum && node.inputs.size() > 2))
    throw error("from", "names " + std::to_string(node.inputs.size()) + " layers", sum ? "two" : "two or more");
  std::int64_t channels = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Shape& other = table.graph.input_of(node, i).shape;
    channels += other.channels;
    if (other.height != input.height || other.width != input.width || (sum && other.channels != input.channels))
      throw error("from",
                  "joins " + std::to_string(input.height) + " x " + std::to_string(input.width) + " x " +
                      std::to_string(input.channels) + " with " + std::to_string(other.height) + " x " +
                      std::to_string(other.width) + " x " + std::to_string(other.channels),
                  sum ? "equal shapes" : "equal heights and widths");
  }
  if (channels > dnn::kMaxExtent)
    throw error("from", "joins too many channels", "at most " + std::to_string(dnn::kMaxExtent));
  if (!sum) shape.channels = int(channels);
  return shape;
}

Shape Row::shape_of(Kind kind) {
  switch (kind) {
    case Kind::kConvolution:
    case Kind::kDepthwise:
    case Kind::kFullyConnected:
      return read_products(kind);
    case Kind::kMaxPool:
    case Kind::kAveragePool:
    case Kind::kGlobalAveragePool:
      return read_pool(kind);
    case Kind::kAdd:
    case Kind::kConcat:
      return joined_shape();
    case Kind::kRelu:
      break;
  }
  return input;
}

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

Activation read_activation(Reader& row, Kind kind) {
  if (kind == Kind::kRelu) return Activation::kRelu;
  const bool can =
      kind == Kind::kConvolution || kind == Kind::kDepthwise || kind == Kind::kFullyConnected || kind == Kind::kAdd;
  if (!can) return Activation::kNone;
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
  const Kind kind = read_kind(row);
  node.op = operator_of(kind);
  node.inputs = read_from(row, scope);
  Row reading{row, scope, table, node, graph.input_of(node).shape};
  const Shape shape = reading.shape_of(kind);
  const bool joins = node.op == Operator::kAdd || node.op == Operator::kConcat;
  if (node.inputs.size() > 1 && !joins) throw reading.error("from", "names several layers", "one");
  const std::uint64_t row_bytes = std::uint64_t(shape.width) * std::uint64_t(shape.channels);
  if (row_bytes > dnn::kMaxTensorBytes || row_bytes * std::uint64_t(shape.height) > dnn::kMaxTensorBytes ||
      activation_bytes(graph) > dnn::kMaxActivationBytes - dnn::kMaxTensorBytes)
    throw reading.error("op", "has too large an output", "at most " + std::to_string(dnn::kMaxTensorBytes) + " codes");
  table.activations.push_back(read_activation(row, kind));
  node.output = int(graph.tensors.size());
  scope.previous = scope.tensors[name] = node.output;
  graph.tensors.push_back({node.name, shape, dnn::CodeType::kUint8, 1.0, 0});
  graph.nodes.push_back(std::move(node));
}

}  // namespace mho
