// SPDX-License-Identifier: Apache-2.0
// QLinearConv and QLinearMatMul, and what ONNX Runtime has beside them: codes in, codes out, every scale and zero point
// an operand.
#include "models/dnn/onnx/product_readers.h"
#include "models/dnn/onnx/stored_tensor.h"

namespace mho::dnn {

namespace {

/// Codes `i` with scale and zero point behind them, as real values.
Value opened(const NodeReader& node, int i) {
  Value value = node.codes(i);
  if (!node.model().network().agree_on_format(value.tensor, node.format(i + 1, i + 2)))
    node.refuse("scale, zero point or type of input " + std::to_string(i) +
                    " differ from those that its codes were written with",
                "equal ones");
  return value;
}

void close(NodeReader& node, const Open& open, int scale) {
  finish(node, *open.pending, open.view, node.format(scale, scale + 1));
}

void require_channels_first(NodeReader& node) {
  if (node.integer("channels_last", 0) != 0) node.refuse("has its channels last", "channels_last = 0");
}

/// Operands of a QLinear product: x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero.
struct QLinear {
  explicit QLinear(NodeReader& node, int filter_axis)
      : input(node.codes(0)), weights{node.constant(3), node.scales(4), filter_axis}, output(node.format(6, 7)) {
    if (!node.model().network().agree_on_format(input.tensor, node.format(1, 2)))
      node.refuse("scale, zero point or type of x differ from those that its codes were written with", "equal ones");
    const OnnxTensor zero = node.constant(5);
    if (weights.codes.type != OnnxTensor::Type::kInt8 || zero.type != weights.codes.type)
      node.refuse(std::string("weights are ") + name_of(weights.codes.type),
                  "int8 with zero point 0: quantise weights symmetrically");
    for (const std::int64_t value : integers(zero))
      if (value != 0)
        node.refuse("zero point of the weights is " + std::to_string(value), "0: quantise weights symmetrically");
  }
  Value input;
  ScaledConstant weights;
  CodeFormat output;
};

}  // namespace

void read_qlinear_conv(NodeReader& node) {
  node.require_inputs(8, 9);
  const QLinear operands(node, 0);
  const auto pending = convolution(node, operands.input, operands.weights);
  if (node.has(8))
    pending->node.weights.bias = bias_values(node, node.constant(8), std::size_t(pending->shape.channels));
  finish(node, *pending, View::map(pending->shape), operands.output);
}

void read_qlinear_matmul(NodeReader& node) {
  node.require_inputs(8, 8);
  const QLinear operands(node, 1);
  View view;
  const auto pending = matrix_product(node, operands.input, operands.weights, false, view);
  finish(node, *pending, view, operands.output);
}

void read_qgemm(NodeReader& node) {
  node.require_inputs(7, 9);
  if (node.number("alpha", 1.0) != 1.0 || node.integer("transA", 0) != 0)
    node.refuse("scales or transposes its input", "alpha = 1, transA = 0");
  const bool transposed = node.integer("transB", 0) != 0;
  const Value x = opened(node, 0);
  for (const std::int64_t zero : node.integers(5))
    if (zero != 0) node.refuse("zero point of the weights is " + std::to_string(zero), "0");
  if (x.view.rank() != 2 || !node.has(7)) node.refuse("has no vector as input or no scale behind it", "codes [N, C]");
  View view;
  const auto pending =
      matrix_product(node, x, {node.constant(3), node.scales(4), transposed ? 0 : 1}, transposed, view);
  if (node.has(6))
    pending->node.weights.bias = bias_values(node, node.constant(6), std::size_t(pending->shape.channels));
  finish(node, *pending, view, node.format(7, 8));
}

void read_qlinear_add(NodeReader& node) {
  node.require_inputs(8, 8);
  close(node, combination(node, Operator::kAdd, opened(node, 0), opened(node, 3)), 6);
}

void read_qlinear_mul(NodeReader& node) {
  node.require_inputs(8, 8);
  close(node, combination(node, Operator::kMultiply, opened(node, 0), opened(node, 3)), 6);
}

void read_qlinear_concat(NodeReader& node) {
  node.require_inputs(8, kMaxExtent);
  if (node.inputs() % 3 != 2) node.refuse("has " + std::to_string(node.inputs()) + " inputs", "2, and 3 for each part");
  std::vector<Value> parts;
  for (int i = 2; i < node.inputs(); i += 3) parts.push_back(opened(node, i));
  close(node, concatenation(node, parts), 0);
}

void read_qlinear_average_pool(NodeReader& node) {
  node.require_inputs(5, 5);
  require_channels_first(node);
  close(node, average_pool(node, opened(node, 0)), 3);
}

void read_qlinear_global_average_pool(NodeReader& node) {
  node.require_inputs(5, 5);
  require_channels_first(node);
  close(node, global_average_pool(node, opened(node, 0)), 3);
}

void read_qlinear_leaky_relu(NodeReader& node) {
  node.require_inputs(5, 5);
  close(node, leaky_relu(node, opened(node, 0)), 3);
}

void read_qlinear_sigmoid(NodeReader& node) {
  node.require_inputs(5, 5);
  close(node, function_of(node, opened(node, 0), Function::kSigmoid, 0.0), 3);
}

void read_qlinear_softmax(NodeReader& node) {
  node.require_inputs(5, 5);
  node.integer("opset", 13);  // what `axis` means, which softmax looks up by the model's own opset
  close(node, softmax(node, opened(node, 0)), 3);
}

}  // namespace mho::dnn
