// SPDX-License-Identifier: Apache-2.0
// The reference, which multiplies many windows at a time, against a convolution written as six nested loops; and the
// graph builder's promise that activations stay alive.
#include "models/dnn/reference.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <random>

#include "models/dnn/operators.h"
#include "models/dnn/synthetic/graph_builder.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/small_graphs.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;

namespace {

int value_of(const Tensor& t, std::uint8_t code) { return t.type == CodeType::kInt8 ? std::int8_t(code) : code; }

/// sum of (x - x_zero) * w over one window; padding contributes nothing.
std::int64_t direct_sum(const Graph& graph, const Codes& input, int y, int x, int f) {
  const Node& node = graph.nodes[0];
  const Tensor& in = graph.input_of(node);
  const Window& w = node.window;
  const int of_group = in.shape.channels / node.weights.groups;
  const int group = f / (filters_of(graph, node) / node.weights.groups);
  std::int64_t sum = node.weights.bias[std::size_t(f)];
  for (int ky = 0; ky < w.kernel_height; ++ky)
    for (int kx = 0; kx < w.kernel_width; ++kx)
      for (int c = 0; c < of_group; ++c) {
        const int row = y * w.stride_y - w.pad_top + ky * w.dilation_y;
        const int column = x * w.stride_x - w.pad_left + kx * w.dilation_x;
        if (row < 0 || row >= in.shape.height || column < 0 || column >= in.shape.width) continue;
        const int channel = group * of_group + c;
        const int code =
            value_of(in, input[std::size_t((row * in.shape.width + column) * in.shape.channels + channel)]);
        const int weight =
            node.weights.values[std::size_t(((f * w.kernel_height + ky) * w.kernel_width + kx) * of_group + c)];
        sum += std::int64_t(code - in.zero_point) * weight;
      }
  return sum;
}

Codes direct_convolution(const Graph& graph, const Codes& input) {
  const Node& node = graph.nodes[0];
  const Tensor& in = graph.input_of(node);
  const Tensor& out = graph.output_of(node);
  Codes codes;
  for (int y = 0; y < out.shape.height; ++y)
    for (int x = 0; x < out.shape.width; ++x)
      for (int f = 0; f < out.shape.channels; ++f) {
        const double multiplier = in.scale * node.weights.scale[std::size_t(f)] / out.scale;
        const double rounded = std::nearbyint(double(direct_sum(graph, input, y, x, f)) * multiplier) + out.zero_point;
        codes.push_back(std::uint8_t(int(std::min(std::max(rounded, double(node.lower)), double(node.upper)))));
      }
  return codes;
}

Codes random_codes(const Shape& shape, std::mt19937_64& random) {
  Codes codes(shape.bytes());
  for (std::uint8_t& code : codes) code = std::uint8_t(random());
  return codes;
}

Graph random_convolution(std::mt19937_64& random) {
  const Window w = random_window(random);
  const int groups = one_of(random, {1, 1, 2, 4});
  const Shape shape = {9 + one_of(random, {0, 1, 4}), 8 + one_of(random, {0, 3}), groups * one_of(random, {1, 3, 4})};
  const int filters = groups * one_of(random, {1, 2, 5});
  const CodeType type = one_of(random, {0, 1}) == 0 ? CodeType::kUint8 : CodeType::kInt8;
  const Tensor input = tensor("x", shape, type, 0.02,
                              type == CodeType::kUint8 ? one_of(random, {0, 17, 255}) : one_of(random, {0, -128}));
  const Tensor output = tensor("y", windowed_shape(shape, w, filters), CodeType::kInt8, 1.5, one_of(random, {0, 12}));
  std::vector<std::int8_t> values(std::size_t(filters * w.kernel_height * w.kernel_width * shape.channels / groups));
  for (std::int8_t& value : values) value = std::int8_t(random());
  Graph graph = one_convolution(input, output, w, values, groups);
  for (std::int32_t& bias : graph.nodes[0].weights.bias) bias = std::int32_t(random() % 4001) - 2000;
  for (double& scale : graph.nodes[0].weights.scale) scale = 0.001 + 0.02 * double(random() % 1000) / 1000;
  graph.nodes[0].lower = one_of(random, {-128, 12});
  return graph;
}

/// Few codes of any tensor are zero or at an end of the range.
void check_alive(const Graph& graph, const std::vector<Codes>& tensors) {
  for (const Node& node : graph.nodes) {
    const Codes& codes = tensors[std::size_t(node.output)];
    double zero = 0, extreme = 0;
    for (const std::uint8_t code : codes) {
      const int value = value_of(graph.output_of(node), code);
      zero += value == 0;
      extreme += value != 0 && (value == node.lower || value == node.upper);
    }
    CAPTURE(node.name, zero / double(codes.size()), extreme / double(codes.size()));
    CHECK(zero < 0.75 * double(codes.size()));
    CHECK(extreme < 0.15 * double(codes.size()));
  }
}

}  // namespace

TEST_CASE("The reference equals nested loops for strides, dilations, groups, padding and both types") {
  std::mt19937_64 random(11);
  for (int trial = 0; trial < 300; ++trial) {
    const Graph graph = random_convolution(random);
    const Codes input = random_codes(graph.tensors[0].shape, random);
    CAPTURE(trial, graph.nodes[0].weights.groups, graph.tensors[0].shape.channels);
    REQUIRE(execute(graph, {input}).back() == direct_convolution(graph, input));
  }
}

