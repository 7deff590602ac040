// SPDX-License-Identifier: Apache-2.0
// The ONNX project's own node cases (Debian's libonnx-testdata): integer cases exactly, float pools and convolutions
// after wrapping them in quantisation steps fine enough to be exact or within half a step, and all that float networks
// may contain as it is, against the numbers of the standard's reference.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/operators.h"
#include "models/dnn/quantisation/float_reference.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/onnx/model_writer.h"
#include "testbenches/models/dnn/small_graphs.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;
using onnx::TensorProto;

namespace {

std::string folder_of(const std::string& name) {
  const std::string folder = "/usr/share/libonnx-testdata/data/node/test_" + name;
  if (!std::filesystem::is_directory(folder)) FAIL("no " << folder << ": install libonnx-testdata");
  return folder;
}

onnx::ModelProto model_of(const std::string& name) {
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(read_bytes(folder_of(name) + "/model.onnx")));
  return model;
}

OnnxTensor stored(const std::string& name, const std::string& which) {
  return read_tensor(folder_of(name) + "/test_data_set_0/" + which + ".pb");
}

std::vector<float> floats_of(const OnnxTensor& t) {
  REQUIRE(t.type == OnnxTensor::Type::kFloat);
  std::vector<float> values(t.raw.size() / sizeof(float));
  std::memcpy(values.data(), t.raw.data(), t.raw.size());
  return values;
}

OnnxTensor run(const Graph& graph, const OnnxTensor& input) {
  std::vector<Codes> results;
  for (const Codes& codes : to_codes(input, graph.tensors[std::size_t(graph.inputs[0])], 0, "input"))
    results.push_back(execute(graph, {codes})[std::size_t(graph.outputs[0])]);
  return from_codes(results, graph.tensors[std::size_t(graph.outputs[0])]);
}

/// Codes of input `i` of a case as an int8 or uint8 scalar.
float scalar(const std::string& name, int i) {
  const OnnxTensor t = stored(name, "input_" + std::to_string(i));
  return t.type == OnnxTensor::Type::kFloat ? floats_of(t).at(0) : float(t.raw.at(0));
}

struct FloatCase {
  const char* name;
  float x_scale;
  int x_zero;
  float y_scale;
  int y_zero;
};

/// The case's node between QuantizeLinear and DequantizeLinear; weights (input 1) become int8 of scale 1.
Graph wrapped(const FloatCase& c) {
  const onnx::ModelProto original = model_of(c.name);
  const onnx::NodeProto& node = original.graph().node(0);
  // QuantizeLinear came with opset 10; the pools and convolutions of older cases have not changed.
  ModelWriter m(int(std::max<std::int64_t>(original.opset_import(0).version(), 10)));
  *m.model.mutable_graph()->add_input() = original.graph().input(0);
  m.dequantise(m.quantise(node.input(0), "wrapped.q", c.x_scale, c.x_zero), "wrapped.x", c.x_scale, c.x_zero);
  if (node.input_size() > 1) {
    const OnnxTensor w = stored(c.name, "input_1");
    const std::vector<float> values = floats_of(w);
    m.weights("wrapped.w", w.dims, std::vector<int>(values.begin(), values.end()), {1.0f});
  }
  onnx::NodeProto& copy = *m.model.mutable_graph()->add_node();
  copy = node;
  copy.set_input(0, "wrapped.x");
  if (node.input_size() > 1) copy.set_input(1, "wrapped.w");
  copy.set_output(0, "wrapped.sum");
  m.dequantise(m.quantise("wrapped.sum", "wrapped.codes", c.y_scale, c.y_zero), node.output(0), c.y_scale, c.y_zero);
  *m.model.mutable_graph()->add_output() = original.graph().output(0);
  return m.load();
}

