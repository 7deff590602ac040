// SPDX-License-Identifier: Apache-2.0
// What each supported ONNX operator becomes. A further operator is one function and one line of the table in
// operator_table.cpp.
#pragma once

#include <memory>
#include <string>

#include "models/dnn/onnx/node_reader.h"

namespace mho::dnn {

using OperatorReader = void (*)(NodeReader& node);

/// Null where `op_type` is not supported.
OperatorReader operator_reader(const std::string& op_type);
/// Names, separated by commas, for messages.
std::string supported_operators();

void read_quantize_linear(NodeReader& node);
void read_dequantize_linear(NodeReader& node);
void read_relu(NodeReader& node);
void read_clip(NodeReader& node);
void read_conv(NodeReader& node);
void read_gemm(NodeReader& node);
void read_matmul(NodeReader& node);
void read_qlinear_conv(NodeReader& node);
void read_qlinear_matmul(NodeReader& node);
void read_add(NodeReader& node);
void read_concat(NodeReader& node);
void read_max_pool(NodeReader& node);
void read_average_pool(NodeReader& node);
void read_global_average_pool(NodeReader& node);
void read_flatten(NodeReader& node);
void read_reshape(NodeReader& node);
void read_identity(NodeReader& node);
void read_constant(NodeReader& node);

/// Window of a Conv or pool from its attributes; `kernel` is {height, width}. With `ceil` a last, partial window counts
/// if it starts inside the input (PyTorch's rule); it becomes padding at the end.
Window read_window(NodeReader& node, const Shape& input, const std::vector<std::int64_t>& kernel, bool ceil);
/// {height, width} from attribute kernel_shape.
std::vector<std::int64_t> read_kernel(NodeReader& node);
/// Output shape of a window; refuses one that does not fit.
Shape checked_shape(const NodeReader& node, const Shape& input, const Window& window, int channels);

/// A node that reads `input`'s tensor.
std::shared_ptr<PendingNode> pending_node(const NodeReader& node, Operator op, const Value& input);
/// Adds a finished node to the graph: its output is the new tensor `name`.
void finish(NodeReader& node, PendingNode& pending, const Value& shaped_like, const CodeFormat& format);
/// `values` is a bias to be added to a product without one: int32, scale x_scale * w_scale.
void add_bias(NodeReader& node, PendingNode& pending, const ScaledConstant& bias, int rank);

}  // namespace mho::dnn
