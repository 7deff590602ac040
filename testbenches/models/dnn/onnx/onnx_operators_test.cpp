// SPDX-License-Identifier: Apache-2.0
// What single operators become: the nodes of the graph, their numbers, and the order of channels. QLinear forms and
// QDQ forms of one operator are the same node.
#include <catch2/catch.hpp>

#include <random>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/operators.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/onnx/model_writer.h"
#include "testbenches/models/dnn/small_graphs.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;
using onnx::TensorProto;

namespace {

/// x: float input of these dimensions.
ModelWriter float_model(const Dims& dims, int opset = 13) {
  ModelWriter m(opset);
  m.input("x", TensorProto::FLOAT, dims);
  return m;
}

FloatNetwork loaded(ModelWriter m, const std::string& output) {
  m.model.mutable_graph()->add_output()->set_name(output);
  return m.load_network();
}

/// a, b: codes of scale 0.5 and 0.25 -> real values ra, rb.
ModelWriter two_inputs(const Dims& a, const Dims& b) {
  ModelWriter m;
  m.dequantise(m.input("a", TensorProto::UINT8, a), "ra", 0.5f, 100);
  m.dequantise(m.input("b", TensorProto::INT8, b), "rb", 0.25f, -3, TensorProto::INT8);
  return m;
}

Codes run(const Graph& graph, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Codes> inputs;
  for (const int input : graph.inputs) {
    inputs.emplace_back(graph.tensors[std::size_t(input)].shape.bytes());
    for (auto& code : inputs.back()) code = std::uint8_t(random());
  }
  return execute(graph, inputs)[std::size_t(graph.outputs.at(0))];
}

/// One operator in both forms, with input names in ONNX Runtime's order, must be one node and equal codes.
void require_equal_forms(const std::string& qlinear, const Names& operands, const std::string& op, const Names& reals,
                         const std::function<void(onnx::NodeProto&)>& attributes, bool output_first = false) {
  ModelWriter qdq = two_inputs({0, 4, 3, 2}, {0, 4, 3, 2});
  attributes(qdq.node(op, reals, "sum"));
  qdq.quantise("sum", "y", 0.125f, 30);
  qdq.model.mutable_graph()->add_output()->set_name("y");
  ModelWriter m = two_inputs({0, 4, 3, 2}, {0, 4, 3, 2});
  m.floats("ys", {0.125f});
  m.integers("yz", TensorProto::UINT8, {30});
  Names inputs = output_first ? Names{"ys", "yz"} : Names{};
  for (const std::string& name : operands)
    inputs.insert(inputs.end(), {name, "r" + name + ".scale", "r" + name + ".zero"});
  if (!output_first) inputs.insert(inputs.end(), {"ys", "yz"});
  onnx::NodeProto& node = m.node(qlinear, inputs, "y");
  node.set_domain("com.microsoft");
  attributes(node);
  m.model.mutable_graph()->add_output()->set_name("y");
  CAPTURE(qlinear);
  const Graph a = qdq.load(), b = m.load();
  REQUIRE(a.nodes.size() == 1);
  REQUIRE(b.nodes.size() == 1);
  CHECK(a.nodes[0].op == b.nodes[0].op);
  CHECK(run(a, 3) == run(b, 3));
}

}  // namespace

TEST_CASE("QLinear operators of ONNX Runtime equal their QDQ forms") {
  const auto none = [](onnx::NodeProto&) {};
  const auto window = [](onnx::NodeProto& n) {
    set_list(n, "kernel_shape", {2, 2});
    set_list(n, "pads", {0, 1, 1, 0});
  };
  require_equal_forms("QLinearAdd", {"a", "b"}, "Add", {"ra", "rb"}, none);
  require_equal_forms("QLinearMul", {"a", "b"}, "Mul", {"ra", "rb"}, none);
  require_equal_forms(
      "QLinearConcat", {"a", "b"}, "Concat", {"ra", "rb"}, [](onnx::NodeProto& n) { set_integer(n, "axis", 1); }, true);
  require_equal_forms("QLinearAveragePool", {"a"}, "AveragePool", {"ra"}, window);
  require_equal_forms("QLinearGlobalAveragePool", {"b"}, "GlobalAveragePool", {"rb"}, none);
  require_equal_forms("QLinearSigmoid", {"b"}, "Sigmoid", {"rb"}, none);
  require_equal_forms("QLinearLeakyRelu", {"b"}, "LeakyRelu", {"rb"},
                      [](onnx::NodeProto& n) { set_number(n, "alpha", 0.3f); });
  require_equal_forms("QLinearSoftmax", {"b"}, "Softmax", {"rb"},
                      [](onnx::NodeProto& n) { set_integer(n, "axis", 1); });
}

