// SPDX-License-Identifier: Apache-2.0
// The part of `validate` that looks at one node: does its window fit, do shapes agree, are weights complete and small
// enough that no psum leaves 32 bits.
#include <algorithm>
#include <limits>

#include "models/dnn/graph_refusal.h"
#include "models/dnn/operators.h"

namespace mho::dnn {

namespace {

/// A window along one axis. `must_see`: every position must see at least one element (pools).
struct WindowAxis {
  const char* name;
  std::int64_t length, kernel, stride, dilation, before, after;
  bool must_see;
};

/// Refuses positions whose taps all lie in the padding.
void check_positions(const Refusal& refuse, const Node& node, const WindowAxis& axis, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t first = i * axis.stride - axis.before;
    const std::int64_t skipped = first < 0 ? (-first + axis.dilation - 1) / axis.dilation : 0;
    if (skipped >= axis.kernel || first + skipped * axis.dilation >= axis.length)
      refuse.node(node, "window " + std::to_string(i) + " along the " + axis.name + " lies in the padding",
                  "windows that see the input");
  }
}

void check_axis(const Refusal& refuse, const Node& node, const WindowAxis& axis) {
  const std::string along = std::string(" along the ") + axis.name;
  const auto bounded = [&](const char* what, std::int64_t value) {
    if (!within(value, 1, kMaxExtent))
      refuse.node(node, what + (" is " + std::to_string(value)) + along, range_text(1, kMaxExtent));
  };
  bounded("kernel", axis.kernel);
  bounded("stride", axis.stride);
  bounded("dilation", axis.dilation);
  const std::int64_t extent = (axis.kernel - 1) * axis.dilation + 1;
  for (const std::int64_t padding : {axis.before, axis.after})
    if (!within(padding, 0, std::min<std::int64_t>(extent - 1, kMaxExtent)))
      refuse.node(node, "padding is " + std::to_string(padding) + along,
                  "less than the kernel's extent of " + std::to_string(extent));
  const std::int64_t padded = axis.length + axis.before + axis.after;
  if (extent > padded)
    refuse.node(node, "kernel spans " + std::to_string(extent) + along,
                "at most the padded input's " + std::to_string(padded));
  if (axis.must_see) check_positions(refuse, node, axis, (padded - extent) / axis.stride + 1);
}

void check_window(const Refusal& refuse, const Node& node) {
  const Shape& input = refuse.graph.input_of(node).shape;
  const Window& w = node.window;
  const bool pool = node.op != Operator::kConvolution;
  check_axis(refuse, node,
             {"height", input.height, w.kernel_height, w.stride_y, w.dilation_y, w.pad_top, w.pad_bottom, pool});
  check_axis(refuse, node,
             {"width", input.width, w.kernel_width, w.stride_x, w.dilation_x, w.pad_left, w.pad_right, pool});
  const int channels = pool ? input.channels : refuse.graph.output_of(node).shape.channels;
  check_shape(refuse, node, windowed_shape(input, w, channels));
  // Sums of a pool are 32 bits wide and a centred code has at most 255 steps.
  if (pool && std::int64_t(w.kernel_height) * w.kernel_width > kMaxPoolKernel)
    refuse.node(node, "kernel has too many elements", "at most " + std::to_string(kMaxPoolKernel));
}

/// Number of weights; checks groups and sizes.
std::uint64_t check_weight_sizes(const Refusal& refuse, const Node& node) {
  const Weights& w = node.weights;
  const std::int64_t channels = refuse.graph.input_of(node).shape.channels;
  const std::int64_t filters = filters_of(refuse.graph, node);
  if (w.groups < 1 || channels % w.groups != 0 || filters % w.groups != 0)
    refuse.node(
        node, std::to_string(w.groups) + " groups",
        "a divisor of " + std::to_string(channels) + " input channels and of " + std::to_string(filters) + " filters");
  // Window elements of all groups are counted in int.
  const std::int64_t area = std::int64_t(node.window.kernel_height) * node.window.kernel_width;
  if (area > kMaxWindowElements / channels)
    refuse.node(node, "window has too many elements", "at most " + std::to_string(kMaxWindowElements));
  // Extents are below 2^24: their product is bounded factor by factor.
  std::uint64_t size = std::uint64_t(filters);
  for (const std::int64_t factor :
       {channels / w.groups, std::int64_t(node.window.kernel_height), std::int64_t(node.window.kernel_width)}) {
    size *= std::uint64_t(factor);
    if (size > kMaxWeightBytes) refuse.node(node, "has too many weights", "at most " + std::to_string(kMaxWeightBytes));
  }
  if (w.values.size() != size)
    refuse.node(node, "has " + std::to_string(w.values.size()) + " weights", std::to_string(size));
  if (w.bias.size() != std::size_t(filters))
    refuse.node(node, "has " + std::to_string(w.bias.size()) + " biases", std::to_string(filters));
  if (w.scale.size() != std::size_t(filters))
    refuse.node(node, "has " + std::to_string(w.scale.size()) + " weight scales", std::to_string(filters));
  return size;
}

/// No psum leaves 32 bits, whatever the input codes are, and the bias with the zero-point term fits as well.
void check_psums(const Refusal& refuse, const Node& node) {
  const Tensor& input = refuse.graph.input_of(node);
  const std::int64_t low = lowest_code(input.type), high = highest_code(input.type);
  const auto length = std::size_t(dot_length(refuse.graph, node));
  const std::vector<std::int64_t> bias = folded_bias(refuse.graph, node);
  const std::int8_t* weight = node.weights.values.data();
  for (std::size_t f = 0; f < bias.size(); ++f, weight += length) {
    std::int64_t positive = 0, negative = 0;
    for (std::size_t k = 0; k < length; ++k) (weight[k] > 0 ? positive : negative) += weight[k];
    if (!within(positive * low + negative * high, INT32_MIN, INT32_MAX) ||
        !within(positive * high + negative * low, INT32_MIN, INT32_MAX))
      refuse.node(node, "psums of filter " + std::to_string(f) + " can leave 32 bits", "fewer or smaller weights");
    if (!within(bias[f], INT32_MIN, INT32_MAX))
      refuse.node(node, "bias - x_zero * sum(w) of filter " + std::to_string(f) + " is " + std::to_string(bias[f]),
                  "32-bit integers");
    if (!is_scale(node.weights.scale[f]))
      refuse.node(node, "weight scale of filter " + std::to_string(f) + " is " + std::to_string(node.weights.scale[f]),
                  kScales);
  }
}

void check_range(const Refusal& refuse, const Node& node) {
  const CodeType type = refuse.graph.output_of(node).type;
  if (node.lower > node.upper || node.lower < lowest_code(type) || node.upper > highest_code(type))
    refuse.node(node, "output codes are clipped to " + range_text(node.lower, node.upper),
                "a range within " + range_text(lowest_code(type), highest_code(type)));
}

}  // namespace

void check_shape(const Refusal& refuse, const Node& node, const Shape& expected) {
  const Tensor& output = refuse.graph.output_of(node);
  if (!(output.shape == expected))
    refuse.node(node, "output " + excerpt(output.name) + " has shape " + text_of(output.shape), text_of(expected));
}

std::uint64_t check_node(const Refusal& refuse, const Node& node) {
  check_range(refuse, node);
  switch (node.op) {
    case Operator::kConvolution: {
      check_window(refuse, node);
      const std::uint64_t weights = check_weight_sizes(refuse, node);
      check_psums(refuse, node);
      return weights;
    }
    case Operator::kMaxPool:
    case Operator::kAveragePool:
      check_window(refuse, node);
      return 0;
    default:
      check_activations(refuse, node);
      return 0;
  }
}

}  // namespace mho::dnn