/// Largest difference between the quantised result and the case's float output.
double largest_error(const FloatCase& c) {
  const OnnxTensor y = run(wrapped(c), stored(c.name, "input_0"));
  const OnnxTensor expected = stored(c.name, "output_0");
  REQUIRE(y.elements() == expected.elements());  // one pixel of C channels is written as [N, C]
  const std::vector<float> values = floats_of(expected);
  double largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    largest = std::max(largest, std::abs((double(y.raw[i]) - c.y_zero) * c.y_scale - double(values[i])));
  return largest;
}

/// Index in the file of element `i` of a stored map or sequence.
std::size_t file_index(const Tensor& tensor, std::size_t i) {
  const auto channels = std::size_t(tensor.shape.channels), pixels = tensor.shape.bytes() / channels;
  return tensor.sequence ? i : i % channels * pixels + i / channels;
}

void free_leading_axis(onnx::ValueInfoProto& info) {
  info.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_param("N");
}

/// The case with its first `activations` inputs per inference and the others as constants.
FloatNetwork network_of(const std::string& name, int activations) {
  onnx::ModelProto model = model_of(name);
  // Opset 7 only took broadcasting attributes away from arithmetic that these cases do not have.
  if (model.opset_import(0).version() < 7) model.mutable_opset_import(0)->set_version(7);
  onnx::GraphProto& graph = *model.mutable_graph();
  for (int i = 0; i < graph.input_size(); ++i) {
    if (i < activations) {
      free_leading_axis(*graph.mutable_input(i));
      continue;
    }
    TensorProto& constant = *graph.add_initializer();
    REQUIRE(
        constant.ParseFromString(read_bytes(folder_of(name) + "/test_data_set_0/input_" + std::to_string(i) + ".pb")));
    constant.set_name(graph.input(i).name());
  }
  // Outputs that the reader does not give: mean and variance, masks.
  graph.mutable_output()->DeleteSubrange(1, graph.node(0).op_type() == "Split" ? 0 : graph.output_size() - 1);
  for (auto& output : *graph.mutable_output()) free_leading_axis(output);
  const TemporaryFolder folder;
  write_bytes(folder.file("case.onnx"), model.SerializeAsString());
  return read_network(folder.file("case.onnx"));
}

/// Largest difference over all outputs.
double largest_float_error(const std::string& name, int activations) {
  const FloatNetwork network = network_of(name, activations);
  const Graph& graph = network.graph;
  const FloatReference reference(network);
  std::vector<std::vector<float>> in, out;
  for (int i = 0; i < activations; ++i) in.push_back(floats_of(stored(name, "input_" + std::to_string(i))));
  for (std::size_t i = 0; i < graph.outputs.size(); ++i)
    out.push_back(floats_of(stored(name, "output_" + std::to_string(i))));
  const std::size_t inferences = in[0].size() / graph.tensors[std::size_t(graph.inputs[0])].shape.bytes();
  double error = 0;
  for (std::size_t n = 0; n < inferences; ++n) {
    std::vector<Reals> values;
    for (std::size_t t = 0; t < in.size(); ++t) {
      const Tensor& tensor = graph.tensors[std::size_t(graph.inputs[t])];
      values.emplace_back(tensor.shape.bytes());
      for (std::size_t i = 0; i < values[t].size(); ++i)
        values[t][i] = in[t].at(n * values[t].size() + file_index(tensor, i));
    }
    const std::vector<Reals> results = reference.run(values);
    for (std::size_t t = 0; t < results.size(); ++t)
      for (std::size_t i = 0; i < results[t].size(); ++i) {
        const Tensor& tensor = graph.tensors[std::size_t(graph.outputs[t])];
        const float want = out[t].at(n * results[t].size() + file_index(tensor, i));
        error = std::max(error, std::abs(double(results[t][i]) - double(want)) / std::max(1.0, std::abs(double(want))));
      }
  }
  return error;
}

