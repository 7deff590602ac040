// SPDX-License-Identifier: Apache-2.0
// Operators against numbers worked out by hand; every rule of the integer semantics has an example in a comment.
#include "models/dnn/operators.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <random>

#include "models/dnn/codes.h"
#include "models/dnn/synthetic/graph_builder.h"
#include "testbenches/models/dnn/small_graphs.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;

namespace {

/// Requantises `psums` of one filter by x_scale * w_scale / y_scale = multiplier.
Codes requantised(const std::vector<std::int32_t>& psums, double multiplier, CodeType type, int zero, int lower,
                  int upper, std::int32_t bias = 0) {
  Graph graph =
      one_convolution(tensor("x", {1, 1, 1}, kU, multiplier), tensor("y", {1, 1, 1}, type, 1.0, zero), {}, {1});
  graph.nodes[0].lower = lower;
  graph.nodes[0].upper = upper;
  graph.nodes[0].weights.bias = {bias};
  Codes out(psums.size());
  Requantiser(graph, graph.nodes[0]).apply(psums.data(), int(psums.size()), 0, 1, out.data(), 1);
  return out;
}

}  // namespace

TEST_CASE("Rounding to even agrees with the standard library on halves, near-halves and large numbers") {
  std::mt19937_64 random(1);
  for (const double value : {0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, -0.49999999999999994, 1e9 + 0.5})
    CHECK(round_to_even(value) == std::nearbyint(value));
  for (int i = 0; i < 100000; ++i) {
    const double value = double(std::int64_t(random()) >> 40) * 0.0625;
    REQUIRE(round_to_even(value) == std::nearbyint(value));
  }
}

TEST_CASE("Requantisation rounds ties to even and clips to the type") {
  // 1 * 0.5 = 0.5 -> 0; 3 * 0.5 = 1.5 -> 2; 5 * 0.5 = 2.5 -> 2; -3 * 0.5 = -1.5 -> -2; 254 * 0.5 = 127; 256 -> 128
  // clips.
  CHECK(requantised({1, 3, 5, -1, -3, 254, 256, -256, -258, 2147483647}, 0.5, kS, 0, -128, 127) ==
        codes({0, 2, 2, 0, -2, 127, 127, -128, -128, 127}));
}

TEST_CASE("The zero point is added after rounding, so a tie rounds by the unshifted value") {
  // 2.5 -> 2, + 3 = 5; rounding 5.5 would give 6. Unsigned: -3 + 3 = 0, -4 clips at 0.
  CHECK(requantised({5, -6, -8, 600}, 0.5, kU, 3, 0, 255) == codes({5, 0, 0, 255}));
}

TEST_CASE("A fused ReLU bounds codes at the zero point, a clip on both sides") {
  CHECK(requantised({-20, -2, 0, 4, 900}, 0.5, kS, -10, -10, 127) == codes({-10, -10, -10, -8, 127}));
  CHECK(requantised({-20, 8, 900}, 0.5, kU, 0, 0, 6) == codes({0, 4, 6}));
}

TEST_CASE("The bias is added before scaling and is exact at the ends of 32 bits") {
  // (2147483647 + 2147483647) * 2^-26 = 63.99999997 -> 64; in 32 bits the sum would wrap to -2.
  CHECK(requantised({2147483647}, 0x1p-26, kS, 0, -128, 127, 2147483647) == codes({64}));
  CHECK(requantised({10}, 1.0, kS, 0, -128, 127, -7) == codes({3}));
}

