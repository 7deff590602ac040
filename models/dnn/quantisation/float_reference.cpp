// SPDX-License-Identifier: Apache-2.0
// Walks through the nodes of a float network. Codes of a file are opened once, when the network is packed.
#include "models/dnn/quantisation/float_reference.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "models/arithmetic/float_product.h"
#include "models/dnn/quantisation/float_operators.h"
#include "models/input_error.h"

namespace mho::dnn {

namespace {

/// The network with codes where it has real numbers: `validate` then sees its shapes, its order and its numbers of
/// weights. Real tensors have signed codes and real weights are zero, so what is checked of sums always holds.
Graph skeleton_of(const FloatNetwork& network) {
  Graph graph = network.graph;
  for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
    Tensor& tensor = graph.tensors[t];
    if (network.quantised[t]) continue;
    tensor.type = CodeType::kInt8;
    tensor.scale = 1.0;
    tensor.zero_point = 0;
  }
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    Node& node = graph.nodes[n];
    const bool known = node.output >= 0 && std::size_t(node.output) < graph.tensors.size();
    if (known && !network.quantised[std::size_t(node.output)]) {
      node.lower = lowest_code(CodeType::kInt8);
      node.upper = highest_code(CodeType::kInt8);
    }
    if (!known || network.real_weights[n].values.empty()) continue;
    const auto filters = std::size_t(std::max(graph.output_of(node).shape.channels, 0));
    node.weights.values.assign(network.real_weights[n].values.size(), 0);
    node.weights.bias.assign(network.real_weights[n].bias.empty() ? filters : network.real_weights[n].bias.size(), 0);
    node.weights.scale.assign(filters, 1.0);
  }
  return graph;
}

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

void check_numbers(const FloatNetwork& network, std::size_t n) {
  const Graph& graph = network.graph;
  const Node& node = graph.nodes[n];
  const auto refuse = [&](const std::string& problem, const std::string& allowed) {
    throw InputError(graph.name, 0, 0, "node " + excerpt(node.name) + " (" + name_of(node.op) + "): " + problem,
                     allowed);
  };
  const RealWeights& real = network.real_weights[n];
  if (!all_finite(real.values) || !all_finite(real.bias)) refuse("has a weight or bias that is not finite", "numbers");
  // Its biases are multiples of the input's scale.
  if (node.op == Operator::kConvolution && real.values.empty() && !network.quantised[std::size_t(node.inputs[0])])
    refuse("has weights in codes and a real input", "both in codes, or real weights");
  const RealRange& range = network.range[n];
  if (!(range.lower <= range.upper)) refuse("has an empty range of outputs", "a lower bound below the upper one");
}

/// Weights and biases as real numbers.
RealWeights opened(const FloatNetwork& network, std::size_t n) {
  const Graph& graph = network.graph;
  const Node& node = graph.nodes[n];
  const auto filters = std::size_t(filters_of(graph, node));
  RealWeights real = network.real_weights[n];
  if (real.values.empty()) {
    const Weights& codes = node.weights;
    const std::size_t length = codes.values.size() / filters;
    real.values.resize(codes.values.size());
    real.bias.resize(filters);
    for (std::size_t f = 0; f < filters; ++f) {
      real.bias[f] = float(codes.bias[f] * (graph.input_of(node).scale * codes.scale[f]));
      for (std::size_t k = f * length; k < (f + 1) * length; ++k)
        real.values[k] = float(codes.values[k] * codes.scale[f]);
    }
  }
  real.bias.resize(filters, 0.0f);
  return real;
}

arithmetic::FloatConvolutionShape shape_of(const Graph& graph, const Node& node) {
  const Shape &in = graph.input_of(node).shape, &out = graph.output_of(node).shape;
  const Window& w = node.window;
  return {in.height,       in.width,       in.channels,         out.height,   out.width,  out.channels,
          w.kernel_height, w.kernel_width, node.weights.groups, w.stride_y,   w.stride_x, w.dilation_y,
          w.dilation_x,    w.pad_top,      w.pad_left,          w.pad_bottom, w.pad_right};
}

