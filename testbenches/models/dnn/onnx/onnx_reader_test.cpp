// SPDX-License-Identifier: Apache-2.0
// What models mean once read: layout of weights, formats of tensors, folding of quantisation steps, and outputs
// worked out by hand for models that would betray a wrong order of elements.
#include "models/dnn/onnx/onnx_reader.h"

#include <catch2/catch.hpp>

#include "models/dnn/operators.h"
#include "testbenches/models/dnn/onnx/model_writer.h"
#include "testbenches/models/dnn/small_graphs.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;
using onnx::TensorProto;

namespace {

const Tensor& output_tensor(const Graph& graph) { return graph.tensors[std::size_t(graph.outputs.at(0))]; }

/// image uint8 [N, 2, 2, 1] of scale 1 -> Flatten -> product with 3 outputs. The map has pixels (1, 2) and (4, 8) as
/// {channel 0, channel 1}; ONNX flattens it to 1 4 2 8 and the graph holds 1 2 4 8.
ModelWriter flattened(const std::function<void(ModelWriter&)>& product) {
  ModelWriter m;
  m.dequantise(m.input("image", TensorProto::UINT8, {0, 2, 2, 1}), "x", 1.0f);
  m.node("Flatten", {"x"}, "flat");
  product(m);
  m.quantise("sum", "y", 1.0f, 0, TensorProto::INT8);
  m.output("y", TensorProto::INT8, {0, 3});
  return m;
}

/// One pool over image uint8 [N, 1, 5, 4].
Graph pooled(const char* op, int opset, const std::function<void(onnx::NodeProto&)>& attributes) {
  ModelWriter m(opset);
  m.dequantise(m.input("image", TensorProto::UINT8, {0, 1, 5, 4}), "x", 1.0f);
  attributes(m.node(op, {"x"}, "pooled"));
  m.quantise("pooled", "y", 1.0f);
  m.model.mutable_graph()->add_output()->set_name("y");
  return m.load();
}

}  // namespace

TEST_CASE("The committed network has its input, output and size") {
  const Graph graph = read_onnx(MHO_SOURCE_DIR "/scenarios/networks/resnet20_shapes/model.onnx");
  REQUIRE(graph.inputs.size() == 1);
  REQUIRE(graph.outputs.size() == 1);
  const Tensor& image = graph.tensors[std::size_t(graph.inputs[0])];
  CHECK(image.name == "image");
  CHECK(image.shape == Shape{32, 32, 3});
  CHECK(image.type == CodeType::kUint8);
  CHECK(output_tensor(graph).name == "logits");
  CHECK(output_tensor(graph).shape == Shape{1, 1, 12});
  CHECK(output_tensor(graph).type == CodeType::kInt8);
  // 9 residual additions, 21 convolutions, a classifier, a global pool; the flattening of the pool is no node.
  CHECK(graph.nodes.size() == 32);
  CHECK(is_fully_connected(graph, graph.nodes.back()));
}

TEST_CASE("Convolution weights change from channel-first to channel-last order") {
  const Graph graph = small_convolution().load();
  const Node& node = graph.nodes.at(0);
  CHECK(node.name == "sum.Conv");
  CHECK(graph.name == "written");
  CHECK(node.weights.values == std::vector<std::int8_t>{1, 5, 2, 6, 3, 7, 4, 8, -1, -5, -2, -6, -3, -7, -4, -8});
  CHECK(node.weights.scale == std::vector<double>{0.25, 0.25});
  CHECK(node.weights.bias == std::vector<std::int32_t>{8, 16});
}

TEST_CASE("A convolution with ReLU gives the codes worked out by hand") {
  const Graph graph = small_convolution().load();
  CHECK(graph.nodes.at(0).lower == -3);
  CHECK(graph.nodes.at(0).upper == 127);
  // Pixels {channel 0, channel 1}: {1, 0}, {0, 1}, {2, 0}, {0, 3}: filter 0 is 1*1 + 6*1 + 3*2 + 8*3 = 37, + 8 = 45;
  // times 0.5 * 0.25 / 2 = 1/16: 2.8125 -> 3, - 3 = 0. Filter 1: -37 + 16 = -21, bounded at the zero point -3.
  CHECK(output_of(graph, {codes({1, 0, 0, 1, 2, 0, 0, 3})}) == codes({0, -3}));
}

