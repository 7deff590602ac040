// SPDX-License-Identifier: Apache-2.0
// What the writer writes, the reader must read as the same network: equal codes of every output for random inputs. The
// numpy executor, which shares no code with either, reads written models in testbenches/reference.
#include "models/dnn/onnx/onnx_writer.h"

#include <catch2/catch.hpp>

#include <random>
#include <set>

#include "models/dnn/onnx/onnx_proto.h"
#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/onnx/protobuf_file.h"
#include "models/dnn/operators.h"
#include "models/dnn/synthetic/graph_builder.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/onnx/model_writer.h"

using namespace mho;
using namespace mho::dnn;
using mho::dnn::testing::TemporaryFolder;

namespace {

std::vector<std::vector<std::uint8_t>> random_inputs(const Graph& graph) {
  std::mt19937 random(7);
  std::vector<std::vector<std::uint8_t>> inputs;
  for (const int input : graph.inputs) {
    inputs.emplace_back(graph.tensors[std::size_t(input)].shape.bytes());
    for (auto& code : inputs.back()) code = std::uint8_t(random());
  }
  return inputs;
}

Graph written_and_read(const Graph& graph) {
  const TemporaryFolder folder;
  write_onnx(folder.file("model.onnx"), graph);
  return read_onnx(folder.file("model.onnx"));
}

/// Names of nodes that stand as an operator of their own in the file: a requantisation is a QuantizeLinear.
std::set<std::string> operator_names(const Graph& graph) {
  std::set<std::string> names;
  for (const Node& node : graph.nodes)
    if (node.op != Operator::kRequantise) names.insert(node.name);
  return names;
}

void require_same(const Graph& graph) {
  const Graph again = written_and_read(graph);
  CHECK(operator_names(again) == operator_names(graph));
  REQUIRE(again.inputs.size() == graph.inputs.size());
  REQUIRE(again.outputs.size() == graph.outputs.size());
  const auto inputs = random_inputs(graph);
  const auto expected = execute(graph, inputs), got = execute(again, inputs);
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const Tensor& want = graph.tensors[std::size_t(graph.outputs[i])];
    const Tensor& have = again.tensors[std::size_t(again.outputs[i])];
    CHECK(want.name == have.name);
    CHECK(want.shape == have.shape);
    CHECK(want.scale == have.scale);
    CHECK(expected[std::size_t(graph.outputs[i])] == got[std::size_t(again.outputs[i])]);
  }
}

}  // namespace

TEST_CASE("a network with every operator survives writing and reading") {
  GraphBuilder builder("everything", 3);
  const int image = builder.input({9, 7, 6});
  Window uneven = square_window(3, 2, 1);
  uneven.pad_bottom = 0;
  uneven.pad_left = 2;
  uneven.dilation_x = 2;
  uneven.kernel_height = 2;
  const int first = builder.convolution(image, 8, uneven);
  const int grouped = builder.convolution(first, 8, square_window(3, 1, 1), {2, false, {}, ""});
  const int depthwise = builder.convolution(first, 8, square_window(3, 1, 1), {8, true, {}, ""});
  const int sum = builder.add(grouped, depthwise);
  Window over = square_window(3, 2, 1);
  over.pad_right = 2;
  const int pooled = builder.max_pool(sum, over);
  const int average = builder.average_pool(builder.requantise(pooled, CodeType::kInt8), square_window(2, 1, 1), true);
  const int joined = builder.concat({average, average});
  Graph graph = builder.build();
  SECTION("as it is") {}
  SECTION("ending in a classifier of two layers behind a map") {
    builder.fully_connected(builder.fully_connected(joined, 10), 5, {1, false, {}, ""});
    graph = builder.build();
  }
  SECTION("with bounds of its own and zero points") {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      if (graph.nodes[i].op == Operator::kConvolution) graph.nodes[i].upper -= 30;
    graph.tensors[0].zero_point = 100;
    for (const Node& node : graph.nodes) {
      Tensor& output = graph.tensors[std::size_t(node.output)];
      if (output.type == CodeType::kInt8) output.zero_point = -3;
    }
  }
  require_same(graph);
}

