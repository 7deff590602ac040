// SPDX-License-Identifier: Apache-2.0
// Bit for bit against an independent implementation: the numpy executor of testbenches/reference reads the same ONNX
// file, shares no code with the reader or the operators, and every quantised activation must agree.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <random>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/reference.h"
#include "testbenches/models/dnn/onnx/model_writer.h"
#include "testbenches/models/dnn/small_graphs.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;
using onnx::TensorProto;

namespace {

/// Every activation of `limit` inferences by the numpy executor, as NAME.pb in `folder`.
void run_numpy(const std::string& model, const std::string& input, const std::string& folder, int limit) {
  const std::string command = "/usr/bin/python3 -B '" MHO_SOURCE_DIR "/testbenches/reference/numpy_executor.py' '" +
                              model + "' --input '" + input + "' --out '" + folder + "' --limit " +
                              std::to_string(limit) + " --dump-all > '" + folder + ".log' 2>&1";
  const int status = std::system(command.c_str());
  if (status != 0) FAIL(command << "\n" << read_bytes(folder + ".log"));
}

/// Compares all tensors but the inputs; returns how many codes agreed.
std::size_t compare(const std::string& model, const std::string& input, int limit) {
  const TemporaryFolder folder;
  run_numpy(model, input, folder.file("numpy"), limit);
  const Graph graph = read_onnx(model);
  const Reference reference(graph);
  std::vector<std::vector<Codes>> results(graph.tensors.size());
  for (const Codes& codes :
       to_codes(read_tensor(input), graph.tensors[std::size_t(graph.inputs.at(0))], limit, input)) {
    const std::vector<Codes> all = reference.run({codes});
    for (std::size_t i = 0; i < all.size(); ++i) results[i].push_back(all[i]);
  }
  REQUIRE(int(results[0].size()) == limit);
  std::size_t agreed = 0;
  for (const Node& node : graph.nodes) {
    const Tensor& tensor = graph.output_of(node);
    CAPTURE(node.name, tensor.name);
    // Codes that stand in the graph alone, moved about, and those that the file has in another order than the graph.
    if (!std::filesystem::exists(folder.file("numpy/" + tensor.name + ".pb"))) continue;
    const OnnxTensor expected = read_tensor(folder.file("numpy/" + tensor.name + ".pb"));
    const OnnxTensor found = from_codes(results[std::size_t(node.output)], tensor);
    if (expected.dims.size() != found.dims.size() && found.dims.size() > 2) continue;
    CHECK(found.type == expected.type);
    REQUIRE(found.raw.size() == expected.raw.size());
    CHECK(found.raw == expected.raw);
    agreed += found.raw.size();
  }
  return agreed;
}

std::vector<int> random_weights(std::size_t count, std::mt19937_64& random) {
  std::vector<int> values(count);
  for (int& value : values) value = int(random() % 255) - 127;
  return values;
}

std::vector<int> random_bias(std::size_t count, std::mt19937_64& random) {
  std::vector<int> values(count);
  for (int& value : values) value = int(random() % 4001) - 2000;
  return values;
}

/// Activation r3 -> both pools -> Concat -> an average that counts padding -> Flatten.
void add_pools(ModelWriter& m) {
  m.node("MaxPool", {"r3"}, "s4");
  set_list(m.node_of("s4"), "kernel_shape", {3, 2});
  set_list(m.node_of("s4"), "strides", {2, 2});
  set_list(m.node_of("s4"), "pads", {1, 0, 1, 1});
  m.quantise("s4", "a4", 0.09f, -5, TensorProto::INT8);
  m.node("AveragePool", {"r3"}, "s5");
  set_list(m.node_of("s5"), "kernel_shape", {3, 2});
  set_list(m.node_of("s5"), "strides", {2, 2});
  set_list(m.node_of("s5"), "pads", {1, 0, 1, 1});
  m.quantise("s5", "a5", 0.04f, 30);
  m.dequantise("a4", "r4", 0.09f, -5, TensorProto::INT8);
  m.dequantise("a5", "r5", 0.04f, 30);
  m.node("Concat", {"r4", "r5", "r4"}, "s6");
  set_integer(m.node_of("s6"), "axis", 1);
  m.quantise("s6", "a6", 0.06f, 60);
  m.dequantise("a6", "r6", 0.06f, 60);
  m.node("AveragePool", {"r6"}, "s7");
  set_list(m.node_of("s7"), "kernel_shape", {2, 2});
  set_list(m.node_of("s7"), "pads", {1, 1, 0, 0});
  set_integer(m.node_of("s7"), "count_include_pad", 1);
  m.quantise("s7", "a7", 0.05f, 50);
  m.dequantise("a7", "r7", 0.05f, 50);
  m.node("Flatten", {"r7"}, "flat");
}

/// Every operator that the committed network lacks, with zero points, uneven padding, groups and dilation.
ModelWriter mixed_network(std::mt19937_64& random) {
  ModelWriter m;
  m.dequantise(m.input("image", TensorProto::UINT8, {0, 4, 11, 9}), "x", 0.02f, 131);
  m.weights("w1", {6, 2, 3, 2}, random_weights(72, random), {0.01f, 0.02f, 0.005f, 0.013f, 0.011f, 0.007f});
  m.node("Conv",
         {"x", "w1",
          m.bias("b1", random_bias(6, random),
                 {0.02f * 0.01f, 0.02f * 0.02f, 0.02f * 0.005f, 0.02f * 0.013f, 0.02f * 0.011f, 0.02f * 0.007f})},
         "s1");
  set_integer(m.node_of("s1"), "group", 2);
  set_list(m.node_of("s1"), "pads", {2, 0, 1, 1});
  set_list(m.node_of("s1"), "dilations", {2, 1});
  m.node("Clip", {"s1", m.floats("low", {-1.0f}), m.floats("high", {6.0f})}, "c1");
  m.quantise("c1", "a1", 0.05f, -20, TensorProto::INT8);
  m.dequantise("a1", "r1", 0.05f, -20, TensorProto::INT8);
  m.weights("w2", {6, 1, 3, 3}, random_weights(54, random), {0.004f});
  m.node("Conv", {"r1", "w2"}, "s2");
  set_integer(m.node_of("s2"), "group", 6);
  set_list(m.node_of("s2"), "pads", {1, 1, 1, 1});
  m.node("Relu", {"s2"}, "c2");
  m.quantise("c2", "a2", 0.03f, 3);
  m.dequantise("a2", "r2", 0.03f, 3);
  m.node("Add", {"r1", "r2"}, "s3");
  m.quantise("s3", "a3", 0.07f, 11);
  m.dequantise("a3", "r3", 0.07f, 11);
  add_pools(m);
  return m;
}

/// Appends QuantizeLinear and DequantizeLinear to `real`: codes NAME, real values rNAME.
std::string through_codes(ModelWriter& m, const std::string& real, const std::string& name, float scale, int zero,
                          int type = TensorProto::INT8) {
  return m.dequantise(m.quantise(real, name, scale, zero, type), "r" + name, scale, zero, type);
}

std::vector<float> random_floats(std::size_t count, std::mt19937_64& random, float from, float to) {
  std::vector<float> values(count);
  for (float& value : values) value = from + (to - from) * float(random() % 1000) / 1000.0f;
  return values;
}

/// Split, functions, a channel shuffle, squeeze and excitation, a normalisation of its own, a pad, a slice of pixels.
ModelWriter network_of_maps(std::mt19937_64& random) {
  ModelWriter m(17);
  m.dequantise(m.input("image", TensorProto::UINT8, {0, 8, 6, 5}), "x", 0.02f, 131);
  onnx::NodeProto& split = m.node("Split", {"x", write_ints(m, "parts", {3, 5})}, "left");
  split.add_output("right");
  set_integer(split, "axis", 1);
  set_number(m.node("LeakyRelu", {"left"}, "leaky"), "alpha", 0.3f);
  m.node("HardSwish", {"right"}, "swish");
  through_codes(m, "leaky", "a1", 0.015f, -20);
  through_codes(m, "swish", "a2", 0.012f, 7);
  set_integer(m.node("Concat", {"ra2", "ra1"}, "joined"), "axis", 1);
  through_codes(m, "joined", "a3", 0.017f, 3);
  m.node("Reshape", {"ra3", write_ints(m, "apart", {0, 2, 4, 6, 5})}, "groups");
  set_list(m.node("Transpose", {"groups"}, "exchanged"), "perm", {0, 2, 1, 3, 4});
  m.node("Reshape", {"exchanged", write_ints(m, "together", {0, 8, 6, 5})}, "shuffled");
  m.node("Pad", {"shuffled", write_ints(m, "pads", {0, 0, 1, 2, 0, 0, 0, 1})}, "padded");
  m.weights("w", {8, 2, 3, 3}, random_weights(144, random), {0.01f});
  set_integer(m.node("Conv", {"padded", "w"}, "sum"), "group", 4);
  through_codes(m, "sum", "a4", 0.03f, -9);
  m.node(
      "BatchNormalization",
      {"ra4", m.floats("g", random_floats(8, random, -1, 2), {8}), m.floats("o", random_floats(8, random, -1, 1), {8}),
       m.floats("mean", random_floats(8, random, -1, 1), {8}), m.floats("var", random_floats(8, random, 0.5f, 2), {8})},
      "normal");
  through_codes(m, "normal", "a5", 0.04f, 4);
  set_list(m.node("ReduceMean", {"ra5"}, "means"), "axes", {2, 3});
  through_codes(m, "means", "a6", 0.01f, 0);
  m.node("HardSigmoid", {"ra6"}, "gate");
  through_codes(m, "gate", "a7", 1.0f / 255, 0, TensorProto::UINT8);
  m.node("Mul", {"ra7", "ra5"}, "gated");
  through_codes(m, "gated", "a8", 0.02f, 1);
  m.node("Slice",
         {"ra8", write_ints(m, "s", {0, 0}), write_ints(m, "e", {9, 9}), write_ints(m, "ax", {2, 1}),
          write_ints(m, "st", {2, 1})},
         "rows");
  through_codes(m, "rows", "a9", 0.02f, 1);
  set_integer(m.node("Gather", {"ra9", write_ints(m, "chosen", {7, 0, 0, 3})}, "picked"), "axis", 1);
  m.quantise("picked", "a10", 0.03f, 2, TensorProto::INT8);
  m.output("a10", TensorProto::INT8, {0, 4, 3, 6});
  return m;
}

/// One product of a sequence with weights and bias.
void add_projection(ModelWriter& m, const std::string& from, const std::string& name, float x_scale, int inputs,
                    int outputs, std::mt19937_64& random) {
  m.weights("w" + name, {inputs, outputs}, random_weights(std::size_t(inputs * outputs), random), {0.006f});
  m.node("MatMul", {from, "w" + name}, name + ".product");
  m.node("Add", {name + ".product", m.bias("b" + name, random_bias(std::size_t(outputs), random), {x_scale * 0.006f})},
         name + ".sum");
  through_codes(m, name + ".sum", name, 0.05f, -2);
}

std::string in_heads(ModelWriter& m, const std::string& from, const Dims& order) {
  m.node("Reshape", {from, "heads"}, from + ".split");
  set_list(m.node("Transpose", {from + ".split"}, from + ".heads"), "perm", order);
  return from + ".heads";
}

/// An encoder layer of two heads, with the scores' factor and the residual between steps of codes.
ModelWriter network_of_sequences(std::mt19937_64& random) {
  ModelWriter m(17);
  m.dequantise(m.input("image", TensorProto::UINT8, {0, 6, 8}), "x", 0.02f, 120);
  write_ints(m, "heads", {0, 6, 2, 4});
  m.node(
      "LayerNormalization",
      {"x", m.floats("g", random_floats(8, random, 0.5f, 2), {8}), m.floats("o", random_floats(8, random, -1, 1), {8})},
      "norm");
  through_codes(m, "norm", "a1", 0.03f, -5);
  for (const char* name : {"q", "k", "v"}) add_projection(m, "ra1", name, 0.03f, 8, 8, random);
  m.node("MatMul", {in_heads(m, "rq", {0, 2, 1, 3}), in_heads(m, "rk", {0, 2, 3, 1})}, "product");
  through_codes(m, "product", "scores", 0.4f, 3);
  m.node("Div", {"rscores", m.floats("root", {2.0f})}, "quotient");
  through_codes(m, "quotient", "scaled", 0.21f, 1);
  set_integer(m.node("Softmax", {"rscaled"}, "weights"), "axis", -1);
  through_codes(m, "weights", "attention", 1.0f / 255, 0, TensorProto::UINT8);
  m.node("MatMul", {"rattention", in_heads(m, "rv", {0, 2, 1, 3})}, "mixed");
  set_list(m.node("Transpose", {"mixed"}, "by_position"), "perm", {0, 2, 1, 3});
  m.node("Reshape", {"by_position", write_ints(m, "flat", {0, 6, 8})}, "context.real");
  through_codes(m, "context.real", "context", 0.05f, 6);
  add_projection(m, "rcontext", "out", 0.05f, 8, 8, random);
  m.node("Add", {"x", "rout"}, "residual");
  through_codes(m, "residual", "a2", 0.06f, 0);
  m.node("Div", {"ra2", m.floats("sqrt2", {1.41421356f})}, "inner");
  m.node("Erf", {"inner"}, "erf");
  m.node("Add", {"erf", m.floats("one", {1})}, "above");
  m.node("Mul", {"ra2", "above"}, "twice");
  m.node("Mul", {"twice", m.floats("half", {0.5f})}, "gelu");
  through_codes(m, "gelu", "a3", 0.04f, -100);
  set_integer(m.node("Gather", {"ra3", m.integers("first", TensorProto::INT64, {0})}, "token"), "axis", 1);
  m.weights("wc", {8, 5}, random_weights(40, random), {0.004f});
  m.node("Gemm", {"token", "wc", m.bias("bc", random_bias(5, random), {0.04f * 0.004f})}, "classes");
  m.quantise("classes", "y", 0.02f, 0, TensorProto::INT8);
  m.output("y", TensorProto::INT8, {0, 5});
  return m;
}

OnnxTensor random_images(Dims dims, std::mt19937_64& random) {
  OnnxTensor images{"image", OnnxTensor::Type::kUint8, std::move(dims), {}};
  images.raw.resize(std::size_t(images.elements()));
  for (std::uint8_t& code : images.raw) code = std::uint8_t(random());
  return images;
}

}  // namespace