TEST_CASE("Each filter has its own scale and a slice of filters uses the right ones") {
  Graph graph = one_convolution(tensor("x", {1, 1, 1}, kU), tensor("y", {1, 1, 3}, kS), {}, {1, 1, 1});
  graph.nodes[0].weights.scale = {1.0, 2.0, 0.5};
  graph.nodes[0].weights.bias = {0, 1, 0};
  const Requantiser requantiser(graph, graph.nodes[0]);
  // Filters 1 and 2 of two windows, written with stride 3: (3 + 1) * 2 = 8, 6 * 0.5 = 3; (4 + 1) * 2 = 10, 5 -> 2.5
  // -> 2.
  const std::vector<std::int32_t> psums = {3, 6, 4, 5};
  Codes out(6, 99);
  requantiser.apply(psums.data(), 2, 1, 2, out.data() + 1, 3);
  CHECK(out == codes({99, 8, 3, 99, 10, 2}));
}

TEST_CASE("A 2 x 2 convolution gives the sums worked out by hand") {
  // 1 2 3
  // 4 5 6   with  1 -1   gives  1 - 2 + 2*4 + 0*5 = 7,  2 - 3 + 2*5 = 9,  4 - 5 + 2*7 = 13,  5 - 6 + 2*8 = 15.
  // 7 8 9         2  0
  const Graph graph =
      one_convolution(tensor("x", {3, 3, 1}, kU), tensor("y", {2, 2, 1}, kS), square_window(2), {1, -1, 2, 0});
  CHECK(output_of(graph, {codes({1, 2, 3, 4, 5, 6, 7, 8, 9})}) == codes({7, 9, 13, 15}));
}

TEST_CASE("Padding has the code of the zero point and thus the value 0") {
  // One pixel of code 12 and zero point 10 (value 2) under a 3 x 3 window of ones: 2, not 12 and not 2 + 8 * (0 - 10).
  Graph graph = one_convolution(tensor("x", {1, 1, 1}, kU, 1.0, 10), tensor("y", {1, 1, 1}, kS), square_window(3, 1, 1),
                                {1, 1, 1, 1, 1, 1, 1, 1, 1});
  CHECK(output_of(graph, {codes({12})}) == codes({2}));
  // The same with signed codes: code -7, zero point -10, value 3; bias 4.
  graph.tensors[0].type = kS;
  graph.tensors[0].zero_point = -10;
  graph.nodes[0].weights.bias = {4};
  CHECK(output_of(graph, {codes({-7})}) == codes({7}));
}

TEST_CASE("The zero-point term is folded into the bias") {
  // 100 - 10 * (3 - 5) = 120.
  Graph graph = one_convolution(tensor("x", {1, 1, 2}, kU, 1.0, 10), tensor("y", {1, 1, 1}, kS), {}, {3, -5});
  graph.nodes[0].weights.bias = {100};
  CHECK(folded_bias(graph, graph.nodes[0]) == std::vector<std::int64_t>{120});
}

TEST_CASE("A max pool compares values, not bytes, and ignores padding") {
  // -128 (byte 0x80) is smaller than 5 (byte 0x05); padding with zero point 0 must not win over negative codes.
  const Graph graph = one_node(Operator::kMaxPool, {tensor("x", {2, 2, 1}, kS)}, tensor("y", {2, 2, 1}, kS),
                               {2, 2, 1, 1, 0, 0, 1, 1, 1, 1});
  CHECK(output_of(graph, {codes({5, -128, -3, -2})}) == codes({5, -2, -2, -2}));
}

TEST_CASE("A max pool requantises where its output has other codes") {
  // Largest code 8, value (8 - 4) * 0.5 = 2; as int8 with scale 0.25 and zero point 1: 2 / 0.25 + 1 = 9.
  const Graph graph = one_node(Operator::kMaxPool, {tensor("x", {1, 2, 1}, kU, 0.5, 4)},
                               tensor("y", {1, 1, 1}, kS, 0.25, 1), {1, 2, 1, 1, 0, 0, 0, 0, 1, 1});
  CHECK(output_of(graph, {codes({8, 6})}) == codes({9}));
}

