// SPDX-License-Identifier: Apache-2.0
// A seeded stress test: many damaged copies of the committed models either load and compute, or are
// refused with an InputError of one line; nothing else is thrown, and sanitizers see nothing.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <random>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/operators.h"
#include "models/dnn/quantisation/float_reference.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/onnx/model_writer.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;

namespace {

constexpr const char* kOperators[] = {
    "Add",  "AveragePool",       "Clip",     "Concat", "Constant", "Conv",        "DequantizeLinear", "Flatten",
    "Gemm", "GlobalAveragePool", "Identity", "MatMul", "MaxPool",  "QLinearConv", "QLinearMatMul",    "QuantizeLinear",
    "Relu", "Reshape",           "Loop"};
constexpr int kMutants = 1500, kTorchMutants = 100;  // a few seconds, with sanitizers as well

/// Runs one inference: what the checks have let through must be safe to compute. Mutants that have become huge are
/// left out.
void run(const FloatNetwork& network) {
  const Graph& graph = network.graph;
  std::size_t bytes = 0;
  for (const Tensor& tensor : graph.tensors) bytes += tensor.shape.bytes();
  if (bytes > (std::size_t(1) << 23) || macs(graph) > 100000000) return;
  if (!is_quantised(network)) {
    std::vector<Reals> inputs;
    for (const int input : graph.inputs) inputs.emplace_back(graph.tensors[std::size_t(input)].shape.bytes(), 0.5f);
    REQUIRE(FloatReference(network).run(inputs).size() == graph.outputs.size());
    return;
  }
  std::vector<std::vector<std::uint8_t>> inputs;
  for (const int input : graph.inputs) inputs.emplace_back(graph.tensors[std::size_t(input)].shape.bytes(), 0xa5);
  REQUIRE(execute(graph, inputs).size() == graph.tensors.size());
}

/// True if the bytes load, false if they are refused properly; anything else fails the test.
bool loads(const std::string& path, const std::string& bytes) {
  write_bytes(path, bytes);
  try {
    run(read_network(path));
    return true;
  } catch (const mho::InputError& error) {
    REQUIRE(std::string(error.what()).find('\n') == std::string::npos);
    REQUIRE(error.file() == path);
    return false;
  }
}

/// Numbers that parsers get wrong.
std::int64_t odd_number(std::mt19937_64& random) {
  const std::int64_t numbers[] = {
      0, -1, 1, 2, 127, 255, 256, 65536, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, std::int64_t(1) << 40};
  return numbers[random() % std::size(numbers)];
}

/// One change of bytes: a flip, a new value, a cut, a copy of another piece.
void damage_bytes(std::string& bytes, std::mt19937_64& random) {
  const std::size_t at = random() % bytes.size();
  switch (random() % 5) {
    case 0:
      bytes[at] = char(bytes[at] ^ (1 << (random() % 8)));
      break;
    case 1:
      bytes[at] = char(random());
      break;
    case 2:
      bytes.resize(at + 1);
      break;
    case 3:
      bytes.erase(at, 1 + random() % 16);
      break;
    default:
      bytes.insert(at, bytes.substr(random() % bytes.size(), 1 + random() % 64));
      break;
  }
}

void damage_tensor(onnx::TensorProto& t, std::mt19937_64& random) {
  switch (random() % 5) {
    case 0:
      t.set_data_type(int(odd_number(random) & 31));
      break;
    case 1:
      if (t.dims_size() > 0) t.set_dims(int(random() % std::uint64_t(t.dims_size())), odd_number(random));
      break;
    case 2:
      t.add_dims(odd_number(random));
      break;
    case 3:
      damage_bytes(*t.mutable_raw_data(), random);
      break;
    default:
      t.set_name(random() % 2 != 0 ? "" : "image");
      break;
  }
}

void damage_node(onnx::NodeProto& n, const onnx::GraphProto& graph, std::mt19937_64& random) {
  const onnx::NodeProto& other = graph.node(int(random() % std::uint64_t(graph.node_size())));
  switch (random() % 7) {
    case 6:
      n.set_op_type(other.op_type());
      break;
    case 0:
      n.set_op_type(kOperators[random() % std::size(kOperators)]);
      break;
    case 1:
      if (n.input_size() > 0) n.set_input(int(random() % std::uint64_t(n.input_size())), other.output(0));
      break;
    case 2:
      n.add_input(other.input_size() > 0 ? other.input(0) : "");
      break;
    case 3:
      n.set_output(0, other.output(0));
      break;
    case 4:
      set_integer(n, "axis", odd_number(random));
      break;
    default:
      for (onnx::AttributeProto& a : *n.mutable_attribute()) {
        for (int i = 0; i < a.ints_size(); ++i)
          if (random() % 3 == 0) a.set_ints(i, odd_number(random));
        if (random() % 3 == 0) a.set_i(odd_number(random));
      }
  }
}

/// Changes that keep the file a valid protobuf message, so that they reach beyond the parser.
void damage_model(onnx::ModelProto& model, std::mt19937_64& random) {
  onnx::GraphProto& graph = *model.mutable_graph();
  const auto node = int(random() % std::uint64_t(graph.node_size()));
  switch (random() % 8) {
    case 0:
      damage_tensor(*graph.mutable_initializer(int(random() % std::uint64_t(graph.initializer_size()))), random);
      break;
    case 1:
      graph.mutable_node()->DeleteSubrange(node, 1);
      break;
    case 2:
      graph.mutable_node()->SwapElements(node, int(random() % std::uint64_t(graph.node_size())));
      break;
    case 3:
      *graph.add_node() = onnx::NodeProto(graph.node(node));
      break;
    case 4:
      for (auto& dim : *graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim())
        if (random() % 3 == 0) dim.set_dim_value(odd_number(random));
      break;
    default:
      damage_node(*graph.mutable_node(node), graph, random);
      break;
  }
}

}  // namespace