void clip(const RealRange& range, Reals& values) {
  if (std::isinf(range.lower) && std::isinf(range.upper)) return;
  const auto low = float(range.lower), high = float(range.upper);
  for (float& value : values) value = std::min(std::max(value, low), high);
}

}  // namespace

void validate(const FloatNetwork& network) {
  const Graph& graph = network.graph;
  if (network.quantised.size() != graph.tensors.size() || network.real_weights.size() != graph.nodes.size() ||
      network.range.size() != graph.nodes.size())
    throw std::invalid_argument("a float network whose lists have the wrong lengths");
  validate(skeleton_of(network));
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) check_numbers(network, n);
}

RealRange output_range(const FloatNetwork& network, std::size_t n) {
  const Node& node = network.graph.nodes[n];
  if (!network.quantised[std::size_t(node.output)]) return network.range[n];
  const Tensor& output = network.graph.output_of(node);
  return {(node.lower - output.zero_point) * output.scale, (node.upper - output.zero_point) * output.scale};
}

/// One convolution.
struct FloatReference::Packed {
  Packed(const Graph& graph, const Node& node, const RealWeights& real)
      : product(shape_of(graph, node), real.values.data(), real.bias.data()) {}
  arithmetic::FloatConvolution product;
};

FloatReference::FloatReference(const FloatNetwork& network) : network_(network) {
  validate(network);
  const Graph& graph = network.graph;
  last_reader_.assign(graph.tensors.size(), 0);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    for (const int input : node.inputs) last_reader_[std::size_t(input)] = n;
    packed_.push_back(node.op == Operator::kConvolution ? std::make_unique<Packed>(graph, node, opened(network, n))
                                                        : nullptr);
  }
}

FloatReference::~FloatReference() = default;
FloatReference::FloatReference(FloatReference&&) noexcept = default;

void FloatReference::run(std::vector<Reals> inputs, const Visit& visit) const {
  const Graph& graph = network_.graph;
  if (inputs.size() != graph.inputs.size())
    throw InputError(graph.name, 0, 0, std::to_string(inputs.size()) + " inputs", std::to_string(graph.inputs.size()));
  std::vector<Reals> values(graph.tensors.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const int index = graph.inputs[i];
    const Tensor& tensor = graph.tensors[std::size_t(index)];
    if (inputs[i].size() != tensor.shape.bytes())
      throw InputError(graph.name, 0, 0,
                       "input " + excerpt(tensor.name) + " has " + std::to_string(inputs[i].size()) + " elements",
                       std::to_string(tensor.shape.bytes()));
    values[std::size_t(index)] = std::move(inputs[i]);
    visit(index, values[std::size_t(index)]);
  }
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    std::vector<const Reals*> operands;
    for (const int input : node.inputs) operands.push_back(&values[std::size_t(input)]);
    Reals& output = values[std::size_t(node.output)];
    output.resize(graph.output_of(node).shape.bytes());
    if (packed_[n]) {
      packed_[n]->product.run(operands[0]->data(), output.data());
    } else {
      compute(graph, node, operands, output);
    }
    clip(output_range(network_, n), output);
    visit(node.output, output);
    for (const int input : node.inputs)
      if (last_reader_[std::size_t(input)] == n) Reals().swap(values[std::size_t(input)]);
  }
}

std::vector<Reals> FloatReference::run(std::vector<Reals> inputs) const {
  const std::vector<int>& wanted = network_.graph.outputs;
  std::vector<Reals> outputs(wanted.size());
  run(std::move(inputs), [&](int tensor, const Reals& values) {
    const auto place = std::find(wanted.begin(), wanted.end(), tensor);
    if (place != wanted.end()) outputs[std::size_t(place - wanted.begin())] = values;
  });
  return outputs;
}

}  // namespace mho::dnn