TEST_CASE("Functions keep their parameters") {
  const auto function = [](const char* op, int opset, const std::function<void(onnx::NodeProto&)>& change) {
    ModelWriter m = float_model({0, 3}, opset);
    change(m.node(op, {"x"}, "y"));
    return loaded(m, "y").graph.nodes.at(0);
  };
  const auto none = [](onnx::NodeProto&) {};
  CHECK(function("Sigmoid", 13, none).function == Function::kSigmoid);
  CHECK(function("Tanh", 7, none).function == Function::kTanh);
  CHECK(function("HardSwish", 14, none).function == Function::kHardSwish);
  CHECK(function("LeakyRelu", 13, none).parameter == Approx(0.01));
  CHECK(function("HardSigmoid", 13, none).parameter == Approx(0.2));
  const Node node = function("HardSigmoid", 13, [](onnx::NodeProto& n) { set_number(n, "alpha", 1.0f / 6); });
  CHECK(node.function == Function::kHardSigmoid);
  CHECK(node.parameter == 1.0 / 6);
  const auto gelu = [](onnx::NodeProto& n) { n.set_domain("com.microsoft"); };
  CHECK(function("Gelu", 13, gelu).function == Function::kGelu);
}

TEST_CASE("Factors and summands of channels go into the weights before them") {
  // One channel, two filters 2 and 3, bias 10 and 20; then * 4, and + 1 and + 2; then a batch normalisation with
  // variance 3 and epsilon 1, so that it halves, mean 7 and 5, scale 2 and 4, offset 100 and 200.
  ModelWriter m = float_model({0, 1, 2, 2});
  m.node("Conv", {"x", m.floats("w", {2, 3}, {2, 1, 1, 1}), m.floats("b", {10, 20}, {2})}, "c");
  m.node("Mul", {m.floats("four", {4}), "c"}, "m");
  m.node("Add", {"m", m.floats("s", {1, 2}, {1, 2, 1, 1})}, "a");
  set_number(m.node("BatchNormalization",
                    {"a", m.floats("g", {2, 4}, {2}), m.floats("o", {100, 200}, {2}), m.floats("mean", {7, 5}, {2}),
                     m.floats("var", {3, 3}, {2})},
                    "n"),
             "epsilon", 1.0f);
  m.node("Relu", {"n"}, "y");
  const FloatNetwork network = loaded(m, "y");
  REQUIRE(network.graph.nodes.size() == 1);
  // Filter 0: (8 x + 41 - 7) / 2 * 2 + 100 = 8 x + 134; filter 1: (12 x + 82 - 5) / 2 * 4 + 200 = 24 x + 354.
  CHECK(network.real_weights[0].values == std::vector<float>{8, 24});
  CHECK(network.real_weights[0].bias == std::vector<float>{134, 354});
  CHECK(network.range[0].lower == 0);
  CHECK(std::isinf(network.range[0].upper));
  CHECK(network.graph.output_of(network.graph.nodes[0]).name == "y");
  CHECK_FALSE(network.quantised[1]);
}

