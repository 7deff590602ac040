// SPDX-License-Identifier: Apache-2.0
// Networks that PyTorch exported (export_torch_models.py), read and computed in float: the outputs are PyTorch's, and
// the nodes are those that the machines have, with nothing left of normalisations, shapes and chains.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/quantisation/float_reference.h"
#include "models/dnn/reference.h"
#include "testbenches/models/dnn/onnx/model_writer.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;

namespace {

const std::string kFolder = MHO_SOURCE_DIR "/testbenches/models/dnn/onnx/torch_models/";

std::vector<float> floats_of(const OnnxTensor& tensor) {
  REQUIRE(tensor.type == OnnxTensor::Type::kFloat);
  std::vector<float> values(tensor.raw.size() / sizeof(float));
  std::memcpy(values.data(), tensor.raw.data(), tensor.raw.size());
  return values;
}

/// Index in the file of element `i` of a stored map or sequence.
std::size_t file_index(const Tensor& tensor, std::size_t i) {
  const auto channels = std::size_t(tensor.shape.channels), pixels = tensor.shape.bytes() / channels;
  return tensor.sequence ? i : i % channels * pixels + i / channels;
}

/// Largest difference to PyTorch's outputs, in relation to the largest of them.
double largest_error(const FloatNetwork& network, const std::string& name) {
  const FloatReference reference(network);
  const OnnxTensor x = read_tensor(kFolder + name + ".input.pb"), y = read_tensor(kFolder + name + ".output.pb");
  const Tensor& input = network.graph.tensors[std::size_t(network.graph.inputs.at(0))];
  const Tensor& output = network.graph.tensors[std::size_t(network.graph.outputs.at(0))];
  const std::vector<float> in = floats_of(x), expected = floats_of(y);
  REQUIRE(in.size() == std::size_t(x.dims[0]) * input.shape.bytes());
  REQUIRE(expected.size() == std::size_t(x.dims[0]) * output.shape.bytes());
  double error = 0, largest = 0;
  for (std::size_t n = 0; n < std::size_t(x.dims[0]); ++n) {
    Reals values(input.shape.bytes());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = in[n * values.size() + file_index(input, i)];
    const Reals result = reference.run({values}).at(0);
    for (std::size_t i = 0; i < result.size(); ++i) {
      const double want = expected[n * result.size() + file_index(output, i)];
      error = std::max(error, std::abs(double(result[i]) - want));
      largest = std::max(largest, std::abs(want));
    }
  }
  return error / largest;
}

/// How many nodes of each operator a network has.
std::map<std::string, int> operators_of(const FloatNetwork& network) {
  std::map<std::string, int> counts;
  for (const Node& node : network.graph.nodes)
    ++counts[node.op == Operator::kFunction ? name_of(node.function) : name_of(node.op)];
  return counts;
}

using Counts = std::map<std::string, int>;

// Queries, keys and values are products of their own, also where one projection gives all three.
const Counts kEncoder = {{"convolution", 6}, {"matmul", 2}, {"softmax", 1}, {"add", 2}, {"layer_norm", 2}, {"gelu", 1}};

const std::map<std::string, Counts> kExpectedOperators = {
    {"cnn", {{"convolution", 4}, {"max_pool", 1}}},
    // The first normalisation stands alone.
    {"residual", {{"affine", 1}, {"convolution", 3}, {"add", 1}, {"average_pool", 1}}},
    // Exported with its normalisations: those behind convolutions are in their weights.
    {"unfused", {{"affine", 1}, {"convolution", 3}, {"add", 1}, {"average_pool", 1}}},
    {"squeeze_excite",
     {{"convolution", 4},
      {"hard_swish", 1},
      {"sigmoid", 1},
      {"multiply", 2},
      {"average_pool", 1},
      {"hard_sigmoid", 1}}},
    // Two units of halves, branch and shuffle; the frame is wider than the last kernel.
    {"shuffle", {{"convolution", 5}, {"concat", 2}, {"select", 5}, {"pad", 1}}},
    {"inception", {{"convolution", 4}, {"average_pool", 1}, {"max_pool", 1}, {"concat", 1}}},
    {"activations",
     {{"add", 1},
      {"affine", 4},
      {"concat", 1},
      {"convolution", 1},
      {"gelu", 1},
      {"leaky_relu", 1},
      {"sigmoid", 1},
      {"tanh", 1}}},
    {"option_a", {{"convolution", 1}, {"max_pool", 2}, {"add", 1}, {"select", 1}}},
    {"bert", kEncoder},
    {"bert_fixed", kEncoder},
    {"bert_fused", kEncoder},
    {"torch_encoder", kEncoder},
    {"vit", {{"convolution", 6}, {"matmul", 2}, {"softmax", 1}, {"add", 1}, {"layer_norm", 1}, {"average_pool", 1}}},
    {"pooler", {{"convolution", 2}, {"max_pool", 1}, {"tanh", 1}}},
};

}  // namespace

TEST_CASE("Networks exported by PyTorch compute what PyTorch computed") {
  std::set<std::string> families;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder))
    if (entry.path().extension() == ".onnx") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    CAPTURE(name);
    const std::string family = name.substr(0, name.rfind('_'));
    if (family == "quantised") continue;
    families.insert(family);
    try {
      const FloatNetwork network = read_network(kFolder + name + ".onnx");
      CHECK_FALSE(is_quantised(network));
      const Counts& expected = kExpectedOperators.at(family);
      const Counts found = operators_of(network);
      CHECK(found == expected);
      std::string text;
      for (const auto& [op, count] : found) text += op + ":" + std::to_string(count) + " ";
      UNSCOPED_INFO(text);
      CHECK(largest_error(network, name) < 1e-5);
    } catch (const std::exception& e) {
      FAIL_CHECK(e.what());
    }
  }
  CHECK(families.size() == kExpectedOperators.size());
}

TEST_CASE("A network that PyTorch quantised computes the same codes") {
  const std::string name = kFolder + "quantised_13";
  const Graph graph = read_onnx(name + ".onnx");
  CHECK(graph.nodes.size() == 11);
  const Tensor& output = graph.tensors[std::size_t(graph.outputs.at(0))];
  const std::vector<float> expected = floats_of(read_tensor(name + ".output.pb"));
  const Reference reference(graph);
  std::vector<std::vector<std::uint8_t>> results;
  const OnnxTensor x = read_tensor(name + ".input.pb");
  for (const auto& codes : to_codes(x, graph.tensors[std::size_t(graph.inputs.at(0))], 0, name))
    results.push_back(reference.run({codes})[std::size_t(graph.outputs[0])]);
  const OnnxTensor found = from_codes(results, output);
  REQUIRE(found.raw.size() == expected.size());
  // PyTorch multiplies in float where we do in double: now and then a tie falls to the other side.
  int equal = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const int code = output.type == CodeType::kInt8 ? std::int8_t(found.raw[i]) : found.raw[i];
    const double difference = std::abs(code - output.zero_point - double(expected[i]) / output.scale);
    CHECK(difference < 1.01);
    equal += int(difference < 0.01);
  }
  CHECK(equal >= 36);
}
