// SPDX-License-Identifier: Apache-2.0
// Operators between products - element by element, over channels, of two activations - against numbers worked out by
// hand, and one bad graph for every rule of theirs.
#include <catch2/catch.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "models/dnn/operators.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/small_graphs.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;

namespace {

Graph function_of(Function function, double parameter = 0.0, const Shape& shape = {1, 1, 6}) {
  Graph graph = one_node(Operator::kFunction, {tensor("x", shape, kS)}, tensor("y", shape, kS, 1.0 / 64));
  graph.nodes[0].function = function;
  graph.nodes[0].parameter = parameter;
  return graph;
}

Graph layer_norm(CodeType type, int pixels = 1) {
  const Shape shape{1, pixels, 2};
  Graph graph = one_node(Operator::kLayerNorm, {tensor("x", shape, type, 2.0, 100)}, tensor("y", shape, kS, 1.0));
  graph.nodes[0].gain = {3, 6};
  graph.nodes[0].offset = {1, -1};
  graph.nodes[0].epsilon = 5;
  return graph;
}

Graph matmul(const Tensor& a, const Tensor& b, const Tensor& y, int heads, bool transposed) {
  Graph graph = one_node(Operator::kMatMul, {a, b}, y);
  graph.nodes[0].heads = heads;
  graph.nodes[0].transposed = transposed;
  return graph;
}

/// Scores of two pixels with three, two heads of two channels.
Graph scores(double scale = 0.25) {
  return matmul(tensor("a", {1, 2, 4}, kU, 0.5, 1), tensor("b", {3, 1, 4}, kS, 0.5, -1),
                tensor("y", {1, 2, 6}, kS, scale, 2), 2, true);
}

const Codes kThreePixels = codes({0, -1, -1, 0, 0, 0, -2, 1, -3, 2, 4, -1});

int centred(const Tensor& t, const Codes& values, std::size_t at) {
  return (t.type == kS ? int(std::int8_t(values[at])) : int(values[at])) - t.zero_point;
}

/// The definition in graph.h, one sum at a time.
Codes direct_matmul(const Graph& graph, const Codes& a, const Codes& b) {
  const Node& node = graph.nodes[0];
  const Tensor &ta = graph.tensors[0], &tb = graph.tensors[1], &ty = graph.tensors[2];
  const int pixels = tb.shape.height * tb.shape.width, of_head = tb.shape.channels / node.heads;
  Codes out;
  for (int s = 0; s < ta.shape.height * ta.shape.width; ++s)
    for (int c = 0; c < ty.shape.channels; ++c) {
      std::int64_t sum = 0;
      for (int k = 0; k < (node.transposed ? of_head : pixels); ++k) {
        const int head = c / (node.transposed ? pixels : of_head);
        const int channel_a = head * (node.transposed ? of_head : pixels) + k;
        const int pixel_b = node.transposed ? c % pixels : k, channel_b = node.transposed ? head * of_head + k : c;
        sum += std::int64_t(centred(ta, a, std::size_t(s * ta.shape.channels + channel_a))) *
               centred(tb, b, std::size_t(pixel_b * tb.shape.channels + channel_b));
      }
      const double steps = std::nearbyint(double(sum) * (ta.scale * tb.scale / ty.scale)) + ty.zero_point;
      out.push_back(std::uint8_t(int(std::min(std::max(steps, double(node.lower)), double(node.upper)))));
    }
  return out;
}

}  // namespace

