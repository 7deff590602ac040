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

/// A crossbar of `rows` x 128 cells, 32 filters, and `crossbars` of them in the only crossbar_tile of a tile.
Machine with_toeplitz(int rows = 128, int crossbars = 8) {
  Machine machine = isaac_8b();
  machine.toeplitz = true;
  machine.crossbar.rows = rows;
  machine.crossbar.crossbars = crossbars;
  machine.crossbar_tiles_per_tile = 1;
  return machine;
}

struct Expanded {
  int expansion = 1;
  std::int64_t crossbars = 1;
  int rows = 1, filters = 1;  ///< of the first block
};

Expanded expanded(const dnn::Shape& input, int filters, const dnn::Window& window, const Machine& machine,
                  int groups = 1) {
  ShapeGraph net;
  net.convolution(net.input(input.height, input.width, input.channels), filters, window, groups);
  const BlockLayout layout(net.graph, net.graph.nodes.back(), machine);
  Machine plain = machine;
  plain.toeplitz = false;
  const BlockLayout before(net.graph, net.graph.nodes.back(), plain);
  CHECK(before.expansion() == 1);
  CHECK(layout.crossbars() == before.crossbars());
  CHECK(layout.count() == before.count());
  return {layout.expansion(), layout.crossbars(), layout.at(0).rows, layout.at(0).filters};
}

void check_expanded(const Expanded& found, const Expanded& expected) {
  CHECK(found.expansion == expected.expansion);
  CHECK(found.crossbars == expected.crossbars);
  CHECK(found.rows == expected.rows);
  CHECK(found.filters == expected.filters);
}

using Ranges = std::vector<arithmetic::FilterRange>;

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

TEST_CASE("free rows and columns hold as many windows as fit, up to the width of the row") {
  const Machine machine = with_toeplitz();
  // 3x3 on 3 channels: 9 rows a column of the kernel. Four filters fill 32 columns eight times; the kernel is 3 + 7
  // wide.
  check_expanded(expanded({4, 20, 3}, 4, window(3, 1, 1), machine), {8, 1, 90, 32});
  check_expanded(expanded({4, 5, 3}, 4, window(3, 1, 1), machine), {5, 1, 63, 20});  // a row has five windows
  // 24 rows a column: five columns in 128 rows are three windows, or two of stride 2.
  check_expanded(expanded({4, 20, 8}, 4, window(3, 1, 1), machine), {3, 1, 120, 12});
  check_expanded(expanded({4, 20, 8}, 4, window(3, 2, 1), machine), {2, 1, 120, 8});
  // 96 rows a column: 288 rows are three blocks of 128, which hold exactly four columns; 32 filters.
  check_expanded(expanded({4, 20, 32}, 16, window(3, 1, 1), machine), {2, 3, 128, 32});
  check_expanded(expanded({4, 20, 32}, 17, window(3, 1, 1), machine), {1, 3, 128, 17});
  // 33 filters take two crossbars, which have room for 64: no second copy. 16 filters take half of one.
  check_expanded(expanded({4, 20, 1}, 33, window(3, 1, 1), machine), {1, 2, 9, 33});
  check_expanded(expanded({4, 20, 1}, 16, window(1), machine), {2, 1, 2, 32});
  // 1x1 with stride 3: the rows between two windows are there as well, 40 + 2 x 3 x 40 is too much.
  check_expanded(expanded({4, 20, 40}, 8, window(1, 3), machine), {1, 1, 40, 8});
  check_expanded(expanded({4, 20, 18}, 8, window(1, 3), machine), {3, 1, 126, 24});
}

TEST_CASE("layers in groups, dilated ones, vectors and layers beyond a tile are not expanded") {
  const Machine machine = with_toeplitz();
  check_expanded(expanded({4, 20, 4}, 4, window(3, 1, 1), machine, 2), {1, 1, 36, 4});
  check_expanded(expanded({4, 20, 3}, 4, window(3, 1, 2, 2), machine), {1, 1, 27, 4});
  check_expanded(expanded({20, 1, 3}, 4, window(1), machine), {1, 1, 3, 4});
  // 3 x 3 x 32 rows are three blocks; a tile of three crossbars holds them, one of two does not.
  check_expanded(expanded({4, 20, 32}, 16, window(3, 1, 1), with_toeplitz(128, 3)), {2, 3, 128, 32});
  check_expanded(expanded({4, 20, 32}, 16, window(3, 1, 1), with_toeplitz(128, 2)), {1, 3, 128, 16});
}

