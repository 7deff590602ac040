// SPDX-License-Identifier: Apache-2.0
// Products with constant weights, shared by Conv, Gemm, MatMul and their QLinear forms.
#pragma once

#include <memory>

#include "models/dnn/onnx/operator_readers.h"

namespace mho::dnn {

/// A convolution of map `input` with weights [F, C, height, width]; attributes say the rest. The result of an open Pad
/// is read through it where the window can take the frame in.
std::shared_ptr<PendingNode> convolution(NodeReader& node, const Value& input, const ScaledConstant& weights);

/// A product over the last axis of `input`, its channels or a whole map, with a matrix [K, F], or [F, K] if
/// `transposed`. `view` becomes that of the result.
std::shared_ptr<PendingNode> matrix_product(NodeReader& node, const Value& input, const ScaledConstant& weights,
                                            bool transposed, View& view);

/// `bias` is int32 with scale x_scale * w_scale, added to a product of codes without one.
void add_bias(NodeReader& node, PendingNode& pending, const ScaledConstant& bias, int rank);

/// Turns the weights of an open product into real numbers; `x_scale` is that of its input.
void make_real(PendingNode& pending, double x_scale);

/// Bias values as they stand in a QLinear node.
std::vector<std::int32_t> bias_values(const NodeReader& node, const OnnxTensor& bias, std::size_t filters);

/// y = gain[c] * x + offset[c] for every channel c.
struct Affine {
  std::vector<double> gain, offset;
};

/// The result of the node is `affine` of activation `x`: within the weights of an open product where that is possible.
void read_affine(NodeReader& node, const Value& x, const Affine& affine);

}  // namespace mho::dnn
