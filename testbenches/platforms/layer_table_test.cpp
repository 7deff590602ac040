// SPDX-License-Identifier: Apache-2.0
// Network files that list layers: what a row becomes, how blocks expand, every mistake with its place; and the
// published networks against published figures. testbenches/reference/count_layers.py counts the same files on its own.
#include "platforms/scenario/layer_table_reader.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <set>
#include <tuple>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/reference.h"
#include "models/input_error.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
using mho::dnn::Operator;
using mho::dnn::Shape;

namespace {

dnn::LayerTable table_of(const std::string& text) {
  const TemporaryFolder folder;
  return read_layer_table(folder.write("net.yaml", text));
}

/// What is said about a file, from its line on; "accepted" if nothing.
std::string refusal_of_table(const std::string& text) {
  const TemporaryFolder folder;
  const std::string path = folder.write("net.yaml", text);
  try {
    read_layer_table(path);
  } catch (const InputError& error) {
    CHECK(error.file() == path);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return std::to_string(error.line()) + ":" + std::to_string(error.column()) + ": " + error.problem();
  }
  return "accepted";
}

/// A file with these rows behind an input of 2 channels, 8 x 8.
std::string rows(const std::string& lines) { return "input: [2, 8, 8]\nlayers:\n" + lines; }

const dnn::Node& last(const dnn::LayerTable& table) { return table.graph.nodes.back(); }
Shape shape_of_last(const std::string& row) {
  const dnn::LayerTable table = table_of(rows("  - " + row + "\n"));
  return table.graph.output_of(last(table)).shape;
}

}  // namespace

TEST_CASE("a row is a layer with its window, groups and shape") {
  const dnn::LayerTable table = table_of(
      rows("  - {name: a, op: convolution, kernel: [3, 5], stride: [2, 1], pad: [1, 2], dilation: [2, 1], filters: 6, "
           "groups: 2, activation: relu6}\n"));
  const dnn::Node& node = last(table);
  CHECK(node.name == "a");
  CHECK(node.op == Operator::kConvolution);
  CHECK(node.weights.groups == 2);
  CHECK(node.window.kernel_height == 3);
  CHECK(node.window.kernel_width == 5);
  CHECK(node.window.stride_y == 2);
  CHECK(node.window.stride_x == 1);
  CHECK(node.window.pad_top == 1);
  CHECK(node.window.pad_bottom == 1);
  CHECK(node.window.pad_left == 2);
  CHECK(node.window.pad_right == 2);
  CHECK(node.window.dilation_y == 2);
  CHECK(node.window.dilation_x == 1);
  CHECK(table.activations == std::vector<dnn::Activation>{dnn::Activation::kRelu6});
  // Rows: (8 + 2 - 5) / 2 + 1 = 3; columns: 8 + 4 - 5 + 1 = 8.
  CHECK(table.graph.output_of(node).shape == Shape{3, 8, 6});
  // 6 filters of 3 * 5 * 2 / 2 weights, 24 windows.
  CHECK(dnn::weight_count(table) == 90);
  CHECK(dnn::macs(table.graph) == 90 * 24);
  CHECK(table.graph.name == "net");
}

TEST_CASE("shapes follow the operators") {
  CHECK(shape_of_last("{name: a, op: depthwise_convolution, kernel: 3}") == Shape{6, 6, 2});
  CHECK(last(table_of(rows("  - {name: a, op: depthwise_convolution, kernel: 3}\n"))).weights.groups == 2);
  CHECK(shape_of_last("{name: a, op: fully_connected, outputs: 7}") == Shape{1, 1, 7});
  CHECK(shape_of_last("{name: a, op: global_average_pool}") == Shape{1, 1, 2});
  CHECK(shape_of_last("{name: a, op: relu}") == Shape{8, 8, 2});
  // floor((8 - 3) / 2) + 1 = 3, ceil: 4, whose last window starts at 6 and hangs over the end by one.
  CHECK(shape_of_last("{name: a, op: max_pool, kernel: 3, stride: 2}") == Shape{3, 3, 2});
  CHECK(shape_of_last("{name: a, op: max_pool, kernel: 3, stride: 2, ceil: true}") == Shape{4, 4, 2});
  // ceil((8 - 2) / 3) + 1 = 3. With padding 1: ceil((10 - 2) / 3) + 1 = 4, whose last window would start at 9 - 1 = 8,
  // behind the map: 3.
  CHECK(shape_of_last("{name: a, op: average_pool, kernel: 2, stride: 3, ceil: true}") == Shape{3, 3, 2});
  CHECK(shape_of_last("{name: a, op: average_pool, kernel: 2, stride: 3, pad: 1, ceil: true}") == Shape{3, 3, 2});
  CHECK(
      last(table_of(rows("  - {name: a, op: average_pool, kernel: 2, count_include_pad: true}\n"))).count_include_pad);
}

