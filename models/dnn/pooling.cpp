// SPDX-License-Identifier: Apache-2.0
// Pooling. The maximum is taken on codes, which dequantisation does not reorder; the average sums integers and divides
// once. Padding takes part in neither, except in the divisor where ONNX's count_include_pad asks for it.
#include <algorithm>
#include <vector>

#include "models/dnn/codes.h"
#include "models/dnn/row_operators.h"

namespace mho::dnn {

namespace {

/// Calls visit(x, column, row) for every element of the windows of output row `y` that lies inside the map.
template <class Visit>
void for_each_tap(const Tensor& input, const Shape& output, const Window& w, int y, const RowSource& rows,
                  const Visit& visit) {
  for (int ky = 0; ky < w.kernel_height; ++ky) {
    const int input_y = y * w.stride_y - w.pad_top + ky * w.dilation_y;
    if (input_y < 0 || input_y >= input.shape.height) continue;
    const std::uint8_t* row = rows(0, input_y);
    for (int x = 0; x < output.width; ++x) {
      for (int kx = 0; kx < w.kernel_width; ++kx) {
        const int column = x * w.stride_x - w.pad_left + kx * w.dilation_x;
        if (column >= 0 && column < input.shape.width) visit(x, row + std::size_t(column) * input.shape.channels);
      }
    }
  }
}

}  // namespace

void max_pool_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& input = graph.input_of(node);
  const Tensor& output = graph.output_of(node);
  const auto channels = std::size_t(output.shape.channels);
  const std::size_t count = output.shape.row_bytes();
  // With the sign bit flipped, codes of both types compare as unsigned bytes and 0 is below everything.
  const std::uint8_t flip = input.type == CodeType::kInt8 ? 0x80 : 0;
  std::vector<std::uint8_t> largest(count, 0);
  for_each_tap(input, output.shape, node.window, y, rows, [&](int x, const std::uint8_t* pixel) {
    std::uint8_t* of_window = largest.data() + std::size_t(x) * channels;
    for (std::size_t c = 0; c < channels; ++c) of_window[c] = std::max(of_window[c], std::uint8_t(pixel[c] ^ flip));
  });
  for (std::uint8_t& code : largest) code = std::uint8_t(code ^ flip);
  rescale(input, output, node.lower, node.upper, largest.data(), count, out);
}

void average_pool_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& input = graph.input_of(node);
  const Tensor& output = graph.output_of(node);
  const auto channels = std::size_t(output.shape.channels);
  const auto width = std::size_t(output.shape.width);
  const Centred centred(input);
  std::vector<std::int32_t> sums(width * channels, 0);
  std::vector<int> taps(width, 0);
  for_each_tap(input, output.shape, node.window, y, rows, [&](int x, const std::uint8_t* pixel) {
    std::int32_t* of_window = sums.data() + std::size_t(x) * channels;
    for (std::size_t c = 0; c < channels; ++c) of_window[c] += centred(pixel[c]);
    ++taps[std::size_t(x)];
  });
  const Quantiser quantise(output, node.lower, node.upper);
  const int whole = node.window.kernel_height * node.window.kernel_width;
  for (std::size_t x = 0; x < width; ++x) {
    const double count = node.count_include_pad ? whole : taps[x];
    for (std::size_t c = 0; c < channels; ++c)
      out[x * channels + c] = quantise(sums[x * channels + c] * input.scale / count);
  }
}

}  // namespace mho::dnn
