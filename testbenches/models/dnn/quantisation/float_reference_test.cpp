// SPDX-License-Identifier: Apache-2.0
// The float reference against sums worked by hand and convolutions written as loops in double, and the comparison of
// quantised networks with it.
#include "models/dnn/quantisation/float_reference.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <random>

#include "models/dnn/quantisation/quantise_comparison.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/quantisation/float_networks.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;
using mho::InputError;

namespace {

Reals run_one(const FloatNetwork& network, const std::vector<Reals>& inputs) {
  return FloatReference(network).run(inputs).at(0);
}

void check_equal(const Reals& got, const Reals& wanted) {
  REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i);
    CHECK(double(got[i]) == Approx(double(wanted[i])).margin(1e-6));
  }
}

Reals random_reals(std::size_t count, std::mt19937_64& random) {
  Reals values(count);
  for (float& value : values) value = float(std::int64_t(random() % 2001) - 1000) / 500.0f;
  return values;
}

/// Samples of a network with one input.
SampleSource samples_of(const std::vector<Reals>& samples) {
  return [samples](std::size_t index) { return std::vector<Reals>{samples.at(index)}; };
}

FloatNetwork random_convolution(std::mt19937_64& random) {
  const Window w = random_window(random);
  const auto [span_y, span_x] = span_of(w);
  const int groups = one_of(random, {1, 1, 2, 6}), of_group = one_of(random, {1, 2, 5}),
            filters = groups * one_of(random, {1, 3, 4});
  const Shape input{span_y + 1 + int(random() % 9), span_x + 1 + int(random() % 9), groups * of_group};
  FloatNetwork network = one_real_node(Operator::kConvolution, {input}, windowed_shape(input, w, filters), w);
  network.graph.nodes[0].weights.groups = groups;
  network.real_weights[0].values =
      random_reals(std::size_t(filters * w.kernel_height * w.kernel_width * of_group), random);
  if (random() % 4 != 0) network.real_weights[0].bias = random_reals(std::size_t(filters), random);
  return network;
}

/// One output as a sum in double.
double direct_sum(const FloatNetwork& network, const Reals& input, int y, int x, int f) {
  const Node& node = network.graph.nodes[0];
  const Shape& in = network.graph.input_of(node).shape;
  const Window& w = node.window;
  const int of_group = in.channels / node.weights.groups;
  const int group = f / (filters_of(network.graph, node) / node.weights.groups);
  double sum = network.real_weights[0].bias.empty() ? 0.0 : double(network.real_weights[0].bias[std::size_t(f)]);
  for (int ky = 0; ky < w.kernel_height; ++ky)
    for (int kx = 0; kx < w.kernel_width; ++kx)
      for (int c = 0; c < of_group; ++c) {
        const int row = y * w.stride_y - w.pad_top + ky * w.dilation_y;
        const int column = x * w.stride_x - w.pad_left + kx * w.dilation_x;
        if (row < 0 || row >= in.height || column < 0 || column >= in.width) continue;
        const int weight = ((f * w.kernel_height + ky) * w.kernel_width + kx) * of_group + c;
        const int at = (row * in.width + column) * in.channels + group * of_group + c;
        sum += double(network.real_weights[0].values[std::size_t(weight)]) * double(input[std::size_t(at)]);
      }
  return sum;
}

}  // namespace

TEST_CASE("float convolutions of any window, stride, padding, dilation and groups equal sums in double") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 150; ++i) {
    const FloatNetwork network = random_convolution(random);
    const Shape& shape = network.graph.tensors[1].shape;
    const Reals input = random_reals(network.graph.tensors[0].shape.bytes(), random);
    const Reals output = run_one(network, {input});
    double largest_error = 0;
    for (int y = 0; y < shape.height; ++y)
      for (int x = 0; x < shape.width; ++x)
        for (int f = 0; f < shape.channels; ++f) {
          const auto at = std::size_t((y * shape.width + x) * shape.channels + f);
          largest_error = std::max(largest_error, std::abs(double(output[at]) - direct_sum(network, input, y, x, f)));
        }
    INFO("network " << i);
    CHECK(largest_error < 1e-4);
  }
}

