// SPDX-License-Identifier: Apache-2.0
// One output row of any node without weights: which function computes it.
#include <stdexcept>

#include "models/dnn/row_operators.h"

namespace mho::dnn {

namespace {

using RowFunction = void (*)(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);

/// Null for convolutions.
RowFunction row_function(Operator op) {
  switch (op) {
    case Operator::kConvolution:
      return nullptr;
    case Operator::kMaxPool:
      return max_pool_row;
    case Operator::kAveragePool:
      return average_pool_row;
    case Operator::kAdd:
      return add_row;
    case Operator::kConcat:
      return concat_row;
    case Operator::kRequantise:
      return requantise_row;
    case Operator::kMultiply:
      return multiply_row;
    case Operator::kFunction:
      return function_row;
    case Operator::kAffine:
      return affine_row;
    case Operator::kSelect:
      return select_row;
    case Operator::kPad:
      return pad_row;
    case Operator::kSoftmax:
      return softmax_row;
    case Operator::kLayerNorm:
      return layer_norm_row;
    case Operator::kMatMul:
      return matmul_row;
  }
  return nullptr;
}

}  // namespace

void compute_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out) {
  const RowFunction compute = row_function(node.op);
  if (compute == nullptr)
    throw std::logic_error("compute_row: a convolution is a matrix product, see gather_windows and Requantiser");
  compute(graph, node, y, rows, out);
}

}  // namespace mho::dnn