TEST_CASE("Scales per channel, biases per channel and typed or raw fields read alike") {
  ModelWriter m;
  m.dequantise(m.input("image", TensorProto::UINT8, {1, 1, 1, 1}), "x", 0.5f);
  m.weights("w", {2, 1, 1, 1}, {3, -4}, {0.5f, 2.0f});
  m.bias("b", {1, 2}, {0.25f, 1.0f});
  m.node("Conv", {"x", "w", "b"}, "sum");
  m.quantise("sum", "y", 0.25f, 0, TensorProto::INT8);
  m.output("y", TensorProto::INT8, {1, 2, 1, 1});
  // 3*10 + 1 = 31 * (0.5*0.5/0.25 = 1) = 31; (-40 + 2) * (0.5*2/0.25 = 4) = -152 -> -128.
  CHECK(output_of(m.load(), {codes({10})}) == codes({31, -128}));
  TensorProto& w = m.initialiser("w.codes");
  w.clear_int32_data();
  w.set_raw_data(std::string("\x03\xfc", 2));
  CHECK(output_of(m.load(), {codes({10})}) == codes({31, -128}));
  TensorProto& scale = m.initialiser("w.scale");
  scale.clear_raw_data();
  scale.add_float_data(0.5f);
  scale.add_float_data(2.0f);
  CHECK(output_of(m.load(), {codes({10})}) == codes({31, -128}));
}

TEST_CASE("Products behind a Flatten permute their weights, transposed or not") {
  // Outputs: first element of channel-first order, 10 times the second plus the last, and the sum.
  // ONNX order 1 4 2 8: 1; 10 * 4 + 8 = 48; 15.
  const std::vector<int> rows = {1, 0, 0, 0, 0, 10, 0, 1, 1, 1, 1, 1};     // [3][4]
  const std::vector<int> columns = {1, 0, 1, 0, 10, 1, 0, 0, 1, 0, 1, 1};  // [4][3]
  const Codes image = codes({1, 2, 4, 8});
  SECTION("Gemm with transB") {
    const Graph graph =
        flattened([&](ModelWriter& m) {
          set_integer(m.node("Gemm", {"flat", m.weights("w", {3, 4}, rows, {1, 1, 1}, 0)}, "sum"), "transB", 1);
        }).load();
    CHECK(is_fully_connected(graph, graph.nodes.at(0)));
    CHECK(output_of(graph, {image}) == codes({1, 48, 15}));
  }
  SECTION("Gemm without transB, with bias") {
    const Graph graph =
        flattened([&](ModelWriter& m) {
          m.node("Gemm", {"flat", m.weights("w", {4, 3}, columns, {1, 1, 1}, 1), m.bias("b", {5, 6, 7}, {1})}, "sum");
        }).load();
    CHECK(output_of(graph, {image}) == codes({6, 54, 22}));
  }
  SECTION("MatMul and an Add of a constant") {
    const Graph graph = flattened([&](ModelWriter& m) {
                          m.node("MatMul", {"flat", m.weights("w", {4, 3}, columns, {1})}, "product");
                          m.node("Add", {m.bias("b", {5, 6, 7}, {1, 1, 1}), "product"}, "sum");
                        }).load();
    CHECK(graph.nodes.size() == 1);
    CHECK(output_of(graph, {image}) == codes({6, 54, 22}));
  }
}

