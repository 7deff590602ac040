// SPDX-License-Identifier: Apache-2.0
// The supported operators of ONNX's default domain, by name.
#include <map>

#include "models/dnn/onnx/operator_readers.h"

namespace mho::dnn {

namespace {

const std::map<std::string, OperatorReader>& table() {
  static const std::map<std::string, OperatorReader> readers = {
      {"Add", read_add},
      {"AveragePool", read_average_pool},
      {"Clip", read_clip},
      {"Concat", read_concat},
      {"Constant", read_constant},
      {"Conv", read_conv},
      {"DequantizeLinear", read_dequantize_linear},
      {"Flatten", read_flatten},
      {"Gemm", read_gemm},
      {"GlobalAveragePool", read_global_average_pool},
      {"Identity", read_identity},
      {"MatMul", read_matmul},
      {"MaxPool", read_max_pool},
      {"QLinearConv", read_qlinear_conv},
      {"QLinearMatMul", read_qlinear_matmul},
      {"QuantizeLinear", read_quantize_linear},
      {"Relu", read_relu},
      {"Reshape", read_reshape},
  };
  return readers;
}

}  // namespace

OperatorReader operator_reader(const std::string& op_type) {
  const auto found = table().find(op_type);
  return found == table().end() ? nullptr : found->second;
}

std::string supported_operators() {
  std::string names;
  for (const auto& entry : table()) names += (names.empty() ? "" : ", ") + entry.first;
  return names;
}

}  // namespace mho::dnn