TEST_CASE("An average pool divides by the elements inside the map, or by all where padding counts") {
  // 2 x 2 windows over  1 2  with one row and column of padding before: first window sees 1, its divisor is 1 or 4.
  //                     3 6
  const Window window = {2, 2, 1, 1, 1, 1, 0, 0, 1, 1};
  Graph graph =
      one_node(Operator::kAveragePool, {tensor("x", {2, 2, 1}, kU)}, tensor("y", {2, 2, 1}, kU, 0.25), window);
  // 1/1 = 1 -> 4; (1+2)/2 = 1.5 -> 6; (1+3)/2 = 2 -> 8; 12/4 = 3 -> 12.
  CHECK(output_of(graph, {codes({1, 2, 3, 6})}) == codes({4, 6, 8, 12}));
  // 1/4 -> 1; 3/4 -> 3; 4/4 -> 4; 3 -> 12.
  graph.nodes[0].count_include_pad = true;
  CHECK(output_of(graph, {codes({1, 2, 3, 6})}) == codes({1, 3, 4, 12}));
}

TEST_CASE("A global average pool rounds once, after the division") {
  // Values 1, 2, 2, 5 with zero point 3: sum 10, / 4 = 2.5 -> 2 (even), + zero point 7 = 9.
  const Graph graph = one_node(Operator::kAveragePool, {tensor("x", {2, 2, 1}, kU, 1.0, 3)},
                               tensor("y", {1, 1, 1}, kU, 1.0, 7), square_window(2));
  CHECK(output_of(graph, {codes({4, 5, 5, 8})}) == codes({9}));
}

TEST_CASE("An average divides by the count and does not multiply by its inverse") {
  // 49 ones and 49 twos: 147 / 98 = 1.5 -> 2. In double 147 * (1.0 / 98) = 1.4999999999999998, which would give 1.
  const Graph graph = one_node(Operator::kAveragePool, {tensor("x", {1, 98, 1}, kU)}, tensor("y", {1, 1, 1}, kU),
                               {1, 98, 1, 1, 0, 0, 0, 0, 1, 1});
  Codes map(98, 1);
  std::fill(map.begin(), map.begin() + 49, std::uint8_t(2));
  CHECK(output_of(graph, {map}) == codes({2}));
}

TEST_CASE("An addition takes another type and scale per input and rounds once") {
  // uint8 200 at scale 0.5 = 100; int8 -6 at scale 0.25 with zero point 2: -8 * 0.25 = -2. Sum 98 / 2 = 49.
  // 3 * 0.5 + (4 - 2) * 0.25 = 2, / 2 = 1. 1 * 0.5 + 4 * 0.25 - 0.5 = 1, / 2 = 0.5 -> 0. Separate rounding would
  // give 1.
  const Graph graph = one_node(Operator::kAdd, {tensor("a", {1, 3, 1}, kU, 0.5), tensor("b", {1, 3, 1}, kS, 0.25, 2)},
                               tensor("y", {1, 3, 1}, kS, 2.0));
  CHECK(output_of(graph, {codes({200, 3, 1}), codes({-6, 4, 4})}) == codes({49, 1, 0}));
}

TEST_CASE("An addition behind a ReLU bounds the sum at the zero point") {
  Graph graph = one_node(Operator::kAdd, {tensor("a", {1, 1, 2}, kS), tensor("b", {1, 1, 2}, kS)},
                         tensor("y", {1, 1, 2}, kS, 1.0, 5));
  graph.nodes[0].lower = 5;
  CHECK(output_of(graph, {codes({-3, 100}), codes({-4, 100})}) == codes({5, 127}));
}

TEST_CASE("A concatenation rescales each input to the output's codes") {
  // a: scale 1, codes 3 and 5 -> scale 0.5: 6 and 10. b: already 0.5 and zero point 0: 7, 8 and 9, 4 as they are.
  const Graph graph = one_node(Operator::kConcat, {tensor("a", {1, 2, 1}, kU), tensor("b", {1, 2, 2}, kU, 0.5)},
                               tensor("y", {1, 2, 3}, kU, 0.5));
  CHECK(output_of(graph, {codes({3, 5}), codes({7, 8, 9, 4})}) == codes({6, 7, 8, 10, 9, 4}));
}