TEST_CASE("the first layer of ResNet-18 has no room on 128 columns and twice the room on 512") {
  // 7 x 7 x 3 = 147 rows, 64 filters: two crossbars of 32 filters are full. With three slices 170 filters fit 512
  // columns: two copies of 64; 21 rows a column of the kernel, 7 + 2 wide: 189.
  check_expanded(expanded({224, 224, 3}, 64, window(7, 2, 3), with_toeplitz()), {1, 4, 128, 64});
  Machine raella = with_toeplitz(512);
  raella.crossbar.columns = 512;
  raella.weight_slicing = {4, 2, 2};
  check_expanded(expanded({224, 224, 3}, 64, window(7, 2, 3), raella), {2, 1, 189, 128});
}

TEST_CASE("an expanded layer has fewer vectors, the last of a row cropped") {
  ShapeGraph net;
  net.convolution(net.input(6, 7, 8), 4, window(3, 1, 1));
  const Machine machine = with_toeplitz();  // three windows a vector: 7 are 3 + 3 + 1
  CHECK(layer_demands(net.graph, machine)[0].windows == 6 * 3);
  CHECK(layer_demands(net.graph, isaac_8b())[0].windows == 6 * 7);
  for (int expansion = 1; expansion <= 9; ++expansion)
    for (const int stride : {1, 2, 3}) {
      const dnn::Window narrow = window(3, stride, 1), wide = expanded_window(narrow, expansion);
      const int width = dnn::windowed_shape({6, 23, 8}, narrow, 1).width;
      CHECK(dnn::windowed_shape({6, 23, 8}, wide, 1).width == vectors_of_row(width, expansion));
    }
}

TEST_CASE("cells with a weight are those of the windows that reach a row") {
  ShapeGraph net;
  dnn::Window flat = window(1, 2);
  flat.kernel_width = 3;
  net.convolution(net.input(1, 20, 1), 10, flat);
  // Kernel 3, stride 2, 10 filters of 32: window 0 reaches x = 0 1 2, window 1 2 3 4, window 2 4 5 6.
  const BlockLayout layout(net.graph, net.graph.nodes.back(), with_toeplitz());
  REQUIRE(layout.expansion() == 3);
  CHECK(layout.weighted(layout.at(0)) == Ranges{{0, 10}, {0, 10}, {0, 20}, {10, 10}, {10, 20}, {20, 10}, {20, 10}});
  // Two rows a block: the second block holds x = 2 and 3.
  const BlockLayout cut(net.graph, net.graph.nodes.back(), with_toeplitz(5));
  REQUIRE(cut.expansion() == 2);
  CHECK(cut.weighted({2, 0, 2, 20}) == Ranges{{0, 20}, {10, 10}});
  CHECK(cut.weighted({2, 0, 1, 20}).empty());  // every filter has a weight in x = 2
  ShapeGraph sparse;
  sparse.convolution(sparse.input(1, 20, 2), 3, window(1, 3));
  // 1x1 with stride 3, two channels, two windows in 8 rows: nobody reads x = 1 and 2.
  const BlockLayout gaps(sparse.graph, sparse.graph.nodes.back(), with_toeplitz(8));
  REQUIRE(gaps.expansion() == 2);
  const Ranges ranges = gaps.weighted(gaps.at(0));
  REQUIRE(ranges.size() == 8);
  for (const int row : {0, 1}) CHECK(ranges[std::size_t(row)] == arithmetic::FilterRange{0, 3});
  for (const int row : {2, 3, 4, 5}) CHECK(ranges[std::size_t(row)].count == 0);
  for (const int row : {6, 7}) CHECK(ranges[std::size_t(row)] == arithmetic::FilterRange{3, 3});
}

TEST_CASE("cells with a weight of packed groups are those of the row's group") {
  ShapeGraph net;
  net.convolution(net.input(8, 8, 32), 64, window(3, 1, 1), 32);  // blocks of 14, 14 and 4 groups of 9 rows, 2 filters
  const BlockLayout layout = layout_of(net);
  const Ranges ranges = layout.weighted(layout.at(2));
  REQUIRE(ranges.size() == 36);
  for (std::size_t row = 0; row < 36; ++row) CHECK(ranges[row] == arithmetic::FilterRange{int(row / 9) * 2, 2});
  ShapeGraph alone;
  alone.convolution(alone.input(8, 8, 36), 60, window(3, 1, 1), 3);  // a group a block
  CHECK(layout_of(alone).weighted(layout_of(alone).at(1)).empty());
  ShapeGraph dense;
  dense.convolution(dense.input(8, 8, 32), 40, window(3, 1, 1));
  CHECK(layout_of(dense).weighted(layout_of(dense).at(2)).empty());
}
