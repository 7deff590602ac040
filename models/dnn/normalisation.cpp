// SPDX-License-Identifier: Apache-2.0
// Softmax and layer normalisation. What depends on a code alone is looked up, and what can be summed in integers is, so
// that results do not depend on the order of additions; reals are summed in the order of channels.
#include <algorithm>
#include <array>
#include <cmath>

#include "models/dnn/codes.h"
#include "models/dnn/row_operators.h"

namespace mho::dnn {

namespace {

/// Codes of both types ordered as unsigned bytes: the sign bit is flipped.
std::uint8_t flip_of(const Tensor& tensor) { return tensor.type == CodeType::kInt8 ? 0x80 : 0; }

/// Powers of e by how far a code lies below the largest.
using Powers = std::array<double, 256>;

void softmax(const std::uint8_t* codes, std::size_t count, std::uint8_t flip, const Powers& powers,
             const Quantiser& quantise, std::uint8_t* out) {
  std::uint8_t largest = 0;
  for (std::size_t c = 0; c < count; ++c) largest = std::max(largest, std::uint8_t(codes[c] ^ flip));
  double sum = 0;
  for (std::size_t c = 0; c < count; ++c) sum += powers[std::size_t(largest - (codes[c] ^ flip))];
  for (std::size_t c = 0; c < count; ++c) out[c] = quantise(powers[std::size_t(largest - (codes[c] ^ flip))] / sum);
}

/// Mean and population variance of codes, in steps. At most 2^24 codes below 2^8: their sum stays below 2^32, that of
/// their squares below 2^40, and n * squares - sum^2 below 2^64.
struct Spread {
  Spread(const std::uint8_t* codes, std::size_t count, std::uint8_t flip) {
    std::uint64_t sum = 0, squares = 0;
    for (std::size_t c = 0; c < count; ++c) {
      const std::uint64_t code = codes[c] ^ flip;
      sum += code;
      squares += code * code;
    }
    const auto n = double(count);
    mean = double(sum) / n;
    variance = double(count * squares - sum * sum) / (n * n);
  }
  double mean, variance;
};

}  // namespace

void softmax_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& input = graph.input_of(node);
  const Quantiser quantise(graph.output_of(node), node.lower, node.upper);
  Powers powers;
  for (std::size_t steps = 0; steps < powers.size(); ++steps) powers[steps] = std::exp(-double(steps) * input.scale);
  const auto count = std::size_t(input.shape.channels / node.heads);
  const std::uint8_t* codes = rows(0, y);
  for (std::size_t done = 0; done < input.shape.row_bytes(); done += count)
    softmax(codes + done, count, flip_of(input), powers, quantise, out + done);
}

void layer_norm_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor& input = graph.input_of(node);
  const Quantiser quantise(graph.output_of(node), node.lower, node.upper);
  const std::uint8_t flip = flip_of(input);
  const auto channels = std::size_t(input.shape.channels);
  const double scale = input.scale;
  const double* gain = node.gain.data();
  const double* offset = node.offset.data();
  const std::uint8_t* codes = rows(0, y);
  for (int x = 0; x < input.shape.width; ++x, codes += channels, out += channels) {
    const Spread spread(codes, channels, flip);
    const double deviation = std::sqrt(spread.variance * scale * scale + node.epsilon);
    for (std::size_t c = 0; c < channels; ++c)
      out[c] = quantise(((codes[c] ^ flip) - spread.mean) * scale / deviation * gain[c] + offset[c]);
  }
}

}  // namespace mho::dnn