TEST_CASE("pools on real numbers leave padding out, except in the divisor where it counts") {
  Window window{2, 2, 2, 2, 1, 0, 1, 0};  // rows -1..0 and 1..2; columns 0..1
  const Reals x{-3, -1, -4, -2};          // two rows of two pixels
  check_equal(run_one(one_real_node(Operator::kMaxPool, {{2, 2, 1}}, {2, 1, 1}, window), {x}), {-1, -2});
  FloatNetwork average = one_real_node(Operator::kAveragePool, {{2, 2, 1}}, {2, 1, 1}, window);
  check_equal(run_one(average, {x}), {-2, -3});
  average.graph.nodes[0].count_include_pad = true;
  check_equal(run_one(average, {x}), {-1, -1.5});
}

TEST_CASE("sums and products on real numbers take a vector at every pixel") {
  const Reals a{1, 2, 3, 4}, b{10, 20, 30, 40}, v{0.5, -1};
  check_equal(run_one(one_real_node(Operator::kAdd, {{2, 1, 2}, {2, 1, 2}}, {2, 1, 2}), {a, b}), {11, 22, 33, 44});
  check_equal(run_one(one_real_node(Operator::kAdd, {{2, 1, 2}, {1, 1, 2}}, {2, 1, 2}), {a, v}), {1.5, 1, 3.5, 3});
  check_equal(run_one(one_real_node(Operator::kMultiply, {{2, 1, 2}, {1, 1, 2}}, {2, 1, 2}), {a, v}),
              {0.5, -2, 1.5, -4});
}

TEST_CASE("operators that move real numbers put them where the codes would go") {
  const Reals a{1, 2, 3, 4}, b{5, 6};
  check_equal(run_one(one_real_node(Operator::kConcat, {{1, 2, 2}, {1, 2, 1}}, {1, 2, 3}), {a, b}), {1, 2, 5, 3, 4, 6});
  FloatNetwork select = one_real_node(Operator::kSelect, {{1, 2, 2}}, {1, 2, 3});
  select.graph.nodes[0].channels = {1, 0, 1};
  check_equal(run_one(select, {a}), {2, 1, 2, 4, 3, 4});
  Window frame;
  frame.pad_top = frame.pad_right = 1;
  check_equal(run_one(one_real_node(Operator::kPad, {{1, 2, 2}}, {2, 3, 2}, frame), {a}),
              {0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0});
}

TEST_CASE("functions of single real numbers are their formulas") {
  FloatNetwork function = one_real_node(Operator::kFunction, {{1, 1, 2}}, {1, 1, 2});
  function.graph.nodes[0].function = Function::kLeakyRelu;
  function.graph.nodes[0].parameter = 0.25;
  check_equal(run_one(function, {{-4, 3}}), {-1, 3});
  function.graph.nodes[0].function = Function::kSigmoid;
  check_equal(run_one(function, {{0, float(std::log(3.0))}}), {0.5, 0.75});
  FloatNetwork affine = one_real_node(Operator::kAffine, {{2, 1, 2}}, {2, 1, 2});
  affine.graph.nodes[0].gain = {2, -1};
  affine.graph.nodes[0].offset = {0.5, 10};
  check_equal(run_one(affine, {{1, 2, 3, 4}}), {2.5, 8, 6.5, 6});
}

TEST_CASE("softmax and layer normalisation on real numbers work pixel by pixel and head by head") {
  FloatNetwork softmax = one_real_node(Operator::kSoftmax, {{1, 1, 4}}, {1, 1, 4});
  softmax.graph.nodes[0].heads = 2;
  // Powers 1 and 3, then 1 and 1; without subtracting the largest, e^1000 would be infinite.
  check_equal(run_one(softmax, {{0, float(std::log(3.0)), 1000, 1000}}), {0.25, 0.75, 0.5, 0.5});
  FloatNetwork norm = one_real_node(Operator::kLayerNorm, {{2, 1, 2}}, {2, 1, 2});
  norm.graph.nodes[0].gain = {2, 3};
  norm.graph.nodes[0].offset = {0, 1};
  norm.graph.nodes[0].epsilon = 7;
  // Means 4 and 0, variances 9 and 9, deviations sqrt(9 + 7) = 4: -3/4 and 3/4.
  check_equal(run_one(norm, {{1, 7, -3, 3}}), {-1.5, 3.25, -1.5, 3.25});
}

