// SPDX-License-Identifier: Apache-2.0
// Products of two activations, as attention needs them. Both operands are widened to 16 bits without their zero points
// and laid out so that every sum runs over contiguous numbers in both; `validate` has checked that sums fit 32 bits.
#include <algorithm>
#include <vector>

#include "models/arithmetic/vectorised.h"
#include "models/dnn/codes.h"
#include "models/dnn/row_operators.h"

namespace mho::dnn {

namespace {

using Numbers = std::vector<std::int16_t>;

/// sums[n] = sum over k of a[k] * b[n * length + k]. Four at a time share the loads of a.
MHO_VECTORISED void multiply(const std::int16_t* a, const std::int16_t* b, std::size_t length, std::size_t count,
                             std::int32_t* sums) {
  std::size_t n = 0;
  for (; n + 4 <= count; n += 4, b += 4 * length) {
    std::int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    for (std::size_t k = 0; k < length; ++k) {
      sum0 += std::int32_t(a[k]) * b[k];
      sum1 += std::int32_t(a[k]) * b[length + k];
      sum2 += std::int32_t(a[k]) * b[2 * length + k];
      sum3 += std::int32_t(a[k]) * b[3 * length + k];
    }
    sums[n] = sum0, sums[n + 1] = sum1, sums[n + 2] = sum2, sums[n + 3] = sum3;
  }
  for (; n < count; ++n, b += length) {
    std::int32_t sum = 0;
    for (std::size_t k = 0; k < length; ++k) sum += std::int32_t(a[k]) * b[k];
    sums[n] = sum;
  }
}

MHO_VECTORISED void requantise(const std::int32_t* sums, std::size_t count, double multiplier, double lowest,
                               double highest, int zero_point, std::uint8_t* codes) {
  for (std::size_t i = 0; i < count; ++i) {
    const double steps = std::min(std::max(sums[i] * multiplier, lowest), highest);
    codes[i] = std::uint8_t(int(round_to_even(steps)) + zero_point);
  }
}

void widen(const Centred& centred, const std::uint8_t* codes, std::size_t count, std::int16_t* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = std::int16_t(centred(codes[i]));
}

/// [head][pixel][channel of the head]: a score sums over the channels.
Numbers by_pixel(const Tensor& b, int heads, const RowSource& rows) {
  const Centred centred(b);
  const auto channels = std::size_t(b.shape.channels), of_head = channels / std::size_t(heads);
  const auto width = std::size_t(b.shape.width), pixels = width * std::size_t(b.shape.height);
  Numbers numbers(b.shape.bytes());
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    const std::uint8_t* codes = rows(1, int(pixel / width)) + pixel % width * channels;
    for (std::size_t head = 0; head < std::size_t(heads); ++head)
      widen(centred, codes + head * of_head, of_head, numbers.data() + (head * pixels + pixel) * of_head);
  }
  return numbers;
}

/// [channel][pixel]: a context sums over the pixels. In squares, because a whole column of a matrix fits no cache.
Numbers by_channel(const Tensor& b, const RowSource& rows) {
  constexpr std::size_t kSide = 32;
  const Centred centred(b);
  const auto channels = std::size_t(b.shape.channels);
  const auto width = std::size_t(b.shape.width), pixels = width * std::size_t(b.shape.height);
  std::vector<const std::uint8_t*> codes(pixels);
  for (std::size_t pixel = 0; pixel < pixels; ++pixel)
    codes[pixel] = rows(1, int(pixel / width)) + pixel % width * channels;
  Numbers numbers(b.shape.bytes());
  for (std::size_t first = 0; first < pixels; first += kSide)
    for (std::size_t channel = 0; channel < channels; channel += kSide)
      for (std::size_t c = channel; c < std::min(channel + kSide, channels); ++c)
        for (std::size_t pixel = first; pixel < std::min(first + kSide, pixels); ++pixel)
          numbers[c * pixels + pixel] = std::int16_t(centred(codes[pixel][c]));
  return numbers;
}

}  // namespace

void matmul_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const Tensor &a = graph.input_of(node, 0), &b = graph.input_of(node, 1), &output = graph.output_of(node);
  const auto heads = std::size_t(node.heads);
  const std::size_t length = std::size_t(a.shape.channels) / heads;
  const std::size_t count = std::size_t(output.shape.channels) / heads;
  const Numbers columns = node.transposed ? by_pixel(b, node.heads, rows) : by_channel(b, rows);
  Numbers row(a.shape.row_bytes());
  widen(Centred(a), rows(0, y), row.size(), row.data());
  std::vector<std::int32_t> sums(output.shape.row_bytes());
  for (std::size_t run = 0; run < std::size_t(a.shape.width) * heads; ++run)
    multiply(row.data() + run * length, columns.data() + run % heads * count * length, length, count,
             sums.data() + run * count);
  requantise(sums.data(), sums.size(), a.scale * b.scale / output.scale, node.lower - output.zero_point,
             node.upper - output.zero_point, output.zero_point, out);
}

}  // namespace mho::dnn
