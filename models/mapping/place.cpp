// SPDX-License-Identifier: Apache-2.0
// Contiguous placement of layers, and the tiles of the nodes between them.
#include "models/mapping/place.h"

#include <algorithm>

#include "models/mapping/block_layout.h"

namespace mho::mapping {

int Placer::place_piece(LayerPlan& plan, int replica, int block, int first) {
  if (crossbar_ == machine_.crossbar.crossbars) {
    ++crossbar_tile_;
    crossbar_ = 0;
  }
  const int left = plan.blocks[std::size_t(block)].encoded.filters - first;
  Placement p;
  p.block = block;
  p.replica = replica;
  p.tile = int(crossbar_tile_ / machine_.crossbar_tiles_per_tile);
  p.crossbar_tile = int(crossbar_tile_ % machine_.crossbar_tiles_per_tile);
  p.first_crossbar = crossbar_;
  p.crossbars = std::min(crossbars_for(left, machine_), machine_.crossbar.crossbars - crossbar_);
  p.first_filter = first;
  p.filters = int(std::min<std::int64_t>(left, std::int64_t(p.crossbars) * machine_.filters_per_crossbar()));
  plan.placements.push_back(p);
  crossbar_ += p.crossbars;
  return p.filters;
}

void Placer::place(LayerPlan& plan) {
  if (crossbar_ > 0) {
    ++crossbar_tile_;
    crossbar_ = 0;
  }
  for (int replica = 0; replica < plan.replicas; ++replica) {
    const std::size_t home = plan.placements.size();
    for (int block = 0; block < int(plan.blocks.size()); ++block) {
      const int filters = plan.blocks[std::size_t(block)].encoded.filters;
      for (int first = 0; first < filters;) first += place_piece(plan, replica, block, first);
    }
    plan.home_tiles.push_back(plan.placements[home].tile);
  }
}

std::vector<FunctionPlan> place_functions(const dnn::Graph& graph, const std::vector<LayerPlan>& layers) {
  std::vector<int> layer_of_node(graph.nodes.size(), -1);
  for (std::size_t i = 0; i < layers.size(); ++i) layer_of_node[std::size_t(layers[i].node)] = int(i);
  std::vector<int> upstream(graph.tensors.size(), -1);  // layer nearest to each tensor
  std::vector<FunctionPlan> functions;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const dnn::Node& node = graph.nodes[i];
    int layer = layer_of_node[i];
    if (layer < 0) {
      const std::size_t first = node.op == dnn::Operator::kMatMul ? 1 : 0;
      for (std::size_t input = first; input < node.inputs.size(); ++input)
        layer = std::max(layer, upstream[std::size_t(node.inputs[input])]);
      functions.push_back({int(i), layer < 0 ? 0 : layers[std::size_t(layer)].home_tiles.front()});
    }
    upstream[std::size_t(node.output)] = layer;
  }
  return functions;
}

}  // namespace mho::mapping