TEST_CASE("matrix products of real activations follow the layout of heads") {
  // Two pixels, two heads of one channel: score of head h, pixels s and t is a[s][h] * b[t][h].
  FloatNetwork scores = one_real_node(Operator::kMatMul, {{1, 2, 2}, {1, 3, 2}}, {1, 2, 6});
  scores.graph.nodes[0].heads = 2;
  scores.graph.nodes[0].transposed = true;
  check_equal(run_one(scores, {{1, 10, 2, 20}, {1, 4, 2, 5, 3, 6}}), {1, 2, 3, 40, 50, 60, 2, 4, 6, 80, 100, 120});
  // Back: output channel h of pixel s is sum over t of a[s][h * 3 + t] * b[t][h].
  FloatNetwork context = one_real_node(Operator::kMatMul, {{1, 1, 6}, {1, 3, 2}}, {1, 1, 2});
  context.graph.nodes[0].heads = 2;
  check_equal(run_one(context, {{1, 0, 2, 1, 1, 1}, {1, 4, 2, 5, 3, 6}}), {7, 15});
}

TEST_CASE("fused ranges clip the results of any operator") {
  FloatNetwork relu = one_real_node(Operator::kAdd, {{1, 1, 3}, {1, 1, 3}}, {1, 1, 3});
  relu.range[0].lower = 0;
  check_equal(run_one(relu, {{-5, 1, 9}, {1, 1, 1}}), {0, 2, 10});
  relu.range[0].upper = 6;
  check_equal(run_one(relu, {{-5, 1, 9}, {1, 1, 1}}), {0, 2, 6});
}

TEST_CASE("codes of a mixed network count with their real values and nothing is rounded") {
  // x = (code - 10) * 0.5, w = {3, -1} * 0.25, bias 4 * (0.5 * 0.25); output steps of 8 do not matter.
  const Graph graph = one_convolution(tensor("x", {1, 1, 2}, CodeType::kUint8, 0.5, 10),
                                      tensor("y", {1, 1, 1}, CodeType::kInt8, 8.0, 3), {}, {3, -1});  // up to 124 * 8
  FloatNetwork network = real_network(graph);
  network.quantised = {true, true};
  network.graph.nodes[0].weights.scale = {0.25};
  network.graph.nodes[0].weights.bias = {4};
  check_equal(run_one(network, {{1.5, -2}}), {1.5f * 0.75f + 2 * 0.25f + 0.5f});
  check_equal(run_one(network, {{1e6, 0}}), {124 * 8});
  check_equal(run_one(network, {{-1e6, 0}}), {-131 * 8});
  network.graph.nodes[0].upper = 4;
  check_equal(run_one(network, {{1e6, 0}}), {8});
  network.graph.nodes[0].lower = 3;  // a ReLU
  check_equal(run_one(network, {{-1.5, 2}}), {0});
}

TEST_CASE("every tensor is visited once, inputs first, and outputs keep their order") {
  FloatNetwork network = one_real_node(Operator::kAdd, {{1, 1, 1}, {1, 1, 1}}, {1, 1, 1});
  const int product = append(network, Operator::kMultiply, {2, 0}, {1, 1, 1});  // (a + b) * a
  network.graph.outputs = {product, 2};
  const FloatReference reference(network);
  std::vector<int> visited;
  reference.run({{3}, {4}}, [&](int tensor, const Reals&) { visited.push_back(tensor); });
  CHECK(visited == std::vector<int>{0, 1, 2, 3});
  CHECK(reference.run({{3}, {4}}) == std::vector<Reals>{{21}, {7}});
}