TEST_CASE("rows read the row before, or those they name") {
  const dnn::LayerTable table = table_of(rows(
      "  - {name: a, op: convolution, kernel: 1, filters: 3}\n  - {name: b, op: convolution, kernel: 1, filters: 3}\n"
      "  - {name: c, op: convolution, from: input, kernel: 1, filters: 3}\n"
      "  - {name: sum, op: add, from: [b, c], activation: relu}\n  - {name: all, op: concat, from: [sum, a, "
      "input]}\n"));
  CHECK(table.graph.nodes[1].inputs == std::vector<int>{1});
  CHECK(table.graph.nodes[2].inputs == std::vector<int>{0});
  CHECK(table.graph.nodes[3].inputs == std::vector<int>{2, 3});
  CHECK(table.graph.output_of(last(table)).shape == Shape{8, 8, 8});
  CHECK(table.graph.outputs == std::vector<int>{5});
}

TEST_CASE("a block stands for its rows, once or repeated, with its parameters") {
  const dnn::LayerTable table = table_of(
      "input: [4, 8, 8]\n"
      "blocks:\n"
      "  body:\n"
      "    parameters: [width, step]\n"
      "    layers:\n"
      "      - {name: a, op: convolution, kernel: 1, stride: $step, filters: $width}\n"
      "      - {name: b, op: convolution, from: input, kernel: 1, stride: $step, filters: $width}\n"
      "      - {name: sum, op: add, from: [a, b]}\n"
      "layers:\n"
      "  - {name: first, block: body, with: {width: 6, step: 2}}\n"
      "  - {name: more, block: body, repeat: 2, with: {width: 5, step: 1}}\n"
      "  - {name: side, block: body, from: first, with: {width: 5, step: 1}}\n"
      "  - {name: join, op: concat, from: [more, side]}\n");
  std::vector<std::string> names;
  for (const dnn::Node& node : table.graph.nodes) names.push_back(node.name);
  CHECK(names == std::vector<std::string>{"first.a", "first.b", "first.sum", "more.0.a", "more.0.b", "more.0.sum",
                                          "more.1.a", "more.1.b", "more.1.sum", "side.a", "side.b", "side.sum",
                                          "join"});
  // Tensor 0 is the input, node i writes tensor i + 1.
  CHECK(table.graph.nodes[1].inputs == std::vector<int>{0});
  CHECK(table.graph.nodes[6].inputs == std::vector<int>{6});
  CHECK(table.graph.nodes[7].inputs == std::vector<int>{6});
  CHECK(table.graph.nodes[9].inputs == std::vector<int>{3});
  CHECK(table.graph.nodes[12].inputs == std::vector<int>{9, 12});
  CHECK(table.graph.output_of(table.graph.nodes[2]).shape == Shape{4, 4, 6});
  CHECK(table.graph.output_of(last(table)).shape == Shape{4, 4, 10});
}

