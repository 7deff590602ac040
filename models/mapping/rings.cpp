// SPDX-License-Identifier: Apache-2.0
// Packing of rings into eDRAM and lending of free space.
#include "models/mapping/rings.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "models/input_error.h"

namespace mho::mapping {
namespace {

/// Tiles on which each node computes.
std::vector<std::vector<int>> tiles_of_nodes(const Program& program) {
  std::vector<std::vector<int>> tiles(program.graph.nodes.size());
  for (const LayerPlan& layer : program.layers) {
    auto& of_layer = tiles[std::size_t(layer.node)];
    for (const Placement& placement : layer.placements) of_layer.push_back(placement.tile);
    std::sort(of_layer.begin(), of_layer.end());
    of_layer.erase(std::unique(of_layer.begin(), of_layer.end()), of_layer.end());
  }
  for (const FunctionPlan& function : program.functions) tiles[std::size_t(function.node)] = {function.tile};
  return tiles;
}

void check_offset(const Program& program, const Ring& ring, std::int64_t end) {
  if (end > std::int64_t(UINT32_MAX))
    throw InputError(program.graph.name, 0, 0,
                     "row buffers of tile " + std::to_string(ring.tile) + " take " + std::to_string(end) + " bytes",
                     "less than 4 GiB");
}

/// Offsets of all rings; those with spilled_to == kSpilled still look for a lender.
constexpr int kSpilled = -2;
void pack(const Program& program, const Machine& machine, std::vector<Ring>& rings, SpareSpace& spare) {
  std::int64_t end = 0, spilled_end = 0;
  for (std::size_t i = 0; i < rings.size(); ++i) {
    Ring& ring = rings[i];
    if (i == 0 || rings[i - 1].tile != ring.tile) {
      end = 0;
      spilled_end = machine.edram.bytes;
    }
    const std::int64_t bytes = ring_bytes(program.graph, ring);
    const bool fits = end + bytes <= machine.edram.bytes;
    std::int64_t& next = fits ? end : spilled_end;
    ring.offset = std::uint32_t(next);
    ring.spilled_to = fits ? -1 : kSpilled;
    next += bytes;
    check_offset(program, ring, next);
    if (fits) spare.take(ring.tile, bytes);
  }
}

}  // namespace

std::vector<Ring> ring_demand(const Program& program) {
  const auto tiles = tiles_of_nodes(program);
  std::map<std::pair<int, int>, int> rows;
  for (const RowBuffer& buffer : program.buffers) {
    if (buffer.consumer < 0) continue;
    for (const int tile : tiles[std::size_t(buffer.consumer)]) {
      int& most = rows[{tile, buffer.tensor}];
      most = std::max(most, buffer.rows);
    }
  }
  std::vector<Ring> rings;
  rings.reserve(rows.size());
  for (const auto& [where, most] : rows) rings.push_back({where.second, where.first, most, 0, -1});
  return rings;
}

std::int64_t ring_bytes(const dnn::Graph& graph, const Ring& ring) {
  constexpr std::size_t kLargestRow = std::size_t{1} << 31;
  return std::int64_t(std::min(graph.tensors[std::size_t(ring.tensor)].shape.row_bytes(), kLargestRow)) * ring.rows;
}

int SpareSpace::lend(int tile, std::int64_t bytes, std::int64_t& missing) {
  int first = -1;
  const int tiles = int(free_.size());
  for (int distance = 1; distance < tiles && bytes > 0 && total_ > left(tile); ++distance)
    for (const int lender : {tile - distance, tile + distance}) {
      if (lender < 0 || lender >= tiles || free_[std::size_t(lender)] == 0 || bytes == 0) continue;
      if (first < 0) first = lender;
      const std::int64_t lent = std::min(bytes, left(lender));
      take(lender, lent);
      bytes -= lent;
    }
  missing += bytes;
  return first;
}

std::vector<Ring> make_rings(const Program& program, const Machine& machine, std::int64_t& missing) {
  std::vector<Ring> rings = ring_demand(program);
  SpareSpace spare(program.tiles, machine.edram.bytes);
  pack(program, machine, rings, spare);
  missing = 0;
  for (Ring& ring : rings)
    if (ring.spilled_to == kSpilled) ring.spilled_to = spare.lend(ring.tile, ring_bytes(program.graph, ring), missing);
  return rings;
}

std::vector<Ring> make_rings(const Program& program, const Machine& machine) {
  std::int64_t missing = 0;
  std::vector<Ring> rings = make_rings(program, machine, missing);
  if (missing > 0)
    throw InputError(program.graph.name, 0, 0,
                     "row buffers need " + std::to_string(missing) + " bytes more than the eDRAM of " +
                         std::to_string(program.tiles) + " tiles has",
                     "a larger edram.bytes, more chips, or replication: none");
  return rings;
}

}  // namespace mho::mapping
