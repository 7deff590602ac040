// SPDX-License-Identifier: Apache-2.0
// What a compiled network is: which crossbars hold which weights, where rows of feature maps are buffered, and the
// commands that the scheduler plays. A Program prints itself, checks itself, and travels as bytes through the
// accelerator's memory socket (program_image.h).
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "models/arithmetic/encoding.h"
#include "models/arithmetic/programmed_array.h"
#include "models/dnn/graph.h"
#include "models/mapping/machine.h"
#include "models/mapping/packed_levels.h"

namespace mho::mapping {

/// One row block of a layer: elements row_first .. of its dot products (order [group][ky][kx][c]) against filters
/// filter_first .. . A layer without groups has ceil(K / rows) blocks with all filters; small groups are packed
/// block-diagonally, absent weights stored as weight 0.
struct Block {
  int row_first = 0;
  int filter_first = 0;
  arithmetic::EncodedBlock encoded;  ///< rows and filters of the block
  PackedLevels packed{};             ///< where the block comes from an image: its levels, which `encoded` then lacks
};

/// Consecutive filters of one block of one replica on consecutive crossbars of one crossbar_tile.
struct Placement {
  int block = 0;  ///< index in LayerPlan::blocks
  int replica = 0;
  int part = 0;            ///< index in LayerPlan::parts
  int tile = 0;            ///< of all chips: chip * tiles_per_chip + tile
  int crossbar_tile = 0;   ///< within the tile
  int first_crossbar = 0;  ///< within the crossbar_tile
  int crossbars = 0;
  int first_filter = 0;  ///< within the block
  int filters = 0;
};

/// A weighted layer on its crossbars.
struct LayerPlan {
  int node = 0;  ///< index in graph.nodes
  int replicas = 1;
  bool lossless = true;  ///< the ADC was proved to lose nothing: exact products are allowed (never where
                         ///< fidelity: sliced was asked for)
  std::string loss;      ///< why not, one sentence
  arithmetic::InputStream stream;
  arithmetic::Slicing weight_slicing = arithmetic::Slicing::uniform(8, 2);
  /// Neighbouring windows that one vector computes (partial Toeplitz expansion); filters of blocks and placements count
  /// [window][filter], rows count the elements of the wider window.
  int expansion = 1;
  std::vector<Block> blocks;
  std::vector<arithmetic::FilterRange> parts;  ///< filters whose psums meet in one tile of each replica (parts.h)
  std::vector<Placement> placements;           ///< ordered by replica, then part, then block, then filter
  std::vector<int>
      home_tiles;  ///< [replica][part]: where psums meet and are requantised, the tile that a part begins in

  int home_of(int replica, int part) const {
    return home_tiles[std::size_t(replica) * parts.size() + std::size_t(part)];
  }
};

/// A node that the function unit of one tile computes.
struct FunctionPlan {
  int node = 0;
  int tile = 0;
};

/// Rows of a tensor that one consumer keeps: the producer waits while the ring is full.
struct RowBuffer {
  int tensor = 0;
  int consumer = -1;  ///< node, or -1 for a network output
  int rows = 0;       ///< capacity: rows alive in a demand-driven order, plus the consumer's stride, plus what a
                      ///< shortcut needs so that the branch beside it does not stall (row_buffers.h)
};

/// Space of one tensor's ring in one tile.
struct Ring {
  int tensor = 0;
  int tile = 0;
  int rows = 0;              ///< largest capacity among the consumers on this tile
  std::uint32_t offset = 0;  ///< in the tile's eDRAM; past its end where the ring is spilled
  int spilled_to = -1;  ///< nearest tile that lends space, or -1; a ring it cannot hold continues on the next nearest
};

/// What the scheduler plays, in order; a resident pipeline runs all COMPUTE, FUNCTION, LOAD and STORE concurrently.
struct Command {
  enum class Kind : std::uint8_t { kWrite, kLoad, kCompute, kFunction, kStore };
  Kind kind = Kind::kWrite;
  int index = 0;       ///< kWrite, kCompute: layer; kFunction: functions; kLoad, kStore: tensor
  int placement = -1;  ///< kWrite: placement of the layer
};

struct Program {
  dnn::Graph graph;  ///< weight values dropped, zero-point terms folded into the biases
  int chips = 1;
  int tiles = 0;  ///< of all chips
  std::vector<LayerPlan> layers;
  std::vector<FunctionPlan> functions;
  std::vector<RowBuffer> buffers;
  std::vector<Ring> rings;
  std::vector<Command> commands;
  std::uint64_t crossbars_used = 0;
  std::uint64_t crossbars_total = 0;
};

/// Maps a network to a machine. Throws mho::InputError (file = graph.name) where it does not fit `chips`, naming the
/// crossbars that are missing, or where fidelity `exact` is asked for and a converter could lose something.
Program compile(const dnn::Graph& graph, const Machine& machine);

/// The first half of it: all that follows from shapes. Layers have no levels and are not yet proved lossless.
Program plan(const dnn::Graph& graph, const Machine& machine);
/// The second half: the levels. With `visit`, layers lose them again: each is shown, in order and with packed levels,
/// as soon as it is complete, so that no more than one layer of levels is in memory.
using LayerVisit = std::function<void(const Program& program, const LayerPlan& layer)>;
Program encode(Program planned, const dnn::Graph& graph, const Machine& machine, const LayerVisit& visit = {});

/// Every weight placed once per replica, no overlap, capacities respected, buffers large enough. Throws
/// mho::InputError with the first violation. Used on every image that comes in.
void validate(const Program& program, const Machine& machine);

/// A table of layers, placements and buffers for people.
void print(std::ostream& out, const Program& program, const Machine& machine);

}  // namespace mho::mapping
