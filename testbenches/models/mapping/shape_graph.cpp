// SPDX-License-Identifier: Apache-2.0
// Networks as shapes only.
#include "testbenches/models/mapping/shape_graph.h"

namespace mho::mapping {

int ShapeGraph::input(int height, int width, int channels) {
  dnn::Tensor tensor;
  tensor.name = "t" + std::to_string(graph.tensors.size());
  tensor.shape = {height, width, channels};
  graph.tensors.push_back(tensor);
  graph.inputs.push_back(int(graph.tensors.size()) - 1);
  return graph.inputs.back();
}

int ShapeGraph::append(dnn::Operator op, const std::vector<int>& inputs, const dnn::Shape& shape,
                       const dnn::Window& window, int groups) {
  dnn::Tensor tensor;
  tensor.name = "t" + std::to_string(graph.tensors.size());
  tensor.shape = shape;
  dnn::Node node;
  node.name = "n" + std::to_string(graph.nodes.size());
  node.op = op;
  node.inputs = inputs;
  node.output = int(graph.tensors.size());
  node.window = window;
  node.weights.groups = groups;
  graph.tensors.push_back(tensor);
  graph.nodes.push_back(node);
  return node.output;
}

int ShapeGraph::convolution(int input, int filters, const dnn::Window& window, int groups) {
  return append(dnn::Operator::kConvolution, {input}, dnn::windowed_shape(shape(input), window, filters), window,
                groups);
}

int ShapeGraph::fully_connected(int input, int filters) {
  dnn::Window whole;
  whole.kernel_height = shape(input).height;
  whole.kernel_width = shape(input).width;
  return convolution(input, filters, whole);
}

int ShapeGraph::pool(int input, const dnn::Window& window) {
  return append(dnn::Operator::kMaxPool, {input}, dnn::windowed_shape(shape(input), window, shape(input).channels),
                window);
}

int ShapeGraph::add(int a, int b) { return append(dnn::Operator::kAdd, {a, b}, shape(a), {}); }

int ShapeGraph::multiply(int a, int b) { return append(dnn::Operator::kMultiply, {a, b}, shape(a), {}); }

int ShapeGraph::matmul(int a, int b, int heads, bool transposed) {
  dnn::Shape out = shape(a);
  out.channels = transposed ? heads * shape(b).height * shape(b).width : shape(b).channels;
  const int output = append(dnn::Operator::kMatMul, {a, b}, out, {});
  graph.nodes.back().heads = heads;
  graph.nodes.back().transposed = transposed;
  return output;
}

int ShapeGraph::pad(int input, int top, int bottom) {
  dnn::Shape out = shape(input);
  out.height += top + bottom;
  dnn::Window frame;
  frame.pad_top = top, frame.pad_bottom = bottom;
  return append(dnn::Operator::kPad, {input}, out, frame);
}

int ShapeGraph::concat(const std::vector<int>& inputs) {
  dnn::Shape joined = shape(inputs.front());
  joined.channels = 0;
  for (const int tensor : inputs) joined.channels += shape(tensor).channels;
  return append(dnn::Operator::kConcat, inputs, joined, {});
}

dnn::Window window(int kernel, int stride, int padding, int dilation) {
  return {kernel, kernel, stride, stride, padding, padding, padding, padding, dilation, dilation};
}

Machine isaac_8b() {
  Machine machine;
  machine.name = "isaac_8b";
  machine.data_bits = 8;
  machine.weight_slicing = {2, 2, 2, 2};
  return machine;
}

}  // namespace mho::mapping
