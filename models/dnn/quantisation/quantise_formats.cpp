// SPDX-License-Identifier: Apache-2.0
// Formats of activations: what samples show, and then who shares whose.
#include <algorithm>
#include <cmath>

#include "models/dnn/quantisation/quantise.h"

namespace mho::dnn {

namespace {

/// Smaller values than this times 255 are taken for zero: products of such scales would leave what float can hold.
constexpr double kLeastScale = 0x1p-50;

void set_format(Tensor& tensor, CodeType type, double scale) {
  tensor.type = type;
  tensor.scale = double(float(scale));  // files store float
  tensor.zero_point = 0;
}

void copy_format(Tensor& tensor, const Tensor& from) {
  tensor.type = from.type;
  tensor.scale = from.scale;
  tensor.zero_point = from.zero_point;
}

double end_of(const Distribution& values, int levels, const QuantiseOptions& options) {
  switch (options.range) {
    case RangeMethod::kPercentile:
      return values.percentile(options.percentile);
    case RangeMethod::kMeanSquareError:
      return values.least_error(levels);
    case RangeMethod::kMinMax:
      break;
  }
  return values.largest();
}

void set_calibrated(Tensor& tensor, const Distribution& values, const QuantiseOptions& options) {
  const CodeType type = values.lowest() < 0 ? CodeType::kInt8 : CodeType::kUint8;
  const int levels = highest_code(type);
  double end = end_of(values, levels, options);
  if (!(end > 0)) end = values.largest();  // so few values are not zero that the percentile is
  set_format(tensor, type, end / levels >= kLeastScale ? end / levels : 1.0 / levels);
}

/// True where the values of the output are copies of the input's.
bool copies(Operator op) { return op == Operator::kMaxPool || op == Operator::kSelect || op == Operator::kPad; }

/// Tensors that may take the format of their only reader's output.
std::vector<bool> free_tensors(const FloatNetwork& network) {
  const Graph& graph = network.graph;
  std::vector<int> readers(graph.tensors.size(), 0);
  for (const Node& node : graph.nodes)
    for (const int input : node.inputs) ++readers[std::size_t(input)];
  for (const int output : graph.outputs) ++readers[std::size_t(output)];
  std::vector<bool> free(graph.tensors.size(), false);
  for (const Node& node : graph.nodes) {
    const auto t = std::size_t(node.output);
    free[t] = readers[t] == 1 && !network.quantised[t] && !copies(node.op) && node.op != Operator::kSoftmax;
  }
  return free;
}

}  // namespace

std::vector<Tensor> activation_formats(const FloatNetwork& network, const std::vector<Distribution>& distributions,
                                       const QuantiseOptions& options) {
  const Graph& graph = network.graph;
  std::vector<Tensor> tensors = graph.tensors;
  for (std::size_t t = 0; t < tensors.size(); ++t)
    if (!network.quantised[t]) set_calibrated(tensors[t], distributions[t], options);
  for (const Node& node : graph.nodes) {
    const auto output = std::size_t(node.output);
    if (network.quantised[output]) continue;
    if (node.op == Operator::kSoftmax) set_format(tensors[output], CodeType::kUint8, 1.0 / 255);
    if (copies(node.op)) copy_format(tensors[output], tensors[std::size_t(node.inputs[0])]);
  }
  // Backwards, so that a concatenation inside another one has its format before it gives it on.
  const std::vector<bool> free = free_tensors(network);
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (node->op != Operator::kConcat) continue;
    for (const int input : node->inputs)
      if (free[std::size_t(input)]) copy_format(tensors[std::size_t(input)], tensors[std::size_t(node->output)]);
  }
  return tensors;
}

}  // namespace mho::dnn
