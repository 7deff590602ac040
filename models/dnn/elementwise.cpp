// SPDX-License-Identifier: Apache-2.0
// Operators that look at one position at a time: functions of one code, addition, multiplication, batch normalisation.
// Codes become reals in double, results are rounded once. A function of one code has 256 values: long rows look them
// up.
#include <array>
#include <cstring>

#include "models/dnn/codes.h"
#include "models/dnn/row_operators.h"

namespace mho::dnn {

namespace {

bool same_codes(const Tensor& a, const Tensor& b) {
  return a.type == b.type && a.scale == b.scale && a.zero_point == b.zero_point;
}

/// out[i] = code_of(codes[i]).
template <class CodeOf>
void map_codes(const CodeOf& code_of, const std::uint8_t* codes, std::size_t count, std::uint8_t* out) {
  std::array<std::uint8_t, 256> table;
  if (count < table.size()) {
    for (std::size_t i = 0; i < count; ++i) out[i] = code_of(codes[i]);
    return;
  }
  for (std::size_t code = 0; code < table.size(); ++code) table[code] = code_of(std::uint8_t(code));
  for (std::size_t i = 0; i < count; ++i) out[i] = table[codes[i]];
}

/// Row `y` of `combine`(real of the first input, real of the second); a second input of one pixel is read at every
/// pixel of the first.
template <class Combine>
void combine_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out,
                 const Combine& combine) {
  const Tensor& a = graph.input_of(node, 0);
  const Tensor& b = graph.input_of(node, 1);
  const Centred centred_a(a), centred_b(b);
  const Quantiser quantise(graph.output_of(node), node.lower, node.upper);
  const double scale_a = a.scale, scale_b = b.scale;
  const bool vector = b.shape.height == 1 && b.shape.width == 1;
  const std::uint8_t* codes_a = rows(0, y);
  const std::uint8_t* codes_b = rows(1, vector ? 0 : y);
  const std::size_t count = b.shape.row_bytes();
  for (std::size_t done = 0; done < a.shape.row_bytes(); done += count, codes_a += count, out += count)
    for (std::size_t i = 0; i < count; ++i)
      out[i] = quantise(combine(centred_a(codes_a[i]) * scale_a, centred_b(codes_b[i]) * scale_b));
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
  map_codes([&](std::uint8_t code) { return quantise(centred(code) * scale); }, codes, count, out);
}

void requantise_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& input = graph.input_of(node);
  rescale(input, graph.output_of(node), node.lower, node.upper, rows(0, y), input.shape.row_bytes(), out);
}

void function_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& input = graph.input_of(node);
  const Centred centred(input);
  const Quantiser quantise(graph.output_of(node), node.lower, node.upper);
  const auto code_of = [&](std::uint8_t code) {
    return quantise(value_of(node.function, node.parameter, centred(code) * input.scale));
  };
  map_codes(code_of, rows(0, y), input.shape.row_bytes(), out);
}

void add_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  combine_row(graph, node, y, rows, out, [](double a, double b) { return a + b; });
}

void multiply_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  combine_row(graph, node, y, rows, out, [](double a, double b) { return a * b; });
}

void affine_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& input = graph.input_of(node);
  const Centred centred(input);
  const Quantiser quantise(graph.output_of(node), node.lower, node.upper);
  const auto channels = std::size_t(input.shape.channels);
  const double* gain = node.gain.data();
  const double* offset = node.offset.data();
  const double scale = input.scale;
  const std::uint8_t* codes = rows(0, y);
  for (int x = 0; x < input.shape.width; ++x, codes += channels, out += channels)
    for (std::size_t c = 0; c < channels; ++c) out[c] = quantise(gain[c] * (centred(codes[c]) * scale) + offset[c]);
}

}  // namespace mho::dnn
