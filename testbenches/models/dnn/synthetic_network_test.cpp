// SPDX-License-Identifier: Apache-2.0
// Synthetic tensors and the calibration of networks made of them: reproducible, alive in every layer, and scaled as a
// quantiser would. How near they come to trained tensors is measured in testbenches/reference.
#include "models/dnn/synthetic_network.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

#include "models/dnn/graph_builder.h"
#include "models/dnn/operators.h"

using namespace mho::dnn;

namespace {

/// A table from a graph of the builder: its geometry is kept, all numbers are dropped.
LayerTable table_of(const Graph& graph, Activation activation) {
  LayerTable table{graph, {}};
  for (Node& node : table.graph.nodes) {
    node.weights.values.clear();
    node.weights.bias.clear();
    node.weights.scale.clear();
    const bool last = node.output == graph.outputs[0];
    // A growing sum would be clipped at six for good: published networks have relu6 behind convolutions alone.
    const bool fused =
        node.op == Operator::kConvolution || (node.op == Operator::kAdd && activation != Activation::kRelu6);
    table.activations.push_back(fused && !last ? activation : Activation::kNone);
  }
  return table;
}

/// Sixteen residual blocks with a depthwise, a grouped and a one-window layer, pools and a concatenation.
LayerTable deep_table(Activation activation = Activation::kRelu) {
  GraphBuilder builder("deep");
  int x = builder.convolution(builder.input({32, 32, 3}), 16, square_window(3, 2, 1));
  for (int i = 0; i < 16; ++i) {
    int y = builder.convolution(x, 16, square_window(3, 1, 1), {i % 4 == 1 ? 4 : i % 4 == 2 ? 16 : 1, true, {}, ""});
    y = builder.convolution(y, 16, square_window(1));
    x = builder.add(x, y);
  }
  x = builder.concat({builder.max_pool(x, square_window(2, 2)), builder.average_pool(x, square_window(2, 2))});
  builder.fully_connected(builder.fully_connected(builder.global_average_pool(x), 40), 30);
  return table_of(builder.build(), activation);
}

std::uint64_t hash_of(const std::vector<std::uint8_t>& bytes, std::uint64_t hash = 14695981039346656037u) {
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 1099511628211u;
  return hash;
}

double value_of(const Tensor& tensor, std::uint8_t code) {
  return tensor.type == CodeType::kInt8 ? std::int8_t(code) : code;
}

}  // namespace

TEST_CASE("streams of random bits differ and their bell has mean 0 and deviation 1") {
  RandomBits a(1, 0), b(1, 1), again(1, 0);
  const std::uint64_t first = a();
  CHECK(first != b());
  CHECK(first == again());
  double sum = 0, square = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = a.bell();
    CHECK(std::abs(value) < 4.5);
    sum += value;
    square += value * value;
  }
  CHECK(std::abs(sum / 1e5) < 0.02);
  CHECK(square / 1e5 == Approx(1.0).margin(0.02));
}

TEST_CASE("each filter reaches 127, means scatter and codes are bell-shaped") {
  const std::size_t filters = 200, length = 576;
  const auto codes = synthetic_filters(RandomBits(5), filters, length);
  double spread = 0, mean_of_means = 0, ratio = 0;
  for (std::size_t f = 0; f < filters; ++f) {
    double sum = 0, square = 0;
    int largest = 0;
    for (std::size_t k = 0; k < length; ++k) {
      const int code = codes[f * length + k];
      sum += code;
      square += code * code;
      largest = std::max(largest, std::abs(code));
    }
    REQUIRE(largest == 127);
    const double mean = sum / double(length), deviation = std::sqrt(square / double(length) - mean * mean);
    mean_of_means += mean / deviation / double(filters);
    spread += mean * mean / (deviation * deviation) / double(filters);
    ratio += 127 / deviation / double(filters);
  }
  // The largest of 576 normal numbers lies at 3.2 deviations, give or take; means have deviation 0.1 and the 1/24 of a
  // sample of 576 on top: sqrt(0.1^2 + 0.042^2 + 0.06^2) = 0.124.
  CHECK(ratio == Approx(3.25).margin(0.2));
  CHECK(mean_of_means == Approx(-0.06).margin(0.03));
  CHECK(std::sqrt(spread) == Approx(0.124).margin(0.02));
  CHECK(synthetic_filters(RandomBits(5), 1, 1).size() == 1);
}