TEST_CASE("mistakes in rows are refused where they stand") {
  const auto row = [](const std::string& text) { return refusal_of_table(rows("  - " + text + "\n")); };
  CHECK(row("{name: a, op: convolve}") == "3:19: `layers.0.op` is the text `convolve`");
  CHECK_THAT(row("{name: a, op: relu, kernel: 3}"), Catch::StartsWith("3:25: unknown key `layers.0.kernel`"));
  CHECK_THAT(row("{name: a, op: convolution, filters: 3}"), Catch::StartsWith("3:5: missing key `layers.0.kernel`"));
  CHECK_THAT(row("{name: a, op: convolution, kernel: 0, filters: 3}"),
             Catch::StartsWith("3:40: `layers.0.kernel` is 0"));
  CHECK(row("{name: a, op: convolution, kernel: 9, filters: 3}") ==
        "3:40: `layers.0.kernel` of layer `a` spans 9 x 9 pixels");
  // (60000 - 1) x 60000 + 1 is beyond 31 bits.
  CHECK(row("{name: a, op: convolution, kernel: 60000, dilation: 60000, filters: 3}") ==
        "3:40: `layers.0.kernel` of layer `a` spans 3599940001 pixels with its dilation");
  CHECK(row("{name: a, op: max_pool, kernel: 2, pad: 2}") ==
        "3:45: `layers.0.pad` of layer `a` is as wide as the window");
  CHECK(row("{name: a, op: convolution, kernel: 1, filters: 3, groups: 2}") ==
        "3:63: `layers.0.groups` of layer `a` is 2");
  CHECK_THAT(row("{name: a, op: convolution, kernel: 1, filters: $n}"),
             Catch::EndsWith("`layers.0.filters`: there is no parameter `n`"));
  CHECK(row("{name: a, op: add, from: input}") == "3:30: `layers.0.from` of layer `a` names 1 layers");
  CHECK(row("{name: a, op: add, from: [input, input]}") == "3:30: `layers.0.from` names `input` twice");
  CHECK(row("{name: a, op: relu, from: inptu}") ==
        "3:31: `layers.0.from` names `inptu`, which is no layer before it; did you mean `input`?");
  CHECK(row("{name: input, op: relu}") == "3:12: `layers.0.name` is `input`, which is taken");
  CHECK(row("{name: a/b, op: relu}") == "3:12: `layers.0.name` is `a/b`");
  CHECK_THAT(row("{name: a, op: fully_connected, outputs: 3.5}"), Catch::StartsWith("3:45: `layers.0.outputs`"));
  CHECK(row("{name: a, op: max_pool, kernel: [1, 2, 3]}").substr(0, 5) == "3:37:");
}

TEST_CASE("mistakes between rows are refused") {
  const std::string a = "  - {name: a, op: convolution, kernel: 1, filters: 3}\n";
  CHECK(refusal_of_table(rows(a + "  - {name: b, op: add, from: [a, input]}\n")) ==
        "4:30: `layers.1.from` of layer `b` joins 8 x 8 x 3 with 8 x 8 x 2");
  CHECK(
      refusal_of_table(rows(a + "  - {name: p, op: global_average_pool}\n  - {name: b, op: concat, from: [a, p]}\n")) ==
      "5:33: `layers.2.from` of layer `b` joins 8 x 8 x 3 with 1 x 1 x 3");
  CHECK(refusal_of_table(rows(a + "  - {name: b, op: relu, from: [a, input]}\n")) ==
        "4:31: `layers.1.from` of layer `b` names several layers");
  CHECK(refusal_of_table(rows(a + "  - {name: b, op: relu, from: input}\n")) == "3:3: `layers`: nothing reads `a`");
  CHECK(refusal_of_table(rows(a + a)) == "4:12: `layers.1.name` is `a`, which is taken");
  CHECK(refusal_of_table("input: [2, 8, 8]\n") == "1:1: `layers` is missing or empty");
  CHECK_THAT(refusal_of_table("layers: []\n"), Catch::StartsWith("1:1: missing key `input`"));
  CHECK(refusal_of_table("input: [2]\nlayers: []\n").substr(0, 4) == "1:8:");
  CHECK_THAT(refusal_of_table(rows(a) + "outputs: 3\n"), Catch::StartsWith("4:1: unknown key `outputs`"));
}

