// SPDX-License-Identifier: Apache-2.0
// Rows whose windows slide over maps: convolutions, products with weights, pools, padding. Numbers are bounded by the
// limits of models/dnn before anything is allocated.
#include <algorithm>
#include <tuple>

#include "platforms/scenario/layer_reading.h"

namespace mho {
namespace {

/// Padding at the end that makes a window reach every element, where the file asks for `ceil`; as PyTorch, the last
/// window starts within the map or the padding before it.
int padding_after(int length, int kernel, int stride, int pad, bool ceil) {
  if (!ceil || length + 2 * pad < kernel) return pad;
  int count = (length + 2 * pad - kernel + stride - 1) / stride + 1;
  if ((count - 1) * stride >= length + pad) --count;
  return std::max(pad, (count - 1) * stride + kernel - length - pad);
}

}  // namespace

/// Pixels from a window's first tap to its last.
int LayerReading::span_of(std::int64_t kernel, std::int64_t dilation) const {
  const std::int64_t span = (kernel - 1) * dilation + 1;
  if (span > dnn::kMaxExtent)
    throw error("kernel", "spans " + std::to_string(span) + " pixels with its dilation",
                "at most " + std::to_string(dnn::kMaxExtent));
  return int(span);
}

void LayerReading::read_window(bool pool) {
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

int LayerReading::read_groups(LayerKind kind, int filters) {
  if (kind == LayerKind::kDepthwise) return input.channels;
  const int groups = reader.get("groups", layer_number(scope, 1), 1, "independent parts of channels and filters");
  if (input.channels % groups != 0 || filters % groups != 0)
    throw error("groups", "is " + std::to_string(groups),
                "a divisor of " + std::to_string(input.channels) + " input channels and of " + std::to_string(filters) +
                    " filters");
  return groups;
}

dnn::Shape LayerReading::read_products(LayerKind kind) {
  const bool has_window = kind == LayerKind::kConvolution || kind == LayerKind::kDepthwise;
  int filters = input.channels;
  if (!has_window) filters = number("outputs", "channels of the output");
  if (kind == LayerKind::kFullyConnected) {
    node.window.kernel_height = input.height;
    node.window.kernel_width = input.width;
  }
  if (has_window) {
    if (kind == LayerKind::kConvolution) filters = number("filters", "channels of the output");
    read_window(false);
    node.weights.groups = read_groups(kind, filters);
  }
  const std::int64_t length =
      std::int64_t(node.window.kernel_height) * node.window.kernel_width * (input.channels / node.weights.groups);
  const char* key = has_window ? "kernel" : "outputs";
  if (length > dnn::kMaxDotLength)
    throw error(key, "gives dot products of " + std::to_string(length) + " elements",
                "at most " + std::to_string(dnn::kMaxDotLength));
  if (std::uint64_t(length) * std::uint64_t(filters) + dnn::weight_count(table) > dnn::kMaxWeightBytes)
    throw error(key, "makes the network too large", "at most " + std::to_string(dnn::kMaxWeightBytes) + " weights");
  return dnn::windowed_shape(input, node.window, filters);
}

dnn::Shape LayerReading::read_pool(LayerKind kind) {
  if (kind == LayerKind::kGlobalAveragePool) {
    node.window.kernel_height = input.height;
    node.window.kernel_width = input.width;
  } else {
    read_window(true);
  }
  if (kind == LayerKind::kAveragePool)
    node.count_include_pad =
        reader.get("count_include_pad", config::boolean(), false, "padding counts in the divisor of averages");
  return dnn::windowed_shape(input, node.window, input.channels);
}

dnn::Shape LayerReading::read_padding() {
  dnn::Window& w = node.window;
  std::tie(w.pad_top, w.pad_left) =
      reader.get("pad", layer_extent(scope, 0), config::kRequired, "zeros on each side of the map");
  w.pad_bottom = w.pad_top;
  w.pad_right = w.pad_left;
  return {input.height + 2 * w.pad_top, input.width + 2 * w.pad_left, input.channels};
}

}  // namespace mho
