// SPDX-License-Identifier: Apache-2.0
// Parts of layers, and where they stand: worked by hand from the crossbars that they take.
#include "models/mapping/place.h"

#include <catch2/catch.hpp>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/mapping/parts.h"
#include "testbenches/models/mapping/shape_graph.h"
#include "testbenches/models/mapping/small_networks.h"

using namespace mho;
using namespace mho::mapping;

namespace {

using Ranges = std::vector<arithmetic::FilterRange>;

/// Parts of the only convolution of a network.
Ranges parts(const dnn::Graph& graph, const Machine& machine) {
  return parts_of(BlockLayout(graph, graph.nodes[0], machine), int(machine.weight_slicing.size()), machine);
}

/// A 1x1 convolution of so many rows and filters.
dnn::Graph layer(int rows, int filters, int groups = 1, int kernel = 1) {
  ShapeGraph net("layer");
  net.output(net.convolution(net.input(4, 4, rows), filters, window(kernel, 1, kernel / 2), groups));
  return net.graph;
}

/// Tiles of 2 x 3 crossbars with 4 filters each, `replicas` copies of a layer of 32 x `row_blocks` rows.
LayerPlan placed(int row_blocks, int filters, int replicas, std::int64_t spare) {
  Machine machine = small_machine();
  machine.replication = Replication::kNone;
  dnn::GraphBuilder net("layer");
  net.convolution(net.input({2, 2, 32 * row_blocks}), filters, dnn::square_window(1));
  LayerPlan one = plan(net.build(), machine).layers[0];
  one.placements.clear();
  one.home_tiles.clear();
  one.replicas = replicas;
  Placer(machine, spare).place(one);
  return one;
}

/// Crossbar, counted from the first of the machine, at which each placement begins.
std::vector<int> first_crossbars(const LayerPlan& plan) {
  std::vector<int> firsts;
  for (const Placement& p : plan.placements) firsts.push_back(6 * p.tile + 3 * p.crossbar_tile + p.first_crossbar);
  return firsts;
}

}  // namespace

TEST_CASE("a layer that fits a tile is one part") {
  // ISAAC: 12 x 8 = 96 crossbars of 128 rows and 32 filters. 768 rows, 512 filters: 6 x 16 = 96 crossbars.
  CHECK(parts(layer(768, 512), isaac_8b()) == Ranges{{0, 512}});
  CHECK(parts(layer(1, 1), isaac_8b()) == Ranges{{0, 1}});
}

TEST_CASE("a larger layer is cut into the fewest parts that fit, of equal size where that is possible") {
  // 9 row blocks x 16 = 144 crossbars; a tile holds 10 of the 16 columns of crossbars, two parts have 8 each.
  CHECK(parts(layer(1152, 512), isaac_8b()) == Ranges{{0, 256}, {256, 256}});
  // 25 row blocks x 4, the last of 4 filters: a tile holds 3 columns.
  CHECK(parts(layer(3200, 100), isaac_8b()) == Ranges{{0, 64}, {64, 36}});
  // 1 x 97 crossbars: 49 + 48, not 96 + 1.
  CHECK(parts(layer(128, 97 * 32), isaac_8b()) == Ranges{{0, 49 * 32}, {49 * 32, 48 * 32}});
  // 36 x 16: a tile holds 2 columns.
  const Ranges eight = parts(layer(4608, 512), isaac_8b());
  REQUIRE(eight.size() == 8);
  CHECK(eight[7] == arithmetic::FilterRange{448, 64});
}

TEST_CASE("filters with more row blocks than a tile has crossbars make parts of one crossbar's filters") {
  // 97 row blocks of 100 filters in crossbars of 32.
  CHECK(parts(layer(97 * 128, 100), isaac_8b()) == Ranges{{0, 32}, {32, 32}, {64, 32}, {96, 4}});
}

TEST_CASE("parts of a layer with small groups are ranges of its blocks") {
  // Depthwise 3x3: 14 groups of 9 rows a block, 1918 of 1920 channels in 137 blocks, 138 in all, one crossbar each.
  CHECK(parts(layer(1920, 1920, 1920, 3), isaac_8b()) == Ranges{{0, 69 * 14}, {69 * 14, 1920 - 69 * 14}});
  CHECK(parts(layer(960, 960, 960, 3), isaac_8b()) == Ranges{{0, 960}});
  // Two groups of 4608 rows and 64 filters each: 36 x 2 crossbars a group, so the parts are the groups.
  CHECK(parts(layer(1024, 128, 2, 3), isaac_8b()) == Ranges{{0, 64}, {64, 64}});
}

