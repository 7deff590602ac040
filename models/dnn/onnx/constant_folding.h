// SPDX-License-Identifier: Apache-2.0
// Nodes that read constants alone are computed while the model is read: shapes as PyTorch exports them, weights that
// are transposed, small arithmetic.
#pragma once

#include "models/dnn/onnx/node_reader.h"

namespace mho::dnn {

/// Most elements of a constant that arithmetic makes.
inline constexpr std::int64_t kMaxFoldedElements = 1 << 22;

/// True where the node reads constants alone and is one that can be computed; its result is then defined.
bool fold_constant(NodeReader& node, const std::string& op_type);

}  // namespace mho::dnn