TEST_CASE("Windows that do not fit one batch are computed like those that do") {
  // 70 x 70 windows of 576 elements are far above the batch size; batches end in the middle of a row.
  GraphBuilder builder("large", 3);
  builder.convolution(builder.input({70, 70, 64}), 3, square_window(3, 1, 1));
  const Graph graph = builder.build();
  std::mt19937_64 random(2);
  const Codes input = random_codes(graph.tensors[0].shape, random);
  REQUIRE(execute(graph, {input}).back() == direct_convolution(graph, input));
}

TEST_CASE("A reference can be used again and gives every tensor of the graph") {
  GraphBuilder builder("chain", 7);
  const int input = builder.input({8, 8, 3});
  const int a = builder.convolution(input, 8, square_window(3, 1, 1));
  const int b = builder.convolution(a, 8, square_window(3, 1, 1), {1, false, {}, "branch"});
  builder.fully_connected(builder.global_average_pool(builder.concat({builder.add(a, b), a})), 5, {1, false, {}, ""});
  const Graph graph = builder.build();
  const Reference reference(graph);
  std::mt19937_64 random(3);
  const Codes first = random_codes({8, 8, 3}, random), second = random_codes({8, 8, 3}, random);
  const auto once = reference.run({first});
  CHECK(reference.run({second}).back() != once.back());
  CHECK(reference.run({first}) == once);
  REQUIRE(once.size() == graph.tensors.size());
  for (std::size_t i = 0; i < once.size(); ++i) CHECK(once[i].size() == graph.tensors[i].shape.bytes());
}

TEST_CASE("Inputs of the wrong number or size are refused") {
  GraphBuilder builder("small");
  builder.convolution(builder.input({2, 2, 1}), 1, square_window(1));
  const Graph graph = builder.build();
  CHECK_THROWS_WITH(execute(graph, {}), Catch::Contains("0 inputs (1)"));
  CHECK_THROWS_WITH(execute(graph, {Codes(5)}), Catch::Contains("`input_0` has 5 codes (4)"));
}

TEST_CASE("Built chains of twenty layers neither die out nor saturate") {
  GraphBuilder builder("deep", 42);
  int x = builder.input({16, 16, 3});
  for (int i = 0; i < 10; ++i) {
    const int branch = builder.convolution(x, 32, square_window(3, 1, 1));
    const int other = builder.convolution(branch, 32, square_window(3, 1, 1), {i % 2 == 0 ? 1 : 32, false, {}, ""});
    x = i == 0 ? other : builder.add(x, other, i % 3 != 0);
    if (i == 4) x = builder.max_pool(x, square_window(2, 2));
    if (i == 6) x = builder.concat({x, builder.requantise(x, CodeType::kUint8)});
    if (i == 6) x = builder.convolution(x, 32, square_window(1));
  }
  builder.output(builder.average_pool(x, square_window(2, 2)));
  const Graph graph = builder.build();
  std::mt19937_64 random(9);
  const auto tensors = execute(graph, {random_codes({16, 16, 3}, random)});
  check_alive(graph, tensors);
}

TEST_CASE("Built encoder layers and gates neither die out nor saturate") {
  GraphBuilder builder("deep", 7);
  int x = builder.sequence(10, 32), map = builder.input({8, 8, 16}, CodeType::kInt8);
  for (int i = 0; i < 4; ++i) {
    const auto project = [&](int from, int filters) {
      return builder.convolution(from, filters, square_window(1), {1, false, {}, ""});
    };
    const int context = builder.attention(project(x, 32), project(x, 32), project(x, 32), 4);
    const int sum = builder.layer_norm(builder.add(project(context, 32), x, false));
    const int wide = builder.function(project(sum, 64), Function::kGelu);
    x = builder.layer_norm(builder.add(project(wide, 32), sum, false));
    const int factors = builder.function(project(builder.global_average_pool(map), 16), Function::kSigmoid);
    const int half = builder.select(builder.multiply(project(map, 16), factors), {0, 2, 4, 6, 8, 10, 12, 14});
    const int hard = builder.function(builder.concat({half, half}), Function::kHardSwish);
    const std::vector<double> ones(16, 1.0), zeros(16, 0.0);
    map = builder.affine(builder.add(hard, map, false), ones, zeros);
  }
  builder.output(x);
  builder.output(map);
  const Graph graph = builder.build();
  std::mt19937_64 random(9);
  check_alive(graph, execute(graph, {random_codes(graph.tensors[0].shape, random), random_codes({8, 8, 16}, random)}));
}

TEST_CASE("The same seed builds the same graph and another seed another one") {
  const auto build = [](std::uint64_t seed) {
    GraphBuilder builder("g", seed);
    builder.convolution(builder.input({4, 4, 64}), 64, square_window(3));
    return builder.build();
  };
  CHECK(build(1).nodes[0].weights.values == build(1).nodes[0].weights.values);
  CHECK(build(1).nodes[0].weights.values != build(2).nodes[0].weights.values);
  // 36 864 weights: the mean is within 1 of 0 and the deviation near 30.
  const std::vector<std::int8_t> values = build(1).nodes[0].weights.values;
  double sum = 0, square = 0;
  for (const std::int8_t value : values) sum += value, square += value * value;
  CHECK(std::abs(sum / double(values.size())) < 1.0);
  CHECK(std::sqrt(square / double(values.size())) == Approx(30).margin(1));
}

TEST_CASE("Given weights are used as they are") {
  GraphBuilder builder("given");
  ConvolutionOptions options;
  options.values = {1, -2, 3};
  builder.convolution(builder.input({1, 1, 3}), 1, {}, options);
  CHECK(builder.build().nodes[0].weights.values == std::vector<std::int8_t>{1, -2, 3});
  options.values.pop_back();
  builder.convolution(0, 1, {}, options);
  CHECK_THROWS_WITH(builder.build(), Catch::Contains("has 2 weights (3)"));
}