TEST_CASE("a part's filters are counted within the blocks that hold them") {
  CHECK(filters_in_block({10, 20}, 0, 64) == arithmetic::FilterRange{10, 20});
  CHECK(filters_in_block({10, 20}, 12, 8) == arithmetic::FilterRange{0, 8});
  CHECK(filters_in_block({10, 20}, 25, 14) == arithmetic::FilterRange{0, 5});
  CHECK(filters_in_block({10, 20}, 30, 14).count == 0);
  CHECK(filters_in_block({10, 20}, 0, 10).count == 0);
}

TEST_CASE("a replica that would straddle two tiles begins in the next one while crossbar_tiles are left over") {
  // 2 row blocks x 2 = 4 of a tile's 6 crossbars. Without spare crossbar_tiles one copy follows the other: at 0, 4, 8.
  const LayerPlan dense = placed(2, 8, 3, 0);
  CHECK(dense.parts == Ranges{{0, 8}});
  CHECK(dense.home_tiles == std::vector<int>{0, 0, 1});
  CHECK(first_crossbars(dense) == std::vector<int>{0, 2, 3, 4, 6, 8, 9, 10});
  // One spare: the second copy leaves the last two crossbars of tile 0 empty, the third straddles tiles 1 and 2.
  const LayerPlan one_gap = placed(2, 8, 3, 1);
  CHECK(one_gap.home_tiles == std::vector<int>{0, 1, 1});
  CHECK(first_crossbars(one_gap) == std::vector<int>{0, 2, 3, 6, 8, 9, 10, 12});
  CHECK(placed(2, 8, 3, 2).home_tiles == std::vector<int>{0, 1, 2});
}

TEST_CASE("parts follow each other, each at home where it begins") {
  // 5 row blocks x 3 = 15 crossbars in tiles of 6: three parts of 4 filters. Dense they begin at 0, 5 and 10; with
  // room, in a tile each, of which one crossbar_tile is left in part.
  const LayerPlan dense = placed(5, 12, 2, 0);
  CHECK(dense.parts == Ranges{{0, 4}, {4, 4}, {8, 4}});
  CHECK(dense.home_tiles == std::vector<int>{0, 0, 1, 2, 3, 4});  // crossbars 0, 5, 10, 15, 20, 25
  CHECK(dense.home_of(1, 2) == 4);
  CHECK(placed(5, 12, 2, 100).home_tiles == std::vector<int>{0, 1, 2, 3, 4, 5});
  // Of placements by replica, part, block and filter, number 7 is the third block of the second part.
  const Placement& seventh = dense.placements[7];
  CHECK(seventh.part == 1);
  CHECK(seventh.block == 2);
  CHECK(seventh.first_filter == 4);
  CHECK(seventh.filters == 4);
}

TEST_CASE("a part that no tile holds straddles tiles, whatever is spare") {
  const LayerPlan tall = placed(7, 4, 2, 100);
  CHECK(tall.home_tiles == std::vector<int>{0, 1});
  CHECK(first_crossbars(tall)[7] == 7);
}

TEST_CASE("greedy copies whose row buffers find no room are given up, without more chips") {
  const dnn::Graph graph = every_node();
  Machine machine = small_machine();
  const auto layout = [&](Replication replication, int edram_bytes) {
    machine.replication = replication;
    machine.edram.bytes = edram_bytes;
    const Program program = compile(graph, machine);
    CHECK_NOTHROW(validate(program, machine));
    int copies = 0;
    for (const LayerPlan& each : program.layers) copies += each.replicas;
    return std::make_pair(program.chips, copies);
  };
  const int all = layout(Replication::kGreedy, 2048).second;
  CHECK(layout(Replication::kGreedy, 400) == std::make_pair(1, all));
  const auto [one, copies] = layout(Replication::kGreedy, 200);
  CHECK(one == 1);
  CHECK(copies < all);
  CHECK(copies > layout(Replication::kNone, 200).second);
}