TEST_CASE("What no product can take in stays a node, and no product behind a ReLU or with other readers is changed") {
  ModelWriter m = float_model({0, 1, 2, 2});
  m.node("Conv", {"x", m.floats("w", {2, 3}, {2, 1, 1, 1})}, "c");
  SECTION("behind a ReLU") {
    m.node("Relu", {"c"}, "r");
    m.node("Sub", {m.floats("one", {1}), "r"}, "y");
    const FloatNetwork network = loaded(m, "y");
    REQUIRE(network.graph.nodes.size() == 2);
    CHECK(network.graph.nodes[1].gain == std::vector<double>{-1, -1});
    CHECK(network.graph.nodes[1].offset == std::vector<double>{1, 1});
  }
  SECTION("with two readers") {
    m.node("Mul", {"c", m.floats("two", {2})}, "d");
    m.node("Add", {"c", "d"}, "y");
    const FloatNetwork network = loaded(m, "y");
    REQUIRE(network.graph.nodes.size() == 3);
    CHECK(network.real_weights[0].values == std::vector<float>{2, 3});
    CHECK(network.graph.nodes[1].op == Operator::kAffine);
  }
  SECTION("a Relu with another reader before it") {
    m.node("Relu", {"c"}, "r");
    m.node("Add", {"c", "r"}, "y");
    const FloatNetwork network = loaded(m, "y");
    REQUIRE(network.graph.nodes.size() == 3);
    CHECK(std::isinf(network.range[0].lower));
    CHECK(network.graph.nodes[1].op == Operator::kRequantise);
    CHECK(network.range[1].lower == 0);
  }
}

TEST_CASE("Weights of codes with a bias in float become real, and so do those that a float factor changes") {
  ModelWriter m;
  m.dequantise(m.input("a", TensorProto::UINT8, {0, 1, 1, 1}), "ra", 0.5f);
  m.bias("codes", {8, 4}, {0.125f, 0.25f});
  m.node("Conv", {"ra", m.weights("w", {2, 1, 1, 1}, {4, -3}, {0.25f, 0.5f})}, "c");
  SECTION("a bias") { m.node_of("c").add_input(m.floats("b", {1, 2}, {2})); }
  SECTION("a factor") {
    m.node_of("c").add_input("codes");
    m.node("Mul", {"c", m.floats("b", {2, 3}, {2, 1, 1})}, "d");
  }
  const bool factor = m.model.graph().node().rbegin()->op_type() == "Mul";
  m.quantise(factor ? "d" : "c", "y", 1.0f);
  const FloatNetwork network = loaded(m, "y");
  REQUIRE(network.graph.nodes.size() == 1);
  CHECK(network.graph.nodes[0].weights.values.empty());
  CHECK(network.real_weights[0].values == (factor ? std::vector<float>{2, -4.5f} : std::vector<float>{1, -1.5f}));
  // Codes 8 and 4 are 1 and 1.
  CHECK(network.real_weights[0].bias == (factor ? std::vector<float>{2, 3} : std::vector<float>{1, 2}));
  CHECK(network.quantised == std::vector<bool>{true, true});
}

