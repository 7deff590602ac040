// SPDX-License-Identifier: Apache-2.0
// Rings in eDRAM: who needs one, where they lie, and what happens where they do not fit.
#include "models/mapping/rings.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <sstream>

#include "models/input_error.h"
#include "testbenches/models/mapping/shape_graph.h"
#include "testbenches/models/mapping/small_networks.h"

using namespace mho;
using namespace mho::mapping;

namespace {

/// Four max pools in a row on maps of 10 bytes a row, each on a tile of its own choice; four tiles of `edram` bytes.
struct Pools {
  Pools(int edram, const std::vector<int>& tiles, const std::vector<int>& rows) {
    int x = net.input(8, 10, 1);
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      program.functions.push_back({int(i), tiles[i]});
      program.buffers.push_back({x, int(i), rows[i]});
      x = net.pool(x, window(1));
    }
    net.output(x);
    program.buffers.push_back({x, -1, 2});
    program.graph = net.graph;
    program.tiles = 4;
    machine.edram.bytes = edram;
  }
  std::vector<Ring> rings() const { return make_rings(program, machine); }

  ShapeGraph net;
  Program program;
  Machine machine;
};

void check_ring(const Ring& ring, const Ring& expected) {
  CHECK(ring.tensor == expected.tensor);
  CHECK(ring.tile == expected.tile);
  CHECK(ring.rows == expected.rows);
  CHECK(ring.offset == expected.offset);
  CHECK(ring.spilled_to == expected.spilled_to);
}

}  // namespace

TEST_CASE("rings are packed tile by tile, and a network output has none") {
  const auto rings = Pools(100, {0, 0, 1}, {3, 4, 5}).rings();
  REQUIRE(rings.size() == 3);
  check_ring(rings[0], {0, 0, 3, 0, -1});
  check_ring(rings[1], {1, 0, 4, 30, -1});
  check_ring(rings[2], {2, 1, 5, 0, -1});
}

TEST_CASE("a ring that does not fit is spilled to the nearest tile with room, and its offset starts past the eDRAM") {
  // Tile 1: 60 bytes of its 100 taken by the first ring, 50 and 30 more wanted; 30 fit. Tiles 0 and 2 are equally near.
  const auto rings = Pools(100, {1, 1, 1}, {6, 5, 3}).rings();
  REQUIRE(rings.size() == 3);
  check_ring(rings[0], {0, 1, 6, 0, -1});
  check_ring(rings[1], {1, 1, 5, 100, 0});
  check_ring(rings[2], {2, 1, 3, 60, -1});
}

TEST_CASE("what a lender has lent is gone") {
  // Tile 0 is full; the first ring that it cannot hold takes 70 of the 100 bytes of tile 1, the second starts in the 30
  // that are left and continues on tile 2, where the third starts.
  const auto rings = Pools(100, {0, 0, 0, 0}, {10, 7, 4, 2}).rings();
  REQUIRE(rings.size() == 4);
  check_ring(rings[1], {1, 0, 7, 100, 1});
  check_ring(rings[2], {2, 0, 4, 170, 1});
  check_ring(rings[3], {3, 0, 2, 210, 2});
}

TEST_CASE("two consumers on one tile share a ring of the larger capacity") {
  for (const bool first_larger : {false, true}) {
    Pools pools(100, {1, 1}, {2, 2});
    pools.program.graph.nodes[1].inputs = {0};
    pools.program.buffers = {{0, 0, first_larger ? 5 : 3}, {0, 1, first_larger ? 3 : 5}};
    const auto rings = pools.rings();
    REQUIRE(rings.size() == 1);
    check_ring(rings[0], {0, 1, 5, 0, -1});
  }
}

TEST_CASE("a full neighbour lends nothing") {
  const auto rings = Pools(100, {0, 0, 1}, {10, 4, 10}).rings();
  REQUIRE(rings.size() == 3);
  check_ring(rings[1], {1, 0, 4, 100, 2});
}

TEST_CASE("a ring larger than a tile spans several lenders") {
  // Average pool over a whole map of 250 bytes: 100 from each of two tiles, 50 from a third.
  const auto rings = Pools(100, {1}, {25}).rings();
  REQUIRE(rings.size() == 1);
  check_ring(rings[0], {0, 1, 25, 100, 0});
}