TEST_CASE("A product of two codes is taken in real numbers and rounded once, ties to even") {
  // a: (code - 10) / 2, b: (code + 2) / 4, y: real * 2 + 3. 2 * 1.5 = 3 -> 9; 0.5 * 1.5 = 0.75 -> 1.5 -> 2 + 3;
  // 0.5 * 2.5 = 1.25 -> 2.5 -> 2 + 3; -1 * 1.5 -> -3 + 3; -1 * 2 -> -4 + 3 clips; 122.5 * 32.25 clips.
  const Shape shape{1, 3, 2};
  const Graph graph = one_node(Operator::kMultiply, {tensor("a", shape, kU, 0.5, 10), tensor("b", shape, kS, 0.25, -2)},
                               tensor("y", shape, kU, 0.5, 3));
  CHECK(output_of(graph, {codes({14, 11, 11, 8, 8, 255}), codes({4, 4, 8, 4, 6, 127})}) == codes({9, 5, 5, 0, 0, 255}));
}

TEST_CASE("A vector is added to, or multiplies, every pixel of every row") {
  const std::vector<Tensor> inputs = {tensor("a", {2, 2, 2}, kU), tensor("b", {1, 1, 2}, kU)};
  const std::vector<Codes> values = {codes({1, 2, 3, 4, 5, 6, 7, 8}), codes({2, 3})};
  const Tensor y = tensor("y", {2, 2, 2}, kU);
  CHECK(output_of(one_node(Operator::kAdd, inputs, y), values) == codes({3, 5, 5, 7, 7, 9, 9, 11}));
  const Graph product = one_node(Operator::kMultiply, inputs, y);
  CHECK(output_of(product, values) == codes({2, 6, 6, 12, 10, 18, 14, 24}));
  CHECK(last_input_row(product, product.nodes[0], 1, 1) == 0);
  CHECK(first_input_row(product, product.nodes[0], 1, 1) == 0);
  CHECK(first_input_row(product, product.nodes[0], 1, 0) == 1);
}

TEST_CASE("Functions of one code have the values of their formulas") {
  // Codes are reals, results are 64 times the real. sigmoid 0.5, 0.7311, 0.2689, 0.1192, 0.0474, 0.9526;
  // tanh 0, 0.7616, -0.7616, -0.9640, -0.9951, 0.9951; hard sigmoid with 0.2: 0.5, 0.7, 0.3, 0.1, 0, 1;
  // hard swish 0, 2/3, -1/3, -1/3, 0, 3; GELU 0, 0.8413, -0.1587, -0.0455, -0.0040, 2.996.
  const Codes x = codes({0, 1, -1, -2, -3, 3});
  CHECK(output_of(function_of(Function::kSigmoid), {x}) == codes({32, 47, 17, 8, 3, 61}));
  CHECK(output_of(function_of(Function::kTanh), {x}) == codes({0, 49, -49, -62, -64, 64}));
  CHECK(output_of(function_of(Function::kLeakyRelu, 0.25), {x}) == codes({0, 64, -16, -32, -48, 127}));
  CHECK(output_of(function_of(Function::kHardSigmoid, 0.2), {x}) == codes({32, 45, 19, 6, 0, 64}));
  CHECK(output_of(function_of(Function::kHardSwish), {x}) == codes({0, 43, -21, -21, 0, 127}));
  CHECK(output_of(function_of(Function::kGelu), {x}) == codes({0, 54, -10, -3, 0, 127}));
}

TEST_CASE("Long rows, which look results up, give what short rows compute") {
  for (const Function function : {Function::kSigmoid, Function::kGelu, Function::kHardSwish}) {
    Codes x(600);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::uint8_t(i * 7);
    const Codes looked_up = output_of(function_of(function, 0.0, {1, 1, 600}), {x});
    Codes computed;
    for (std::size_t i = 0; i < x.size(); i += 6) {
      const Codes part(x.begin() + std::ptrdiff_t(i), x.begin() + std::ptrdiff_t(i) + 6);
      for (const std::uint8_t code : output_of(function_of(function), {part})) computed.push_back(code);
    }
    CHECK(looked_up == computed);
  }
}

