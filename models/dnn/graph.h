// SPDX-License-Identifier: Apache-2.0
// A quantised network as the machines see it: tensors of 8-bit codes, nodes in topological order, integer
// semantics fixed. Feature maps are stored row by row as [height][width][channels], so one output row is one
// contiguous piece of memory. Float networks and their conversion are not here; models/dnn/onnx reads files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mho::dnn {

/// Limits of `validate`, far above published networks: what is larger is a mistake or an attack.
inline constexpr int kMaxExtent = 1 << 24;                                ///< of a tensor, kernel, stride or dilation
inline constexpr std::uint64_t kMaxTensorBytes = std::uint64_t(1) << 28;  ///< one activation tensor
inline constexpr std::uint64_t kMaxActivationBytes = std::uint64_t(1) << 32;  ///< all tensors of one inference
inline constexpr std::uint64_t kMaxWeightBytes = std::uint64_t(1) << 33;      ///< all weights of a graph
inline constexpr std::int64_t kMaxWindowElements = 1 << 28;                   ///< of a convolution, all groups together
inline constexpr int kMaxPoolKernel = 1 << 23;                                ///< elements of a pool's window
inline constexpr double kSmallestScale = 1.4e-45, kLargestScale = 3.5e38;     ///< range of float

/// Type of the codes of an activation tensor.
enum class CodeType : std::uint8_t { kUint8, kInt8 };

/// Smallest and largest code of a type.
int lowest_code(CodeType type);
int highest_code(CodeType type);

/// Extent of a feature map; a vector is 1 x 1 x channels.
struct Shape {
  int height = 1;
  int width = 1;
  int channels = 1;
  std::size_t row_bytes() const { return std::size_t(width) * std::size_t(channels); }
  std::size_t bytes() const { return std::size_t(height) * row_bytes(); }
  bool operator==(const Shape& o) const { return height == o.height && width == o.width && channels == o.channels; }
};

/// An activation tensor of one inference: real value = (code - zero_point) * scale.
struct Tensor {
  std::string name;
  Shape shape;
  CodeType type = CodeType::kUint8;
  double scale = 1.0;  ///< > 0, finite
  int zero_point = 0;  ///< within the type
};

/// What a node computes.
enum class Operator : std::uint8_t {
  kConvolution,  ///< one input; fully connected layers are convolutions whose kernel covers the whole map
  kMaxPool,      ///< one input
  kAveragePool,  ///< one input; global pooling is a kernel that covers the whole map
  kAdd,          ///< two inputs of equal shape
  kConcat,       ///< two or more inputs, joined along channels
  kRequantise,   ///< one input; changes scale, zero point, type or range (a stand-alone ReLU or clip)
};
const char* name_of(Operator op);

/// Sliding window of convolutions and pools, in elements.
struct Window {
  int kernel_height = 1, kernel_width = 1;
  int stride_y = 1, stride_x = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  int dilation_y = 1, dilation_x = 1;
};

/// Weights of a convolution. real weight of filter f = weights[f][ky][kx][c] * weight_scale[f].
struct Weights {
  int groups = 1;
  std::vector<std::int8_t> values;  ///< [filters][kernel_height][kernel_width][channels / groups]
  std::vector<std::int32_t> bias;   ///< one a filter, scale x_scale * weight_scale[f]
  std::vector<double> scale;        ///< one a filter, > 0
};

/// One operation. `inputs` and `output` are indices of Graph::tensors.
struct Node {
  std::string name;
  Operator op = Operator::kConvolution;
  std::vector<int> inputs;
  int output = -1;
  Window window;                   ///< convolutions and pools
  bool count_include_pad = false;  ///< average pools: padding counts in the divisor
  Weights weights;                 ///< convolutions
  int lower = 0, upper = 255;      ///< range of output codes after a fused ReLU or clip, within the output's type
};

/// A network. Valid after `validate`: nodes stand in topological order, every tensor is written once.
struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;
  std::vector<int> inputs;
  std::vector<int> outputs;

  const Tensor& input_of(const Node& node, std::size_t i = 0) const { return tensors[std::size_t(node.inputs[i])]; }
  const Tensor& output_of(const Node& node) const { return tensors[std::size_t(node.output)]; }
};

/// Checks shapes, types, ranges and order of a graph. Throws mho::InputError that names `graph.name`, the node
/// and what is allowed.
void validate(const Graph& graph);

/// Output shape of a window over `input`, or {0,0,0} where the window does not fit.
Shape windowed_shape(const Shape& input, const Window& window, int channels);

/// Length of one dot product of a convolution: kernel_height * kernel_width * channels / groups.
int dot_length(const Graph& graph, const Node& node);
int filters_of(const Graph& graph, const Node& node);

/// True where the kernel covers the whole unpadded input: a fully connected layer.
bool is_fully_connected(const Graph& graph, const Node& node);

/// Multiply-accumulates of one inference, padding included: outputs * dot length.
std::uint64_t macs(const Graph& graph, const Node& node);
std::uint64_t macs(const Graph& graph);

/// Last input row that output row `y` needs, for every input; rows arrive in order. A window that hangs over the map's
/// lower edge needs the last row; 0 where the whole window lies above the map.
int last_input_row(const Graph& graph, const Node& node, int y);
/// First input row that output row `y` and all later ones still need; the last row where `y` lies in the padding
/// below the map, so that first_input_row <= last_input_row always holds.
int first_input_row(const Graph& graph, const Node& node, int y);

}  // namespace mho::dnn
