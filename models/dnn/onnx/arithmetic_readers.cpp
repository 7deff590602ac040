// SPDX-License-Identifier: Apache-2.0
// Add, Sub, Mul, Div: of two activations a node, with a constant a factor and a summand of each channel.
#include <cmath>

#include "models/dnn/onnx/channel_selection.h"
#include "models/dnn/onnx/constants.h"
#include "models/dnn/onnx/product_readers.h"

namespace mho::dnn {

namespace {

/// True where `b` is one pixel whose channels meet those of every pixel of `a`.
bool is_broadcast(const Value& a, const Value& b) {
  if (b.shape.height != 1 || b.shape.width != 1 || b.shape.channels != a.shape.channels) return false;
  const std::optional<View> wide = split_at_pixels(a.view, a.shape.channels);
  if (!wide || b.view.rank() > a.view.rank()) return false;
  for (int i = 1; i <= a.view.rank(); ++i) {
    const Factors& axis = wide->axes[std::size_t(a.view.rank() - i)];
    const bool is_missing = i > b.view.rank() || b.view.extent(b.view.rank() - i) == 1;
    if (is_missing ? !within_pixels(axis, a.shape.channels)
                   : !(merged(axis) == b.view.axes[std::size_t(b.view.rank() - i)]))
      return false;
  }
  return true;
}

}  // namespace

Open combination(NodeReader& node, Operator op, Value a, Value b) {
  if (a.view.dims() == b.view.dims() && !(a.view == b.view)) {
    a = in_plain_order(node.model(), a);
    b = in_plain_order(node.model(), b);
  }
  const bool equal = a.shape == b.shape && a.view == b.view;
  if (!equal && !is_broadcast(a, b)) {
    if (!is_broadcast(b, a))
      node.refuse("joins different shapes",
                  "equal shapes in equal order, or one pixel whose channels meet every pixel of the other");
    std::swap(a, b);
  }
  const auto pending = pending_node(node, op, a);
  pending->node.inputs.push_back(b.tensor);
  return {pending, a.view};
}

namespace {

/// A bias of codes behind a product of codes; false where the node is something else.
bool adds_codes(NodeReader& node, const Value& x, const ScaledConstant& constant) {
  if (x.kind != Value::Kind::kPending || constant.scale.empty()) return false;
  const PendingNode& product = *x.pending;
  if (product.node.weights.values.empty() || product.has_bias || product.is_bounded()) return false;
  add_bias(node, *x.pending, constant, x.view.rank());
  node.result(x.pending, x.view);
  return true;
}

Affine constant_of(NodeReader& node, const Value& x, const ScaledConstant& constant, char operation, bool reversed) {
  Affine affine;
  for (const double value : per_channel(node, x, constant.codes.dims, real_values(node, constant))) {
    const bool multiplies = operation == '*' || operation == '/';
    if (operation == '/' && value == 0) node.refuse("divides by 0", "other numbers");
    affine.gain.push_back(operation == '*' ? value : operation == '/' ? 1.0 / value : reversed ? -1.0 : 1.0);
    affine.offset.push_back(multiplies ? 0.0 : operation == '-' && !reversed ? -value : value);
  }
  return affine;
}

/// `operation` is one of + - * /.
void read_operation(NodeReader& node, char operation) {
  node.require_inputs(2, 2);
  const int constant = node.is_constant(1) ? 1 : node.is_constant(0) ? 0 : -1;
  if (constant < 0) {
    if (operation == '/') node.refuse("divides activations", "division by a constant");
    const Value a = node.real(0), b = node.real(1);
    const Open open = combination(node, operation == '*' ? Operator::kMultiply : Operator::kAdd, a, b);
    return node.result(open.pending, open.view);
  }
  const Value x = node.activation(1 - constant);
  const ScaledConstant values = node.weights(constant);
  if (operation == '+' && adds_codes(node, x, values)) return;
  if (operation == '/' && constant == 0) node.refuse("divides by an activation", "division by a constant");
  read_affine(node, x, constant_of(node, x, values, operation, operation == '-' && constant == 0));
}

}  // namespace

void read_add(NodeReader& node) { read_operation(node, '+'); }
void read_mul(NodeReader& node) { read_operation(node, '*'); }
void read_div(NodeReader& node) { read_operation(node, '/'); }
void read_sub(NodeReader& node) {
  if (node.inputs() == 2 && !node.is_constant(0) && !node.is_constant(1))
    node.refuse("subtracts activations", "subtraction of or from a constant");
  read_operation(node, '-');
}

}  // namespace mho::dnn