TEST_CASE("pixels of images resemble their neighbours and fill the range") {
  for (const CodeType type : {CodeType::kUint8, CodeType::kInt8}) {
    const Tensor tensor{"x", {64, 48, 3}, type, 1.0, 0};
    const auto codes = synthetic_image(RandomBits(3, 8), tensor.shape, type);
    REQUIRE(codes.size() == tensor.shape.bytes());
    double sum = 0, square = 0, product = 0;
    const std::size_t count = codes.size() - 3;
    for (std::size_t i = 0; i < count; ++i) {
      const double a = value_of(tensor, codes[i]), b = value_of(tensor, codes[i + 3]);
      sum += a;
      square += a * a;
      product += a * b;
    }
    const double mean = sum / double(count), variance = square / double(count) - mean * mean;
    CHECK(mean == Approx(type == CodeType::kUint8 ? 128 : 0).margin(25));
    CHECK(std::sqrt(variance) == Approx(64).margin(16));
    CHECK((product / double(count) - mean * mean) / variance > 0.85);
  }
  CHECK(synthetic_image(RandomBits(3), {1, 1, 5}, CodeType::kUint8).size() == 5);
}

TEST_CASE("no layer dies or saturates, on the calibration image or another") {
  for (const Activation activation : {Activation::kRelu, Activation::kRelu6}) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      const Graph graph = synthetic_network(deep_table(activation), seed);
      const auto tensors = execute(graph, synthetic_inputs(graph, seed, 0));
      for (const Node& node : graph.nodes) {
        const Tensor& tensor = graph.output_of(node);
        const auto& codes = tensors[std::size_t(node.output)];
        INFO(seed << ' ' << node.name << " scale " << tensor.scale);
        const auto at_end = std::count_if(codes.begin(), codes.end(), [&](std::uint8_t code) {
          return std::abs(value_of(tensor, code)) >= highest_code(tensor.type);
        });
        CHECK(double(at_end) / double(codes.size()) <= 0.02);
        CHECK(double(std::count(codes.begin(), codes.end(), 0)) / double(codes.size()) < 0.9);
        CHECK(*std::max_element(codes.begin(), codes.end()) > 10);
      }
    }
  }
}

TEST_CASE("relu6 ends at six") {
  const Graph graph = synthetic_network(deep_table(Activation::kRelu6), 1);
  for (const Node& node : graph.nodes) {
    const Tensor& output = graph.output_of(node);
    if (node.op != Operator::kConvolution || output.type != CodeType::kUint8) continue;
    CHECK(node.upper * output.scale <= Approx(6.0).epsilon(0.01));
    CHECK(output.scale * 255 <= 6.001);
  }
}

TEST_CASE("sums and averages get the range they need, maxima and concatenations that of their inputs") {
  const Graph graph = synthetic_network(deep_table(), 1);
  for (const Node& node : graph.nodes) {
    const double first = graph.input_of(node).scale, scale = graph.output_of(node).scale;
    if (node.op == Operator::kMaxPool) CHECK(scale == first);
    if (node.op == Operator::kAdd) CHECK(scale <= (first + graph.input_of(node, 1).scale * 128 / 127) * 1.01);
    if (node.op == Operator::kAveragePool) CHECK(scale <= first * 1.001);
    if (node.op == Operator::kConcat)
      CHECK(scale == Approx(std::max(first, graph.input_of(node, 1).scale)).epsilon(1e-6));
  }
}

TEST_CASE("a network is the same for a seed on every machine and another for another seed") {
  const Graph graph = synthetic_network(deep_table(), 1), other = synthetic_network(deep_table(), 2);
  std::uint64_t weights = 14695981039346656037u, codes = weights;
  for (const Node& node : graph.nodes)
    weights = hash_of(std::vector<std::uint8_t>(node.weights.values.begin(), node.weights.values.end()), weights);
  for (const auto& tensor : execute(graph, synthetic_inputs(graph, 1, 0))) codes = hash_of(tensor, codes);
  // Not worked by hand: these hold the draw, so that a change of it is noticed and meant.
  CHECK(weights == 0xaec162db85d69994u);
  CHECK(codes == 0xd70aab7909a4ab5du);
  CHECK(graph.nodes[0].weights.values != other.nodes[0].weights.values);
  CHECK(synthetic_inputs(graph, 1, 0) != synthetic_inputs(graph, 2, 0));
  CHECK(synthetic_inputs(graph, 1, 0) != synthetic_inputs(graph, 1, 1));
}