TEST_CASE("functions, choices of channels, padding and products of maps survive writing and reading") {
  GraphBuilder builder("functions", 4);
  const int image = builder.input({5, 6, 8});
  const Function functions[] = {Function::kSigmoid,     Function::kTanh,      Function::kLeakyRelu,
                                Function::kHardSigmoid, Function::kHardSwish, Function::kGelu};
  int x = builder.convolution(image, 8, square_window(1), {1, false, {}, ""});
  for (const Function function : functions)
    x = builder.convolution(builder.function(x, function, function == Function::kHardSigmoid ? 0.25 : 0.125), 8,
                            square_window(1), {1, false, {}, ""});
  const int gate = builder.function(builder.global_average_pool(x), Function::kSigmoid);
  const int gated = builder.add(builder.multiply(x, gate), gate);
  const int affine = builder.affine(gated, {1, 2, -1, 0.5, 0.25, 3, 1.5, -2}, {0, 1, 2, -1, 0.5, 0, -0.25, 4});
  const int selected = builder.select(affine, {7, 0, 0, 3, 5});
  Window frame;
  frame.pad_top = 1, frame.pad_left = 2, frame.pad_bottom = 3;
  const int padded = builder.pad(selected, frame);
  builder.layer_norm(builder.softmax(padded));
  require_same(builder.build());
}

TEST_CASE("an encoder layer survives writing and reading") {
  GraphBuilder builder("encoder", 6);
  const int tokens = builder.sequence(24, 12);
  const auto linear = [&](int x, int channels) {
    return builder.convolution(x, channels, square_window(1), {1, false, {}, ""});
  };
  const int scores = builder.matmul(linear(tokens, 12), linear(tokens, 12), 3, true);
  SECTION("with scores between operators of attention") {
    const int context = builder.matmul(builder.softmax(scores, 3), linear(tokens, 12), 3, false);
    const int first = builder.layer_norm(builder.add(linear(context, 12), tokens, false));
    const int second = linear(builder.function(linear(first, 20), Function::kGelu), 12);
    builder.layer_norm(builder.add(second, first, false));
  }
  SECTION("with scores as an output, and read by something else") {
    builder.output(scores);
    const int weights = builder.softmax(scores, 3);
    builder.output(linear(weights, 5));
    builder.output(builder.matmul(weights, tokens, 3, false));
  }
  SECTION("with heads of another number behind the scores") {
    const int weights = builder.softmax(builder.softmax(scores, 3), 6);
    builder.matmul(weights, tokens, 3, false);
  }
  SECTION("of one head, with choices of channels, concatenation and products") {
    const int half = builder.select(tokens, {11, 10, 9, 0, 1, 2});
    const int one = builder.matmul(builder.softmax(builder.matmul(half, half, 1, true)), half, 1, false);
    const int joined = builder.concat({one, half});
    builder.affine(builder.multiply(joined, tokens), std::vector<double>(12, 0.5), std::vector<double>(12, 0.125));
  }
  require_same(builder.build());
}

TEST_CASE("layers that only look like a classifier's stay maps") {
  // Squeeze and excite: products of one pixel, which cover their whole input, before a gate.
  GraphBuilder builder("gated");
  const int image = builder.input({4, 5, 6});
  const int squeezed = builder.fully_connected(builder.global_average_pool(image), 3);
  const int gate =
      builder.function(builder.fully_connected(squeezed, 6, {1, false, {}, ""}), Function::kHardSigmoid, 0.2);
  builder.multiply(image, gate);
  require_same(builder.build());
}

TEST_CASE("what reads a sequence is one, whether its tensor says so or not") {
  GraphBuilder builder("silent");
  const int tokens = builder.sequence(6, 8);
  const int keys = builder.convolution(tokens, 8, square_window(1), {1, false, {}, ""});
  const int context = builder.attention(tokens, keys, tokens, 2);
  builder.convolution(builder.global_average_pool(builder.add(context, tokens, false)), 3, square_window(1));
  Graph graph = builder.build();
  require_same(graph);
  for (Tensor& tensor : graph.tensors)
    if (tensor.name != graph.tensors[0].name) tensor.sequence = false;
  require_same(graph);
}

