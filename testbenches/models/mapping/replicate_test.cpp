// SPDX-License-Identifier: Apache-2.0
// Chips and replicas.
#include "models/mapping/replicate.h"

#include <catch2/catch.hpp>

#include "models/input_error.h"
#include "testbenches/models/mapping/shape_graph.h"

using namespace mho;
using namespace mho::mapping;

namespace {

/// Three convolutions with pools between, and a fully connected layer. In 8 bits, 32 filters a crossbar:
///   16x16: 256 windows, 27 rows: 1 block, 16 filters: 1 crossbar; 16 times as many windows as the last: 16 copies
///   8x8: 64 windows, 144 rows: 2 blocks x 1 = 2 crossbars; 4 copies
///   4x4: 16 windows, 288 rows: 3 blocks x 2 = 6 crossbars; 1 copy
///   fully connected, 1024 rows: 8 blocks x 1 = 8 crossbars; 1 copy
dnn::Graph three_convolutions() {
  ShapeGraph net("three");
  int x = net.convolution(net.input(16, 16, 3), 16, window(3, 1, 1));
  x = net.convolution(net.pool(x, window(2, 2)), 32, window(3, 1, 1));
  x = net.convolution(net.pool(x, window(2, 2)), 64, window(3, 1, 1));
  net.output(net.fully_connected(x, 10));
  return net.graph;
}

Machine with_crossbar_tiles(int count) {
  Machine machine = isaac_8b();
  machine.tiles_per_chip = 1;
  machine.crossbar_tiles_per_tile = count;
  return machine;
}

std::vector<int> replicas(const dnn::Graph& graph, const Machine& machine) { return allocate(graph, machine).replicas; }

std::string refusal(const dnn::Graph& graph, const Machine& machine) {
  try {
    allocate(graph, machine);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a layer is copied as often as it has more windows than the last convolution") {
  CHECK(replicas(three_convolutions(), isaac_8b()) == std::vector<int>{16, 4, 1, 1});
}

TEST_CASE("without replication every layer has one copy") {
  Machine machine = isaac_8b();
  machine.replication = Replication::kNone;
  CHECK(replicas(three_convolutions(), machine) == std::vector<int>{1, 1, 1, 1});
}

TEST_CASE("replicas are halved until the crossbar_tiles suffice") {
  // In crossbar_tiles of 8: 16, 8, 6 and 8 crossbars are 2 + 1 + 1 + 1.
  CHECK(replicas(three_convolutions(), with_crossbar_tiles(5)) == std::vector<int>{16, 4, 1, 1});
  CHECK(replicas(three_convolutions(), with_crossbar_tiles(4)) == std::vector<int>{8, 2, 1, 1});
}

TEST_CASE("odd replica numbers are halved rounding up") {
  // 12x12 windows after 5x5 of the last: ceil(144 / 25) = 6, halved 3, then 2, then 1. One copy: 1 crossbar.
  ShapeGraph net;
  const int x = net.convolution(net.input(12, 12, 1), 32, window(1));
  net.output(net.convolution(net.pool(x, window(4, 2)), 32, window(1)));
  CHECK(replicas(net.graph, isaac_8b()) == std::vector<int>{6, 1});
  Machine machine = with_crossbar_tiles(3);
  machine.crossbar.crossbars = 2;
  CHECK(replicas(net.graph, machine) == std::vector<int>{3, 1});  // 2 + 1; with 6 it would be 3 + 1
  machine.crossbar_tiles_per_tile = 2;
  CHECK(replicas(net.graph, machine) == std::vector<int>{2, 1});
  machine.crossbar.crossbars = 1;
  machine.crossbar_tiles_per_tile = 2;
  CHECK(replicas(net.graph, machine) == std::vector<int>{1, 1});
}

TEST_CASE("branches are measured against the last convolution, not their neighbours") {
  // Stem and first block 32x32, second block 16x16, shortcut convolution 16x16, classifier.
  ShapeGraph net("resnet");
  const int stem = net.convolution(net.input(32, 32, 3), 16, window(3, 1, 1));
  const int a = net.convolution(net.convolution(stem, 16, window(3, 1, 1)), 16, window(3, 1, 1));
  const int sum = net.add(a, stem);
  const int b = net.convolution(net.convolution(sum, 32, window(3, 2, 1)), 32, window(3, 1, 1));
  const int shortcut = net.convolution(sum, 32, window(1, 2));
  const int map = net.pool(net.add(b, shortcut), window(16));
  net.output(net.fully_connected(map, 10));
  CHECK(replicas(net.graph, isaac_8b()) == std::vector<int>{4, 4, 4, 1, 1, 1, 1});
}

TEST_CASE("a network of fully connected layers has one copy of each") {
  ShapeGraph net;
  net.output(net.fully_connected(net.fully_connected(net.input(1, 1, 64), 64), 10));
  CHECK(replicas(net.graph, isaac_8b()) == std::vector<int>{1, 1});
}

TEST_CASE("auto takes the fewest chips that hold one copy and fills them") {
  CHECK(allocate(three_convolutions(), with_crossbar_tiles(5)).chips == 1);
  CHECK(allocate(three_convolutions(), with_crossbar_tiles(3)).chips == 2);
  CHECK(allocate(three_convolutions(), with_crossbar_tiles(3)).replicas == std::vector<int>{16, 4, 1, 1});
}

TEST_CASE("a fixed number of chips is used even where fewer would do") {
  Machine machine = with_crossbar_tiles(4);
  machine.chips = 2;
  const Allocation allocation = allocate(three_convolutions(), machine);
  CHECK(allocation.chips == 2);
  CHECK(allocation.replicas == std::vector<int>{16, 4, 1, 1});
}

TEST_CASE("too few chips are refused with the crossbars that are missing") {
  // BERT-Base needs 20736 crossbars and a chip of ISAAC has 168 x 12 x 8 = 16128.
  ShapeGraph net("bert_base");
  int x = net.input(128, 1, 768);
  for (int layer = 0; layer < 12; ++layer) {
    for (int i = 0; i < 4; ++i) x = net.convolution(x, 768, window(1));
    x = net.convolution(net.convolution(x, 3072, window(1)), 768, window(1));
  }
  net.output(x);
  Machine machine = isaac_8b();
  machine.chips = 1;
  CHECK(refusal(net.graph, machine) ==
        "bert_base: needs 20736 crossbars, chips: 1 has 16128, 4608 are missing (chips: 2 or more, or auto)");
}

TEST_CASE("crossbars that stand in another layer's crossbar_tile are not counted as free") {
  // 1 + 2 + 6 + 8 = 17 crossbars fit 3 crossbar_tiles of 8, but four layers need four.
  Machine machine = with_crossbar_tiles(3);
  machine.chips = 1;
  CHECK(refusal(three_convolutions(), machine) ==
        "three: needs 4 crossbar_tiles (each belongs to one layer), chips: 1 has 3, 1 are missing (chips: 2 or more, "
        "or auto)");
}

namespace {

/// What greedy replication makes of one chip with so many crossbar_tiles, all of those that are spare offered.
Allocation greedy(const dnn::Graph& graph, Machine machine) {
  machine.replication = Replication::kGreedy;
  const Allocation one_copy = allocate(graph, machine);
  CHECK(one_copy.replicas == std::vector<int>(one_copy.replicas.size(), 1));
  return replicate_greedily(graph, machine, one_copy, one_copy.spare_crossbar_tiles);
}

}  // namespace

TEST_CASE("greedy replication copies the layer that takes longest, the first of those that take equally long") {
  // 256, 64, 16 and 1 windows; 1, 2, 6 and 8 crossbars a copy; crossbar_tiles of 8. One copy takes 4 crossbar_tiles, so
  // of five one is spare. Windows / copies: the first layer is copied until 64 / 1 of the second is longer, then both
  // by turns, as far as the crossbar_tiles hold: at 8 copies the first one's is full, and with 256 / 8 = 64 / 2 it
  // comes first, so it gets the spare one. At 16 and 4 copies both and the third take 16, and no copy fits any more.
  const Allocation five = greedy(three_convolutions(), with_crossbar_tiles(5));
  CHECK(five.replicas == std::vector<int>{16, 4, 1, 1});
  CHECK(five.spare_crossbar_tiles == 0);
  CHECK(five.chips == 1);
  // With two spare ones: the first layer, at 16 again first among equals, takes the second one, the others are passed
  // over, and the copies up to 24 are free.
  CHECK(greedy(three_convolutions(), with_crossbar_tiles(6)).replicas == std::vector<int>{24, 4, 1, 1});
  // With none: up to what the crossbar_tiles hold.
  CHECK(greedy(three_convolutions(), with_crossbar_tiles(4)).replicas == std::vector<int>{8, 4, 1, 1});
}

TEST_CASE("greedy replication ends at one copy a window and takes no more than it is given") {
  const Allocation all = greedy(three_convolutions(), isaac_8b());
  CHECK(all.replicas == std::vector<int>{256, 64, 16, 1});
  // 256 / 8 + 128 / 8 + 96 / 8 + 8 / 8 crossbar_tiles of 168 x 12.
  CHECK(all.spare_crossbar_tiles == 168 * 12 - 32 - 16 - 12 - 1);
  Machine machine = isaac_8b();
  machine.replication = Replication::kGreedy;
  const Allocation one_copy = allocate(three_convolutions(), machine);
  CHECK(one_copy.spare_crossbar_tiles == 168 * 12 - 4);
  CHECK(replicate_greedily(three_convolutions(), machine, one_copy, 1).replicas == std::vector<int>{16, 4, 1, 1});
  CHECK(replicate_greedily(three_convolutions(), machine, one_copy, 0).replicas == std::vector<int>{8, 4, 1, 1});
}

TEST_CASE("a layer that needs two passes takes twice as long and is copied the more") {
  // Two layers of 16 windows, each copy one crossbar, crossbar_tiles of one: the second takes 16 cycles a vector, the
  // first 8. Of five crossbar_tiles the second gets one (16 x 16 / 2 = 16 x 8 / 1), then the first, which is the first
  // of equals, then the second again.
  ShapeGraph net;
  net.output(net.convolution(net.convolution(net.input(4, 4, 8), 16, window(1)), 16, window(1)));
  net.graph.tensors[1].type = dnn::CodeType::kInt8;
  Machine machine = with_crossbar_tiles(5);
  machine.crossbar.crossbars = 1;
  CHECK(greedy(net.graph, machine).replicas == std::vector<int>{3, 2});  // equally long both
  machine.signed_inputs = SignedInputs::kTwoPasses;
  CHECK(greedy(net.graph, machine).replicas == std::vector<int>{2, 3});
}

TEST_CASE("greedy replication of a large network is a matter of milliseconds") {
  // Nothing is measured: 84 layers and 16128 crossbars for copies must simply not take until the test's limit.
  ShapeGraph net("large");
  int x = net.input(56, 56, 64);
  for (int i = 0; i < 84; ++i) x = net.convolution(x, 64, window(3, 1, 1));
  net.output(x);
  const Allocation allocation = greedy(net.graph, isaac_8b());
  CHECK(allocation.spare_crossbar_tiles < 2);
  // 84 equal layers of 5 blocks x 2 = 10 crossbars share 2016 crossbar_tiles: 24 each, which hold 19 copies.
  for (const int copies : allocation.replicas) CHECK(copies == 19);
}
