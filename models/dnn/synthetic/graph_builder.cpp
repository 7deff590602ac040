// SPDX-License-Identifier: Apache-2.0
// Calibration without data: mean and second moment of every tensor are carried along (moments.h), and a scale puts
// three standard deviations at the end of the range.
#include "models/dnn/synthetic/graph_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/dnn/synthetic/synthetic_weights.h"

namespace mho::dnn {

namespace {

constexpr double kSpread = 3.0;  // standard deviations within the range: 0.3 % of a normal distribution saturate

Window whole_map(const Shape& shape) { return {shape.height, shape.width, 1, 1, 0, 0, 0, 0, 1, 1}; }

double elements(const Window& window) { return double(window.kernel_height) * window.kernel_width; }

}  // namespace

Window square_window(int kernel, int stride, int padding) {
  return {kernel, kernel, stride, stride, padding, padding, padding, padding, 1, 1};
}

GraphBuilder::GraphBuilder(std::string name, std::uint64_t seed) : random_(seed) { graph_.name = std::move(name); }

int GraphBuilder::input(const Shape& shape, CodeType type, const std::string& name) {
  const int index = int(graph_.tensors.size());
  const double scale = as_float(type == CodeType::kUint8 ? 1.0 / 255 : 1.0 / 127);
  graph_.tensors.push_back(
      {name.empty() ? "input_" + std::to_string(graph_.inputs.size()) : name, shape, type, scale, 0});
  graph_.inputs.push_back(index);
  // A uniform distribution over [0, 1] or [-1, 1].
  moments_.push_back(type == CodeType::kUint8 ? Moments{0.5, 1.0 / 3} : Moments{0.0, 1.0 / 3});
  return index;
}

int GraphBuilder::add_node(Operator op, const std::string& name, std::vector<int> inputs, const Shape& shape,
                           const Window& window) {
  Node node;
  node.name = name.empty() ? name_of(op) + ("_" + std::to_string(graph_.nodes.size())) : name;
  node.op = op;
  node.inputs = std::move(inputs);
  node.output = int(graph_.tensors.size());
  node.window = window;
  Tensor tensor = graph_.input_of(node);
  tensor.name = node.name + ".out";
  tensor.shape = shape;
  node.lower = lowest_code(tensor.type);
  node.upper = highest_code(tensor.type);
  moments_.push_back(moments_[std::size_t(node.inputs[0])]);
  graph_.tensors.push_back(std::move(tensor));
  graph_.nodes.push_back(std::move(node));
  return graph_.nodes.back().output;
}

void GraphBuilder::calibrate(const Moments& values, bool relu) {
  Node& node = graph_.nodes.back();
  Tensor& t = graph_.tensors[std::size_t(node.output)];
  t.type = relu ? CodeType::kUint8 : CodeType::kInt8;
  t.zero_point = 0;
  t.scale = as_float((std::abs(values.mean) + kSpread * values.deviation()) / highest_code(t.type));
  node.lower = lowest_code(t.type);
  node.upper = highest_code(t.type);
  moments_[std::size_t(node.output)] = relu ? values.rectified() : values;
}

int GraphBuilder::convolution(int input, int filters, const Window& window, const ConvolutionOptions& options) {
  const int output =
      add_node(Operator::kConvolution, options.name, {input}, windowed_shape(shape_of(input), window, filters), window);
  const Moments moments = moments_[std::size_t(input)];
  Node& node = graph_.nodes.back();
  node.weights.groups = std::max(options.groups, 1);
  node.weights.values = options.values.empty()
                            ? bell_shaped(random_, std::size_t(filters) * std::size_t(dot_length(graph_, node)))
                            : options.values;
  scale_weights(node.weights, filters, graph_.tensors[std::size_t(input)].scale, moments, random_);
  node.weights.groups = options.groups;
  calibrate({0.0, 1.0}, options.relu);
  return output;
}

int GraphBuilder::fully_connected(int input, int outputs, const ConvolutionOptions& options) {
  return convolution(input, outputs, whole_map(shape_of(input)), options);
}

int GraphBuilder::add(int a, int b, bool relu) {
  const int output = add_node(Operator::kAdd, "", {a, b}, shape_of(a), {});
  calibrate(moments_[std::size_t(a)].plus(moments_[std::size_t(b)]), relu);
  return output;
}

int GraphBuilder::concat(const std::vector<int>& inputs) {
  Shape shape = shape_of(inputs.at(0));
  shape.channels = 0;
  Moments mixed{0, 0};
  double largest = 0;  // the output must hold the input with the widest range
  bool is_signed = false;
  for (const int input : inputs) {
    const Tensor& t = graph_.tensors[std::size_t(input)];
    shape.channels += t.shape.channels;
    largest = std::max(largest, t.scale * highest_code(t.type));
    is_signed = is_signed || t.type == CodeType::kInt8;
    mixed.mean += moments_[std::size_t(input)].mean / double(inputs.size());
    mixed.square += moments_[std::size_t(input)].square / double(inputs.size());
  }
  const int output = add_node(Operator::kConcat, "", inputs, shape, {});
  calibrate(mixed, !is_signed);
  Tensor& t = graph_.tensors[std::size_t(output)];
  t.scale = as_float(largest / highest_code(t.type));
  moments_[std::size_t(output)] = mixed;
  return output;
}

int GraphBuilder::add_pool(Operator op, int input, const Window& window) {
  const Shape& shape = shape_of(input);
  return add_node(op, "", {input}, windowed_shape(shape, window, shape.channels), window);
}

int GraphBuilder::max_pool(int input, const Window& window) {
  const int output = add_pool(Operator::kMaxPool, input, window);
  moments_[std::size_t(output)] = moments_[std::size_t(input)].largest_of(elements(window));
  return output;
}

int GraphBuilder::average_pool(int input, const Window& window, bool count_include_pad) {
  const int output = add_pool(Operator::kAveragePool, input, window);
  graph_.nodes.back().count_include_pad = count_include_pad;
  const Moments averaged = moments_[std::size_t(input)].average_of(elements(window));
  calibrate(averaged, graph_.tensors[std::size_t(input)].type == CodeType::kUint8);
  moments_[std::size_t(output)] = averaged;
  return output;
}

int GraphBuilder::global_average_pool(int input) { return average_pool(input, whole_map(shape_of(input))); }

int GraphBuilder::requantise(int input, CodeType type) {
  const int output = add_node(Operator::kRequantise, "", {input}, shape_of(input), {});
  calibrate(moments_[std::size_t(input)], type == CodeType::kUint8);
  return output;
}

void GraphBuilder::output(int tensor) { graph_.outputs.push_back(tensor); }

Graph GraphBuilder::build() const {
  Graph graph = graph_;
  if (graph.outputs.empty() && !graph.tensors.empty()) graph.outputs.push_back(int(graph.tensors.size()) - 1);
  validate(graph);
  return graph;
}

}  // namespace mho::dnn