TEST_CASE("where all eDRAM together is too small the missing bytes are named") {
  try {
    Pools(100, {1, 2}, {31, 10}).rings();  // 100 on tile 2, and 310 on the two tiles that are left
    FAIL("accepted");
  } catch (const InputError& error) {
    CHECK(error.problem() == "row buffers need 110 bytes more than the eDRAM of 4 tiles has");
  }
}

TEST_CASE("auto takes as many chips as the row buffers fill, a fixed number that is too small is refused") {
  // A pool over the whole of a map of 4 x 4 x 16 bytes keeps its 4 rows of 64 bytes and one more, 320; the convolution
  // behind it its row of 16 bytes and the next, 32, on the same tile. Of chips of one tile with 100 bytes the first
  // holds the 32; the 320 are lent by four others, because a spilled ring leaves what is free on its own tile.
  ShapeGraph net;
  dnn::Window whole = window(4);
  net.output(net.convolution(net.pool(net.input(4, 4, 16), whole), 4, window(1)));
  dnn::Weights& weights = net.graph.nodes.back().weights;
  weights.values.assign(16 * 4, 1);
  weights.scale.assign(4, 1.0);
  weights.bias.assign(4, 0);
  Machine machine = small_machine();
  machine.tiles_per_chip = 1;
  machine.edram.bytes = 100;
  const Program program = compile(net.graph, machine);
  std::int64_t bytes = 0;
  for (const Ring& ring : program.rings) bytes += ring_bytes(program.graph, ring);
  CHECK(bytes == 352);
  CHECK(program.chips == 5);
  CHECK(program.tiles == 5);
  CHECK(program.crossbars_total == 5 * 2 * 3);
  CHECK_NOTHROW(validate(program, machine));
  machine.chips = 5;
  CHECK(refusal(net.graph, machine) == "accepted");
  machine.chips = 4;
  CHECK_THAT(refusal(net.graph, machine), Catch::Contains("need 20 bytes more than the eDRAM of 4 tiles has"));
}

TEST_CASE("rings that a 32-bit offset cannot reach are refused") {
  Pools pools(100, {0}, {1 << 30});
  CHECK_THROWS_AS(pools.rings(), InputError);
}

TEST_CASE("every tile that computes from a tensor has a ring of the largest capacity among its consumers there") {
  const Program program = compile(every_node(), small_machine());
  std::map<int, std::set<int>> tiles_of_node;
  for (const LayerPlan& layer : program.layers)
    for (const Placement& p : layer.placements) tiles_of_node[layer.node].insert(p.tile);
  for (const FunctionPlan& function : program.functions) tiles_of_node[function.node].insert(function.tile);
  std::map<std::pair<int, int>, int> rows;
  for (const RowBuffer& buffer : program.buffers)
    for (const int tile : tiles_of_node[buffer.consumer]) {
      int& most = rows[{buffer.tensor, tile}];
      most = std::max(most, buffer.rows);
    }
  CHECK(rows.size() == program.rings.size());
  for (const Ring& ring : program.rings) CHECK(rows[{ring.tensor, ring.tile}] == ring.rows);
}

TEST_CASE("rings of a compiled network stay within what the tiles have, spilled bytes included") {
  Machine machine = small_machine();
  machine.edram.bytes = 512;
  const Program program = compile(every_node(), machine);
  std::int64_t bytes = 0, spilled = 0;
  std::map<int, std::int64_t> own;
  for (const Ring& ring : program.rings) {
    const std::int64_t size =
        ring.rows * std::int64_t(program.graph.tensors[std::size_t(ring.tensor)].shape.row_bytes());
    bytes += size;
    if (ring.spilled_to < 0) {
      CHECK(ring.offset + size <= 512);
      own[ring.tile] += size;
    } else {
      CHECK(ring.offset >= 512);
      CHECK(ring.spilled_to != ring.tile);
      spilled += size;
    }
  }
  CHECK(spilled > 0);
  CHECK(bytes <= std::int64_t(program.tiles) * 512);
  for (const auto& [tile, size] : own) CHECK(size <= 512);
  std::ostringstream out;
  print(out, program, machine);
  CHECK(out.str().find(std::to_string(spilled) + " of them spilled") != std::string::npos);
}