TEST_CASE("Reshape flattens as Flatten does") {
  for (const std::vector<int>& target : {std::vector<int>{0, -1}, {-1, 4}, {0, 4}}) {
    const Graph graph =
        flattened([&](ModelWriter& m) {
          m.node_of("flat").set_op_type("Reshape");
          m.node_of("flat").add_input(m.integers("target", TensorProto::INT64, target, {2}));
          m.node("MatMul", {"flat", m.weights("w", {4, 3}, {0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0}, {1})}, "sum");
        }).load();
    CHECK(output_of(graph, {codes({1, 2, 4, 8})}) == codes({4, 8, 12}));
  }
}

TEST_CASE("Quantising what was dequantised alike is no node, otherwise it is one") {
  ModelWriter m = small_convolution();
  m.dequantise("y", "again", 2.0f, -3, TensorProto::INT8);
  m.quantise("again", "same", 2.0f, -3, TensorProto::INT8);
  m.dequantise("same", "once_more", 2.0f, -3, TensorProto::INT8);
  m.quantise("once_more", "other", 1.0f, 0, TensorProto::UINT8);
  m.model.mutable_graph()->clear_output();
  m.output("other", TensorProto::UINT8, {0, 2, 1, 1});
  const Graph graph = m.load();
  REQUIRE(graph.nodes.size() == 2);
  CHECK(graph.nodes[1].op == Operator::kRequantise);
  // Code 0 of scale 2 and zero point -3 is the value 6.
  CHECK(output_of(graph, {codes({1, 0, 0, 1, 2, 0, 0, 3})}) == codes({6, 0}));
}

TEST_CASE("A float output behind a DequantizeLinear becomes its codes under the output's name") {
  ModelWriter m = small_convolution();
  m.dequantise("y", "result", 2.0f, -3, TensorProto::INT8);
  m.model.mutable_graph()->clear_output();
  m.output("result", TensorProto::FLOAT, {0, 2, 1, 1});
  const Graph graph = m.load();
  CHECK(output_tensor(graph).name == "result");
  CHECK(output_tensor(graph).type == CodeType::kInt8);
  CHECK(output_tensor(graph).zero_point == -3);
  CHECK(graph.nodes.size() == 1);
}

TEST_CASE("A float input is the tensor that its QuantizeLinear writes, under the input's name") {
  ModelWriter m;
  m.quantise(m.input("pixels", TensorProto::FLOAT, {1, 4}), "q", 0.5f, 7);
  m.dequantise("q", "x", 0.5f, 7);
  m.node("Relu", {"x"}, "relu");
  m.quantise("relu", "y", 0.5f, 7);
  m.output("y", TensorProto::UINT8, {1, 4});
  const Graph graph = m.load();
  const Tensor& input = graph.tensors[std::size_t(graph.inputs.at(0))];
  CHECK(input.name == "pixels");
  CHECK(input.zero_point == 7);
  // A stand-alone ReLU: codes below the zero point rise to it.
  CHECK(output_of(graph, {codes({0, 6, 7, 200})}) == codes({7, 7, 7, 200}));
}

TEST_CASE("Clip bounds the codes, as attributes before opset 11 and as inputs since") {
  for (const int opset : {10, 13}) {
    ModelWriter m = small_convolution(opset);
    m.node_of("relu").set_op_type("Clip");
    if (opset == 10) {
      set_number(m.node_of("relu"), "min", 0.0f);
      set_number(m.node_of("relu"), "max", 6.0f);
    } else {
      m.node_of("relu").add_input(m.floats("low", {0.0f}));
      m.node_of("relu").add_input(m.floats("high", {6.0f}));
    }
    // 0 / 2 - 3 = -3 and 6 / 2 - 3 = 0.
    const Graph graph = m.load();
    CHECK(graph.nodes.at(0).lower == -3);
    CHECK(graph.nodes.at(0).upper == 0);
  }
}

TEST_CASE("A Clip behind a ReLU keeps the tighter bounds") {
  ModelWriter m = small_convolution();
  m.node("Clip", {"relu", "", m.floats("high", {5.0f})}, "clipped");
  m.node_of("y").set_input(0, "clipped");
  m.model.mutable_graph()->mutable_node()->SwapElements(m.model.graph().node_size() - 2,
                                                        m.model.graph().node_size() - 1);
  // 5 / 2 = 2.5 -> 2, - 3 = -1.
  CHECK(m.load().nodes.at(0).lower == -3);
  CHECK(m.load().nodes.at(0).upper == -1);
}

