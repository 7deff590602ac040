// SPDX-License-Identifier: Apache-2.0
// Which crossbars hold which filters: contiguous from the first crossbar of the first chip, layer after layer, replica
// after replica, part after part. A crossbar_tile belongs to one layer, a tile may be shared (ISAAC, ISCA 2016, section
// VI). Wire length between tiles is not optimised.
#pragma once

#include <cstdint>
#include <vector>

#include "models/mapping/program.h"

namespace mho::mapping {

/// Places layer after layer from crossbar_tile 0 on. Capacity comes first: a part that fits a tile, but not what is
/// left of the current one, begins in the next tile only while crossbar_tiles are left over, which no layer needs; when
/// they are used up, parts straddle tiles and their psums cross from one to the other. The first layers are served
/// first.
class Placer {
 public:
  /// `spare`: crossbar_tiles that may stay empty.
  Placer(const Machine& machine, std::int64_t spare) : machine_(machine), spare_(spare) {}
  /// Fills placements and home_tiles of a plan whose node, replicas, blocks and parts stand. Starts on a fresh
  /// crossbar_tile.
  void place(LayerPlan& plan);

 private:
  void place_part(LayerPlan& plan, int replica, int part);
  /// Goes to the next tile where `crossbars` would straddle, fit a tile, and what is left empty can be spared.
  void align(std::int64_t crossbars);
  /// Places filters first .. end - 1 of a block on what is left of the current crossbar_tile; returns how many.
  int place_piece(LayerPlan& plan, Placement piece, int end);

  const Machine& machine_;
  std::int64_t spare_;
  std::int64_t crossbar_tile_ = 0;  ///< of all chips
  int crossbar_ = 0;                ///< first free one in it
};

/// Tile of every node that is not a convolution, in node order: home of replica 0 of the weighted layer upstream that
/// comes latest in node order (no further upstream than the nearest on each path); tile 0 where there is none. Of a
/// product of activations only the second operand counts: scores stand with the keys, contexts with the values, so
/// that the two, which take a function unit longest, do not wait for each other.
std::vector<FunctionPlan> place_functions(const dnn::Graph& graph, const std::vector<LayerPlan>& layers);

}  // namespace mho::mapping
