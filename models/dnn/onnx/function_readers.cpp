// SPDX-License-Identifier: Apache-2.0
// Functions of one number: Sigmoid, Tanh, LeakyRelu, HardSigmoid, HardSwish, Gelu, and squares.
#include <cmath>

#include "models/dnn/onnx/operator_readers.h"
#include "models/input_error.h"

namespace mho::dnn {

Open function_of(NodeReader& node, const Value& input, Function function, double parameter) {
  const auto pending = pending_node(node, Operator::kFunction, input);
  pending->node.function = function;
  pending->node.parameter = parameter;
  return {pending, input.view};
}

Open leaky_relu(NodeReader& node, const Value& input) {
  const double slope = node.number("alpha", 0.01);
  if (std::isinf(slope)) node.refuse("attribute `alpha` is infinite", "a finite slope");
  return function_of(node, input, Function::kLeakyRelu, slope);
}

namespace {

void read_function(NodeReader& node, Function function, double parameter = 0.0) {
  node.require_inputs(1, 1);
  const Open open = function_of(node, node.real(0), function, parameter);
  node.result(open.pending, open.view);
}

}  // namespace

void read_sigmoid(NodeReader& node) { read_function(node, Function::kSigmoid); }
void read_tanh(NodeReader& node) { read_function(node, Function::kTanh); }
void read_hard_swish(NodeReader& node) { read_function(node, Function::kHardSwish); }

void read_gelu(NodeReader& node) {
  const std::string approximate = node.text("approximate", "none");
  if (approximate != "none") node.refuse("approximates by " + excerpt(approximate), "approximate = none");
  read_function(node, Function::kGelu);
}

void read_leaky_relu(NodeReader& node) {
  node.require_inputs(1, 1);
  const Open open = leaky_relu(node, node.real(0));
  node.result(open.pending, open.view);
}

void read_hard_sigmoid(NodeReader& node) {
  const double slope = node.number("alpha", 0.2);
  if (node.number("beta", 0.5) != 0.5 || std::isinf(slope))
    node.refuse("has another offset or slope than it can be given", "beta = 0.5 and a finite alpha");
  // PyTorch writes 1/6 as a float.
  constexpr double kSixth = 1.0 / 6.0;
  read_function(node, Function::kHardSigmoid, float(slope) == float(kSixth) ? kSixth : slope);
}

void read_pow(NodeReader& node) {
  node.require_inputs(2, 2);
  const double exponent = node.constant_number(1);
  if (exponent != 2.0) node.refuse("raises to " + std::to_string(exponent), "exponent 2");
  const Value input = node.real(0);
  const auto pending = pending_node(node, Operator::kMultiply, input);
  pending->node.inputs.push_back(input.tensor);
  node.result(pending, input.view);
}

}  // namespace mho::dnn
