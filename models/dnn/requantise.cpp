// SPDX-License-Identifier: Apache-2.0
// Requantisation of psums after ONNX's QLinearConv: clip(rint((psum + bias) * (x_scale * w_scale / y_scale)) + y_zero).
// All integers involved are below 2^53, so the double sum is the exact integer sum.
#include <algorithm>

#include "models/dnn/codes.h"
#include "models/dnn/operators.h"

namespace mho::dnn {

std::vector<std::int64_t> folded_bias(const Graph& graph, const Node& node) {
  const auto filters = std::size_t(filters_of(graph, node));
  const auto length = std::size_t(dot_length(graph, node));
  const std::int64_t zero = graph.input_of(node).zero_point;
  std::vector<std::int64_t> folded(node.weights.bias.begin(), node.weights.bias.end());
  if (node.weights.values.empty()) return folded;  // a compiled graph: folded already
  const std::int8_t* weight = node.weights.values.data();
  for (std::size_t f = 0; f < filters; ++f, weight += length) {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < length; ++k) sum += weight[k];
    folded[f] -= zero * sum;
  }
  return folded;
}

Requantiser::Requantiser(const Graph& graph, const Node& node)
    : zero_point_(graph.output_of(node).zero_point), lower_(node.lower), upper_(node.upper) {
  const std::vector<std::int64_t> folded = folded_bias(graph, node);
  bias_.assign(folded.begin(), folded.end());
  const double x_scale = graph.input_of(node).scale;
  const double y_scale = graph.output_of(node).scale;
  multiplier_.reserve(node.weights.scale.size());
  for (const double w_scale : node.weights.scale) multiplier_.push_back(x_scale * w_scale / y_scale);
}

void Requantiser::apply(const std::int32_t* psums, int count, int first_filter, int filters, std::uint8_t* codes,
                        std::size_t code_stride) const {
  const double* bias = bias_.data() + first_filter;
  const double* multiplier = multiplier_.data() + first_filter;
  const double lowest = lower_ - zero_point_;
  const double highest = upper_ - zero_point_;
  const int zero_point = zero_point_;
  for (int i = 0; i < count; ++i, psums += filters, codes += code_stride) {
    for (int f = 0; f < filters; ++f) {
      const double steps = std::min(std::max((psums[f] + bias[f]) * multiplier[f], lowest), highest);
      codes[f] = std::uint8_t(int(round_to_even(steps)) + zero_point);
    }
  }
}

}  // namespace mho::dnn
