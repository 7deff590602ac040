// SPDX-License-Identifier: Apache-2.0
// In which axes each tensor stands in the file, and how it gets into others where an operator wants them.
#include <algorithm>

#include "models/dnn/onnx/graph_writer.h"

namespace mho::dnn {

namespace {

bool contains(const std::vector<int>& tensors, int tensor) {
  return std::find(tensors.begin(), tensors.end(), tensor) != tensors.end();
}

/// Output pixels are the input's positions.
bool keeps_positions(const Graph& graph, const Node& node) {
  if (node.op == Operator::kConvolution) {
    const Shape &from = graph.input_of(node).shape, &to = graph.output_of(node).shape;
    return node.window.kernel_height * node.window.kernel_width == 1 && from.height == to.height &&
           from.width == to.width;
  }
  return node.op != Operator::kMaxPool && node.op != Operator::kAveragePool && node.op != Operator::kPad;
}

}  // namespace

/// What reads a sequence one position at a time writes one. Vectors are what layers of a classifier pass on, from the
/// last one back; scores stay in heads from the product that makes them to the product that takes them.
void GraphWriter::find_forms() {
  forms_.assign(graph_.tensors.size(), Form::kMap);
  for (std::size_t i = 0; i < forms_.size(); ++i)
    if (graph_.tensors[i].sequence) forms_[i] = Form::kSequence;
  for (const Node& node : graph_.nodes)
    if (node.op == Operator::kMatMul || (form_of(node.inputs[0]) == Form::kSequence && keeps_positions(graph_, node)))
      forms_[std::size_t(node.output)] = Form::kSequence;
  for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node)
    if (is_classifier_layer(*node)) forms_[std::size_t(node->output)] = Form::kVector;
  for (const Node& node : graph_.nodes)
    if (stays_in_heads(node)) forms_[std::size_t(node.output)] = Form::kHeads;
}

/// A fully connected layer that only such layers read; those behind it are known.
bool GraphWriter::is_classifier_layer(const Node& node) const {
  if (!is_fully_connected(graph_, node) || form_of(node.output) != Form::kMap) return false;
  return std::all_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& reader) {
    return !contains(reader.inputs, node.output) || form_of(reader.output) == Form::kVector;
  });
}

bool GraphWriter::stays_in_heads(const Node& node) const {
  const bool scores = node.op == Operator::kMatMul && node.transposed;
  const bool weights = node.op == Operator::kSoftmax && form_of(node.inputs[0]) == Form::kHeads;
  if ((!scores && !weights) || form_of(node.output) != Form::kSequence || contains(graph_.outputs, node.output))
    return false;
  return std::all_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& reader) {
    if (!contains(reader.inputs, node.output)) return true;
    const bool context = reader.op == Operator::kMatMul && !reader.transposed && reader.inputs[1] != node.output;
    return (reader.op == Operator::kSoftmax || context) && reader.heads == node.heads;
  });
}

/// Real values of a tensor in the form of its codes. Scale and zero point of a node's output are there already.
std::string GraphWriter::real(int index) {
  std::string& name = opened_[{index, form_of(index)}];
  if (!name.empty()) return name;
  const std::string& codes = tensor(index).name;
  const bool input = contains(graph_.inputs, index);
  const std::string scale = input ? scale_of(index) : codes + "/scale", zero = input ? zero_of(index) : codes + "/zero";
  name = codes + "/real";
  add("DequantizeLinear", {codes, scale, zero}, name);
  return name;
}

std::string GraphWriter::real_as(int index, Form form) {
  const std::string value = real(index);
  std::string& name = opened_[{index, form}];
  if (name.empty()) name = converted(value, index, form_of(index), form, tensor(index).name + "/real");
  return name;
}

/// `value`, which has the shape of tensor `index`, in another form; a map's pixels are a sequence's positions.
std::string GraphWriter::converted(const std::string& value, int index, Form from, Form to, const std::string& name) {
  if (from == to) return value;
  const Shape& shape = tensor(index).shape;
  const std::int64_t positions = std::int64_t(shape.height) * shape.width, channels = shape.channels;
  if (from == Form::kHeads) {
    const std::string sequence =
        reshaped(transposed(value, name + "_by_position", {0, 2, 1, 3}), name + "_joined", {0, positions, channels});
    return converted(sequence, index, Form::kSequence, to, name);
  }
  if (to == Form::kVector) return reshaped(value, name + "_vector", {0, channels});
  if (to == Form::kSequence && from == Form::kVector)
    return reshaped(value, name + "_sequence", {0, positions, channels});
  if (to == Form::kSequence)
    return transposed(reshaped(value, name + "_pixels", {0, channels, positions}), name + "_sequence", {0, 2, 1});
  const std::string first = from == Form::kSequence ? transposed(value, name + "_channels", {0, 2, 1}) : value;
  return reshaped(first, name + "_map", {0, channels, shape.height, shape.width});
}

}  // namespace mho::dnn