TEST_CASE("Additions and concatenations take branches of different formats") {
  ModelWriter m = small_convolution();
  m.quantise("relu", "unused", 1.0f);
  m.model.mutable_graph()->mutable_node()->RemoveLast();
  m.dequantise("y", "branch", 2.0f, -3, TensorProto::INT8);
  m.weights("v", {2, 2, 2, 2}, std::vector<int>(16, 1), {1.0f});
  m.node("Conv", {"x", "v"}, "other");
  m.quantise("other", "shortcut", 1.0f);
  m.dequantise("shortcut", "shortcut.real", 1.0f);
  m.node("Add", {"branch", "shortcut.real"}, "total");
  m.quantise("total", "total.codes", 1.0f);
  m.dequantise("total.codes", "total.real", 1.0f);
  m.node("Concat", {"total.real", "branch"}, "joined");
  set_integer(m.node_of("joined"), "axis", 1);
  m.quantise("joined", "out", 1.0f);
  m.model.mutable_graph()->clear_output();
  m.output("out", TensorProto::UINT8, {0, 4, 1, 1});
  // Branch values 6 and 0 as above; the other convolution sums the codes to 7, * 0.5 = 3.5 -> 4 in both filters.
  CHECK(output_of(m.load(), {codes({1, 0, 0, 1, 2, 0, 0, 3})}) == codes({10, 4, 6, 0}));
}

TEST_CASE("auto_pad and ceil_mode become padding") {
  // Height 5, width 4, kernel 2, stride 2: SAME has 3 x 2 outputs, one row of padding at the end or the beginning.
  const auto window = [](const Graph& graph) { return graph.nodes.at(0).window; };
  const auto same = [](const char* mode) {
    return [=](onnx::NodeProto& n) {
      set_list(n, "kernel_shape", {2, 2});
      set_list(n, "strides", {2, 2});
      set_text(n, "auto_pad", mode);
    };
  };
  const Window upper = window(pooled("MaxPool", 13, same("SAME_UPPER")));
  CHECK((upper.pad_top == 0 && upper.pad_bottom == 1 && upper.pad_left == 0 && upper.pad_right == 0));
  const Window lower = window(pooled("AveragePool", 13, same("SAME_LOWER")));
  CHECK((lower.pad_top == 1 && lower.pad_bottom == 0));
  CHECK(output_tensor(pooled("MaxPool", 13, same("VALID"))).shape == Shape{2, 2, 1});
  const Graph ceiling = pooled("MaxPool", 13, [](onnx::NodeProto& n) {
    set_list(n, "kernel_shape", {2, 2});
    set_list(n, "strides", {2, 3});
    set_integer(n, "ceil_mode", 1);
  });
  // Rows: ceil((5 - 2) / 2) + 1 = 3. Columns: ceil((4 - 2) / 3) + 1 = 2, the second window sees one column.
  CHECK(output_tensor(ceiling).shape == Shape{3, 2, 1});
  CHECK(window(ceiling).pad_bottom == 1);
  CHECK(window(ceiling).pad_right == 1);
}

TEST_CASE("A partial window that would start in the padding does not count") {
  // Length 5, kernel 1, stride 3, one element of padding at the end: ceil(5 / 3) + 1 = 3 windows, the third at 6.
  const Graph graph = pooled("MaxPool", 13, [](onnx::NodeProto& n) {
    set_list(n, "kernel_shape", {2, 2});
    set_list(n, "strides", {3, 3});
    set_list(n, "pads", {0, 0, 1, 1});
    set_integer(n, "ceil_mode", 1);
  });
  // Rows: room 5 + 1 - 2 = 4, ceil(4 / 3) + 1 = 3, but 6 >= 5: 2. Columns: room 3: 2 exactly.
  CHECK(output_tensor(graph).shape == Shape{2, 2, 1});
}

