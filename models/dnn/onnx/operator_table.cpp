// SPDX-License-Identifier: Apache-2.0
// The supported operators by domain and name. Operators without a reader are computed on constants alone.
#include "models/dnn/onnx/operator_readers.h"

namespace mho::dnn {

namespace {

struct Entry {
  const char* name;
  SupportedOperator supported;
};

constexpr Outputs kOne = Outputs::kOne, kExtras = Outputs::kUnreadExtras, kMany = Outputs::kMany;

// Numbers are those of the first opset after 17 with another definition of the operator.
constexpr Entry kStandard[] = {
    {"Add", {read_add}},
    {"AveragePool", {read_average_pool, kOne, 19}},
    {"BatchNormalization", {read_batch_normalization, kExtras}},
    {"Cast", {read_cast, kOne, 19}},
    {"Clip", {read_clip}},
    {"Concat", {read_concat}},
    {"Constant", {read_constant, kOne, 19}},
    {"ConstantOfShape", {nullptr, kOne, 20}},
    {"Conv", {read_conv}},
    {"DequantizeLinear", {read_dequantize_linear, kOne, 19}},
    {"Div", {read_div}},
    {"Dropout", {read_dropout, kExtras}},
    {"Equal", {nullptr, kOne, 19}},
    {"Erf", {nullptr}},
    {"Expand", {nullptr}},
    {"Flatten", {read_flatten, kOne, 21}},
    {"Floor", {nullptr}},
    {"Gather", {read_gather}},
    {"Gelu", {read_gelu}},
    {"Gemm", {read_gemm}},
    {"GlobalAveragePool", {read_global_average_pool}},
    {"HardSigmoid", {read_hard_sigmoid}},
    {"HardSwish", {read_hard_swish}},
    {"Identity", {read_identity, kOne, 19}},
    {"LayerNormalization", {read_layer_normalization, kExtras}},
    {"LeakyRelu", {read_leaky_relu}},
    {"MatMul", {read_matmul}},
    {"Max", {nullptr}},
    {"MaxPool", {read_max_pool, kExtras}},
    {"Min", {nullptr}},
    {"Mul", {read_mul}},
    {"Neg", {nullptr}},
    {"Pad", {read_pad, kOne, 18}},
    {"Pow", {read_pow}},
    {"QLinearConv", {read_qlinear_conv}},
    {"QLinearMatMul", {read_qlinear_matmul, kOne, 21}},
    {"QuantizeLinear", {read_quantize_linear, kOne, 19}},
    {"Range", {nullptr}},
    {"ReduceMean", {read_reduce_mean, kOne, 18}},
    {"Relu", {read_relu}},
    {"Reshape", {read_reshape, kOne, 19}},
    {"Shape", {read_shape_of, kOne, 19}},
    {"Sigmoid", {read_sigmoid}},
    {"Slice", {read_slice}},
    {"Softmax", {read_softmax}},
    {"Split", {read_split, kMany, 18}},
    {"Sqrt", {nullptr}},
    {"Squeeze", {read_squeeze, kOne, 21}},
    {"Sub", {read_sub}},
    {"Tanh", {read_tanh}},
    {"Transpose", {read_transpose, kOne, 21}},
    {"Unsqueeze", {read_unsqueeze, kOne, 21}},
    {"Where", {nullptr}},
};

constexpr Entry kMicrosoft[] = {
    {"DequantizeLinear", {read_dequantize_linear}},
    {"Gelu", {read_gelu}},
    {"QGemm", {read_qgemm}},
    {"QLinearAdd", {read_qlinear_add}},
    {"QLinearAveragePool", {read_qlinear_average_pool}},
    {"QLinearConcat", {read_qlinear_concat}},
    {"QLinearGlobalAveragePool", {read_qlinear_global_average_pool}},
    {"QLinearLeakyRelu", {read_qlinear_leaky_relu}},
    {"QLinearMul", {read_qlinear_mul}},
    {"QLinearSigmoid", {read_qlinear_sigmoid}},
    {"QLinearSoftmax", {read_qlinear_softmax}},
    {"QuantizeLinear", {read_quantize_linear}},
};

template <std::size_t count>
const SupportedOperator* found(const Entry (&table)[count], const std::string& op_type) {
  for (const Entry& entry : table)
    if (op_type == entry.name) return &entry.supported;
  return nullptr;
}

template <std::size_t count>
std::string names_of(const Entry (&table)[count]) {
  std::string names;
  for (const Entry& entry : table) names += (names.empty() ? "" : ", ") + std::string(entry.name);
  return names;
}

}  // namespace

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

const SupportedOperator* supported_operator(const std::string& domain, const std::string& op_type) {
  if (is_default_domain(domain)) return found(kStandard, op_type);
  return domain == "com.microsoft" ? found(kMicrosoft, op_type) : nullptr;
}

std::string supported_operators() { return names_of(kStandard) + "; of com.microsoft: " + names_of(kMicrosoft); }

}  // namespace mho::dnn
