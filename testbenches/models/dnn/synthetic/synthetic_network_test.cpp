// SPDX-License-Identifier: Apache-2.0
// Synthetic tensors and the calibration of networks made of them: reproducible, alive in every layer, and scaled as a
// quantiser would. How near they come to trained tensors is measured in testbenches/reference.
#include "models/dnn/synthetic/synthetic_network.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

#include "models/dnn/operators.h"
#include "models/dnn/percentile.h"
#include "models/dnn/synthetic/graph_builder.h"

using namespace mho::dnn;

namespace {

/// A table from a graph of the builder: its geometry is kept, all numbers are dropped.
LayerTable table_of(const Graph& graph, Activation activation) {
  LayerTable table{graph, {}};
  for (Node& node : table.graph.nodes) {
    node.weights.values.clear();
    node.weights.bias.clear();
    node.weights.scale.clear();
    node.gain.clear();
    node.offset.clear();
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

/// Encoder layers behind a sequence of 32 positions with 64 channels and 4 heads; calibration gives all numbers.
LayerTable encoder_table(int layers) {
  GraphBuilder builder("encoder");
  const auto linear = [&](int x, int channels) {
    return builder.convolution(x, channels, square_window(1), {1, false, {}, ""});
  };
  int x = builder.sequence(32, 64);
  for (int i = 0; i < layers; ++i) {
    const int context = builder.attention(linear(x, 64), linear(x, 64), linear(x, 64), 4);
    x = builder.layer_norm(builder.add(linear(context, 64), x, false));
    const int expanded = builder.function(linear(x, 256), Function::kGelu);
    x = builder.layer_norm(builder.add(linear(expanded, 64), x, false));
  }
  return table_of(builder.build(), Activation::kNone);
}

/// Every other operator, most of them on maps.
LayerTable mixed_table() {
  GraphBuilder builder("mixed");
  int x = builder.convolution(builder.input({16, 16, 3}), 12, square_window(3, 1, 1), {1, false, {}, ""});
  for (const Function function : {Function::kSigmoid, Function::kTanh, Function::kLeakyRelu, Function::kHardSigmoid,
                                  Function::kHardSwish, Function::kGelu}) {
    const int y = builder.function(x, function, function == Function::kHardSigmoid ? 0.2 : 0.1);
    x = builder.convolution(y, 12, square_window(3, 1, 1), {1, false, {}, ""});
  }
  const int half = builder.select(x, {0, 2, 4, 6, 8, 10});
  const int gate = builder.function(builder.global_average_pool(half), Function::kSigmoid);
  const int gated = builder.pad(builder.multiply(half, gate), square_window(1, 1, 1));
  builder.softmax(builder.affine(gated, std::vector<double>(6, 1), std::vector<double>(6, 0)));
  return table_of(builder.build(), Activation::kNone);
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

TEST_CASE("filters whose means do not scatter have the means of chance") {
  // Matrices of transformers: the sum of n codes of deviation d has deviation d sqrt(n).
  const Graph graph = synthetic_network(encoder_table(4), 1);
  double square = 0;
  int filters = 0;
  for (const Node& node : graph.nodes) {
    if (node.op != Operator::kConvolution) continue;
    const auto length = std::size_t(dot_length(graph, node));
    for (std::size_t k = 0; k < node.weights.values.size(); k += length, ++filters) {
      double sum = 0, squares = 0;
      for (std::size_t i = k; i < k + length; ++i) {
        sum += node.weights.values[i];
        squares += node.weights.values[i] * node.weights.values[i];
      }
      square += sum * sum / squares;  // 1 on average, whatever the length
    }
  }
  CHECK(square / filters == Approx(1.0).margin(0.1));
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

TEST_CASE("tokens have deviation one, and resemble the next ones and those of another sequence a little") {
  const Shape shape{16, 16, 96};
  const auto codes = synthetic_tokens(RandomBits(1), RandomBits(2), shape);
  const auto other = synthetic_tokens(RandomBits(1), RandomBits(3), shape);
  REQUIRE(codes.size() == shape.bytes());
  CHECK(codes != other);
  double sum = 0, square = 0, next = 0, far = 0, across = 0;
  const auto code = [](std::uint8_t byte) { return double(std::int8_t(byte)); };
  const std::size_t channels = 96, half = codes.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    sum += code(codes[i]);
    square += code(codes[i]) * code(codes[i]);
    next += code(codes[i]) * code(codes[i + channels]);
    far += code(codes[i]) * code(codes[i + half]);
    across += code(codes[i]) * code(other[i]);
  }
  // Shares of the variance by the weights of synthetic_tokens: 8^2 of 8^2 + 7^2 * (2/3) + 12^2 = 241 belong to the
  // channel, which 96 draws hold to a fifth; 33 more are near the same one position on.
  CHECK(std::abs(sum / double(half)) < 3);
  CHECK(std::sqrt(square / double(half)) * kTokenScale == Approx(1.0).margin(0.1));
  CHECK(far / square == Approx(64.0 / 241).margin(0.07));
  CHECK(across / square == Approx(64.0 / 241).margin(0.07));
  CHECK((next - far) / square == Approx(31.0 / 241).margin(0.04));
}

TEST_CASE("positions of a deep encoder stay apart and no layer dies or saturates") {
  for (const std::uint64_t seed : {1, 2}) {
    const Graph graph = synthetic_network(encoder_table(12), seed);
    CHECK(graph.tensors[0].type == CodeType::kInt8);
    CHECK(graph.tensors[0].scale == double(float(kTokenScale)));
    const auto tensors = execute(graph, synthetic_inputs(graph, seed, 0));
    for (const Node& node : graph.nodes) {
      const Tensor& tensor = graph.output_of(node);
      const auto& codes = tensors[std::size_t(node.output)];
      double sum = 0, square = 0, largest = 0;
      std::size_t at_end = 0;
      for (const std::uint8_t byte : codes) {
        const double code = value_of(tensor, byte);
        sum += code;
        square += code * code;
        largest = std::max(largest, std::abs(code));
        at_end += std::abs(code) >= highest_code(tensor.type) ? 1 : 0;
      }
      const auto count = double(codes.size());
      INFO(seed << ' ' << node.name << " scale " << tensor.scale << " largest " << largest);
      CHECK(std::sqrt(square / count - sum * sum / count / count) > 4);
      CHECK(double(at_end) / count <= 0.01);
      for (const double gain : node.gain) CHECK(gain == double(float(gain)));
      for (const double offset : node.offset) CHECK(offset == double(float(offset)));
      if (node.op == Operator::kLayerNorm) {
        const auto at = [&](std::size_t p, std::size_t c) { return value_of(tensor, codes[p * 64 + c]); };
        double different = 0;
        for (std::size_t c = 0; c < 64; ++c) different += std::pow(at(3, c) - at(20, c), 2);
        CHECK(different / 64 > 0.1 * square / count);
      }
    }
  }
}

TEST_CASE("scores have the deviation that a divisor by the root of a head's channels would give") {
  const Graph graph = synthetic_network(encoder_table(1), 1);
  const auto tensors = execute(graph, synthetic_inputs(graph, 1, 0));
  for (const Node& node : graph.nodes) {
    if (node.op != Operator::kMatMul || !node.transposed) continue;
    double square = 0;
    for (const std::uint8_t byte : tensors[std::size_t(node.output)]) square += std::pow(std::int8_t(byte), 2);
    const double deviation = std::sqrt(square / double(tensors[std::size_t(node.output)].size()));
    CHECK(deviation * graph.output_of(node).scale > 1.0);
    CHECK(deviation * graph.output_of(node).scale < 4.0);
  }
}

TEST_CASE("operators without weights get the types and ranges that their values need") {
  const Graph graph = synthetic_network(mixed_table(), 3);
  const auto tensors = execute(graph, synthetic_inputs(graph, 3, 0));
  for (const Node& node : graph.nodes) {
    const Tensor &output = graph.output_of(node), &input = graph.input_of(node);
    INFO(node.name);
    const bool gate = node.function == Function::kSigmoid || node.function == Function::kHardSigmoid;
    if (node.op == Operator::kFunction) CHECK((output.type == CodeType::kUint8) == gate);
    if (node.op == Operator::kFunction && gate) CHECK(output.scale * 255 <= 1.0001);
    if (node.op == Operator::kSoftmax) CHECK(output.type == CodeType::kUint8);
    if (node.op == Operator::kSelect || node.op == Operator::kPad) {
      CHECK(output.type == input.type);
      CHECK(output.scale == input.scale);
    }
    if (node.op == Operator::kMultiply) CHECK(output.type == CodeType::kInt8);
    const auto& codes = tensors[std::size_t(node.output)];
    CHECK(std::count_if(codes.begin(), codes.end(),
                        [&](std::uint8_t c) { return std::abs(value_of(output, c)) > 20; }) > 0);
  }
}

TEST_CASE("a batch normalisation normalises what it reads") {
  GraphBuilder builder("norm");
  builder.affine(builder.convolution(builder.input({24, 24, 3}), 8, square_window(3)), std::vector<double>(8, 1),
                 std::vector<double>(8, 0));
  const Graph graph = synthetic_network(table_of(builder.build(), Activation::kNone), 5);
  const Node& norm = graph.nodes[1];
  const auto codes = execute(graph, synthetic_inputs(graph, 5, 0))[std::size_t(norm.inputs[0])];
  REQUIRE(norm.gain.size() == 8);
  for (const double gain : norm.gain) CHECK(gain == double(float(gain)));  // files hold float
  for (const double offset : norm.offset) CHECK(offset == double(float(offset)));
  for (std::size_t c = 0; c < 8; ++c) {
    double sum = 0, square = 0;
    for (std::size_t i = c; i < codes.size(); i += 8) {
      const double x = value_of(graph.input_of(norm), codes[i]) * graph.input_of(norm).scale;
      const double y = x * norm.gain[c] + norm.offset[c];
      sum += y;
      square += y * y;
    }
    const double count = double(codes.size()) / 8, mean = sum / count;
    // Another image than the one it was calibrated on; gains lie between 0.4 and 2.4, offsets around -0.1 +- 0.4.
    CHECK(std::abs(mean) < 2.0);
    CHECK(std::sqrt(square / count - mean * mean) > 0.2);
    CHECK(std::sqrt(square / count - mean * mean) < 3.5);
  }
}

TEST_CASE("a percentile is the element that sorting would find") {
  RandomBits random(9);
  for (const std::size_t count : {1, 2, 100, 8191, 8192, 70000}) {
    std::vector<float> values(count);
    for (float& value : values) value = float(std::abs(random.bell()) > 2 ? random() % 9 : random() % 1000);
    std::vector<float> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    for (const double share : {0.0, 0.5, 0.9, 0.999, 1.0}) {
      INFO(count << ' ' << share);
      CHECK(percentile_of(values, share) == sorted[std::min(count - 1, std::size_t(double(count) * share))]);
    }
  }
  // All large values behind the probes.
  std::vector<float> late(10000, 0.0f);
  for (std::size_t i = 0; i < late.size(); ++i) late[i] = i % 19 == 1 ? float(i) : 0.0f;
  std::vector<float> sorted = late;
  std::sort(sorted.begin(), sorted.end());
  CHECK(percentile_of(late, 0.999) == sorted[9990]);
  // All probes large, and little else.
  for (std::size_t i = 0; i < late.size(); ++i) late[i] = i % 19 == 0 ? 5.0f : 0.0f;
  CHECK(percentile_of(late, 0.5) == 0.0f);
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
  const Graph encoder = synthetic_network(encoder_table(2), 1);
  std::uint64_t positions = 14695981039346656037u;
  for (const auto& tensor : execute(encoder, synthetic_inputs(encoder, 1, 0))) positions = hash_of(tensor, positions);
  CHECK(positions == 0xf63d8e720ecfc3f4u);
  CHECK(graph.nodes[0].weights.values != other.nodes[0].weights.values);
  CHECK(synthetic_inputs(graph, 1, 0) != synthetic_inputs(graph, 2, 0));
  CHECK(synthetic_inputs(graph, 1, 0) != synthetic_inputs(graph, 1, 1));
}

TEST_CASE("layers whose values are all zero get a range as well") {
  // The one channel of a normalisation is its offset: the sum of two is negative for about half of the seeds, and the
  // ReLU behind it leaves zeros, from which no range can be read.
  int dead = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    GraphBuilder builder("dead");
    const int x = builder.sequence(4, 1);
    builder.function(builder.add(builder.layer_norm(x), builder.layer_norm(x)), Function::kTanh);
    const Graph graph = synthetic_network(table_of(builder.build(), Activation::kRelu), seed);
    const double range = graph.tensors.back().scale * 255;
    dead += range < 1e-3 ? 1 : 0;
    CHECK(range > 0.9e-6);
  }
  CHECK(dead > 0);
}
