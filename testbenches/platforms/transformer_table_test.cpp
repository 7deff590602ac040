// SPDX-License-Identifier: Apache-2.0
// Layer tables beyond chains of convolutions: sequences, attention, choices of channels, blocks within blocks, and
// parameters of a network that files, scenarios and command lines set.
#include <catch2/catch.hpp>

#include <filesystem>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/input_error.h"
#include "platforms/config/document.h"
#include "platforms/scenario/layer_table_reader.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
using dnn::Operator;
using dnn::Shape;

namespace {

dnn::LayerTable table_of(const std::string& text, const std::string& parameters = "{}") {
  const TemporaryFolder folder;
  return read_layer_table(folder.write("net.yaml", text), config::load_file(folder.write("given.yaml", parameters)));
}

/// What is said about a file with these parameters: line, column, problem.
std::string refusal(const std::string& text, const std::string& parameters = "{}") {
  try {
    table_of(text, parameters);
  } catch (const InputError& error) {
    const std::string file = std::filesystem::path(error.file()).filename().string();
    return file + ":" + std::to_string(error.line()) + ":" + std::to_string(error.column()) + ": " + error.problem();
  }
  return "accepted";
}

/// Rows behind an input of 4 channels, 6 x 6, or behind a sequence of 24 positions with 8 channels.
std::string on_map(const std::string& lines) { return "input: [4, 6, 6]\nlayers:\n" + lines; }
std::string on_sequence(const std::string& lines) { return "input: [24, 8]\nlayers:\n" + lines; }

const dnn::Node& last(const dnn::LayerTable& table) { return table.graph.nodes.back(); }
Shape last_shape(const dnn::LayerTable& table) { return table.graph.output_of(last(table)).shape; }

const std::string kSwitched =
    "parameters: {width: 6, deep: false}\ninput: [24, $width]\nblocks:\n"
    "  inner:\n    parameters: [n]\n    layers:\n"
    "      - {name: a, op: linear, outputs: $n}\n      - {name: b, op: linear, outputs: $width}\n"
    "  outer:\n    layers:\n"
    "      - {name: one, block: inner, with: {n: $width}}\n"
    "      - {name: two, block: inner, with: {n: 3}, when: $deep}\n"
    "layers:\n  - {name: x, block: outer, repeat: 2}\n  - {name: y, op: softmax, unless: $deep}\n";

}  // namespace

TEST_CASE("an input of two extents is a sequence, and what reads it is one") {
  const dnn::LayerTable table = table_of(on_sequence("  - {name: a, op: linear, outputs: 5, activation: relu}\n"));
  const dnn::Tensor &input = table.graph.tensors[0], &output = table.graph.tensors[1];
  CHECK(input.sequence);
  CHECK(output.sequence);
  // 24 positions in rows of 12, the largest divisor up to 16.
  CHECK(input.shape == Shape{2, 12, 8});
  CHECK(output.shape == Shape{2, 12, 5});
  CHECK(dnn::macs(table.graph) == 24 * 8 * 5);
  CHECK(dnn::weight_count(table) == 40);
  CHECK_FALSE(table_of(on_map("  - {name: a, op: linear, outputs: 5}\n")).graph.tensors[1].sequence);
}

TEST_CASE("attention multiplies channels into scores and scores into a context") {
  const dnn::LayerTable table =
      table_of(on_sequence("  - {name: q, op: linear, outputs: 8}\n  - {name: k, op: linear, from: input, outputs: 8}\n"
                           "  - {name: scores, op: matmul, from: [q, k], heads: 2, transposed: true}\n"
                           "  - {name: weights, op: softmax, heads: 2}\n"
                           "  - {name: context, op: matmul, from: [weights, k], heads: 2}\n"));
  const dnn::Node &scores = table.graph.nodes[2], &weights = table.graph.nodes[3], &context = table.graph.nodes[4];
  CHECK(scores.op == Operator::kMatMul);
  CHECK(scores.transposed);
  CHECK(scores.heads == 2);
  CHECK(table.graph.output_of(scores).shape == Shape{2, 12, 48});
  CHECK(weights.op == Operator::kSoftmax);
  CHECK(weights.heads == 2);
  CHECK_FALSE(context.transposed);
  CHECK(last_shape(table) == Shape{2, 12, 8});
  // 24 x 24 positions, 8 channels of both heads together.
  CHECK(dnn::digital_macs(table.graph, scores) == 24 * 24 * 8);
  CHECK(dnn::digital_macs(table.graph, context) == 24 * 24 * 8);
}

