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

/// Pixels of a sequence that stand in one row: the largest divisor of `positions` up to 16. A row is what the machines
/// pass on at once, so this is the grain of their pipeline; the order of the codes does not depend on it.
int sequence_row(int positions);
/// Shape of a sequence: positions in rows of sequence_row(positions).
Shape sequence_shape(int positions, int channels);

/// An activation tensor of one inference: real value = (code - zero_point) * scale.
struct Tensor {
  std::string name;
  Shape shape;
  CodeType type = CodeType::kUint8;
  double scale = 1.0;     ///< > 0, finite
  int zero_point = 0;     ///< within the type
  bool sequence = false;  ///< pixels are positions of a sequence, in files [N, positions, channels]
};

/// What a node computes.
enum class Operator : std::uint8_t {
  kConvolution,  ///< one input; fully connected layers are convolutions whose kernel covers the whole map
  kMaxPool,      ///< one input
  kAveragePool,  ///< one input; global pooling is a kernel that covers the whole map
  kAdd,          ///< two inputs of equal shape, or the second a vector that is added at every pixel
  kConcat,       ///< two or more inputs, joined along channels
  kRequantise,   ///< one input; changes scale, zero point, type or range (a stand-alone ReLU or clip)
  kMultiply,     ///< two inputs, element by element; shapes as kAdd
  kFunction,     ///< one input; `function` of every element
  kAffine,       ///< one input; gain[c] * x + offset[c]: a batch normalisation that no product takes in
  kSelect,       ///< one input; channel c of the output is `channels[c]` of the input (split, slice, channel shuffle)
  kPad,          ///< one input; a frame of zero-point codes: window.pad_*
  kSoftmax,      ///< one input; over each of `heads` equal runs of channels
  kLayerNorm,    ///< one input; over the channels of a pixel, with gain, offset, epsilon
  kMatMul,       ///< two activations, for each head by itself; see Node::transposed
};
inline constexpr Operator kLastOperator = Operator::kMatMul;
const char* name_of(Operator op);

/// Functions of one real number behind kFunction.
enum class Function : std::uint8_t {
  kSigmoid,      ///< 1 / (1 + e^-x)
  kTanh,         ///< hyperbolic tangent
  kLeakyRelu,    ///< x where x >= 0, else parameter * x
  kHardSigmoid,  ///< max(0, min(1, parameter * x + 1/2)); ONNX's default 0.2, PyTorch's 1/6
  kHardSwish,    ///< x * max(0, min(1, x / 6 + 1/2))
  kGelu,         ///< x / 2 * (1 + erf(x / sqrt 2))
};
inline constexpr Function kLastFunction = Function::kGelu;
const char* name_of(Function function);
/// The function's value; `parameter` as above.
double value_of(Function function, double parameter, double x);

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
  Function function = Function::kSigmoid;  ///< kFunction
  double parameter = 0.0;                  ///< of the function, finite
  std::vector<double> gain, offset;        ///< kAffine, kLayerNorm: one a channel, in real numbers
  double epsilon = 0.0;                    ///< kLayerNorm: > 0, added to the variance
  std::vector<int> channels;               ///< kSelect: one an output channel
  int heads = 1;                           ///< kSoftmax, kMatMul: divides the channels
  /// kMatMul: inputs a and b, channels of each head contiguous, d of them. Transposed (scores of attention): both have
  /// the same channels, output channel h * pixels(b) + t of pixel s is sum over i of a[s][h d + i] * b[t][h d + i].
  /// Else (context): a has heads * pixels(b) channels, output channel h d + i of pixel s is sum over t of
  /// a[s][h * pixels(b) + t] * b[t][h d + i]. Pixels count through rows; zero points are taken off before the product.
  bool transposed = false;
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

/// "8 x 8 x 3".
std::string text_of(const Shape& shape);
/// True where the node moves a window over its input.
bool slides(const Node& node);

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

/// Products of a kMatMul, which no crossbar computes: outputs * length of one sum; 0 for other operators.
std::uint64_t digital_macs(const Graph& graph, const Node& node);

/// Last row of input `input` that output row `y` needs; rows arrive in order. A window that hangs over the map's lower
/// edge needs the last row; 0 where the whole window lies above the map. Every row of a kMatMul needs all of its second
/// input; a vector that is added or multiplied at every pixel has only row 0.
int last_input_row(const Graph& graph, const Node& node, int y, std::size_t input = 0);
/// First row of input `input` that output row `y` and all later ones still need; the last row where `y` lies in the
/// padding below the map, so that first_input_row <= last_input_row always holds.
int first_input_row(const Graph& graph, const Node& node, int y, std::size_t input = 0);

}  // namespace mho::dnn