/// What the reader says about a case.
std::string refusal(const std::string& name, int activations = 1) {
  try {
    network_of(name, activations);
  } catch (const mho::InputError& error) {
    return error.problem();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("The max pool of uint8 codes is exact, straight from its file") {
  const std::string name = "maxpool_2d_uint8";
  const Graph graph = read_onnx(folder_of(name) + "/model.onnx");
  const OnnxTensor y = run(graph, stored(name, "input_0"));
  const OnnxTensor expected = stored(name, "output_0");
  CHECK(y.dims == expected.dims);
  CHECK(y.raw == expected.raw);
}

TEST_CASE("QLinearConv with uint8 weights is refused with the remedy") {
  ModelWriter m;
  m.model = model_of("qlinearconv");
  for (int i = 1; i < 8; ++i) {
    TensorProto constant;
    REQUIRE(constant.ParseFromString(
        read_bytes(folder_of("qlinearconv") + "/test_data_set_0/input_" + std::to_string(i) + ".pb")));
    constant.set_name(m.model.graph().input(i).name());
    *m.model.mutable_graph()->add_initializer() = constant;
  }
  CHECK_THAT(m.refusal(), Catch::Contains("weights are uint8 (int8 with zero point 0"));
}

TEST_CASE("QLinearConv is exact once its weight of -255 is written as three int8 weights of -85") {
  // The case has one weight, uint8 code 0 with zero point 255. Three copies of the channel with -85 give the same sum.
  const std::string name = "qlinearconv";
  REQUIRE(int(scalar(name, 3)) - int(scalar(name, 5)) == -255);
  const OnnxTensor x = stored(name, "input_0");
  OnnxTensor tripled = x;
  tripled.dims[1] = 3;
  tripled.raw.insert(tripled.raw.end(), x.raw.begin(), x.raw.end());
  tripled.raw.insert(tripled.raw.end(), x.raw.begin(), x.raw.end());
  ModelWriter m(10);
  m.input("x", TensorProto::UINT8, {1, 3, 7, 7});
  m.node("QLinearConv",
         {"x", m.floats("xs", {scalar(name, 1)}), m.integers("xz", TensorProto::UINT8, {int(scalar(name, 2))}),
          m.integers("w", TensorProto::INT8, {-85, -85, -85}, {1, 3, 1, 1}), m.floats("ws", {scalar(name, 4)}, {1}),
          m.integers("wz", TensorProto::INT8, {0}, {1}), m.floats("ys", {scalar(name, 6)}),
          m.integers("yz", TensorProto::UINT8, {int(scalar(name, 7))})},
         "y");
  m.output("y", TensorProto::UINT8, {1, 1, 7, 7});
  const OnnxTensor y = run(m.load(), tripled);
  CHECK(y.dims == stored(name, "output_0").dims);
  CHECK(y.raw == stored(name, "output_0").raw);
}

TEST_CASE("QLinearMatMul is exact once its uint8 weights are written as pairs of int8 weights") {
  // w - zero lies in -114 .. 141; the row twice, with both halves of the difference, gives the same sum.
  const std::string name = "qlinearmatmul_2D";
  const OnnxTensor a = stored(name, "input_0"), b = stored(name, "input_3");
  const int rows = int(b.dims[0]), columns = int(b.dims[1]);
  std::vector<int> halves(std::size_t(2 * rows * columns));
  for (int i = 0; i < rows * columns; ++i) {
    const int weight = int(b.raw[std::size_t(i)]) - int(scalar(name, 5));
    halves[std::size_t(i)] = weight / 2;
    halves[std::size_t(rows * columns + i)] = weight - weight / 2;
  }
  OnnxTensor doubled{"a", a.type, {a.dims[0], 2 * a.dims[1]}, {}};
  for (std::int64_t n = 0; n < a.dims[0]; ++n)
    for (int copy = 0; copy < 2; ++copy)
      doubled.raw.insert(doubled.raw.end(), a.raw.begin() + n * a.dims[1], a.raw.begin() + (n + 1) * a.dims[1]);
  ModelWriter m(10);
  m.input("a", TensorProto::UINT8, {0, 2 * rows});
  m.node("QLinearMatMul",
         {"a", m.floats("as", {scalar(name, 1)}), m.integers("az", TensorProto::UINT8, {int(scalar(name, 2))}),
          m.integers("b", TensorProto::INT8, halves, {2 * rows, columns}), m.floats("bs", {scalar(name, 4)}),
          m.integers("bz", TensorProto::INT8, {0}), m.floats("ys", {scalar(name, 6)}),
          m.integers("yz", TensorProto::UINT8, {int(scalar(name, 7))})},
         "y");
  m.output("y", TensorProto::UINT8, {0, columns});
  CHECK(run(m.load(), doubled).raw == stored(name, "output_0").raw);
}

TEST_CASE("Float pools over small integers are exact in codes") {
  // Inputs are 1 .. 25: scale 1 is exact, averages are multiples of 1/2 (or of 1/9 for one case, checked below).
  const FloatCase c = GENERATE(
      FloatCase{"maxpool_2d_precomputed_pads", 1, 0, 1, 0}, FloatCase{"maxpool_2d_precomputed_strides", 1, 3, 0.5f, 7},
      FloatCase{"maxpool_2d_precomputed_same_upper", 1, 0, 1, 0}, FloatCase{"maxpool_2d_ceil", 1, 0, 1, 0},
      FloatCase{"maxpool_2d_dilations", 1, 0, 1, 0}, FloatCase{"averagepool_2d_precomputed_pads", 1, 0, 0.5f, 0},
      FloatCase{"averagepool_2d_precomputed_strides", 1, 5, 0.5f, 20},
      FloatCase{"averagepool_2d_precomputed_same_upper", 1, 0, 0.5f, 0},
      FloatCase{"averagepool_2d_ceil", 1, 0, 0.5f, 0}, FloatCase{"globalaveragepool_precomputed", 1, 0, 0.5f, 0});
  CAPTURE(c.name);
  CHECK(largest_error(c) == 0);
}

TEST_CASE("Float pools over random numbers are within half an input and half an output step") {
  // Normal numbers lie within 4.5; 9 / 255 = 0.0353 a step.
  const float step = 9.2f / 255;
  const char* name = GENERATE("maxpool_2d_default", "maxpool_2d_pads", "maxpool_2d_same_lower", "maxpool_2d_same_upper",
                              "maxpool_2d_strides", "averagepool_2d_default", "averagepool_2d_pads",
                              "averagepool_2d_pads_count_include_pad", "averagepool_2d_same_lower",
                              "averagepool_2d_same_upper", "averagepool_2d_strides", "globalaveragepool");
  CAPTURE(name);
  const double error = largest_error({name, step, 128, step, 128});
  CHECK(error <= double(step) * 1.001);
  CHECK(error > 0);
  // The average keeps its precision with a finer output, and the divisor of padding shows at once.
  CHECK(largest_error({"averagepool_2d_precomputed_pads_count_include_pad", 1, 0, 0.1f, 0}) <= 0.0501);
}

TEST_CASE("Float convolutions with integer data are within half an output step") {
  // Weights are ones, inputs 0 .. 48; the largest sum is 351, so a step of 1.4 covers all. Unit steps are exact.
  const FloatCase c = GENERATE(
      FloatCase{"basic_conv_with_padding", 1, 9, 1, 0}, FloatCase{"basic_conv_without_padding", 1, 0, 1, 0},
      FloatCase{"conv_with_autopad_same", 1, 0, 1, 0}, FloatCase{"conv_with_strides_no_padding", 1, 0, 1.5f, 0},
      FloatCase{"conv_with_strides_padding", 1, 100, 1.5f, 0},
      FloatCase{"conv_with_strides_and_asymmetric_padding", 1, 0, 1.5f, 0});
  CAPTURE(c.name);
  CHECK(largest_error(c) <= (c.y_scale == 1 ? 0.0 : 0.75));
}

namespace {

constexpr const char* kOneActivation[] = {"relu",
                                          "sigmoid",
                                          "tanh",
                                          "leakyrelu",
                                          "leakyrelu_default",
                                          "hardsigmoid_default",
                                          "hardswish",
                                          "hardswish_expanded",
                                          "clip",
                                          "clip_default_min",
                                          "clip_default_max",
                                          "softmax_axis_2",
                                          "softmax_negative_axis",
                                          "softmax_default_axis",
                                          "softmax_large_number",
                                          "softmax_example",
                                          "globalaveragepool",
                                          "averagepool_2d_default",
                                          "averagepool_2d_pads",
                                          "averagepool_2d_pads_count_include_pad",
                                          "averagepool_2d_same_lower",
                                          "averagepool_2d_ceil",
                                          "maxpool_2d_dilations",
                                          "maxpool_2d_same_upper",
                                          "maxpool_2d_ceil",
                                          "basic_conv_with_padding",
                                          "conv_with_autopad_same",
                                          "conv_with_strides_and_asymmetric_padding",
                                          "batchnorm_example",
                                          "batchnorm_epsilon",
                                          "gemm_default_vector_bias",
                                          "gemm_default_scalar_bias",
                                          "gemm_default_single_elem_vector_bias",
                                          "gemm_default_no_bias",
                                          "gemm_alpha",
                                          "gemm_beta",
                                          "matmul_2d",
                                          "add_bcast",
                                          "sub_bcast",
                                          "mul_bcast",
                                          "div_bcast",
                                          "layer_normalization_2d_axis1",
                                          "layer_normalization_2d_axis_negative_1",
                                          "layer_normalization_3d_axis2_epsilon",
                                          "layer_normalization_3d_axis_negative_1_epsilon",
                                          "reduce_mean_keepdims_random",
                                          "reduce_mean_negative_axes_keepdims_random",
                                          "reduce_mean_do_not_keepdims_random",
                                          "split_equal_parts_2d",
                                          "split_variable_parts_2d",
                                          "gather_1"};

}  // namespace

TEST_CASE("Node cases of one activation give the standard's numbers") {
  for (const char* name : kOneActivation) {
    CAPTURE(name);
    try {
      CHECK(largest_float_error(name, 1) < 2e-6);
    } catch (const mho::InputError& error) {
      FAIL_CHECK(error.what());
    }
  }
}

TEST_CASE("Node cases of two activations give the standard's numbers") {
  for (const char* name :
       {"add", "mul", "concat_2d_axis_1", "concat_3d_axis_2", "concat_3d_axis_negative_1", "matmul_3d"}) {
    CAPTURE(name);
    try {
      CHECK(largest_float_error(name, 2) < 2e-6);
    } catch (const mho::InputError& error) {
      FAIL_CHECK(error.what());
    }
  }
}

TEST_CASE("Node cases beyond what a machine computes are refused") {
  using Catch::Contains;
  CHECK_THAT(refusal("softmax_axis_1"), Contains("axis 1 is no run of channels"));
  CHECK_THAT(refusal("layer_normalization_4d_axis1"), Contains("normalises other axes than the channels"));
  CHECK_THAT(refusal("batchnorm_example_training_mode"), Contains("is exported for training"));
  CHECK_THAT(refusal("gemm_transposeA"), Contains("transposes its input"));
  CHECK_THAT(refusal("constant_pad"), Contains("pads with other values"));
  CHECK_THAT(refusal("layer_normalization_default_axis"), Contains("normalises other axes than the channels"));
  CHECK_THAT(refusal("matmul_4d", 2), Contains("whose axes do not lie as attention has them"));
  CHECK_THAT(refusal("concat_3d_axis_1", 2), Contains("axis is 1"));
  CHECK_THAT(refusal("maxpool_1d_default"), Contains("input is no map"));
  CHECK_THAT(refusal("lrn"), Contains("operator is not supported"));
  CHECK_THAT(refusal("elu"), Contains("operator is not supported"));
}
