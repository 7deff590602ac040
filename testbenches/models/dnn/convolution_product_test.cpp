// SPDX-License-Identifier: Apache-2.0
// Psums of whole maps against six nested loops: grouped, depthwise and plain layers, few windows and many, both types.
#include "models/dnn/convolution_product.h"

#include <catch2/catch.hpp>

#include <random>

#include "models/dnn/synthetic/graph_builder.h"

using namespace mho::dnn;

namespace {

/// sum of codes * weights of window (y, x) and filter f; padding has the code of zero.
std::int64_t direct_psum(const Graph& graph, const std::vector<std::uint8_t>& codes, int y, int x, int f) {
  const Node& node = graph.nodes[0];
  const Tensor& input = graph.input_of(node);
  const Window& w = node.window;
  const int channels = input.shape.channels / node.weights.groups;
  const int group = f / (filters_of(graph, node) / node.weights.groups);
  std::int64_t sum = 0;
  for (int ky = 0; ky < w.kernel_height; ++ky)
    for (int kx = 0; kx < w.kernel_width; ++kx)
      for (int c = 0; c < channels; ++c) {
        const int row = y * w.stride_y - w.pad_top + ky, column = x * w.stride_x - w.pad_left + kx;
        const bool inside = row >= 0 && row < input.shape.height && column >= 0 && column < input.shape.width;
        const int place = (row * input.shape.width + column) * input.shape.channels + group * channels + c;
        const std::uint8_t code = inside ? codes[std::size_t(place)] : std::uint8_t(input.zero_point);
        const int weight =
            node.weights.values[std::size_t(((f * w.kernel_height + ky) * w.kernel_width + kx) * channels + c)];
        sum += (input.type == CodeType::kInt8 ? int(std::int8_t(code)) : int(code)) * weight;
      }
  return sum;
}

void check(int extent, int channels, int filters, int groups, CodeType type, int zero_point) {
  INFO(extent << " pixels, " << groups << " groups, zero point " << zero_point);
  GraphBuilder builder("psums", 9);
  builder.convolution(builder.input({extent, extent, channels}, type), filters, square_window(3, 2, 1),
                      {groups, true, {}, ""});
  Graph graph = builder.build();
  graph.tensors[0].zero_point = zero_point;
  std::mt19937 random(3);
  std::vector<std::uint8_t> codes(graph.tensors[0].shape.bytes());
  for (auto& code : codes) code = std::uint8_t(random());
  const RowSource rows = [&](int, int y) { return codes.data() + std::size_t(y) * graph.tensors[0].shape.row_bytes(); };
  const Shape& shape = graph.tensors[1].shape;
  std::size_t seen = 0;
  ConvolutionProduct(graph, graph.nodes[0]).run(rows, [&](const PsumPart& part) {
    for (int i = 0; i < part.windows; ++i)
      for (int f = 0; f < part.filters; ++f, ++seen) {
        const int window = part.first_window + i;
        REQUIRE(part.values[i * part.filters + f] ==
                direct_psum(graph, codes, window / shape.width, window % shape.width, part.first_filter + f));
      }
  });
  CHECK(seen == shape.bytes());
}

}  // namespace

TEST_CASE("psums equal nested loops for all kinds of layers") {
  // 3 and 4 pixels: a map of 2 x 2 windows, straight from the weights; 7 pixels: 16 windows, a packed product.
  for (const int extent : {3, 4, 7, 20})
    for (const CodeType type : {CodeType::kUint8, CodeType::kInt8})
      for (const int zero_point : {0, 5}) {
        check(extent, 6, 8, 1, type, zero_point);
        check(extent, 6, 8, 2, type, zero_point);
        check(extent, 6, 6, 6, type, zero_point);
        check(extent, 6, 12, 6, type, zero_point);
      }
}
