// SPDX-License-Identifier: Apache-2.0
// Counts of a layer table that need no weights; shapes and multiply-accumulates are those of its graph.
#include "models/dnn/synthetic/layer_table.h"

namespace mho::dnn {

std::uint64_t weight_count(const LayerTable& table) {
  std::uint64_t weights = 0;
  for (const Node& node : table.graph.nodes)
    if (node.op == Operator::kConvolution)
      weights += std::uint64_t(filters_of(table.graph, node)) * std::uint64_t(dot_length(table.graph, node));
  return weights;
}

}  // namespace mho::dnn
