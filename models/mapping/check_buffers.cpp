// SPDX-License-Identifier: Apache-2.0
// Checks of what lies between layers: tiles of functions, row buffers, and rings in eDRAM.
#include <algorithm>
#include <cstdint>

#include "models/mapping/program_checks.h"
#include "models/mapping/rings.h"
#include "models/mapping/row_buffers.h"

namespace mho::mapping {
namespace {

struct Extent {
  int tile = 0;
  std::int64_t first = 0, last = 0;
  bool operator<(const Extent& o) const { return tile != o.tile ? tile < o.tile : first < o.first; }
};

std::string name_of(const Ring& ring) {
  return "the ring of tensor " + std::to_string(ring.tensor) + " on tile " + std::to_string(ring.tile);
}

/// Own rings end within the eDRAM, spilled ones start past it, none overlap. Returns what own rings leave.
SpareSpace check_packing(const Program& program, const Machine& machine) {
  SpareSpace spare(program.tiles, machine.edram.bytes);
  std::vector<Extent> extents;
  for (const Ring& ring : program.rings) {
    const bool spilled = ring.spilled_to != -1;
    const std::int64_t first = ring.offset, end = first + ring_bytes(program.graph, ring);
    if (spilled ? first < machine.edram.bytes : end > machine.edram.bytes)
      refuse_program(program,
                     name_of(ring) + (spilled ? " is spilled and starts within" : " ends outside") + " the eDRAM");
    if (end > std::int64_t(UINT32_MAX)) refuse_program(program, name_of(ring) + " ends above 4 GiB");
    if (!spilled) spare.take(ring.tile, end - first);
    extents.push_back({ring.tile, first, end});
  }
  std::sort(extents.begin(), extents.end());
  for (std::size_t i = 1; i < extents.size(); ++i)
    if (extents[i].tile == extents[i - 1].tile && extents[i].first < extents[i - 1].last)
      refuse_program(program, "two rings on tile " + std::to_string(extents[i].tile) + " overlap");
  return spare;
}

}  // namespace

void check_functions(const Program& program) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < program.graph.nodes.size(); ++i) {
    if (program.graph.nodes[i].op == dnn::Operator::kConvolution) continue;
    if (next == program.functions.size() || program.functions[next].node != int(i))
      refuse_program(program, "node " + program.graph.nodes[i].name + " has no tile", "functions in node order");
    const int tile = program.functions[next++].tile;
    if (tile < 0 || tile >= program.tiles)
      refuse_program(program, "node " + program.graph.nodes[i].name + " is on tile " + std::to_string(tile),
                     "0 to " + std::to_string(program.tiles - 1));
  }
  if (next != program.functions.size()) refuse_program(program, "more functions than nodes without weights");
}

void check_buffers(const Program& program) {
  const std::vector<RowBuffer> least = rows_alive(program.graph);
  if (program.buffers.size() != least.size())
    refuse_program(program, std::to_string(program.buffers.size()) + " row buffers", std::to_string(least.size()));
  for (std::size_t i = 0; i < least.size(); ++i) {
    const RowBuffer& buffer = program.buffers[i];
    if (buffer.tensor != least[i].tensor || buffer.consumer != least[i].consumer)
      refuse_program(program, "row buffer " + std::to_string(i) + " is out of order", "by tensor, then consumer");
    if (buffer.rows < least[i].rows)
      refuse_program(program,
                     "node " + std::to_string(buffer.consumer) + " keeps " + std::to_string(buffer.rows) +
                         " rows of tensor " + std::to_string(buffer.tensor),
                     std::to_string(least[i].rows) + " or more");
  }
}

void check_rings(const Program& program, const Machine& machine) {
  const std::vector<Ring> demand = ring_demand(program);
  if (program.rings.size() != demand.size())
    refuse_program(program, std::to_string(program.rings.size()) + " rings", std::to_string(demand.size()));
  for (std::size_t i = 0; i < demand.size(); ++i) {
    const Ring& ring = program.rings[i];
    if (ring.tensor != demand[i].tensor || ring.tile != demand[i].tile)
      refuse_program(program, "ring " + std::to_string(i) + " is out of order", "by tile, then tensor");
    if (ring.rows < demand[i].rows)
      refuse_program(program, name_of(ring) + " has " + std::to_string(ring.rows) + " rows",
                     std::to_string(demand[i].rows) + " or more");
  }
  SpareSpace spare = check_packing(program, machine);
  std::int64_t missing = 0;
  for (const Ring& ring : program.rings) {
    if (ring.spilled_to == -1) continue;
    const int lender = spare.lend(ring.tile, ring_bytes(program.graph, ring), missing);
    if (missing > 0 || lender != ring.spilled_to)
      refuse_program(program, name_of(ring) + " is spilled to tile " + std::to_string(ring.spilled_to),
                     missing > 0 ? "no tile has room" : "nearest with room: " + std::to_string(lender));
  }
}

}  // namespace mho::mapping
