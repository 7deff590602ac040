// SPDX-License-Identifier: Apache-2.0
// Contiguous placement of layers, and the tiles of the nodes between them.
#include "models/mapping/place.h"

#include <algorithm>

#include "models/mapping/block_layout.h"
#include "models/mapping/parts.h"

namespace mho::mapping {

int Placer::place_piece(LayerPlan& plan, Placement p, int end) {
  if (crossbar_ == machine_.crossbar.crossbars) {
    ++crossbar_tile_;
    crossbar_ = 0;
  }
  const int slices = plan.weight_slicing.count();
  const int left = end - p.first_filter;
  p.tile = int(crossbar_tile_ / machine_.crossbar_tiles_per_tile);
  p.crossbar_tile = int(crossbar_tile_ % machine_.crossbar_tiles_per_tile);
  p.first_crossbar = crossbar_;
  p.crossbars = std::min(crossbars_for(left, slices, machine_), machine_.crossbar.crossbars - crossbar_);
  p.filters = int(std::min<std::int64_t>(left, std::int64_t(p.crossbars) * machine_.filters_per_crossbar(slices)));
  plan.placements.push_back(p);
  crossbar_ += p.crossbars;
  return p.filters;
}

void Placer::place(LayerPlan& plan) {
  if (crossbar_ > 0) {
    ++crossbar_tile_;
    crossbar_ = 0;
  }
  for (int replica = 0; replica < plan.replicas; ++replica)
    for (int part = 0; part < int(plan.parts.size()); ++part) place_part(plan, replica, part);
}

void Placer::place_part(LayerPlan& plan, int replica, int part) {
  const int slices = plan.weight_slicing.count();
  const auto within = [&](const Block& block) {
    return filters_in_block(plan.parts[std::size_t(part)], block.filter_first, block.encoded.filters);
  };
  std::int64_t crossbars = 0;
  for (const Block& block : plan.blocks) crossbars += crossbars_for(within(block).count, slices, machine_);
  align(crossbars);
  const std::size_t home = plan.placements.size();
  for (int block = 0; block < int(plan.blocks.size()); ++block) {
    const arithmetic::FilterRange range = within(plan.blocks[std::size_t(block)]);
    Placement piece;
    piece.block = block;
    piece.replica = replica;
    piece.part = part;
    for (piece.first_filter = range.first; piece.first_filter < range.first + range.count;)
      piece.first_filter += place_piece(plan, piece, range.first + range.count);
  }
  plan.home_tiles.push_back(plan.placements[home].tile);
}

void Placer::align(std::int64_t crossbars) {
  const std::int64_t of_tile = machine_.crossbars_per_tile(), of_crossbar_tile = machine_.crossbar.crossbars;
  const std::int64_t at = (crossbar_tile_ * of_crossbar_tile + crossbar_) % of_tile;
  if (at == 0 || at + crossbars <= of_tile || crossbars > of_tile) return;
  const std::int64_t empty = (of_tile - at + of_crossbar_tile - 1) / of_crossbar_tile;  // one of them in part
  if (empty > spare_) return;
  spare_ -= empty;
  crossbar_tile_ += (of_tile - at + crossbar_) / of_crossbar_tile;
  crossbar_ = 0;
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