TEST_CASE("channels are cut out and interleaved") {
  const dnn::LayerTable table =
      table_of(on_map("  - {name: low, op: channel_slice, count: 2}\n"
                      "  - {name: high, op: channel_slice, from: input, first: 1, count: 3}\n"
                      "  - {name: both, op: concat, from: [low, high, input]}\n  - {name: part, op: channel_slice, "
                      "first: 3, count: 6}\n"
                      "  - {name: mixed, op: channel_shuffle, groups: 2}\n"));
  CHECK(table.graph.nodes[0].op == Operator::kSelect);
  CHECK(table.graph.nodes[0].channels == std::vector<int>{0, 1});
  CHECK(table.graph.nodes[1].channels == std::vector<int>{1, 2, 3});
  CHECK(last(table).op == Operator::kSelect);
  // PyTorch: view(2, 3).transpose(0, 1): channel 0 of group 0, of group 1, channel 1 of group 0, ...
  CHECK(last(table).channels == std::vector<int>{0, 3, 1, 4, 2, 5});
  CHECK(last_shape(table) == Shape{6, 6, 6});
}

TEST_CASE("functions, normalisations, products and padding have their numbers") {
  const auto node = [](const std::string& row) { return last(table_of(on_map("  - {name: a, " + row + "}\n"))); };
  using dnn::Function;
  const std::vector<std::pair<std::string, Function>> words{
      {"sigmoid", Function::kSigmoid},      {"tanh", Function::kTanh},
      {"leaky_relu", Function::kLeakyRelu}, {"hard_sigmoid", Function::kHardSigmoid},
      {"hard_swish", Function::kHardSwish}, {"gelu", Function::kGelu}};
  for (const auto& [word, function] : words) {
    INFO(word);
    CHECK(node("op: " + word).op == Operator::kFunction);
    CHECK(node("op: " + word).function == function);
  }
  CHECK(node("op: leaky_relu").parameter == double(0.01f));
  CHECK(node("op: leaky_relu, slope: 0.25").parameter == 0.25);
  CHECK(node("op: hard_sigmoid").parameter == double(1.0f / 6));
  CHECK(node("op: layer_norm").epsilon == double(1e-5f));
  CHECK(node("op: layer_norm, epsilon: 0.5").epsilon == 0.5);
  CHECK(node("op: batch_norm, activation: relu").op == Operator::kAffine);
  const dnn::LayerTable padded = table_of(on_map("  - {name: a, op: pad, pad: [1, 2]}\n"));
  CHECK(last_shape(padded) == Shape{8, 10, 4});
  CHECK(last(padded).window.pad_bottom == 1);
  CHECK(last(padded).window.pad_right == 2);
  const dnn::LayerTable gated = table_of(on_map(
      "  - {name: pool, op: global_average_pool}\n  - {name: gate, op: sigmoid}\n"
      "  - {name: a, op: multiply, from: [input, gate]}\n  - {name: b, op: add, from: [a, gate], activation: relu}\n"));
  CHECK(gated.graph.nodes[2].op == Operator::kMultiply);
  CHECK(last_shape(gated) == Shape{6, 6, 4});
  CHECK(gated.activations.back() == dnn::Activation::kRelu);
}

TEST_CASE("blocks stand in blocks, see the network's parameters, and switches leave rows out") {
  const auto names = [](const std::string& parameters) {
    std::vector<std::string> list;
    for (const dnn::Node& node : table_of(kSwitched, parameters).graph.nodes) list.push_back(node.name);
    return list;
  };
  CHECK(names("{}") == std::vector<std::string>{"x.0.one.a", "x.0.one.b", "x.1.one.a", "x.1.one.b", "y"});
  CHECK(names("{deep: true}") == std::vector<std::string>{"x.0.one.a", "x.0.one.b", "x.0.two.a", "x.0.two.b",
                                                          "x.1.one.a", "x.1.one.b", "x.1.two.a", "x.1.two.b"});
  const dnn::LayerTable wide = table_of(kSwitched, "{width: 10, deep: true}");
  CHECK(wide.graph.tensors[0].shape.channels == 10);
  CHECK(last_shape(wide).channels == 10);
  CHECK(wide.graph.output_of(wide.graph.nodes[2]).shape.channels == 3);
}

