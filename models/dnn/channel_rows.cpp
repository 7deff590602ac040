// SPDX-License-Identifier: Apache-2.0
// Operators that move codes: concatenation and selection of channels, frames of padding. Codes change only where the
// output has another scale, zero point or range.
#include <cstring>
#include <vector>

#include "models/dnn/codes.h"
#include "models/dnn/row_operators.h"

namespace mho::dnn {

void concat_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& output = graph.output_of(node);
  const auto all = std::size_t(output.shape.channels);
  std::size_t first = 0;
  std::vector<std::uint8_t> rescaled;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Tensor& input = graph.input_of(node, i);
    const auto channels = std::size_t(input.shape.channels);
    rescaled.resize(input.shape.row_bytes());
    rescale(input, output, node.lower, node.upper, rows(int(i), y), rescaled.size(), rescaled.data());
    for (std::size_t x = 0; x < std::size_t(output.shape.width); ++x)
      std::memcpy(out + x * all + first, rescaled.data() + x * channels, channels);
    first += channels;
  }
}

void select_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& input = graph.input_of(node);
  const Tensor& output = graph.output_of(node);
  std::vector<std::uint8_t> selected(output.shape.row_bytes());
  const std::uint8_t* pixel = rows(0, y);
  std::size_t next = 0;
  for (int x = 0; x < output.shape.width; ++x, pixel += input.shape.channels)
    for (const int channel : node.channels) selected[next++] = pixel[channel];
  rescale(input, output, node.lower, node.upper, selected.data(), selected.size(), out);
}

void pad_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& input = graph.input_of(node);
  const Tensor& output = graph.output_of(node);
  const std::uint8_t zero = Quantiser(output, node.lower, node.upper)(0.0);
  std::memset(out, zero, output.shape.row_bytes());
  const int from = y - node.window.pad_top;
  if (from < 0 || from >= input.shape.height) return;
  const std::size_t left = std::size_t(node.window.pad_left) * std::size_t(input.shape.channels);
  rescale(input, output, node.lower, node.upper, rows(0, from), input.shape.row_bytes(), out + left);
}

}  // namespace mho::dnn