TEST_CASE("A batch normalisation multiplies and shifts each channel by its own numbers") {
  // x: (code - 4) / 2; channel 0: 2 x + 1, channel 1: 0.25 - x; y: 2 real + 1.
  // 2 -> 5 -> 11, -1.75 -> -3.5 -> -4 + 1; 0 -> 1 -> 3; 1 -> -0.75 -> -1.5 -> -2 + 1.
  Graph graph = one_node(Operator::kAffine, {tensor("x", {1, 2, 2}, kU, 0.5, 4)}, tensor("y", {1, 2, 2}, kS, 0.5, 1));
  graph.nodes[0].gain = {2, -1};
  graph.nodes[0].offset = {1, 0.25};
  CHECK(output_of(graph, {codes({8, 8, 4, 6})}) == codes({11, -3, 3, -1}));
}

TEST_CASE("Channels are selected in the order asked for, more than once if need be") {
  Graph graph = one_node(Operator::kSelect, {tensor("x", {1, 2, 3}, kU)}, tensor("y", {1, 2, 4}, kU));
  graph.nodes[0].channels = {2, 0, 2, 1};
  CHECK(output_of(graph, {codes({1, 2, 3, 4, 5, 6})}) == codes({3, 1, 3, 2, 6, 4, 6, 5}));
  // Halves: 1.5 -> 2, 0.5 -> 0, 1; 3, 2, 2.5 -> 2; plus 10.
  graph.tensors[1].scale = 2.0;
  graph.tensors[1].zero_point = 10;
  CHECK(output_of(graph, {codes({1, 2, 3, 4, 5, 6})}) == codes({12, 10, 12, 11, 13, 12, 13, 12}));
}

TEST_CASE("A frame of padding has the value 0 in the codes of the output") {
  Graph graph = one_node(Operator::kPad, {tensor("x", {1, 2, 1}, kU, 1.0, 7)}, tensor("y", {3, 5, 1}, kU, 1.0, 7));
  Window& w = graph.nodes[0].window;
  w.pad_top = w.pad_bottom = w.pad_left = 1;
  w.pad_right = 2;
  CHECK(output_of(graph, {codes({1, 2})}) == codes({7, 7, 7, 7, 7, 7, 1, 2, 7, 7, 7, 7, 7, 7, 7}));
  // -6 / 2 + 3 = 0, -2.5 -> -2 + 3 = 1, the frame has code 3.
  graph.tensors[1].scale = 2.0;
  graph.tensors[1].zero_point = 3;
  CHECK(output_of(graph, {codes({1, 2})}) == codes({3, 3, 3, 3, 3, 3, 0, 1, 3, 3, 3, 3, 3, 3, 3}));
  graph.nodes[0].lower = 5;
  CHECK(output_of(graph, {codes({1, 200})}) == codes({5, 5, 5, 5, 5, 5, 5, 99, 5, 5, 5, 5, 5, 5, 5}));
  CHECK(first_input_row(graph, graph.nodes[0], 2) == 0);
  CHECK(last_input_row(graph, graph.nodes[0], 0) == 0);
}

TEST_CASE("A softmax runs over each head's channels by themselves") {
  // The scale is ln 2, so powers are 1, 1/2, 1/4, 1/4: sum 2; the second head has 1, 1, 2^-105, 2^-105.
  Graph graph = one_node(Operator::kSoftmax, {tensor("x", {1, 2, 8}, kS, std::log(2.0), 5)},
                         tensor("y", {1, 2, 8}, kU, 1.0 / 256));
  graph.nodes[0].heads = 2;
  const Codes x = codes({-126, -127, -128, -128, 5, 5, -100, -100, 0, 0, 0, 0, 1, 0, -1, -1});
  CHECK(output_of(graph, {x}) == codes({128, 64, 32, 32, 128, 128, 0, 0, 64, 64, 64, 64, 128, 64, 32, 32}));
  // As one head: 2^131 in the first pixel; 1/2 four times, 1, 1/2, 1/4, 1/4 of a sum of 4 in the second.
  graph.nodes[0].heads = 1;
  CHECK(output_of(graph, {x}) == codes({0, 0, 0, 0, 128, 128, 0, 0, 32, 32, 32, 32, 64, 32, 16, 16}));
}

