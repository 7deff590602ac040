// SPDX-License-Identifier: Apache-2.0
// Which crossbars hold which filters: contiguous from the first crossbar of the first chip, layer after layer, replica
// after replica. A crossbar_tile belongs to one layer, a tile may be shared (ISAAC, ISCA 2016, section VI). Wire length
// between tiles is not optimised.
#pragma once

#include <cstdint>
#include <vector>

#include "models/mapping/program.h"

namespace mho::mapping {

/// Places layer after layer from crossbar_tile 0 on.
class Placer {
 public:
  explicit Placer(const Machine& machine) : machine_(machine) {}
  /// Fills placements and home_tiles of a plan whose node, replicas and blocks stand. Starts on a fresh crossbar_tile.
  void place(LayerPlan& plan);

 private:
  /// Places filters first .. of a block on what is left of the current crossbar_tile; returns how many.
  int place_piece(LayerPlan& plan, int replica, int block, int first);

  const Machine& machine_;
  std::int64_t crossbar_tile_ = 0;  ///< of all chips
  int crossbar_ = 0;                ///< first free one in it
};

/// Tile of every node that is not a convolution, in node order: home of replica 0 of the weighted layer upstream that
/// comes latest in node order (no further upstream than the nearest on each path); tile 0 where there is none. Of a
/// product of activations only the second operand counts: scores stand with the keys, contexts with the values, so
/// that the two, which take a function unit longest, do not wait for each other.
std::vector<FunctionPlan> place_functions(const dnn::Graph& graph, const std::vector<LayerPlan>& layers);

}  // namespace mho::mapping
