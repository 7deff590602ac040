// SPDX-License-Identifier: Apache-2.0
// How many chips a network takes and how often each layer is copied. Replication balances the pipeline between layers
// (ISAAC, ISCA 2016, section VI, restated for graphs with branches), or copies the slowest layer while there is room
// (RAELLA, ISCA 2023, section 5); chips are the fewest that hold one copy unless the machine says how many there are.
#pragma once

#include <cstdint>
#include <vector>

#include "models/dnn/graph.h"
#include "models/mapping/machine.h"

namespace mho::mapping {

/// What the mapper needs to know of a weighted layer before its weights are touched.
struct LayerDemand {
  int node = 0;
  std::int64_t windows = 1;    ///< vectors of one image: output pixels, fewer where the layer is expanded
  std::int64_t crossbars = 1;  ///< of one copy
  bool fully_connected = false;
  int cycles = 1;  ///< crossbar cycles of one vector
};
std::vector<LayerDemand> layer_demands(const dnn::Graph& graph, const Machine& machine);

/// Chips and replicas (one number a layer).
struct Allocation {
  int chips = 1;
  std::vector<int> replicas;
  std::int64_t spare_crossbar_tiles = 0;  ///< that no layer takes
};

/// r = ceil(windows of the layer / windows of the last convolution that is not fully connected), fully connected
/// layers 1, never more than the layer's windows; all above 1 are halved (rounding up) until the crossbar_tiles
/// suffice, each of which belongs to one layer. One copy of each where replication is none or greedy: what greedy adds
/// depends on the row buffers. Throws mho::InputError where a fixed number of chips cannot hold one copy. With chips:
/// auto, `at_least` asks for more chips than one copy takes.
Allocation allocate(const dnn::Graph& graph, const Machine& machine, std::int64_t at_least = 1);

/// Adds copies to `allocation`, which may take `spare` crossbar_tiles more, at most those that are spare: one at a
/// time, of the layer that takes longest - vectors / copies x cycles of a vector, the first of those that take equally
/// long - until none can have another. A layer whose next copy does not fit, or that has as many copies as vectors, is
/// passed over. Copies of a layer share crossbar_tiles, so a copy may be free.
Allocation replicate_greedily(const dnn::Graph& graph, const Machine& machine, Allocation allocation,
                              std::int64_t spare);

/// Fewest chips that hold one copy.
std::int64_t fewest_chips(const std::vector<LayerDemand>& demands, const Machine& machine);

}  // namespace mho::mapping
