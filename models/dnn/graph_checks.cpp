// SPDX-License-Identifier: Apache-2.0
// `validate`: everything a graph must fulfil before any other code looks at it. Graphs come from files, so numbers are
// bounded before they are multiplied, and each message names the tensor or node and what is allowed. Windows and
// weights of single nodes are checked in node_checks.cpp, operators without either in activation_checks.cpp.
#include <cstdint>
#include <set>
#include <string>

#include "models/dnn/graph_refusal.h"

namespace mho::dnn {

namespace {

/// Bytes of one inference's tensor.
std::uint64_t check_tensor(const Refusal& refuse, const Tensor& t) {
  const Shape& s = t.shape;
  for (const int extent : {s.height, s.width, s.channels})
    if (!within(extent, 1, kMaxExtent))
      refuse.tensor(t, "has shape " + text_of(s), "each extent 1 to " + std::to_string(kMaxExtent));
  // Two factors of at most 2^24 fit 64 bits, the third only once the product is known to be small.
  const std::uint64_t row = std::uint64_t(s.width) * std::uint64_t(s.channels);
  if (row > kMaxTensorBytes || row * std::uint64_t(s.height) > kMaxTensorBytes)
    refuse.tensor(t, "has shape " + text_of(s), "at most " + std::to_string(kMaxTensorBytes) + " codes");
  if (t.type != CodeType::kUint8 && t.type != CodeType::kInt8) refuse.tensor(t, "has no type", "uint8 or int8");
  if (!is_scale(t.scale)) refuse.tensor(t, "scale is " + std::to_string(t.scale), kScales);
  if (!within(t.zero_point, lowest_code(t.type), highest_code(t.type)))
    refuse.tensor(t, "zero point is " + std::to_string(t.zero_point),
                  range_text(lowest_code(t.type), highest_code(t.type)));
  return row * std::uint64_t(s.height);
}

void check_tensors(const Refusal& refuse) {
  std::uint64_t bytes = 0;
  std::set<std::string> names;
  for (const Tensor& t : refuse.graph.tensors) {
    bytes += check_tensor(refuse, t);
    if (bytes > kMaxActivationBytes)
      refuse.whole("the tensors of one inference are too large",
                   "at most " + std::to_string(kMaxActivationBytes) + " codes in all");
    if (!t.name.empty() && !names.insert(t.name).second)
      refuse.tensor(t, "has the name of another tensor", "names are unique");
  }
}

void check_indices(const Refusal& refuse, const std::vector<int>& indices, const char* what) {
  const auto count = std::int64_t(refuse.graph.tensors.size());
  std::set<int> seen;
  for (const int index : indices) {
    if (!within(index, 0, count - 1))
      refuse.whole(std::string(what) + " is tensor " + std::to_string(index), range_text(0, count - 1));
    if (!seen.insert(index).second)
      refuse.whole(std::string(what) + " " + excerpt(refuse.graph.tensors[std::size_t(index)].name) + " stands twice",
                   "each tensor once");
  }
  if (indices.empty()) refuse.whole(std::string("there is no ") + what, "one or more");
}

/// Inputs of an operator: this many, or two or more.
struct Arity {
  std::size_t count;
  const char* text;
  bool admits(std::size_t inputs) const { return count == 0 ? inputs >= 2 : inputs == count; }
};

Arity arity_of(Operator op) {
  if (op == Operator::kConcat) return {0, "two or more"};
  if (op == Operator::kAdd || op == Operator::kMultiply || op == Operator::kMatMul) return {2, "two"};
  return {1, "one"};
}

void check_arity(const Refusal& refuse, const Node& node) {
  if (node.op > kLastOperator) refuse.whole("node " + excerpt(node.name) + " has no operator", "an Operator");
  const Arity arity = arity_of(node.op);
  if (!arity.admits(node.inputs.size()))
    refuse.node(node, "has " + std::to_string(node.inputs.size()) + " inputs", arity.text);
}

/// Every tensor is written once, and before it is read.
void check_order(const Refusal& refuse) {
  const Graph& graph = refuse.graph;
  std::vector<bool> written(graph.tensors.size(), false);
  std::set<std::string> names;
  for (const int index : graph.inputs) written[std::size_t(index)] = true;
  const auto count = std::int64_t(graph.tensors.size());
  for (const Node& node : graph.nodes) {
    check_arity(refuse, node);
    if (!node.name.empty() && !names.insert(node.name).second)
      refuse.node(node, "has the name of another node", "names are unique");
    for (const int index : node.inputs) {
      if (!within(index, 0, count - 1))
        refuse.node(node, "reads tensor " + std::to_string(index), range_text(0, count - 1));
      if (!written[std::size_t(index)])
        refuse.node(node, "reads " + excerpt(graph.tensors[std::size_t(index)].name) + " before it is written",
                    "nodes stand in topological order");
    }
    if (!within(node.output, 0, count - 1))
      refuse.node(node, "writes tensor " + std::to_string(node.output), range_text(0, count - 1));
    if (written[std::size_t(node.output)])
      refuse.node(node, "writes " + excerpt(graph.output_of(node).name) + " again", "each tensor is written once");
    written[std::size_t(node.output)] = true;
  }
  for (std::size_t i = 0; i < written.size(); ++i)
    if (!written[i]) refuse.tensor(graph.tensors[i], "is never written", "a graph input or a node's output");
}

}  // namespace

void validate(const Graph& graph) {
  const Refusal refuse{graph};
  check_tensors(refuse);
  check_indices(refuse, graph.inputs, "graph input");
  check_indices(refuse, graph.outputs, "graph output");
  for (const int output : graph.outputs)
    for (const int input : graph.inputs)
      if (input == output)
        refuse.tensor(graph.tensors[std::size_t(output)], "is graph input and graph output", "an output of a node");
  if (graph.nodes.empty()) refuse.whole("the graph has no nodes", "one or more");
  check_order(refuse);
  std::uint64_t weights = 0;
  for (const Node& node : graph.nodes) {
    weights += check_node(refuse, node);
    if (weights > kMaxWeightBytes)
      refuse.whole("the graph has too many weights", "at most " + std::to_string(kMaxWeightBytes));
  }
}

}  // namespace mho::dnn
