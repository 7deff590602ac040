// SPDX-License-Identifier: Apache-2.0
// Convolutions as matrix products over many windows at once, everything else row by row through compute_row.
#include "models/dnn/reference.h"

#include <string>

#include "models/dnn/convolution_product.h"
#include "models/dnn/operators.h"
#include "models/input_error.h"

namespace mho::dnn {

namespace {

using Codes = std::vector<std::uint8_t>;

}  // namespace

/// One convolution: its products and the requantisation behind them.
struct Reference::Packed {
  Packed(const Graph& graph, const Node& node)
      : channels(std::size_t(filters_of(graph, node))), requantiser(graph, node), product(graph, node) {}

  void run(const RowSource& source, std::uint8_t* out) const {
    product.run(source, [&](const PsumPart& part) {
      std::uint8_t* codes = out + std::size_t(part.first_window) * channels + std::size_t(part.first_filter);
      requantiser.apply(part.values, part.windows, part.first_filter, part.filters, codes, channels);
    });
  }

  std::size_t channels;
  Requantiser requantiser;
  ConvolutionProduct product;
};

Reference::Reference(const Graph& graph) : graph_(&graph) {
  validate(graph);
  for (const Node& node : graph.nodes)
    packed_.push_back(node.op == Operator::kConvolution ? std::make_unique<Packed>(graph, node) : nullptr);
}

Reference::~Reference() = default;
Reference::Reference(Reference&&) noexcept = default;

std::vector<Codes> Reference::run(const std::vector<Codes>& inputs) const {
  const Graph& graph = *graph_;
  if (inputs.size() != graph.inputs.size())
    throw InputError(graph.name, 0, 0, std::to_string(inputs.size()) + " inputs", std::to_string(graph.inputs.size()));
  std::vector<Codes> tensors(graph.tensors.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[std::size_t(graph.inputs[i])];
    if (inputs[i].size() != tensor.shape.bytes())
      throw InputError(graph.name, 0, 0,
                       "input " + excerpt(tensor.name) + " has " + std::to_string(inputs[i].size()) + " codes",
                       std::to_string(tensor.shape.bytes()));
    tensors[std::size_t(graph.inputs[i])] = inputs[i];
  }
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const Shape& shape = graph.output_of(node).shape;
    Codes& out = tensors[std::size_t(node.output)];
    out.resize(shape.bytes());
    const RowSource source = [&](int input, int y) {
      return tensors[std::size_t(node.inputs[std::size_t(input)])].data() +
             std::size_t(y) * graph.input_of(node, std::size_t(input)).shape.row_bytes();
    };
    if (packed_[n]) {
      packed_[n]->run(source, out.data());
      continue;
    }
    for (int y = 0; y < shape.height; ++y)
      compute_row(graph, node, y, source, out.data() + std::size_t(y) * shape.row_bytes());
  }
  return tensors;
}

std::vector<Codes> execute(const Graph& graph, const std::vector<Codes>& inputs) {
  return Reference(graph).run(inputs);
}

}  // namespace mho::dnn