TEST_CASE("Every activation of eight images of the committed network equals the numpy executor's") {
  const std::string folder = MHO_SOURCE_DIR "/scenarios/networks/resnet20_shapes/";
  // 20 maps of 16 384, 8 192 and 4 096 codes among them: more than a million codes for eight images.
  CHECK(compare(folder + "model.onnx", folder + "images_500.pb", 8) > 1000000);
}

TEST_CASE("Every activation of a network of all other operators equals the numpy executor's") {
  std::mt19937_64 random(77);
  ModelWriter m = mixed_network(random);
  const TemporaryFolder folder;
  // 18 channels of the last map; its extent decides the rows of the product.
  ModelWriter map = m;
  map.model.mutable_graph()->add_output()->set_name("a7");
  const Graph graph = map.load();
  const Shape& last = graph.tensors[std::size_t(graph.outputs.at(0))].shape;
  const auto length = std::int64_t(last.bytes());
  REQUIRE(last.height * last.width > 1);
  m.weights("w8", {length, 10}, random_weights(std::size_t(length * 10), random), {0.002f});
  m.node("Gemm", {"flat", "w8", m.bias("b8", random_bias(10, random), {0.05f * 0.002f})}, "s8");
  m.quantise("s8", "a8", 0.5f, 0, TensorProto::INT8);
  m.node("QLinearMatMul",
         {"a8", m.floats("xs", {0.5f}), m.integers("xz", TensorProto::INT8, {0}),
          m.integers("w9", TensorProto::INT8, random_weights(70, random), {10, 7}), m.floats("ws", {0.01f}),
          m.integers("wz", TensorProto::INT8, {0}), m.floats("ys", {0.4f}), m.integers("yz", TensorProto::UINT8, {99})},
         "a9");
  m.output("a9", TensorProto::UINT8, {0, 7});
  write_bytes(folder.file("mixed.onnx"), m.model.SerializeAsString());
  OnnxTensor images{"image", OnnxTensor::Type::kUint8, {16, 4, 11, 9}, Codes(16 * 4 * 11 * 9)};
  for (std::uint8_t& code : images.raw) code = std::uint8_t(random());
  write_tensor(folder.file("images.pb"), images);
  CHECK(compare(folder.file("mixed.onnx"), folder.file("images.pb"), 16) > 16 * 2000);
}

TEST_CASE("Every activation of operators between products equals the numpy executor's") {
  std::mt19937_64 random(5);
  const TemporaryFolder folder;
  const std::string model = folder.file("m.onnx"), images = folder.file("i.pb");
  SECTION("on maps") {
    write_bytes(model, network_of_maps(random).model.SerializeAsString());
    write_tensor(images, random_images({16, 8, 6, 5}, random));
    // a1 to a10: 90, 150, 240, 8 x 5 x 6 three times, two vectors of 8, 144, 72.
    CHECK(compare(model, images, 16) >= 16 * (90 + 150 + 240 + 3 * 240 + 16 + 144 + 72));
  }
  SECTION("on sequences") {
    write_bytes(model, network_of_sequences(random).model.SerializeAsString());
    write_tensor(images, random_images({16, 6, 8}, random));
    // Nine sequences of 6 x 8 and 5 classes; scores, factors and weights stand in another order.
    CHECK(compare(model, images, 16) >= 16 * (8 * 48 + 5));
  }
}