TEST_CASE("float networks that are not valid are refused in one line") {
  Window window;
  FloatNetwork network = one_real_node(Operator::kConvolution, {{1, 1, 2}}, {1, 1, 1}, window);
  const auto complaint = [&] {
    try {
      validate(network);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  network.real_weights[0].values = {1, 2, 3};
  CHECK_THAT(complaint(), Catch::Contains("has 3 weights (2)"));
  network.real_weights[0].values = {1, 2};
  CHECK(complaint().empty());
  network.real_weights[0].bias = {1, 2};
  CHECK_THAT(complaint(), Catch::Contains("has 2 biases (1)"));
  network.real_weights[0].bias = {float(NAN)};
  CHECK_THAT(complaint(), Catch::Contains("has a weight or bias that is not finite"));
  network.real_weights[0].bias = {};
  network.range[0] = {1, 0};
  CHECK_THAT(complaint(), Catch::Contains("empty range"));
  network.range[0] = {};
  network.graph.tensors[1].shape.channels = 3;
  CHECK_FALSE(complaint().empty());
  network.graph.tensors[1].shape.channels = 1;
  network.graph.nodes[0].weights = {1, {1, 2}, {0}, {1.0}};
  network.real_weights[0].values = {};
  CHECK_THAT(complaint(), Catch::Contains("weights in codes and a real input"));
  network.quantised[0] = true;
  CHECK(complaint().empty());
  CHECK_THROWS_AS(FloatReference(network).run({{1}}), InputError);
  CHECK_THROWS_AS(FloatReference(network).run({{1, 2}, {1}}), InputError);
}

TEST_CASE("a comparison adds up what single samples show") {
  FloatNetwork network = one_real_node(Operator::kRequantise, {{1, 1, 2}}, {1, 1, 2});
  Graph graph = network.graph;
  for (Tensor& tensor : graph.tensors) tensor.scale = 1.0;
  graph.nodes[0].upper = 255;
  // 1.25 -> 1, 3 -> 3; 0.5 -> 0 (ties to even), 0.25 -> 0; errors 0.25, 0, 0.5, 0.25.
  const Comparison all = compare(network, graph, samples_of({{9, 9}, {1.25f, 3}, {0.5f, 0.25f}}), 1, 2, 1);
  CHECK(all.outputs[0].mean_abs_error == 0.25);
  CHECK(all.outputs[0].noise == (0.0625 + 0.25 + 0.0625) / 4);
  CHECK(all.outputs[0].signal == (1.5625 + 9 + 0.25 + 0.0625) / 4);
  CHECK(all.outputs[0].sqnr_db() == Approx(10 * std::log10(10.875 / 0.375)));
  CHECK(all.float_class == std::vector<int>{1, 0});
  CHECK(all.quantised_class == std::vector<int>{1, 0});  // of equal codes the first
  CHECK(all.agreement() == 1);
  CHECK(compare(network, graph, samples_of({{0.25f, 0.5f}, {0, 3}}), 0, 2, 1).agreement() == 0.5);
  for (Tensor& tensor : graph.tensors) tensor.type = CodeType::kInt8;
  graph.nodes[0].lower = -128;
  graph.nodes[0].upper = 127;
  const Comparison of_signed = compare(network, graph, samples_of({{-3, 2}}), 0, 1, 1);
  CHECK(of_signed.quantised_class == std::vector<int>{1});
  CHECK(of_signed.outputs[0].mean_abs_error == 0);
}

TEST_CASE("an interval of paired shares counts the samples that change") {
  // Of 100 answers 6 are right only before, 2 only after, 80 in both. With half a pair added to each count:
  // difference (2.5 - 6.5) / 102, deviation sqrt(9 - 16 / 102) / 102.
  std::vector<int> before(100, 0), after(100, 0);
  std::vector<std::int64_t> labels(100, 0);
  for (std::size_t i = 0; i < 20; ++i) before[i] = i < 6 ? 0 : 1, after[i] = i >= 6 && i < 8 ? 0 : 1;
  const PairedShares shares = paired_shares(before, after, labels);
  CHECK(shares.first == Approx(0.86));
  CHECK(shares.second == Approx(0.82));
  CHECK(shares.lower == Approx(-4.0 / 102 - 1.96 * std::sqrt(9 - 16.0 / 102) / 102));
  CHECK(shares.upper == Approx(-4.0 / 102 + 1.96 * std::sqrt(9 - 16.0 / 102) / 102));
}