TEST_CASE("A layer norm takes mean and variance of a pixel's channels from exact sums") {
  // Codes 1, 3: mean 2, variance 1 in steps, 4 in reals; sqrt(4 + 5) = 3. -1 * 2 / 3 * 3 + 1 = -1; 2 / 3 * 6 - 1 = 3.
  CHECK(output_of(layer_norm(kU), {codes({1, 3})}) == codes({-1, 3}));
  Graph with_sign = layer_norm(kS, 3);
  CHECK(output_of(with_sign, {codes({-1, 1, 9, 9, 120, 122})}) == codes({-1, 3, 1, -1, -1, 3}));
  // Without epsilon the ends are one deviation away, however many channels there are: 65 536 codes of 0 and of 255.
  Graph wide = one_node(Operator::kLayerNorm, {tensor("x", {1, 1, 1 << 17}, kU, 0.01)},
                        tensor("y", {1, 1, 1 << 17}, kS, 1.0 / 64));
  wide.nodes[0].gain.assign(1 << 17, 1.0);
  wide.nodes[0].offset.assign(1 << 17, 0.0);
  wide.nodes[0].epsilon = 1e-12;
  Codes x(1 << 17, 0);
  std::fill(x.begin() + (1 << 16), x.end(), std::uint8_t(255));
  const Codes y = output_of(wide, {x});
  CHECK(y.front() == codes({-64})[0]);
  CHECK(y.back() == 64);
}

TEST_CASE("Scores of attention sum over the channels of each head") {
  // Without zero points: a = [1 2 | 3 4], [0 -1 | 2 0]; b = [1 0 | 0 1], [1 1 | -1 2], [-2 3 | 5 0].
  // First pixel, first head: 1, 3, -2 + 6 = 4; second head: 4, -3 + 8 = 5, 15. Second pixel: 0, -1, -3; 0, -2, 10.
  const Codes a = codes({2, 3, 4, 5, 1, 0, 3, 1});
  CHECK(output_of(scores(), {a, kThreePixels}) == codes({3, 5, 6, 6, 7, 17, 2, 1, -1, 2, 0, 12}));
  // Halves, ties to even, before the zero point 2 is added: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, 7.5 -> 8, -0.5 -> 0, ...
  CHECK(output_of(scores(0.5), {a, kThreePixels}) == codes({2, 4, 4, 4, 4, 10, 2, 2, 0, 2, 1, 7}));
}

TEST_CASE("A context weighs the pixels of each head") {
  // [1 3 4 | 4 5 15] with the pixels above: 1 + 3 - 8 = -4, 0 + 3 + 12 = 15; 0 - 5 + 75 = 70, 4 + 10 + 0 = 14.
  const Graph graph =
      matmul(tensor("a", {1, 1, 6}, kU), tensor("b", {3, 1, 4}, kS, 1.0, -1), tensor("y", {1, 1, 4}, kS), 2, false);
  CHECK(output_of(graph, {codes({1, 3, 4, 4, 5, 15}), kThreePixels}) == codes({-4, 15, 70, 14}));
  CHECK(digital_macs(graph, graph.nodes[0]) == 3 * 4);
  CHECK(macs(graph) == 0);
  CHECK(last_input_row(graph, graph.nodes[0], 0, 1) == 2);
  CHECK(first_input_row(graph, graph.nodes[0], 0, 1) == 0);
}