TEST_CASE("Splits, slices and gathered channels are selections") {
  ModelWriter m = float_model({0, 6, 2, 2});
  const auto channels = [&](const char* output) {
    const FloatNetwork network = loaded(m, output);
    return network.graph.nodes.back().channels;
  };
  using Channels = std::vector<int>;
  SECTION("Split into two outputs") {
    onnx::NodeProto& n = m.node("Split", {"x", write_ints(m, "parts", {2, 4})}, "first");
    n.add_output("second");
    set_integer(n, "axis", 1);
    m.model.mutable_graph()->add_output()->set_name("second");
    const FloatNetwork network = loaded(m, "first");
    CHECK(network.graph.nodes.at(0).channels == Channels{2, 3, 4, 5});
    CHECK(network.graph.nodes.at(1).channels == Channels{0, 1});
  }
  SECTION("Slice with a step backwards") {
    m.node("Slice",
           {"x", write_ints(m, "s", {-1}), write_ints(m, "e", {-100}), write_ints(m, "ax", {1}),
            write_ints(m, "st", {-2})},
           "y");
    CHECK(channels("y") == Channels{5, 3, 1});
  }
  SECTION("Gather with indices from the end") {
    set_integer(m.node("Gather", {"x", write_ints(m, "i", {-1, 0, 0})}, "y"), "axis", 1);
    CHECK(channels("y") == Channels{5, 0, 0});
  }
  SECTION("a channel shuffle") {
    // [2, 3] transposed: 0 3 1 4 2 5.
    m.node("Reshape", {"x", write_ints(m, "apart", {0, 2, 3, 2, 2})}, "a");
    set_list(m.node("Transpose", {"a"}, "b"), "perm", {0, 2, 1, 3, 4});
    m.node("Reshape", {"b", write_ints(m, "together", {0, 6, 2, 2})}, "c");
    set_list(m.node("MaxPool", {"c"}, "y"), "kernel_shape", {2, 2});
    const FloatNetwork network = loaded(m, "y");
    CHECK(network.graph.nodes.at(0).channels == Channels{0, 3, 1, 4, 2, 5});
    m.model.mutable_graph()->clear_output();
    CHECK(loaded(m, "c").graph.nodes.at(0).channels == Channels{0, 3, 1, 4, 2, 5});  // as an output
  }
  SECTION("every second pixel") {
    m.node("Slice",
           {"x", write_ints(m, "s", {0}), write_ints(m, "e", {9}), write_ints(m, "ax", {3}), write_ints(m, "st", {2})},
           "y");
    const Node node = loaded(m, "y").graph.nodes.at(0);
    CHECK(node.op == Operator::kMaxPool);
    CHECK((node.window.stride_x == 2 && node.window.stride_y == 1 && node.window.kernel_width == 1));
  }
}

TEST_CASE("Pads join the window behind them where that is wide enough") {
  const auto padded = [](int frame, const char* op, bool joins) {
    ModelWriter m = float_model({0, 1, 4, 4});
    m.node("Pad", {"x", write_ints(m, "pads", {0, 0, frame, 1, 0, 0, 0, 1})}, "p");
    onnx::NodeProto& n = m.node(op, {"p"}, "y");
    if (std::string(op) == "Conv") n.add_input(m.floats("w", std::vector<float>(9, 1), {1, 1, 3, 3}));
    set_list(n, "kernel_shape", {3, 3});
    const FloatNetwork network = loaded(m, "y");
    CHECK(network.graph.nodes.size() == (joins ? 1u : 2u));
    CHECK(network.graph.output_of(network.graph.nodes.back()).shape == Shape{4 + frame - 2, 4, 1});
    return network.graph.nodes.back();
  };
  const Window window = padded(2, "Conv", true).window;
  CHECK((window.pad_top == 2 && window.pad_left == 1 && window.pad_bottom == 0 && window.pad_right == 1));
  padded(3, "Conv", false);
  CHECK(padded(1, "AveragePool", true).count_include_pad);
  CHECK_FALSE(padded(3, "AveragePool", false).count_include_pad);
  padded(1, "MaxPool", false);
}

TEST_CASE("Operators that move codes keep the format of the codes") {
  ModelWriter m = two_inputs({0, 4, 2, 2}, {0, 4, 2, 2});
  set_integer(m.node("Gather", {"ra", write_ints(m, "i", {3, 1})}, "g"), "axis", 1);
  set_list(m.node("MaxPool", {"g"}, "p"), "kernel_shape", {2, 2});
  m.node("Relu", {"p"}, "r");
  m.node("Flatten", {"r"}, "f");
  m.node("MatMul", {"f", m.weights("w", {2, 1}, {1, 2}, {1.0f})}, "s");
  m.quantise("s", "y", 1.0f);
  m.model.mutable_graph()->mutable_input()->RemoveLast();
  m.model.mutable_graph()->mutable_node()->DeleteSubrange(1, 1);  // the second DequantizeLinear
  m.model.mutable_graph()->add_output()->set_name("y");
  const Graph graph = m.load();
  for (std::size_t i = 0; i + 1 < graph.tensors.size(); ++i) {
    CHECK(graph.tensors[i].scale == 0.5);
    CHECK(graph.tensors[i].zero_point == 100);
  }
  // Pixels of channel 3 and 1; the largest are 106 and 97: 3 + 0 (the ReLU) = 3.
  const Codes image = codes({0, 90, 0, 101, 0, 97, 0, 104, 0, 91, 0, 106, 0, 96, 0, 99});
  CHECK(execute(graph, {image})[std::size_t(graph.outputs[0])] == codes({3}));
}

