// SPDX-License-Identifier: Apache-2.0
// A network as files hold it: shapes, operators and who reads whom as in a Graph, but some or all tensors and weights
// are still real numbers. quantise.h turns it into the Graph that machines run.
#pragma once

#include <limits>
#include <vector>

#include "models/dnn/graph.h"

namespace mho::dnn {

/// Real weights of a convolution.
struct RealWeights {
  std::vector<float> values;  ///< [filters][kernel_height][kernel_width][channels / groups], as Weights::values
  std::vector<float> bias;    ///< one a filter, or empty
};

/// Range of a node's output in real numbers, from a fused ReLU or clip.
struct RealRange {
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
};

struct FloatNetwork {
  /// Type, scale and zero point of tensors that are not `quantised`, and lower and upper of the nodes that write them,
  /// mean nothing. Convolutions with `real_weights` have groups, but neither codes nor scales nor biases; those with
  /// codes read a `quantised` tensor, whose scale their biases are multiples of.
  Graph graph;
  std::vector<bool> quantised;            ///< one a tensor: the file states its codes
  std::vector<RealWeights> real_weights;  ///< one a node; `values` empty where Weights holds codes
  std::vector<RealRange> range;           ///< one a node; of quantised outputs Node::lower and upper count
};

/// True where nothing is left to be quantised: `network.graph` is what machines run.
bool is_quantised(const FloatNetwork& network);

}  // namespace mho::dnn