TEST_CASE("Pads are top, left, bottom, right and dilations apply to rows first") {
  const Graph graph = pooled("MaxPool", 13, [](onnx::NodeProto& n) {
    set_list(n, "kernel_shape", {3, 2});
    set_list(n, "pads", {2, 1, 0, 0});
    set_list(n, "dilations", {2, 1});
  });
  const Window& w = graph.nodes.at(0).window;
  CHECK((w.kernel_height == 3 && w.kernel_width == 2 && w.dilation_y == 2 && w.dilation_x == 1));
  CHECK((w.pad_top == 2 && w.pad_left == 1 && w.pad_bottom == 0 && w.pad_right == 0));
}

TEST_CASE("QLinear nodes and pools of codes need no DequantizeLinear") {
  ModelWriter m(10);
  m.input("image", TensorProto::UINT8, {1, 1, 2, 2});
  set_list(m.node("MaxPool", {"image"}, "largest"), "kernel_shape", {1, 2});
  m.node("QLinearConv",
         {"largest", m.floats("xs", {0.5f}), m.integers("xz", TensorProto::UINT8, {10}),
          m.integers("w", TensorProto::INT8, {2, -3}, {2, 1, 1, 1}), m.floats("ws", {1.0f, 2.0f}, {2}),
          m.integers("wz", TensorProto::INT8, {0, 0}, {2}), m.floats("ys", {0.5f}),
          m.integers("yz", TensorProto::INT8, {1}), m.integers("b", TensorProto::INT32, {4, 0}, {2})},
         "y");
  m.node("Flatten", {"y"}, "flat");
  m.node(
      "QLinearMatMul",
      {"flat", "ys", "yz", m.integers("v", TensorProto::INT8, {1, 2, 0, 0, 0, 1, 1, 0}, {4, 2}), m.floats("vs", {1.0f}),
       m.integers("vz", TensorProto::INT8, {0}), m.floats("zs", {0.5f}), m.integers("zz", TensorProto::UINT8, {100})},
      "z");
  m.output("z", TensorProto::UINT8, {1, 2});
  m.output("y", TensorProto::INT8, {1, 2, 2, 1});
  const Graph graph = m.load();
  // The input takes its format from the QLinearConv behind the pool, and the pool's output has the same.
  CHECK(graph.output_of(graph.nodes[0]).zero_point == 10);
  CHECK(graph.output_of(graph.nodes[0]).scale == 0.5);
  CHECK(graph.tensors[std::size_t(graph.inputs[0])].zero_point == 10);
  CHECK(graph.tensors[std::size_t(graph.inputs[0])].scale == 0.5);
  // Rows of the map: largest 12 and 14, values 2 and 4 steps. Filter 0: 2*2 + 4 = 8, 4*2 + 4 = 12, + 1.
  // Filter 1: -6 * 2 = -12, -12 * 2 = -24, + 1. Flattened channel first: 8, 12, -12, -24 steps of 0.5.
  const auto tensors = execute(graph, {codes({11, 12, 14, 13})});
  CHECK(tensors[std::size_t(graph.outputs[1])] == codes({9, -11, 13, -23}));
  // Columns of v: 1 0 0 1 and 2 0 1 0: 8 - 24 = -16 and 16 - 12 = 4, + 100.
  CHECK(tensors[std::size_t(graph.outputs[0])] == codes({84, 104}));
}

TEST_CASE("Constants may be nodes, and Identity changes nothing") {
  ModelWriter m;
  const auto constant = [&](const char* name, float value) {
    m.node("Constant", {}, name);
    set_number(m.node_of(name), "value_float", value);
  };
  constant("scale", 0.5f);
  m.node("Identity", {"scale"}, "alias");
  m.node("DequantizeLinear", {m.input("image", TensorProto::INT8, {1, 3}), "alias"}, "x");
  m.node("Identity", {"x"}, "x2");
  m.node("Relu", {"x2"}, "relu");
  m.node("QuantizeLinear", {"relu", "scale"}, "y");
  m.output("y", TensorProto::UINT8, {1, 3});
  // Without a zero point the input keeps its type and the output is uint8, both around 0.
  CHECK(output_of(m.load(), {codes({-5, 0, 9})}) == codes({0, 0, 9}));
}