TEST_CASE("Attention of two heads gives the numbers worked out by hand") {
  // Two positions of four channels, heads (0, 1) and (2, 3). Scores of head h at (s, t): sum over its channels.
  ModelWriter m;
  m.dequantise(m.input("q", TensorProto::UINT8, {0, 2, 4}), "rq", 1.0f);
  m.dequantise(m.input("k", TensorProto::UINT8, {0, 2, 4}), "rk", 1.0f);
  const auto heads = [&](const std::string& from, const Dims& order) {
    m.node("Reshape", {from, "apart"}, from + ".split");
    set_list(m.node("Transpose", {from + ".split"}, from + ".heads"), "perm", order);
    return from + ".heads";
  };
  write_ints(m, "apart", {0, 0, 2, 2});
  const std::string q = heads("rq", {0, 2, 1, 3}), k = heads("rk", {0, 2, 3, 1});
  m.node("MatMul", {q, k}, "scores");
  m.quantise("scores", "y", 1.0f);
  SECTION("scores, as they are stored behind a transposition") {
    m.dequantise("y", "ry", 1.0f);
    set_list(m.node("Transpose", {"ry"}, "back"), "perm", {0, 2, 1, 3});
    m.node("Reshape", {"back", write_ints(m, "together", {0, 2, 4})}, "out");
    m.model.mutable_graph()->add_output()->set_name("out");
    const Graph graph = m.load();
    REQUIRE(graph.nodes.size() == 1);
    CHECK(graph.nodes[0].heads == 2);
    CHECK(graph.nodes[0].transposed);
    // q: 1 2 3 4 / 5 6 7 8; k: 1 0 2 0 / 0 3 0 1. Head 0: 1, 6 / 5, 18; head 1: 6, 4 / 14, 8.
    CHECK(execute(graph, {codes({1, 2, 3, 4, 5, 6, 7, 8}), codes({1, 0, 2, 0, 0, 3, 0, 1})})[2] ==
          codes({1, 6, 6, 4, 5, 18, 14, 8}));
  }
  SECTION("heads as the output are refused") {
    m.model.mutable_graph()->add_output()->set_name("y");
    CHECK_THAT(m.refusal(), Catch::Contains("has its elements in another order"));
  }
}

TEST_CASE("The factor of scores goes into the projection before them where nothing else reads it") {
  const auto attention = [](bool shared) {
    ModelWriter m = float_model({0, 4, 6});
    for (const char* name : {"q", "k"})
      m.node("MatMul", {"x", m.floats(std::string("w") + name, std::vector<float>(36, 0.5f), {6, 6})}, name);
    set_list(m.node("Transpose", {"k"}, "kt"), "perm", {0, 2, 1});
    m.node("MatMul", {"q", "kt"}, "scores");
    m.node("Div", {"scores", m.floats("d", {4})}, "scaled");
    set_integer(m.node("Softmax", {"scaled"}, "y"), "axis", -1);
    if (shared) m.model.mutable_graph()->add_output()->set_name("q");
    return loaded(m, "y");
  };
  const FloatNetwork network = attention(false);
  CHECK(network.graph.nodes.size() == 4);
  CHECK(network.real_weights[0].values == std::vector<float>(36, 0.125f));
  CHECK(network.real_weights[1].values == std::vector<float>(36, 0.5f));
  const FloatNetwork shared = attention(true);
  CHECK(shared.graph.nodes.size() == 5);
  CHECK(shared.real_weights[0].values == std::vector<float>(36, 0.5f));
}

