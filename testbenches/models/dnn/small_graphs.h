// SPDX-License-Identifier: Apache-2.0
// Graphs of one node for the tests of this folder: small enough to work out by hand.
#pragma once

#include <catch2/catch.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "models/dnn/graph.h"
#include "models/dnn/operators.h"
#include "models/input_error.h"

namespace mho::dnn::testing {

using Codes = std::vector<std::uint8_t>;

inline constexpr CodeType kU = CodeType::kUint8;
inline constexpr CodeType kS = CodeType::kInt8;

/// Bytes of signed or unsigned codes as they are stored.
inline Codes codes(std::initializer_list<int> values) {
  Codes bytes;
  for (const int value : values) bytes.push_back(std::uint8_t(value));
  return bytes;
}

inline Tensor tensor(const std::string& name, const Shape& shape, CodeType type, double scale = 1.0, int zero = 0) {
  return {name, shape, type, scale, zero};
}

/// `inputs` -> one node of kind `op` -> `output`; the clip range is the whole type.
inline Graph one_node(Operator op, const std::vector<Tensor>& inputs, const Tensor& output, const Window& window = {}) {
  Graph graph;
  graph.name = "small";
  Node node;
  node.name = "node";
  node.op = op;
  node.window = window;
  node.lower = lowest_code(output.type);
  node.upper = highest_code(output.type);
  for (const Tensor& input : inputs) {
    node.inputs.push_back(int(graph.tensors.size()));
    graph.inputs.push_back(int(graph.tensors.size()));
    graph.tensors.push_back(input);
  }
  node.output = int(graph.tensors.size());
  graph.outputs = {node.output};
  graph.tensors.push_back(output);
  graph.nodes = {node};
  return graph;
}

/// A convolution with unit weight scales and no bias unless the caller changes them.
inline Graph one_convolution(const Tensor& input, const Tensor& output, const Window& window,
                             const std::vector<std::int8_t>& values, int groups = 1) {
  Graph graph = one_node(Operator::kConvolution, {input}, output, window);
  Weights& weights = graph.nodes[0].weights;
  weights.groups = groups;
  weights.values = values;
  weights.bias.assign(std::size_t(output.shape.channels), 0);
  weights.scale.assign(std::size_t(output.shape.channels), 1.0);
  return graph;
}

/// The first output of a graph.
inline Codes output_of(const Graph& graph, const std::vector<Codes>& inputs) {
  return execute(graph, inputs)[std::size_t(graph.outputs.front())];
}

/// What `validate` says after `spoil`.
inline std::string refusal(Graph graph, const std::function<void(Graph&)>& spoil) {
  spoil(graph);
  try {
    validate(graph);
  } catch (const InputError& error) {
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    CHECK_FALSE(error.allowed().empty());
    return error.what();
  }
  return "accepted";
}

inline int one_of(std::mt19937_64& random, std::initializer_list<int> values) {
  return values.begin()[random() % values.size()];
}

/// Rows and columns that a window spans, less one.
struct Span {
  int y, x;
};
inline Span span_of(const Window& w) {
  return {(w.kernel_height - 1) * w.dilation_y, (w.kernel_width - 1) * w.dilation_x};
}

/// A small window with any stride, dilation and padding.
inline Window random_window(std::mt19937_64& random) {
  Window w;
  w.kernel_height = one_of(random, {1, 2, 3, 5});
  w.kernel_width = one_of(random, {1, 2, 3});
  w.stride_y = one_of(random, {1, 2, 3});
  w.stride_x = one_of(random, {1, 2});
  w.dilation_y = one_of(random, {1, 2});
  w.dilation_x = one_of(random, {1, 3});
  const Span span = span_of(w);
  w.pad_top = int(random() % std::uint64_t(span.y + 1));
  w.pad_bottom = int(random() % std::uint64_t(span.y + 1));
  w.pad_left = int(random() % std::uint64_t(span.x + 1));
  w.pad_right = int(random() % std::uint64_t(span.x + 1));
  return w;
}

}  // namespace mho::dnn::testing
