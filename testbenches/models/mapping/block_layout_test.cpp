// SPDX-License-Identifier: Apache-2.0
// Row blocks and crossbar counts, from shapes alone.
#include "models/mapping/block_layout.h"

#include <catch2/catch.hpp>

#include "models/mapping/replicate.h"
#include "testbenches/models/mapping/shape_graph.h"

using namespace mho;
using namespace mho::mapping;

namespace {

std::int64_t crossbars_of_one_copy(const dnn::Graph& graph, const Machine& machine) {
  std::int64_t sum = 0;
  for (const LayerDemand& demand : layer_demands(graph, machine)) sum += demand.crossbars;
  return sum;
}

dnn::Graph vgg(const std::vector<int>& convolutions_per_stage) {
  ShapeGraph net("vgg");
  int x = net.input(224, 224, 3);
  const int filters[] = {64, 128, 256, 512, 512};
  for (std::size_t stage = 0; stage < 5; ++stage) {
    for (int i = 0; i < convolutions_per_stage[stage]; ++i) x = net.convolution(x, filters[stage], window(3, 1, 1));
    x = net.pool(x, window(2, 2));
  }
  for (const int outputs : {4096, 4096, 1000}) x = net.fully_connected(x, outputs);
  net.output(x);
  return net.graph;
}

/// Encoder layers of `hidden` and 4 * `hidden`; a token is a row of the map.
dnn::Graph bert(int layers, int hidden) {
  ShapeGraph net("bert");
  int x = net.input(128, 1, hidden);
  for (int layer = 0; layer < layers; ++layer) {
    for (int i = 0; i < 4; ++i) x = net.convolution(x, hidden, window(1));  // query, key, value, output
    x = net.convolution(net.convolution(x, 4 * hidden, window(1)), hidden, window(1));
  }
  net.output(x);
  return net.graph;
}

BlockLayout layout_of(const ShapeGraph& net) { return BlockLayout(net.graph, net.graph.nodes.back(), isaac_8b()); }

void check_block(const BlockLayout& layout, int index, BlockShape expected) {
  const BlockShape block = layout.at(index);
  CHECK(block.row_first == expected.row_first);
  CHECK(block.filter_first == expected.filter_first);
  CHECK(block.rows == expected.rows);
  CHECK(block.filters == expected.filters);
}

}  // namespace

TEST_CASE("published networks take the crossbars that the papers' mapping gives") {
  // fc6 of VGG-16: 25088 rows are 196 blocks of 128, 4096 filters at 32 a crossbar are 128 crossbars: 25088.
  // fc7: 32 x 128 = 4096; fc8: 32 x ceil(1000 / 32) = 1024.
  // Convolutions: 2 + 10 + 20 + 36 + 72 + 144 + 144 + 288 + 576 + 576 + 3 x 576 = 3596. In all 33804.
  CHECK(crossbars_of_one_copy(vgg({2, 2, 3, 3, 3}), isaac_8b()) == 33804);
  // VGG-19 has one more convolution in each of the last three stages: 144 + 576 + 576 = 1296 more.
  CHECK(crossbars_of_one_copy(vgg({2, 2, 4, 4, 4}), isaac_8b()) == 35100);
  // BERT-Base: 12 x (4 x (6 x 24) + (6 x 96) + (24 x 24)) = 12 x 1728.
  CHECK(crossbars_of_one_copy(bert(12, 768), isaac_8b()) == 20736);
  // BERT-Large: 24 x (4 x (8 x 32) + (8 x 128) + (32 x 32)) = 24 x 3072.
  CHECK(crossbars_of_one_copy(bert(24, 1024), isaac_8b()) == 73728);
}

TEST_CASE("a machine with eight slices takes twice the crossbars of one with four") {
  CHECK(crossbars_of_one_copy(bert(12, 768), Machine()) == 2 * 20736);
}

TEST_CASE("a dot product longer than the rows is cut into full blocks and the rest") {
  ShapeGraph net;
  net.convolution(net.input(8, 8, 32), 40, window(3, 1, 1));  // 288 rows = 128 + 128 + 32
  const BlockLayout layout = layout_of(net);
  REQUIRE(layout.count() == 3);
  check_block(layout, 0, {0, 0, 128, 40});
  check_block(layout, 1, {128, 0, 128, 40});
  check_block(layout, 2, {256, 0, 32, 40});
  CHECK(layout.crossbars() == 3 * 2);  // 40 filters at 32 a crossbar
}

TEST_CASE("the channels of a depthwise convolution are packed block-diagonally") {
  ShapeGraph net;
  net.convolution(net.input(8, 8, 32), 32, window(3, 1, 1), 32);  // 9 rows a group: 14 groups in 128 rows
  const BlockLayout layout = layout_of(net);
  REQUIRE(layout.count() == 3);  // 14 + 14 + 4 groups
  check_block(layout, 0, {0, 0, 126, 14});
  check_block(layout, 1, {126, 14, 126, 14});
  check_block(layout, 2, {252, 28, 36, 4});
  CHECK(layout.crossbars() == 3);
}

TEST_CASE("a last packed block with fewer filters takes fewer crossbars") {
  ShapeGraph net;
  net.convolution(net.input(8, 8, 36), 60, window(3, 1, 1), 3);  // 108 rows, 20 filters a group: one group a block
  CHECK(layout_of(net).crossbars() == 3);
  ShapeGraph packed;
  packed.convolution(packed.input(8, 8, 12), 60, window(3, 1, 1), 3);  // 36 rows: 3 groups, 60 filters, 2 crossbars
  CHECK(layout_of(packed).count() == 1);
  CHECK(layout_of(packed).crossbars() == 2);
  ShapeGraph uneven;
  uneven.convolution(uneven.input(8, 8, 24), 80, window(3, 1, 1), 4);  // 54 rows: 2 + 2 groups of 20 filters
  CHECK(layout_of(uneven).crossbars() == 2 * 2);
  ShapeGraph rest;
  rest.convolution(rest.input(8, 8, 18), 60, window(3, 1, 1), 3);  // 2 + 1 groups: 40 and 20 filters, 2 + 1 crossbars
  CHECK(layout_of(rest).crossbars() == 3);
}

TEST_CASE("groups longer than the rows have row blocks of their own") {
  ShapeGraph net;
  net.convolution(net.input(8, 8, 64), 96, window(3, 1, 1), 2);  // 288 rows a group
  const BlockLayout layout = layout_of(net);
  REQUIRE(layout.count() == 6);
  check_block(layout, 2, {256, 0, 32, 48});
  check_block(layout, 3, {288, 48, 128, 48});
  check_block(layout, 5, {544, 48, 32, 48});
  CHECK(layout.crossbars() == 6 * 2);
}
