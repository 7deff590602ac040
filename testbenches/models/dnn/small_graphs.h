// SPDX-License-Identifier: Apache-2.0
// Graphs of one node for the tests of this folder: small enough to work out by hand.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "models/dnn/graph.h"

namespace mho::dnn::testing {

using Codes = std::vector<std::uint8_t>;

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

}  // namespace mho::dnn::testing
