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
    const OnnxTensor expected = read_tensor(folder.file("numpy/" + tensor.name + ".pb"));
    const OnnxTensor found = from_codes(results[std::size_t(node.output)], tensor);
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
