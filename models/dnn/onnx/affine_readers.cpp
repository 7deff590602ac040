// SPDX-License-Identifier: Apache-2.0
// Factors and summands of each channel: BatchNormalization, and arithmetic with constants. They go into the weights of
// the product before them, into the projection behind the scores of attention, or become a node of their own.
#include <algorithm>
#include <cmath>

#include "models/dnn/onnx/constants.h"
#include "models/dnn/onnx/product_readers.h"

namespace mho::dnn {

namespace {

bool all_are(const std::vector<double>& values, double value) {
  return std::all_of(values.begin(), values.end(), [=](double v) { return v == value; });
}

void fold(RealWeights& weights, const Affine& affine) {
  const std::size_t filters = affine.gain.size(), length = weights.values.size() / filters;
  weights.bias.resize(filters, 0.0f);
  for (std::size_t f = 0; f < filters; ++f) {
    for (std::size_t k = 0; k < length; ++k)
      weights.values[f * length + k] = float(weights.values[f * length + k] * affine.gain[f]);
    weights.bias[f] = float(weights.bias[f] * affine.gain[f] + affine.offset[f]);
  }
}

/// Takes `affine` into an open node; false where that is impossible.
bool joins(NodeReader& node, PendingNode& pending, const Affine& affine) {
  if (pending.is_bounded()) return false;
  NetworkBuilder& network = node.model().network();
  if (pending.node.op == Operator::kConvolution) {
    make_real(pending, network.format(pending.node.inputs[0]).scale);
    fold(pending.real, affine);
    return true;
  }
  if (pending.node.op == Operator::kAffine) {
    for (std::size_t c = 0; c < affine.gain.size(); ++c) {
      pending.node.gain[c] *= affine.gain[c];
      pending.node.offset[c] = pending.node.offset[c] * affine.gain[c] + affine.offset[c];
    }
    return true;
  }
  if (pending.node.op == Operator::kMatMul && pending.sole_product >= 0 && all_are(affine.offset, 0.0) &&
      all_are(affine.gain, affine.gain[0])) {
    RealWeights* weights = network.real_product(pending.sole_product);
    if (weights == nullptr) return false;
    const auto filters = std::size_t(network.tensor(pending.sole_product).shape.channels);
    fold(*weights, {std::vector<double>(filters, affine.gain[0]), std::vector<double>(filters, 0.0)});
    return true;
  }
  return false;
}

}  // namespace

void read_affine(NodeReader& node, const Value& x, const Affine& affine) {
  for (const double number : affine.gain)
    if (!std::isfinite(number)) node.refuse("multiplies by " + std::to_string(number), "finite numbers");
  for (const double number : affine.offset)
    if (!std::isfinite(number)) node.refuse("adds " + std::to_string(number), "finite numbers");
  const bool is_open = x.kind == Value::Kind::kPending;
  const bool nothing = all_are(affine.gain, 1.0) && all_are(affine.offset, 0.0);
  if (is_open && (nothing || joins(node, *x.pending, affine))) return node.result(x.pending, x.view);
  if (nothing) return node.result(x);
  Value input = x;
  if (is_open) input.tensor = node.model().network().settle(*x.pending);
  const auto pending = pending_node(node, Operator::kAffine, input);
  pending->node.gain = affine.gain;
  pending->node.offset = affine.offset;
  node.result(pending, x.view);
}

void read_batch_normalization(NodeReader& node) {
  node.require_inputs(5, 5);
  const double epsilon = node.number("epsilon", 1e-5);
  node.number("momentum", 0.9);  // of training
  if (node.integer("training_mode", 0) != 0) node.refuse("is exported for training", "training_mode = 0");
  if (node.integer("spatial", 1) != 1) node.refuse("normalises each pixel by itself", "spatial = 1");
  const Value x = node.activation(0);
  std::vector<std::vector<double>> parts;  // scale, bias, mean, variance
  for (int i = 1; i < 5; ++i) {
    const ScaledConstant constant = node.weights(i);
    if (constant.codes.dims.size() != 1 || x.view.rank() < 2 || constant.codes.dims[0] != x.view.extent(1))
      node.refuse("input " + std::to_string(i) + " has " + std::to_string(constant.codes.elements()) + " values",
                  "one a channel along axis 1");
    std::vector<std::int64_t> dims(std::size_t(x.view.rank()) - 1, 1);
    dims[0] = constant.codes.dims[0];
    parts.push_back(per_channel(node, x, dims, real_values(node, constant)));
  }
  Affine affine;
  for (std::size_t c = 0; c < parts[0].size(); ++c) {
    if (!(parts[3][c] + epsilon > 0)) node.refuse("a variance is negative", "variances of 0 or more");
    affine.gain.push_back(parts[0][c] / std::sqrt(parts[3][c] + epsilon));
    affine.offset.push_back(parts[1][c] - parts[2][c] * affine.gain[c]);
  }
  read_affine(node, x, affine);
}

}  // namespace mho::dnn
