// SPDX-License-Identifier: Apache-2.0
// What each supported ONNX operator becomes. A further operator is one function and one line of the table in
// operator_table.cpp.
#pragma once

#include <memory>
#include <string>

#include "models/dnn/onnx/node_reader.h"

namespace mho::dnn {

using OperatorReader = void (*)(NodeReader& node);

struct SupportedOperator {
  OperatorReader read = nullptr;  ///< null: only on constants
  Outputs outputs = Outputs::kOne;
  int changed = 1000;  ///< the first opset whose definition is not read
};

bool is_default_domain(const std::string& domain);
/// Null where the operator is not supported.
const SupportedOperator* supported_operator(const std::string& domain, const std::string& op_type);
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
void read_qgemm(NodeReader& node);
void read_qlinear_add(NodeReader& node);
void read_qlinear_mul(NodeReader& node);
void read_qlinear_concat(NodeReader& node);
void read_qlinear_average_pool(NodeReader& node);
void read_qlinear_global_average_pool(NodeReader& node);
void read_qlinear_leaky_relu(NodeReader& node);
void read_qlinear_sigmoid(NodeReader& node);
void read_qlinear_softmax(NodeReader& node);
void read_add(NodeReader& node);
void read_sub(NodeReader& node);
void read_mul(NodeReader& node);
void read_div(NodeReader& node);
void read_pow(NodeReader& node);
void read_batch_normalization(NodeReader& node);
void read_layer_normalization(NodeReader& node);
void read_softmax(NodeReader& node);
void read_reduce_mean(NodeReader& node);
void read_sigmoid(NodeReader& node);
void read_tanh(NodeReader& node);
void read_leaky_relu(NodeReader& node);
void read_hard_sigmoid(NodeReader& node);
void read_hard_swish(NodeReader& node);
void read_gelu(NodeReader& node);
void read_concat(NodeReader& node);
void read_split(NodeReader& node);
void read_slice(NodeReader& node);
void read_gather(NodeReader& node);
void read_pad(NodeReader& node);
void read_max_pool(NodeReader& node);
void read_average_pool(NodeReader& node);
void read_global_average_pool(NodeReader& node);
void read_flatten(NodeReader& node);
void read_reshape(NodeReader& node);
void read_transpose(NodeReader& node);
void read_squeeze(NodeReader& node);
void read_unsqueeze(NodeReader& node);
void read_identity(NodeReader& node);
void read_dropout(NodeReader& node);
void read_cast(NodeReader& node);
void read_constant(NodeReader& node);
void read_shape_of(NodeReader& node);

/// Window of a Conv or pool from its attributes; `kernel` is {height, width}. With `ceil` a last, partial window counts
/// if it starts inside the input (PyTorch's rule); it becomes padding at the end.
Window read_window(NodeReader& node, const Shape& input, const std::vector<std::int64_t>& kernel, bool ceil);
/// {height, width} from attribute kernel_shape.
std::vector<std::int64_t> read_kernel(NodeReader& node);
/// Output shape of a window; refuses one that does not fit.
Shape checked_shape(const NodeReader& node, const Shape& input, const Window& window, int channels);
/// True for the result of a Pad that is still open, its axes as they were.
bool is_open_pad(const Value& value);
/// Takes the frame of `pad` into a window that would read its result; false where it is too wide.
bool joins_window(const PendingNode& pad, Window& window);
/// `input` as a map whose elements are stored in their own order; refuses what is none.
Value require_map(NodeReader& node, const Value& input);

/// A node that reads `input`'s tensor and, unless changed, writes the same shape.
std::shared_ptr<PendingNode> pending_node(NodeReader& node, Operator op, const Value& input);
/// Closes a node whose codes `format` describes: the result is the tensor under the node's name.
void finish(NodeReader& node, PendingNode& pending, const View& view, const CodeFormat& format);

/// Nodes that a QLinear form finishes as well as a QuantizeLinear.
struct Open {
  std::shared_ptr<PendingNode> pending;
  View view;
};
Open average_pool(NodeReader& node, const Value& input);
Open global_average_pool(NodeReader& node, const Value& input);
Open function_of(NodeReader& node, const Value& input, Function function, double parameter);
Open leaky_relu(NodeReader& node, const Value& input);
Open combination(NodeReader& node, Operator op, Value a, Value b);
Open concatenation(NodeReader& node, const std::vector<Value>& inputs);
Open softmax(NodeReader& node, const Value& input);

}  // namespace mho::dnn
