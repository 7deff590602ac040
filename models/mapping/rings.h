// SPDX-License-Identifier: Apache-2.0
// Where the row buffers lie: one ring per tensor in the eDRAM of every tile that computes from it. A ring that does not
// fit its tile is spilled to the nearest tiles with free space, nearest by tile number; distance on the mesh is not
// minimised. Codes take one byte each, whatever the machine's data width.
#pragma once

#include <cstdint>
#include <vector>

#include "models/mapping/program.h"

namespace mho::mapping {

/// (tensor, tile) pairs that need a ring, with the largest capacity of the consumers there, by tile, then tensor.
/// A convolution reads on all tiles that hold its weights, any other node on its own tile. Offsets are not set.
std::vector<Ring> ring_demand(const Program& program);

/// Bytes of a ring, saturating far above any eDRAM.
std::int64_t ring_bytes(const dnn::Graph& graph, const Ring& ring);

/// Rings packed tile by tile: in the order of ring_demand where they fit the tile's eDRAM, else spilled. Offsets of
/// spilled rings start past the end of the tile's eDRAM, so they are unique within the tile. A ring larger than what
/// the nearest tile has left continues on the next nearest; `spilled_to` names the first. Throws mho::InputError with
/// the missing bytes where all eDRAM together is too small.
std::vector<Ring> make_rings(const Program& program, const Machine& machine);
/// The same, but reports the missing bytes, 0 where all rings have room, in place of refusing.
std::vector<Ring> make_rings(const Program& program, const Machine& machine, std::int64_t& missing);

/// eDRAM that tiles have left, lent out to spilled rings.
class SpareSpace {
 public:
  SpareSpace(int tiles, int bytes) : free_(std::size_t(tiles), bytes), total_(std::int64_t(tiles) * bytes) {}
  std::int64_t left(int tile) const { return free_[std::size_t(tile)]; }
  void take(int tile, std::int64_t bytes) {
    free_[std::size_t(tile)] -= bytes;
    total_ -= bytes;
  }
  /// Takes `bytes` from the tiles nearest to `tile`, never from itself, the lower of two equally near first. Returns
  /// the first lender, or -1; `missing` grows by what no tile had.
  int lend(int tile, std::int64_t bytes, std::int64_t& missing);

 private:
  std::vector<std::int64_t> free_;
  std::int64_t total_;  ///< spares the search where nobody has anything left
};

}  // namespace mho::mapping