TEST_CASE("Inputs and outputs of three dimensions are sequences") {
  ModelWriter m = float_model({0, 20, 3});
  m.node("MatMul", {"x", m.floats("w", {1, 2, 3, 4, 5, 6}, {3, 2})}, "p");
  m.node("Add", {m.floats("b", {7, 8}, {2}), "p"}, "y");
  const FloatNetwork network = loaded(m, "y");
  const Graph& graph = network.graph;
  REQUIRE(graph.nodes.size() == 1);
  // Twenty positions stand in two rows of ten, the largest divisor up to 16.
  CHECK(graph.tensors[0].shape == Shape{2, 10, 3});
  CHECK(graph.tensors[1].shape == Shape{2, 10, 2});
  CHECK((graph.tensors[0].sequence && graph.tensors[1].sequence));
  CHECK(graph.nodes[0].window.kernel_height == 1);
  // [filter][channel] from [channel][filter].
  CHECK(network.real_weights[0].values == std::vector<float>{1, 3, 5, 2, 4, 6});
  CHECK(network.real_weights[0].bias == std::vector<float>{7, 8});
  ModelWriter classifier = float_model({0, 4, 2});
  classifier.node("Flatten", {"x"}, "f");
  classifier.node("MatMul", {"f", classifier.floats("w", {1, 2, 3, 4, 5, 6, 7, 8}, {8, 1})}, "y");
  const FloatNetwork whole = loaded(classifier, "y");
  CHECK(is_fully_connected(whole.graph, whole.graph.nodes.at(0)));
  CHECK(whole.real_weights[0].values == std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK_FALSE(whole.graph.tensors[1].sequence);
}

TEST_CASE("Softmax reads its axis as the opset says") {
  const auto heads = [](const Dims& dims, int opset, std::int64_t axis) -> std::string {
    ModelWriter m = float_model(dims, opset);
    set_integer(m.node("Softmax", {"x"}, "y"), "axis", axis);
    try {
      return std::to_string(loaded(m, "y").graph.nodes.at(0).heads);
    } catch (const mho::InputError& error) {
      return error.problem();
    }
  };
  CHECK(heads({0, 6}, 11, 1) == "1");
  CHECK(heads({0, 5, 6}, 13, -1) == "1");
  CHECK(heads({0, 5, 6}, 11, 2) == "1");
  // Before opset 13 all axes from the given one on are one run: positions and channels here.
  CHECK_THAT(heads({0, 5, 6}, 11, 1), Catch::Contains("is no run of channels"));
  CHECK(heads({0, 6, 2, 2}, 13, 1) == "1");
  CHECK_THAT(heads({0, 6, 2, 2}, 13, 3), Catch::Contains("is no run of channels"));
}

TEST_CASE("Parts of a projection that is read in parts alone are products of their own") {
  ModelWriter m = float_model({0, 2, 1});
  m.node("MatMul", {"x", m.floats("w", {1, 2, 3, 4}, {1, 4})}, "p");
  m.node("Add", {"p", m.floats("b", {5, 6, 7, 8}, {4})}, "sum");
  m.node("Relu", {"sum"}, "qk");
  m.node("Slice", {"qk", write_ints(m, "s", {0}), write_ints(m, "e", {2}), write_ints(m, "ax", {2})}, "q");
  m.node("Slice", {"qk", "e", write_ints(m, "end", {4}), "ax"}, "k");
  m.node("Add", {"q", "k"}, "y");
  SECTION("nothing else reads it") {
    const FloatNetwork network = loaded(m, "y");
    REQUIRE(network.graph.nodes.size() == 3);
    CHECK((network.range[0].lower == 0 && network.range[1].lower == 0));
    CHECK(network.real_weights[0].values == std::vector<float>{1, 2});
    CHECK(network.real_weights[0].bias == std::vector<float>{5, 6});
    CHECK(network.real_weights[1].values == std::vector<float>{3, 4});
    CHECK(network.real_weights[1].bias == std::vector<float>{7, 8});
  }
  SECTION("the whole is an output as well") {
    m.model.mutable_graph()->add_output()->set_name("qk");
    const FloatNetwork network = loaded(m, "y");
    REQUIRE(network.graph.nodes.size() == 4);
    CHECK(network.real_weights[0].values == std::vector<float>{1, 2, 3, 4});
  }
}
