// SPDX-License-Identifier: Apache-2.0
// Streams of random bits are numbered: inputs below 2^32 by inference, nodes above, so that a further layer at the end
// of a table leaves the ones before it as they are.
#include "models/dnn/synthetic/synthetic_network.h"

#include <limits>
#include <utility>

#include "models/dnn/synthetic/synthetic_weights.h"

namespace mho::dnn {

namespace {

constexpr std::uint64_t kNodeStreams = std::uint64_t(1) << 32;
constexpr std::uint64_t kExampleStream = kNodeStreams - 1;  // the inputs that scales are calibrated on
constexpr std::uint64_t kCommonStream = kNodeStreams - 2;   // what the inputs of all inferences share

}  // namespace

std::vector<std::vector<std::uint8_t>> synthetic_inputs(const Graph& graph, std::uint64_t seed, std::uint64_t index) {
  std::vector<std::vector<std::uint8_t>> inputs;
  for (const int input : graph.inputs) {
    const Tensor& tensor = graph.tensors[std::size_t(input)];
    const RandomBits random(seed + std::uint64_t(input), index);
    inputs.push_back(
        tensor.sequence ? synthetic_tokens(RandomBits(seed + std::uint64_t(input), kCommonStream), random, tensor.shape)
                        : synthetic_image(random, tensor.shape, tensor.type));
  }
  return inputs;
}

Graph synthetic_network(LayerTable table, std::uint64_t seed, const CalibrationOptions& options) {
  Graph& graph = table.graph;
  for (const int input : graph.inputs) {
    Tensor& tensor = graph.tensors[std::size_t(input)];
    tensor.type = tensor.sequence ? CodeType::kInt8 : CodeType::kUint8;
    tensor.scale = as_float(tensor.sequence ? kTokenScale : 1.0 / 255);
    tensor.zero_point = 0;
  }
  Calibration calibration(table, synthetic_inputs(graph, seed, kExampleStream), options);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    Node& node = graph.nodes[n];
    // Rows of a transformer's matrices read normalised channels and lean to no side; filters of images do.
    if (node.op == Operator::kConvolution)
      node.weights.values =
          synthetic_filters(RandomBits(seed, kNodeStreams + 2 * n), std::size_t(filters_of(graph, node)),
                            std::size_t(dot_length(graph, node)), !graph.output_of(node).sequence);
    calibration.calibrate(n, RandomBits(seed, kNodeStreams + 2 * n + 1));
  }
  validate(graph);
  return std::move(graph);
}

}  // namespace mho::dnn