TEST_CASE("Initialisers that also stand among the inputs are no inputs") {
  ModelWriter m = small_convolution();
  m.input("w.codes", TensorProto::INT8, {2, 2, 2, 2});
  CHECK(m.load().inputs.size() == 1);
}

TEST_CASE("A float input may be read in float and quantised as well") {
  ModelWriter m;
  m.input("x", TensorProto::FLOAT, {0, 3});
  m.dequantise(m.quantise("x", "q", 0.5f), "r", 0.5f);
  m.node("Add", {"r", "x"}, "y");
  m.model.mutable_graph()->add_output()->set_name("y");
  const FloatNetwork network = m.load_network();
  REQUIRE(network.graph.nodes.size() == 2);
  CHECK(network.graph.nodes[0].op == Operator::kRequantise);
  CHECK(network.graph.nodes[1].inputs == std::vector<int>{1, 0});
  CHECK(network.quantised == std::vector<bool>{false, true, false});
  CHECK(network.graph.tensors[0].name == "x");
}

TEST_CASE("Two consumers of one open result share one tensor, under the name of the last value that joined it") {
  ModelWriter m;
  m.input("x", TensorProto::FLOAT, {0, 2, 2, 2});
  m.node("Conv", {"x", m.floats("w", {1, 2, 3, 4}, {2, 2, 1, 1})}, "c");
  m.node("Relu", {"c"}, "r");
  m.node("Add", {"r", "r"}, "a");
  m.node("GlobalAveragePool", {"r"}, "g");
  m.node("Mul", {"g", "a"}, "y");
  m.model.mutable_graph()->add_output()->set_name("y");
  const FloatNetwork network = m.load_network();
  REQUIRE(network.graph.nodes.size() == 4);
  CHECK(network.graph.tensors[1].name == "r");
  for (const Node& node : network.graph.nodes) {
    if (node.op == Operator::kAdd) CHECK(node.inputs == std::vector<int>{1, 1});
    if (node.op == Operator::kAveragePool) CHECK(node.inputs == std::vector<int>{1});
    // The map comes first, the pixel that is multiplied everywhere second.
    if (node.op == Operator::kMultiply) CHECK(network.graph.input_of(node, 0).shape == Shape{2, 2, 2});
  }
}

TEST_CASE("QGemm is a fully connected layer") {
  ModelWriter m(13);
  m.input("a", TensorProto::UINT8, {0, 2});
  onnx::NodeProto& node =
      m.node("QGemm",
             {"a", m.floats("as", {0.5f}), m.integers("az", TensorProto::UINT8, {10}),
              m.integers("w", TensorProto::INT8, {1, 2, 3, -4, 5, 6}, {3, 2}), m.floats("ws", {1.0f, 2.0f, 1.0f}, {3}),
              m.integers("wz", TensorProto::INT8, {0, 0, 0}, {3}), m.integers("c", TensorProto::INT32, {1, 2, 3}, {3}),
              m.floats("ys", {0.5f}), m.integers("yz", TensorProto::INT8, {-1})},
             "y");
  node.set_domain("com.microsoft");
  set_integer(node, "transB", 1);
  m.output("y", TensorProto::INT8, {0, 3});
  const Graph graph = m.load();
  // a - 10 = 1, 2: 1 + 4 + 1 = 6; (3 - 8 + 2) * 2 = -6; 5 + 12 + 3 = 20; - 1.
  CHECK(execute(graph, {codes({11, 12})})[std::size_t(graph.outputs[0])] == codes({5, -7, 19}));
}
