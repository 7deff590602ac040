// SPDX-License-Identifier: Apache-2.0
// Operators that compute a constant from constants, as constant_folding.h uses them. Each reads the node's operands and
// refuses what would become too large.
#pragma once

#include <vector>

#include "models/dnn/onnx/node_reader.h"

namespace mho::dnn {

/// A tensor of float, int64 or int32 elements with these values, cut to the type.
OnnxTensor made(OnnxTensor::Type type, const std::vector<std::int64_t>& dims, const std::vector<double>& values);

OnnxTensor fold_binary(NodeReader& node);  ///< Add, Sub, Mul, Div, Pow, Min, Max, Equal
OnnxTensor fold_unary(NodeReader& node);   ///< Sqrt, Neg, Floor
OnnxTensor fold_cast(NodeReader& node);
OnnxTensor fold_constant_of_shape(NodeReader& node);
OnnxTensor fold_expand(NodeReader& node);
OnnxTensor fold_where(NodeReader& node);
OnnxTensor fold_range(NodeReader& node);

}  // namespace mho::dnn
