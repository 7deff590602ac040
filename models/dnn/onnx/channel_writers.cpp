// SPDX-License-Identifier: Apache-2.0
// Pools, and operators that look at one pixel at a time: sums, choices of channels, functions.
#include "models/dnn/onnx/graph_writer.h"

namespace mho::dnn {

GraphWriter::Result GraphWriter::write_pool(const Node& node, const std::string& name) {
  const bool largest = node.op == Operator::kMaxPool;
  const std::string input = real_as(node.inputs[0], Form::kMap);
  onnx::NodeProto& written = add(largest ? "MaxPool" : "AveragePool", {input}, name + "/result");
  set_window(written, node.window, largest);
  if (!largest) set_integer(written, "count_include_pad", node.count_include_pad ? 1 : 0);
  return {name + "/result", Form::kMap};
}

/// A second operand of one pixel has as many axes as the first, so that ONNX repeats it.
GraphWriter::Result GraphWriter::write_element_wise(const Node& node, const std::string& name) {
  const Form form = own_form(node);
  const std::string first = real_as(node.inputs[0], form), second = real_as(node.inputs[1], form);
  add(node.op == Operator::kAdd ? "Add" : "Mul", {first, second}, name + "/result");
  return {name + "/result", form};
}

GraphWriter::Result GraphWriter::write_concat(const Node& node, const std::string& name) {
  std::vector<std::string> inputs;
  for (const int input : node.inputs) inputs.push_back(real_as(input, own_form(node)));
  set_integer(add("Concat", inputs, name + "/result"), "axis", channel_axis(own_form(node)));
  return {name + "/result", own_form(node)};
}

GraphWriter::Result GraphWriter::write_select(const Node& node, const std::string& name) {
  const std::string input = real_as(node.inputs[0], own_form(node));
  const std::string indices = integers(name + "/channels", Dims(node.channels.begin(), node.channels.end()));
  set_integer(add("Gather", {input, indices}, name + "/result"), "axis", channel_axis(own_form(node)));
  return {name + "/result", own_form(node)};
}

GraphWriter::Result GraphWriter::write_pad(const Node& node, const std::string& name) {
  const Window& w = node.window;
  const Dims pads = {0, 0, w.pad_top, w.pad_left, 0, 0, w.pad_bottom, w.pad_right};
  const std::string input = real_as(node.inputs[0], Form::kMap);
  add("Pad", {input, integers(name + "/pads", pads)}, name + "/result");
  return {name + "/result", Form::kMap};
}

GraphWriter::Result GraphWriter::write_affine(const Node& node, const std::string& name) {
  const auto channels = std::int64_t(node.gain.size());
  const Dims dims = own_form(node) == Form::kMap ? Dims{channels, 1, 1} : Dims{channels};
  const std::string input = real_as(node.inputs[0], own_form(node));
  add("Mul", {input, numbers(name + "/gain", dims, node.gain)}, name + "/product");
  add("Add", {name + "/product", numbers(name + "/offset", dims, node.offset)}, name + "/result");
  return {name + "/result", own_form(node)};
}

/// x / 2 * (1 + erf(x / sqrt 2)), as PyTorch writes it.
std::string GraphWriter::write_gelu(const std::string& value, const std::string& name) {
  add("Div", {value, number(name + "/root", 1.41421356237309504880)}, name + "/quotient");
  add("Erf", {name + "/quotient"}, name + "/erf");
  add("Add", {name + "/erf", number(name + "/one", 1.0)}, name + "/sum");
  add("Mul", {value, name + "/sum"}, name + "/product");
  add("Mul", {name + "/product", number(name + "/half", 0.5)}, name + "/result");
  return name + "/result";
}

GraphWriter::Result GraphWriter::write_function(const Node& node, const std::string& name) {
  const std::string input = real_as(node.inputs[0], own_form(node)), result = name + "/result";
  switch (node.function) {
    case Function::kSigmoid:
      add("Sigmoid", {input}, result);
      break;
    case Function::kTanh:
      add("Tanh", {input}, result);
      break;
    case Function::kLeakyRelu:
      set_number(add("LeakyRelu", {input}, result), "alpha", node.parameter);
      break;
    case Function::kHardSigmoid: {
      onnx::NodeProto& written = add("HardSigmoid", {input}, result);
      set_number(written, "alpha", node.parameter);
      set_number(written, "beta", 0.5);
      break;
    }
    case Function::kHardSwish:
      need_opset(14);
      add("HardSwish", {input}, result);
      break;
    case Function::kGelu:
      return {write_gelu(input, name), own_form(node)};
  }
  return {result, own_form(node)};
}

}  // namespace mho::dnn