TEST_CASE("mistakes in parameters are refused where they stand") {
  CHECK(refusal(kSwitched) == "accepted");
  CHECK(refusal(kSwitched, "{widht: 3}") ==
        "given.yaml:1:2: `network_parameters.widht`: network `net` has no such parameter; did you mean `width`?");
  CHECK(refusal(on_map("  - {name: a, op: relu}\n"), "{a: 1}") ==
        "given.yaml:1:2: `network_parameters.a`: network `net` has no such parameter");
  CHECK(refusal(kSwitched, "{deep: 1}") == "given.yaml:1:8: `network_parameters.deep` is the number `1`");
  CHECK(refusal(kSwitched, "{width: true}") == "given.yaml:1:9: `network_parameters.width` is the text `true`");
  CHECK(refusal(kSwitched, "{width: 70000}") == "given.yaml:1:9: `network_parameters.width` is 70000");
  CHECK(refusal(kSwitched, "{width: 0}") == "net.yaml:2:13: `input.1`: $width is 0");
  CHECK(refusal("parameters: {n: 3.5}\n" + on_map("  - {name: a, op: relu}\n")).substr(0, 14) == "net.yaml:1:17:");
  const auto row = [](const std::string& keys) {
    return refusal("parameters: {n: 3, s: true}\n" + on_map("  - {name: a, op: relu, " + keys + "}\n"));
  };
  CHECK(row("when: $s") == "accepted");
  CHECK(row("when: $n") == "net.yaml:4:31: `layers.0.when`: there is no switch `n`");
  CHECK(row("when: true") == "net.yaml:4:31: `layers.0.when` is the text `true`");
  // A row that is left out is read all the same.
  CHECK(row("unless: $s, kernel: 3") == "net.yaml:4:37: unknown key `layers.0.kernel`");
}

TEST_CASE("mistakes in blocks within blocks are refused") {
  const auto file = [](const std::string& inner, const std::string& outer) {
    return "parameters: {n: 3}\ninput: [4, 6, 6]\nblocks:\n  in:\n    parameters: [m]\n    layers: [" + inner +
           "]\n  out:\n    layers: [" + outer + "]\nlayers:\n  - {name: x, block: out}\n";
  };
  const std::string relu = "{name: a, op: linear, outputs: $m}";
  CHECK(refusal(file(relu, "{name: a, block: in, with: {m: $n}}")) == "accepted");
  CHECK(refusal(file(relu, "{name: a, block: in, with: {m: $k}}")) ==
        "net.yaml:8:45: `blocks.out.layers.0.with.m`: there is no parameter `k`");
  CHECK(refusal(file("{name: a, block: out}", "{name: a, block: in, with: {m: 1}}")) ==
        "net.yaml:6:31: `blocks.in.layers.0.block` is `out`, which this row is a part of");
  CHECK(refusal("parameters: {m: 3}\ninput: [4, 6, 6]\nblocks:\n  in:\n    parameters: [m]\n    layers: [" + relu +
                "]\nlayers:\n  - {name: x, block: in, with: {m: 1}}\n") ==
        "net.yaml:5:17: `blocks.in.parameters` names `m`, a parameter of the network");
  // 1000 x 1000 uses of a block whose rows are left out make no layers, and end all the same.
  CHECK(
      refusal("parameters: {s: true}\ninput: [4, 6, 6]\nblocks:\n  in:\n    layers: [{name: a, op: relu, unless: $s}]\n"
              "  out:\n    layers: [{name: a, block: in, repeat: 1000}]\nlayers:\n"
              "  - {name: x, block: out, repeat: 1000}\n") ==
      "net.yaml:7:31: `blocks.out.layers.0.block` is used once too often");
}

TEST_CASE("mistakes in rows of attention and channels are refused") {
  const auto row = [](const std::string& text) { return refusal(on_sequence("  - {name: a, " + text + "}\n")); };
  CHECK(row("op: convolution, kernel: 1, filters: 2") ==
        "net.yaml:3:19: `layers.0.op` of layer `a` slides a window over a sequence");
  CHECK_THAT(row("op: global_average_pool"), Catch::EndsWith("slides a window over a sequence"));
  CHECK_THAT(row("op: pad, pad: 1"), Catch::EndsWith("slides a window over a sequence"));
  CHECK(row("op: softmax, heads: 3") == "net.yaml:3:35: `layers.0.heads` of layer `a` is 3");
  CHECK(row("op: channel_shuffle, groups: 3") == "net.yaml:3:44: `layers.0.groups` of layer `a` is 3");
  CHECK(row("op: channel_slice, first: 3, count: 6") ==
        "net.yaml:3:51: `layers.0.count` of layer `a` takes channels 3 to 8");
  CHECK(row("op: matmul, from: input") == "net.yaml:3:33: `layers.0.from` of layer `a` names 1 layers");
  CHECK(row("op: layer_norm, epsilon: 0").substr(0, 14) == "net.yaml:3:40:");
  const auto product = [](const std::string& keys) {
    return refusal(on_sequence("  - {name: b, op: linear, outputs: 6}\n  - {name: a, op: matmul, from: [input, b], " +
                               keys + "}\n"));
  };
  CHECK(product("transposed: true") ==
        "net.yaml:4:33: `layers.1.from` of layer `a` multiplies 2 x 12 x 8 by 2 x 12 x 6 for 1 heads");
  CHECK_THAT(product("heads: 2"), Catch::EndsWith("multiplies 2 x 12 x 8 by 2 x 12 x 6 for 2 heads"));
  CHECK(refusal(on_map("  - {name: p, op: linear, outputs: 3}\n  - {name: a, op: multiply, from: [input, p]}\n")) ==
        "net.yaml:4:35: `layers.1.from` of layer `a` joins 6 x 6 x 4 with 6 x 6 x 3");
}

