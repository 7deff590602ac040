// SPDX-License-Identifier: Apache-2.0
// Conv, Gemm, MatMul: which weights and which bias. A float bias on weights of codes makes the weights real: what the
// file rounds once is not rounded twice.
#include "models/dnn/onnx/attention_readers.h"
#include "models/dnn/onnx/constants.h"
#include "models/dnn/onnx/product_readers.h"

namespace mho::dnn {

namespace {

double x_scale(NodeReader& node, const PendingNode& pending) {
  return node.model().network().format(pending.node.inputs[0]).scale;
}

/// Bias `i` of a product; `trailing` axes of 1 are to be thought behind its own.
void read_bias(NodeReader& node, PendingNode& pending, int i, const View& view, double factor) {
  const ScaledConstant bias = node.weights(i);
  if (!bias.scale.empty() && !pending.node.weights.values.empty()) return add_bias(node, pending, bias, 2);
  make_real(pending, x_scale(node, pending));
  std::vector<std::int64_t> dims = bias.codes.dims;
  const std::vector<float> values = real_values(node, bias);
  if (view.rank() == 4) {
    if (std::int64_t(values.size()) != pending.shape.channels || dims.size() != 1)
      node.refuse("bias has " + std::to_string(values.size()) + " values", std::to_string(pending.shape.channels));
    dims = {dims[0], 1, 1};
  }
  Value like;
  like.view = view;
  like.shape = pending.shape;
  pending.real.bias.clear();
  for (const double value : per_channel(node, like, dims, values)) pending.real.bias.push_back(float(factor * value));
}

}  // namespace

void read_conv(NodeReader& node) {
  node.require_inputs(2, 3);
  const auto pending = convolution(node, node.activation(0), node.weights(1));
  const View view = View::map(pending->shape);
  if (node.has(2)) read_bias(node, *pending, 2, view, 1.0);
  node.result(pending, view);
}

void read_gemm(NodeReader& node) {
  node.require_inputs(2, 3);
  const double alpha = node.number("alpha", 1.0), beta = node.number("beta", 1.0);
  if (node.integer("transA", 0) != 0) node.refuse("transposes its input", "transA = 0");
  const bool transposed = node.integer("transB", 0) != 0;
  const Value input = node.real(0);
  if (input.view.rank() != 2) node.refuse("input is a map", "a vector [N, C], for example behind Flatten");
  View view;
  const auto pending = matrix_product(node, input, node.weights(1), transposed, view);
  const bool codes = pending->real.values.empty();
  if (codes && (alpha != 1.0 || beta != 1.0)) node.refuse("scales its input", "alpha = 1, beta = 1");
  for (float& weight : pending->real.values) weight = float(alpha * weight);
  if (node.has(2)) read_bias(node, *pending, 2, view, beta);
  node.result(pending, view);
}

void read_matmul(NodeReader& node) {
  node.require_inputs(2, 2);
  if (!node.is_constant(1)) return read_activation_product(node);
  View view;
  const auto pending = matrix_product(node, node.real(0), node.weights(1), false, view);
  node.result(pending, view);
}

}  // namespace mho::dnn
