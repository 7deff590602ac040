// SPDX-License-Identifier: Apache-2.0
// Operators that look at one position at a time: requantisation of codes, addition, concatenation. Codes become reals
// in double, results are rounded once.
#include <cstring>
#include <stdexcept>

#include "models/dnn/codes.h"
#include "models/dnn/row_operators.h"

namespace mho::dnn {

namespace {

bool same_codes(const Tensor& a, const Tensor& b) {
  return a.type == b.type && a.scale == b.scale && a.zero_point == b.zero_point;
}

}  // namespace

void rescale(const Tensor& from, const Tensor& to, int lower, int upper, const std::uint8_t* codes, std::size_t count,
             std::uint8_t* out) {
  if (same_codes(from, to) && lower == lowest_code(to.type) && upper == highest_code(to.type)) {
    std::memcpy(out, codes, count);
    return;
  }
  const Centred centred(from);
  const Quantiser quantise(to, lower, upper);
  const double scale = from.scale;
  for (std::size_t i = 0; i < count; ++i) out[i] = quantise(centred(codes[i]) * scale);
}

void requantise_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& input = graph.input_of(node);
  rescale(input, graph.output_of(node), node.lower, node.upper, rows(0, y), input.shape.row_bytes(), out);
}

void add_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& a = graph.input_of(node, 0);
  const Tensor& b = graph.input_of(node, 1);
  const Centred centred_a(a), centred_b(b);
  const Quantiser quantise(graph.output_of(node), node.lower, node.upper);
  const double scale_a = a.scale, scale_b = b.scale;
  const std::uint8_t* codes_a = rows(0, y);
  const std::uint8_t* codes_b = rows(1, y);
  const std::size_t count = a.shape.row_bytes();
  for (std::size_t i = 0; i < count; ++i)
    out[i] = quantise(centred_a(codes_a[i]) * scale_a + centred_b(codes_b[i]) * scale_b);
}

void concat_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& output = graph.output_of(node);
  const auto all = std::size_t(output.shape.channels);
  std::size_t first = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Tensor& input = graph.input_of(node, i);
    const auto channels = std::size_t(input.shape.channels);
    const std::uint8_t* codes = rows(int(i), y);
    for (std::size_t x = 0; x < std::size_t(output.shape.width); ++x)
      rescale(input, output, node.lower, node.upper, codes + x * channels, channels, out + x * all + first);
    first += channels;
  }
}

void compute_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  switch (node.op) {
    case Operator::kMaxPool:
      return max_pool_row(graph, node, y, rows, out);
    case Operator::kAveragePool:
      return average_pool_row(graph, node, y, rows, out);
    case Operator::kAdd:
      return add_row(graph, node, y, rows, out);
    case Operator::kConcat:
      return concat_row(graph, node, y, rows, out);
    case Operator::kRequantise:
      return requantise_row(graph, node, y, rows, out);
    case Operator::kConvolution:
      break;
  }
  throw std::logic_error("compute_row: a convolution is a matrix product, see gather_windows and Requantiser");
}

}  // namespace mho::dnn