TEST_CASE("mistakes in blocks are refused") {
  const auto file = [](const std::string& use, const std::string& parameters = "[n]") {
    return "input: [2, 8, 8]\nblocks:\n  b:\n    parameters: " + parameters +
           "\n    layers:\n      - {name: a, op: convolution, kernel: 1, filters: $n}\nlayers:\n  - " + use + "\n";
  };
  CHECK(refusal_of_table(file("{name: x, block: b, with: {n: 3}}")) == "accepted");
  CHECK(refusal_of_table(file("{name: x, block: c}")) == "8:22: `layers.0.block` is `c`, which is no block");
  CHECK(refusal_of_table(file("{name: x, block: b}")) == "8:5: `layers.0.with` does not give `n`");
  CHECK(refusal_of_table(file("{name: x, block: b, with: {n: 3, m: 1}}")) ==
        "8:31: `layers.0.with` gives `m`, which the block does not have");
  CHECK(refusal_of_table(file("{name: x, block: b, with: {n: 0}}")) == "6:56: `blocks.b.layers.0.filters`: $n is 0");
  CHECK(refusal_of_table(file("{name: x, block: b, with: {n: 3}}", "[n, n]")) ==
        "4:17: `blocks.b.parameters` names one twice");
  CHECK(refusal_of_table(file("{name: x, op: relu}")) == "4:5: no layer uses block `b`");
  CHECK(refusal_of_table(file("{name: x, block: b, with: {n: 3}}\n  - {name: x.a, op: relu}")) ==
        "8:3: `layers`: two layers are named `x.a`");
  CHECK_THAT(refusal_of_table(file("{name: x, block: b, with: {n: 3}, kernel: 3}")),
             Catch::StartsWith("8:39: unknown key"));
  CHECK_THAT(refusal_of_table(file("{name: x, block: b, repeat: 1001, with: {n: 3}}")),
             Catch::StartsWith("8:33: `layers.0.repeat`"));
}

TEST_CASE("sizes are bounded before anything is made of them") {
  CHECK(refusal_of_table("input: [65536, 65536, 1]\nlayers: []\n") == "1:8: `input` is too large");
  const std::string large = "input: [65536, 1, 1]\nlayers:\n  - {name: a, op: fully_connected, outputs: 65536}\n";
  CHECK(refusal_of_table(large) == "accepted");
  // 2^32 weights a layer, 2^33 in all.
  const std::string second = "  - {name: b, op: fully_connected, outputs: 65536}\n";
  CHECK(refusal_of_table(large + second + "  - {name: c, op: fully_connected, outputs: 1}\n") ==
        "5:45: `layers.2.outputs` of layer `c` makes the network too large");
  CHECK(refusal_of_table("input: [65536, 3, 1]\nlayers:\n  - {name: a, op: fully_connected, outputs: 1}\n") ==
        "3:45: `layers.0.outputs` of layer `a` gives dot products of 196608 elements");
  CHECK(refusal_of_table("input: [1, 4096, 4096]\nlayers:\n  - {name: a, op: convolution, kernel: 1, filters: 64}\n") ==
        "3:19: `layers.0.op` of layer `a` has too large an output");
}

TEST_CASE("published networks have the published numbers of multiply-accumulates and weights") {
  struct Figure {
    const char* network;
    double giga_macs, mega_weights;  // batch normalisation and biases apart
    std::size_t layers;
  };
  // torchvision's documentation, as in testbenches/reference/count_layers.py.
  const Figure figures[] = {
      {"alexnet", 0.714, 61.09, 11},       {"vgg16", 15.47, 138.34, 21},      {"vgg19", 19.63, 143.65, 24},
      {"resnet18", 1.814, 11.68, 31},      {"resnet34", 3.664, 21.78, 55},    {"resnet50", 4.089, 25.50, 72},
      {"resnet101", 7.801, 44.44, 140},    {"resnet152", 11.51, 60.04, 208},  {"googlenet", 1.498, 6.61, 81},
      {"inception_v3", 5.713, 23.80, 120}, {"mobilenet_v2", 0.301, 3.47, 64}, {"densenet121", 2.834, 7.89, 246},
      {"densenet161", 7.728, 28.46, 326},  {"resnet20", 0.0408, 0.271, 32},   {"shufflenet_v2", 0.146, 2.26, 117},
  };
  for (const Figure& figure : figures) {
    INFO(figure.network);
    const dnn::LayerTable table = read_layer_table(scenarios_folder() + "/networks/" + figure.network + ".yaml");
    CHECK(double(dnn::macs(table.graph)) * 1e-9 == Approx(figure.giga_macs).epsilon(0.01));
    CHECK(double(dnn::weight_count(table)) * 1e-6 == Approx(figure.mega_weights).epsilon(0.01));
    CHECK(table.graph.nodes.size() == figure.layers);
    const bool small = std::string(figure.network) == "resnet20";
    CHECK(table.graph.output_of(last(table)).shape == Shape{1, 1, small ? 12 : 1000});
  }
}

