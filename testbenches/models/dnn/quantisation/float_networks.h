// SPDX-License-Identifier: Apache-2.0
// Float networks of a few nodes for the tests of this folder.
#pragma once

#include <vector>

#include "models/dnn/quantisation/float_network.h"
#include "testbenches/models/dnn/small_graphs.h"

namespace mho::dnn::testing {

/// A network in which nothing is quantised; convolutions have no weights yet.
inline FloatNetwork real_network(Graph graph) {
  FloatNetwork network;
  network.quantised.assign(graph.tensors.size(), false);
  network.real_weights.resize(graph.nodes.size());
  network.range.resize(graph.nodes.size());
  network.graph = std::move(graph);
  return network;
}

/// `inputs` -> one node -> an output of shape `output`.
inline FloatNetwork one_real_node(Operator op, const std::vector<Shape>& inputs, const Shape& output,
                                  const Window& window = {}) {
  std::vector<Tensor> tensors;
  for (const Shape& shape : inputs)
    tensors.push_back(tensor("input_" + std::to_string(tensors.size()), shape, CodeType::kUint8));
  return real_network(one_node(op, tensors, tensor("output", output, CodeType::kUint8), window));
}

/// Adds a node behind the others; its output becomes the network's, returns the tensor.
inline int append(FloatNetwork& network, Operator op, const std::vector<int>& inputs, const Shape& output) {
  Graph& graph = network.graph;
  Node node;
  node.op = op;
  node.name = "node_" + std::to_string(graph.nodes.size());
  node.inputs = inputs;
  node.output = int(graph.tensors.size());
  graph.tensors.push_back(tensor("tensor_" + std::to_string(node.output), output, CodeType::kUint8));
  graph.nodes.push_back(node);
  graph.outputs = {node.output};
  network.quantised.push_back(false);
  network.real_weights.emplace_back();
  network.range.emplace_back();
  return node.output;
}

}  // namespace mho::dnn::testing
