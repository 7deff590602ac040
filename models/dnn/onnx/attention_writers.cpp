// SPDX-License-Identifier: Apache-2.0
// Operators of transformers. ONNX multiplies the last two axes, so that heads get an axis of their own before a product
// and give it up behind it.
#include "models/dnn/onnx/graph_writer.h"

namespace mho::dnn {

GraphWriter::Result GraphWriter::write_softmax(const Node& node, const std::string& name) {
  const int from = node.inputs[0];
  const Form form = form_of(from) == Form::kHeads ? Form::kHeads : own_form(node);
  const auto softmax = [&](const std::string& value, int axis) {
    set_integer(add("Softmax", {value}, name + "/weights"), "axis", axis);
    return name + "/weights";
  };
  if (form == Form::kHeads) return {softmax(real(from), 3), form};
  if (node.heads == 1) return {softmax(real_as(from, form), channel_axis(form)), form};
  const Shape& shape = tensor(from).shape;
  const std::int64_t positions = std::int64_t(shape.height) * shape.width;
  const std::string split = reshaped(real_as(from, Form::kSequence), name + "/split",
                                     {0, positions, node.heads, shape.channels / node.heads});
  return {reshaped(softmax(split, 3), name + "/result", {0, positions, shape.channels}), Form::kSequence};
}

GraphWriter::Result GraphWriter::write_layer_norm(const Node& node, const std::string& name) {
  need_opset(17);
  const Dims dims = {std::int64_t(node.gain.size())};
  const bool map = own_form(node) == Form::kMap;
  std::string value = real_as(node.inputs[0], own_form(node));
  if (map) value = transposed(value, name + "/channels_last", {0, 2, 3, 1});
  const std::string gain = numbers(name + "/gain", dims, node.gain);
  const std::string offset = numbers(name + "/offset", dims, node.offset);
  onnx::NodeProto& written = add("LayerNormalization", {value, gain, offset}, name + "/norm");
  set_integer(written, "axis", -1);
  set_number(written, "epsilon", node.epsilon);
  return {map ? transposed(name + "/norm", name + "/result", {0, 3, 1, 2}) : name + "/norm", own_form(node)};
}

/// [N, heads, positions, channels of a head], the last two exchanged where `transposed_heads`.
std::string GraphWriter::in_heads(int index, int heads, bool transposed_heads, const std::string& name) {
  if (form_of(index) == Form::kHeads) return real(index);
  const Shape& shape = tensor(index).shape;
  const std::string split = reshaped(real_as(index, Form::kSequence), name + "_split",
                                     {0, std::int64_t(shape.height) * shape.width, heads, shape.channels / heads});
  return transposed(split, name, transposed_heads ? Dims{0, 2, 3, 1} : Dims{0, 2, 1, 3});
}

GraphWriter::Result GraphWriter::write_matmul(const Node& node, const std::string& name) {
  const std::string a = in_heads(node.inputs[0], node.heads, false, name + "/first");
  const std::string b = in_heads(node.inputs[1], node.heads, node.transposed, name + "/second");
  add("MatMul", {a, b}, name + "/products");
  return {name + "/products", Form::kHeads};
}

}  // namespace mho::dnn