TEST_CASE("resnet20 has the layers of the trained network") {
  const dnn::LayerTable table = read_layer_table(scenarios_folder() + "/networks/resnet20.yaml");
  const dnn::Graph trained = dnn::read_onnx(scenarios_folder() + "/networks/resnet20_shapes/model.onnx");
  const auto convolutions = [](const dnn::Graph& graph) {
    std::multiset<std::tuple<int, int, int, int, int, int>> layers;
    for (const dnn::Node& node : graph.nodes)
      if (node.op == Operator::kConvolution) {
        const Shape &in = graph.input_of(node).shape, &out = graph.output_of(node).shape;
        layers.insert(
            {in.height, in.channels, out.height, out.channels, node.window.kernel_width, node.window.stride_x});
      }
    return layers;
  };
  CHECK(convolutions(table.graph) == convolutions(trained));
}

TEST_CASE("the seed of a scenario selects the weights, and export writes what a run computes with") {
  const TemporaryFolder folder;
  const auto exported = [&](const std::string& name, const std::vector<std::string>& options) {
    std::vector<std::string> arguments{"export", "resnet20", "--out", folder.path(name)};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const ProgramResult result = run_program(arguments);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return dnn::read_onnx(folder.path(name) + "/model.onnx");
  };
  const dnn::Graph first = exported("a", {"--inferences", "2"}), other = exported("b", {"--seed", "2"});
  CHECK(first.nodes[0].weights.values != other.nodes[0].weights.values);
  // invented_run gives the outputs of the integer reference.
  const ProgramResult run = run_program(
      {"run", "--system", "isaac_8b", "--network", "resnet20", "--inferences", "2", "--out", folder.path("run")});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const dnn::Tensor& input = first.tensors[std::size_t(first.inputs[0])];
  const auto images = dnn::to_codes(dnn::read_tensor(folder.path("a") + "/input_0.pb"), input, 0, "input_0.pb");
  REQUIRE(images.size() == 2);
  CHECK(images[0] != images[1]);
  std::vector<std::vector<std::uint8_t>> outputs;
  const dnn::Reference reference(first);
  for (const auto& image : images) outputs.push_back(reference.run({image})[std::size_t(first.outputs[0])]);
  const dnn::OnnxTensor expected = dnn::from_codes(outputs, first.tensors[std::size_t(first.outputs[0])]);
  CHECK(dnn::read_tensor(folder.path("run") + "/outputs/classifier.pb").raw == expected.raw);
}

TEST_CASE("export refuses what it cannot do and leaves nothing behind") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::vector<std::string>& arguments) {
    const ProgramResult result = run_program(arguments);
    CHECK(result.exit_code == 2);
    return result.err;
  };
  CHECK_THAT(refused({"export"}), Catch::StartsWith("mho export: which network?"));
  CHECK_THAT(refused({"export", "resnet20"}), Catch::StartsWith("mho export: where to?"));
  CHECK_THAT(refused({"export", "resnet81", "--out", folder.path("x")}),
             Catch::Contains("there is no network `resnet81`"));
  CHECK_THAT(refused({"export", "resnet20", "--out", folder.path("x"), "--seed", "-1"}), Catch::StartsWith("--seed: "));
  CHECK_THAT(refused({"export", "resnet20", "--out", folder.path("x"), "--inferences", "0"}),
             Catch::StartsWith("--inferences: "));
  CHECK_FALSE(std::filesystem::exists(folder.path("x")));
  std::filesystem::create_directory(folder.path("run"));
  const std::string summary = folder.write("run/summary.json", "{}");
  CHECK_THAT(refused({"export", "resnet20", "--out", folder.path("run")}),
             Catch::Contains("a folder with files in it"));
  CHECK(std::filesystem::exists(summary));
}