TEST_CASE("a model says which operators it needs") {
  const auto opset_of = [](const Graph& graph) {
    const TemporaryFolder folder;
    write_onnx(folder.file("model.onnx"), graph);
    onnx::ModelProto model;
    read_message(folder.file("model.onnx"), "a model", model);
    return model.opset_import(0).version();
  };
  GraphBuilder plain("plain"), swish("swish"), norm("norm");
  plain.function(plain.input({3, 3, 2}), Function::kSigmoid);
  swish.function(swish.input({3, 3, 2}), Function::kHardSwish);
  norm.layer_norm(norm.function(norm.sequence(4, 8), Function::kHardSwish));
  CHECK(opset_of(plain.build()) == 13);
  CHECK(opset_of(swish.build()) == 14);
  CHECK(opset_of(norm.build()) == 17);
}

TEST_CASE("windows over sequences, attention between pixels and mixtures of both survive") {
  GraphBuilder builder("mixture");
  const Window window = square_window(2, 1, 1);
  SECTION("pools and windows of a sequence") {
    const int tokens = builder.sequence(24, 4);
    builder.output(builder.max_pool(tokens, square_window(2)));
    builder.output(builder.convolution(tokens, 3, window, {1, false, {}, ""}));
    Window frame;
    frame.pad_top = frame.pad_right = 1;
    builder.output(builder.pad(tokens, frame));
  }
  SECTION("pixels that attend to each other and to positions") {
    const int tokens = builder.sequence(24, 4), image = builder.input({3, 4, 4});
    const int context = builder.attention(image, tokens, tokens, 2);
    builder.output(
        builder.attention(tokens, builder.convolution(image, 4, window), builder.max_pool(context, window), 2));
    builder.output(builder.convolution(context, 5, square_window(3), {1, false, {}, ""}));
    builder.output(builder.add(image, context, false));
  }
  SECTION("runs of a map's channels") { builder.softmax(builder.input({3, 4, 4}), 2); }
  SECTION("one vector for all positions") {
    const int tokens = builder.sequence(6, 4), vector = builder.input({1, 1, 4});
    builder.add(builder.multiply(tokens, vector), vector, false);
  }
  SECTION("a classifier of a whole sequence") {
    builder.fully_connected(builder.fully_connected(builder.sequence(24, 4), 7), 3);
  }
  require_same(builder.build());
}

TEST_CASE("a fully connected layer whose output something else reads stays a map") {
  GraphBuilder builder("sum", 5);
  const int image = builder.input({3, 3, 4});
  const int a = builder.fully_connected(image, 6), b = builder.fully_connected(image, 6);
  // A grouped convolution takes maps alone.
  builder.convolution(builder.add(a, builder.convolution(b, 6, square_window(1), {2, true, {}, ""})), 4,
                      square_window(1), {2, true, {}, ""});
  require_same(builder.build());
}

TEST_CASE("weights that look alike in both orders do not hide a wrong one") {
  // One filter, kernel 1 x 2, two channels: weights [ky][kx][c] = 1 2 3 4, so channel 0 is 1 3 and channel 1 is 2 4 in
  // ONNX's order; input pixels (10, 20), (30, 40): 10 + 40 + 90 + 160 = 300.
  Graph graph;
  graph.name = "order";
  graph.tensors = {{"x", {1, 2, 2}, CodeType::kUint8, 1.0, 0}, {"y", {1, 1, 1}, CodeType::kUint8, 4.0, 0}};
  Node node;
  node.name = "conv";
  node.inputs = {0};
  node.output = 1;
  node.window.kernel_width = 2;
  node.weights = {1, {1, 2, 3, 4}, {0}, {1.0}};
  graph.nodes = {node};
  graph.inputs = {0};
  graph.outputs = {1};
  const Graph again = written_and_read(graph);
  CHECK(again.nodes.at(0).weights.values == node.weights.values);
  CHECK(execute(again, {{10, 20, 30, 40}})[std::size_t(again.outputs[0])] == std::vector<std::uint8_t>{75});
}

TEST_CASE("a model that cannot be written leaves nothing behind") {
  const TemporaryFolder folder;
  GraphBuilder builder("small");
  builder.convolution(builder.input({3, 3, 1}), 2, square_window(3));
  CHECK_THROWS_AS(write_onnx(folder.file("missing/model.onnx"), builder.build()), InputError);
  CHECK(std::filesystem::is_empty(folder.path()));
}
