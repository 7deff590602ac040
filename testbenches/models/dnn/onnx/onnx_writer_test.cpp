// SPDX-License-Identifier: Apache-2.0
// What the writer writes, the reader must read as the same network: equal codes of every output for random inputs. The
// numpy executor, which shares no code with either, reads written models in testbenches/reference.
#include "models/dnn/onnx/onnx_writer.h"

#include <catch2/catch.hpp>

#include <random>

#include "models/dnn/graph_builder.h"
#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/operators.h"
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

void require_same(const Graph& graph) {
  const Graph again = written_and_read(graph);
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