TEST_CASE("A stand-alone requantisation changes type and range") {
  // (code - 128) * 1 as int8 of scale 2: 128 -> 0, 131 -> 1.5 -> 2, 133 -> 2.5 -> 2, 0 -> -64; with a ReLU the last is
  // 0.
  Graph graph =
      one_node(Operator::kRequantise, {tensor("x", {1, 1, 4}, kU, 1.0, 128)}, tensor("y", {1, 1, 4}, kS, 2.0));
  CHECK(output_of(graph, {codes({128, 131, 133, 0})}) == codes({0, 2, 2, -64}));
  graph.nodes[0].lower = 0;
  CHECK(output_of(graph, {codes({128, 131, 133, 0})}) == codes({0, 2, 2, 0}));
}

TEST_CASE("Windows are unrolled by group, kernel row, kernel column, channel") {
  // Two pixels of four channels, two groups, kernel 1 x 2: group 0 takes channels 0 and 1 of both pixels.
  const Tensor input = tensor("x", {1, 2, 4}, kU, 1.0, 9);
  const Codes map = codes({1, 2, 3, 4, 5, 6, 7, 8});
  const RowSource rows = [&](int, int) { return map.data(); };
  const Window window = {1, 2, 1, 1, 0, 1, 0, 0, 1, 1};
  Codes whole(16);
  gather_windows(input, window, 2, {0, 0, 2, 0, 8}, rows, whole.data());
  // The first window starts one pixel left of the map: padding 9.
  CHECK(whole == codes({9, 9, 1, 2, 9, 9, 3, 4, 1, 2, 5, 6, 3, 4, 7, 8}));
}

TEST_CASE("Slices of windows put together give the whole, across groups, padding and dilation") {
  std::mt19937_64 random(5);
  const Tensor input = tensor("x", {7, 6, 6}, kS, 1.0, -3);
  Codes map(input.shape.bytes());
  for (std::uint8_t& code : map) code = std::uint8_t(random());
  const RowSource rows = [&](int, int y) { return map.data() + std::size_t(y) * input.shape.row_bytes(); };
  for (const int groups : {1, 2, 6}) {
    for (const int dilation : {1, 2}) {
      const Window window = {3, 2, 2, 2, 2, 1, 1, 2, dilation, dilation};
      const Shape out = windowed_shape(input.shape, window, 1);
      const int length = 3 * 2 * 6;
      for (int y = 0; y < out.height; ++y) {
        Codes whole(std::size_t(out.width * length));
        gather_windows(input, window, groups, {y, 0, out.width, 0, length}, rows, whole.data());
        for (const int step : {1, 5, 7, 36}) {
          for (int first = 0; first < length; first += step) {
            const int count = std::min(step, length - first);
            Codes piece(std::size_t(2 * count));
            gather_windows(input, window, groups, {y, 1, 2, first, count}, rows, piece.data());
            for (int k = 0; k < 2 * count; ++k)
              REQUIRE(piece[std::size_t(k)] == whole[std::size_t((1 + k / count) * length + first + k % count)]);
          }
        }
      }
    }
  }
}

TEST_CASE("Rows outside the map are never asked for") {
  const Graph graph = one_node(Operator::kAveragePool, {tensor("x", {3, 3, 2}, kU)}, tensor("y", {3, 3, 2}, kU),
                               square_window(3, 1, 1));
  const Codes map(18, 7);
  const RowSource rows = [&](int input, int y) {
    REQUIRE((input == 0 && y >= 0 && y < 3));
    return map.data() + std::size_t(y) * 6;
  };
  Codes out(6);
  for (int y = 0; y < 3; ++y) compute_row(graph, graph.nodes[0], y, rows, out.data());
  CHECK(out == codes({7, 7, 7, 7, 7, 7}));
}
