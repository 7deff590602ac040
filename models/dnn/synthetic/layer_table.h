// SPDX-License-Identifier: Apache-2.0
// A network as published architectures are drawn: operators, windows, shapes and who reads whom, with neither weights
// nor scales. models/dnn/synthetic/synthetic_network.h makes a quantised graph of it.
#pragma once

#include <cstdint>
#include <vector>

#include "models/dnn/graph.h"

namespace mho::dnn {

/// What is fused behind a layer.
enum class Activation : std::uint8_t { kNone, kRelu, kRelu6 };

/// Longest dot product of a layer: 65536 * 255 * 127 stays below 2^31, so no psum leaves 32 bits whatever the weights.
inline constexpr int kMaxDotLength = 1 << 16;

struct LayerTable {
  /// Nodes in topological order with windows, shapes and groups; weights are empty, types and scales mean nothing.
  Graph graph;
  std::vector<Activation> activations;  ///< one a node
};

/// Weights of all convolutions, biases apart.
std::uint64_t weight_count(const LayerTable& table);

}  // namespace mho::dnn