TEST_CASE("Products of activations of any shape equal their definition") {
  std::mt19937_64 random(3);
  const auto up_to = [&](int most) { return 1 + int(random() % std::uint64_t(most)); };
  for (int i = 0; i < 60; ++i) {
    const int heads = up_to(4), of_head = up_to(40);
    const Shape b{up_to(5), up_to(9), heads * of_head};
    const int pixels = b.height * b.width;
    const bool transposed = random() % 2 == 0;
    const Shape a{up_to(3), up_to(5), transposed ? b.channels : heads * pixels};
    const Shape y{a.height, a.width, transposed ? heads * pixels : b.channels};
    const Graph graph = matmul(tensor("a", a, random() % 2 ? kU : kS, 0.01, int(random() % 100)),
                               tensor("b", b, random() % 2 ? kU : kS, 0.02, int(random() % 100)),
                               tensor("y", y, kS, 0.05 * of_head, int(random() % 50) - 25), heads, transposed);
    Codes codes_a(a.bytes()), codes_b(b.bytes());
    for (std::uint8_t& code : codes_a) code = std::uint8_t(random());
    for (std::uint8_t& code : codes_b) code = std::uint8_t(random());
    REQUIRE(output_of(graph, {codes_a, codes_b}) == direct_matmul(graph, codes_a, codes_b));
  }
}

TEST_CASE("The longest sum that is accepted is exact, and a longer one is refused") {
  // 33 025 products of -255 and -255 are 2 147 450 625, 33 022 below 2^31; times 2^-25 it is 63.999.
  const int length = 33025;
  Graph graph = matmul(tensor("a", {1, 1, length}, kS, 1.0, 127), tensor("b", {1, 1, length}, kS, 1.0, 127),
                       tensor("y", {1, 1, 1}, kS, 0x1p25), 1, true);
  const Codes lowest(std::size_t(length), 0x80);
  CHECK(output_of(graph, {lowest, lowest}) == codes({64}));
  for (const int tensor : {0, 1}) graph.tensors[std::size_t(tensor)].shape.channels = length + 1;
  CHECK_THAT(refusal(graph, [](Graph&) {}), Catch::Contains("sums of 33026 products can leave 32 bits"));
}