TEST_CASE("encoders have the published numbers, whole and without attention") {
  const auto bert = [](const char* name, const std::string& parameters) {
    const TemporaryFolder folder;
    return read_layer_table(scenarios_folder() + "/networks/" + name + ".yaml",
                            config::load_file(folder.write("given.yaml", parameters)));
  };
  const dnn::LayerTable base = bert("bert_base", "{}"), large = bert("bert_large", "{feed_forward_only: true}");
  CHECK(double(dnn::macs(base.graph)) == Approx(10.87e9).epsilon(0.001));
  CHECK(double(dnn::weight_count(base)) == Approx(84.93e6).epsilon(0.001));
  CHECK(double(dnn::weight_count(bert("bert_large", "{}"))) == Approx(301.99e6).epsilon(0.001));
  // Two matrices of 1024 x 4096 in each of 24 layers, and no product of activations.
  CHECK(dnn::weight_count(large) == std::uint64_t(24) * 2 * 1024 * 4096);
  for (const dnn::Node& node : large.graph.nodes) CHECK(node.op != Operator::kMatMul);
  CHECK(bert("bert_base", "{sequence_length: 64}").graph.tensors[0].shape == Shape{4, 16, 768});
  CHECK(dnn::macs(bert("bert_base", "{sequence_length: 64}").graph) == dnn::macs(base.graph) / 2);
}

TEST_CASE("scenarios and command lines set a network's parameters") {
  const TemporaryFolder folder;
  const std::string network = folder.write("net.yaml", kSwitched);
  const auto summary = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "check");
    const ProgramResult result = run_program(arguments);
    return result.exit_code == 0 ? result.out : result.err;
  };
  const std::vector<std::string> machine{"--system", "isaac_8b", "--network", network};
  const auto with = [&](const std::string& setting) {
    std::vector<std::string> arguments = machine;
    arguments.insert(arguments.end(), {"--set", setting});
    return summary(arguments);
  };
  CHECK_THAT(summary(machine), Catch::Contains("5 nodes"));
  CHECK_THAT(with("network_parameters.deep=true"), Catch::Contains("8 nodes"));
  CHECK_THAT(with("network_parameters={deep: true}"), Catch::Contains("8 nodes"));
  CHECK(with("network_parameters.depe=true")
            .find("--set network_parameters.depe: `network_parameters.depe`: network "
                  "`net` has no such parameter") == 0);
  CHECK_THAT(with("network_parameters=3"), Catch::StartsWith("--set network_parameters: "));
  const std::string scenario =
      folder.write("run.yaml", "system: isaac_8b\nnetwork: net.yaml\nnetwork_parameters: {deep: true, wide: 3}\n");
  CHECK_THAT(summary({scenario}), Catch::StartsWith(scenario + ":3:34: `network_parameters.wide`: "));
  CHECK_THAT(summary({"--system", "isaac_8b", "--network", "resnet20_shapes", "--set", "network_parameters.deep=true"}),
             Catch::Contains("the network is an ONNX model"));
  // Only what is set stands in the effective configuration.
  const std::string good =
      folder.write("good.yaml", "system: isaac_8b\nnetwork: net.yaml\nnetwork_parameters: {width: 4}\n");
  const ProgramResult run = run_program({"run", good, "--out", folder.path("out")});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(text_of(folder.path("out/effective.yaml")), Catch::Contains("network_parameters:\n  width: 4\n"));
}

TEST_CASE("export takes a network's parameters and nothing else of a scenario") {
  const TemporaryFolder folder;
  const std::string network = folder.write("net.yaml", kSwitched);
  const auto exported = [&](const std::string& name, const std::string& setting) {
    return run_program({"export", network, "--out", folder.path(name), "--set", setting});
  };
  CHECK(exported("wide", "network_parameters.width=12").exit_code == 0);
  CHECK(dnn::read_tensor(folder.path("wide") + "/input_0.pb").dims == std::vector<std::int64_t>{1, 24, 12});
  CHECK_THAT(exported("x", "adc.bits=5").err, Catch::Contains("unknown key `adc`"));
  CHECK_THAT(exported("x", "network_parameters.n=5").err, Catch::Contains("has no such parameter"));
  CHECK_FALSE(std::filesystem::exists(folder.path("x")));
}