namespace {

struct Counts {
  int loaded = 0, refused = 0;
};

Counts damage(const std::string& model, int mutants, std::uint64_t seed) {
  const TemporaryFolder folder;
  const std::string path = folder.file("mutant.onnx");
  const std::string good = read_bytes(model);
  onnx::ModelProto original;
  REQUIRE(original.ParseFromString(good));
  CAPTURE(model);
  REQUIRE(loads(path, good));
  std::mt19937_64 random(seed);
  Counts counts;
  for (int mutant = 0; mutant < mutants; ++mutant) {
    CAPTURE(mutant);
    std::string bytes = good;
    if (mutant % 3 == 0) {
      for (std::uint64_t i = 0; i <= random() % 4; ++i) damage_bytes(bytes, random);
    } else {
      onnx::ModelProto changed = original;
      for (std::uint64_t i = 0; i <= random() % 2; ++i) damage_model(changed, random);
      bytes = changed.SerializeAsString();
    }
    (loads(path, bytes) ? counts.loaded : counts.refused) += 1;
  }
  return counts;
}

}  // namespace

TEST_CASE("Damaged models load or are refused, and nothing else happens") {
  const Counts counts = damage(MHO_SOURCE_DIR "/scenarios/networks/resnet20_shapes/model.onnx", kMutants, 20240501);
  // Many changes hit weights and load; most structural ones are refused.
  CHECK(counts.loaded > 100);
  CHECK(counts.refused > 500);
}

TEST_CASE("Damaged float models load or are refused, and nothing else happens") {
  const char* longer = std::getenv("MHO_MUTANTS");
  Counts all;
  std::uint64_t seed = 7;
  for (const auto& entry :
       std::filesystem::directory_iterator(MHO_SOURCE_DIR "/testbenches/models/dnn/onnx/torch_models")) {
    if (entry.path().extension() != ".onnx") continue;
    const Counts counts = damage(entry.path().string(), longer != nullptr ? std::atoi(longer) : kTorchMutants, ++seed);
    all.loaded += counts.loaded;
    all.refused += counts.refused;
  }
  CHECK(all.loaded > 150);
  CHECK(all.refused > 1000);
}