TEST_CASE("Bad shapes and numbers of operators between products are refused") {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto good = [](Operator op, const Shape& y) {
    Graph graph = one_node(op, {tensor("x", {2, 2, 4}, kU)}, tensor("y", y, kU));
    graph.nodes[0].channels = {3, 1};
    graph.nodes[0].gain.assign(4, 1.0);
    graph.nodes[0].offset.assign(4, 0.0);
    graph.nodes[0].epsilon = 1e-5;
    return graph;
  };
  const Shape same{2, 2, 4};
  const Graph product =
      one_node(Operator::kMultiply, {tensor("a", same, kU), tensor("b", {1, 1, 4}, kU)}, tensor("y", same, kU));
  struct Spoilt {
    const char* fragment;
    Graph graph;
    std::function<void(Graph&)> spoil;
  };
  const std::vector<Spoilt> cases = {
      {"(multiply): has 1 inputs (two)", product, [](Graph& g) { g.nodes[0].inputs = {0}; }},
      {"multiplies shapes 2 x 2 x 4 and 1 x 2 x 4 (equal shapes, or 1 x 1 x 4 as the second)", product,
       [](Graph& g) { g.tensors[1].shape.width = 2; }},
      {"multiplies shapes 2 x 2 x 4 and 1 x 1 x 1", product, [](Graph& g) { g.tensors[1].shape.channels = 1; }},
      {"has shape 2 x 2 x 5 (2 x 2 x 4)", product, [](Graph& g) { g.tensors[2].shape.channels = 5; }},
      {"(function): has 2 inputs (one)", good(Operator::kFunction, same),
       [](Graph& g) {
         g.nodes[0].inputs = {0, 0};
       }},
      {"has no function", good(Operator::kFunction, same), [](Graph& g) { g.nodes[0].function = Function(9); }},
      {"parameter is inf", good(Operator::kFunction, same), [=](Graph& g) { g.nodes[0].parameter = infinity; }},
      {"(function): output `y` has shape", good(Operator::kFunction, {2, 2, 3}), [](Graph&) {}},
      {"has 3 gains (4)", good(Operator::kAffine, same), [](Graph& g) { g.nodes[0].gain.pop_back(); }},
      {"has 0 offsets (4)", good(Operator::kAffine, same), [](Graph& g) { g.nodes[0].offset.clear(); }},
      {"gain of channel 2 is nan", good(Operator::kAffine, same), [](Graph& g) { g.nodes[0].gain[2] = std::nan(""); }},
      {"offset of channel 0 is -inf", good(Operator::kLayerNorm, same),
       [=](Graph& g) { g.nodes[0].offset[0] = -infinity; }},
      {"(affine): output `y` has shape", good(Operator::kAffine, {2, 1, 4}), [](Graph&) {}},
      {"selects channel 4 (0 to 3)", good(Operator::kSelect, {2, 2, 2}), [](Graph& g) { g.nodes[0].channels[1] = 4; }},
      {"selects channel -1", good(Operator::kSelect, {2, 2, 2}), [](Graph& g) { g.nodes[0].channels[0] = -1; }},
      {"selects 0 channels", good(Operator::kSelect, {2, 2, 2}), [](Graph& g) { g.nodes[0].channels.clear(); }},
      {"has shape 2 x 2 x 3 (2 x 2 x 2)", good(Operator::kSelect, {2, 2, 3}), [](Graph&) {}},
      {"padding is -1", good(Operator::kPad, same), [](Graph& g) { g.nodes[0].window.pad_left = -1; }},
      {"padding is 16777217", good(Operator::kPad, same), [](Graph& g) { g.nodes[0].window.pad_top = (1 << 24) + 1; }},
      {"has shape 2 x 2 x 4 (2 x 3 x 4)", good(Operator::kPad, same),
       [](Graph& g) { g.nodes[0].window.pad_right = 1; }},
      {"3 heads (a divisor of 4 channels)", good(Operator::kSoftmax, same), [](Graph& g) { g.nodes[0].heads = 3; }},
      {"0 heads", good(Operator::kSoftmax, same), [](Graph& g) { g.nodes[0].heads = 0; }},
      {"(softmax): output `y` has shape", good(Operator::kSoftmax, {2, 2, 8}), [](Graph&) {}},
      {"epsilon is 0", good(Operator::kLayerNorm, same), [](Graph& g) { g.nodes[0].epsilon = 0; }},
      {"(layer_norm): output `y` has shape", good(Operator::kLayerNorm, {1, 2, 4}), [](Graph&) {}},
      {"(matmul): has 1 inputs (two)", scores(), [](Graph& g) { g.nodes[0].inputs = {0}; }},
      {"3 heads (a divisor of 4 channels)", scores(), [](Graph& g) { g.nodes[0].heads = 3; }},
      {"multiplies 1 x 2 x 4 by 3 x 1 x 8 for 2 heads (8 channels of the first)", scores(),
       [](Graph& g) { g.tensors[1].shape.channels = 8; }},
      {"(6 channels of the first)", scores(), [](Graph& g) { g.nodes[0].transposed = false; }},
      {"has shape 1 x 2 x 7 (1 x 2 x 6)", scores(), [](Graph& g) { g.tensors[2].shape.channels = 7; }},
  };
  for (const Spoilt& c : cases) {
    CAPTURE(c.fragment);
    CHECK_THAT(refusal(c.graph, c.spoil), Catch::Contains(c.fragment));
  }
}

TEST_CASE("Positions of a sequence stand in rows of at most 16") {
  CHECK(sequence_shape(128, 768) == Shape{8, 16, 768});
  CHECK(sequence_shape(10, 3) == Shape{1, 10, 3});
  CHECK(sequence_shape(34, 1) == Shape{17, 2, 1});
  CHECK(sequence_shape(197, 1) == Shape{197, 1, 1});
}
