// SPDX-License-Identifier: Apache-2.0
// compile(): what is stored where, that it computes what the network computes, and what is refused.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <tuple>

#include "models/dnn/operators.h"
#include "models/dnn/synthetic/graph_builder.h"
#include "models/mapping/block_layout.h"
#include "models/mapping/program.h"
#include "testbenches/models/mapping/small_networks.h"

using namespace mho;
using namespace mho::mapping;

namespace {

/// Filter and element of the dot product -> times placed, for one replica of a layer; values are compared on the way.
std::map<std::pair<int, int>, int> placed_weights(const LayerPlan& layer, int replica, const dnn::Node& node,
                                                  int length) {
  std::map<std::pair<int, int>, int> times;
  const int per_group = int(node.weights.bias.size()) / node.weights.groups;
  for (const Placement& p : layer.placements) {
    if (p.replica != replica) continue;
    const Block& block = layer.blocks[std::size_t(p.block)];
    for (int f = p.first_filter; f < p.first_filter + p.filters; ++f)
      for (int row = 0; row < block.encoded.rows; ++row) {
        const int filter = block.filter_first + f, element = block.row_first + row;
        const std::int32_t stored = stored_weight(block.encoded, row, f);
        if (element / length != filter / per_group) {
          CHECK(stored == 0);  // another group's rows
          continue;
        }
        const int k = element % length;
        CHECK(stored == node.weights.values[std::size_t(filter) * std::size_t(length) + std::size_t(k)]);
        ++times[{filter, k}];
      }
  }
  return times;
}

void check_every_weight(const dnn::Graph& graph, const Machine& machine) {
  const Program program = compile(graph, machine);
  for (const LayerPlan& layer : program.layers) {
    const dnn::Node& node = graph.nodes[std::size_t(layer.node)];
    const int length = dnn::dot_length(graph, node);
    for (int replica = 0; replica < layer.replicas; ++replica) {
      const auto times = placed_weights(layer, replica, node, length);
      CHECK(times.size() == node.weights.values.size());
      for (const auto& [where, count] : times) CHECK(count == 1);
    }
  }
}

std::vector<std::vector<std::uint8_t>> random_inputs(const dnn::Graph& graph, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::vector<std::uint8_t>> inputs;
  for (const int tensor : graph.inputs) {
    inputs.emplace_back(graph.tensors[std::size_t(tensor)].shape.bytes());
    for (std::uint8_t& code : inputs.back()) code = std::uint8_t(random());
  }
  return inputs;
}

/// Psums of output row `y`, from the arrays of a layer's blocks and the bias of the compiled graph.
std::vector<std::int32_t> row_on_arrays(const Program& program, const LayerPlan& layer, int y,
                                        const std::vector<std::uint8_t>& map) {
  const dnn::Node& node = program.graph.nodes[std::size_t(layer.node)];
  const dnn::Tensor& input = program.graph.input_of(node);
  const int width = program.graph.output_of(node).shape.width, t = layer.expansion;
  const int count = vectors_of_row(width, t), filters = t * dnn::filters_of(program.graph, node);
  const auto rows = [&](int, int row) { return map.data() + std::size_t(row) * input.shape.row_bytes(); };
  std::vector<std::int32_t> sums;
  for (int i = 0; i < count * t; ++i) sums.insert(sums.end(), node.weights.bias.begin(), node.weights.bias.end());
  for (const Block& block : layer.blocks) {
    const arithmetic::EncodedBlock& encoded = block.encoded;
    std::vector<std::uint8_t> codes(std::size_t(count) * std::size_t(encoded.rows));
    dnn::gather_windows(input, expanded_window(node.window, t), node.weights.groups,
                        {y, 0, count, block.row_first, encoded.rows}, rows, codes.data());
    std::vector<std::int32_t> psums(std::size_t(count) * std::size_t(encoded.filters));
    arithmetic::ProgrammedArray(encoded, layer.stream).product(codes.data(), count, psums.data());
    for (int i = 0; i < count; ++i)
      for (int f = 0; f < encoded.filters; ++f)
        sums[std::size_t(i * filters + block.filter_first + f)] += psums[std::size_t(i * encoded.filters + f)];
  }
  sums.resize(std::size_t(width * filters / t));
  return sums;
}

/// clip(rint(acc * (x_scale * w_scale / y_scale)) + y_zero).
std::uint8_t requantised(const dnn::Graph& graph, const dnn::Node& node, std::int32_t psum, int filter) {
  const dnn::Tensor& output = graph.output_of(node);
  const double factor = graph.input_of(node).scale * node.weights.scale[std::size_t(filter)] / output.scale;
  return std::uint8_t(
      int(std::clamp(std::nearbyint(psum * factor) + output.zero_point, double(node.lower), double(node.upper))));
}

}  // namespace

TEST_CASE("every weight is recovered from the placed levels of every replica") {
  Machine machine = small_machine();
  const dnn::Graph graph = every_node();
  SECTION("flip") {}
  SECTION("biased") { machine.encoding = "biased"; }
  SECTION("sixteen bits, sign-extended") {
    machine.data_bits = 16;
    machine.weight_slicing = {2, 2, 2, 2, 2, 2, 2, 2};
  }
  SECTION("slices of unequal width") {
    machine.weight_slicing = {4, 2, 2};
    machine.crossbar.cell_bits = 4;
  }
  SECTION("no replicas") { machine.replication = Replication::kNone; }
  SECTION("crossbars with columns to spare") { machine.crossbar.columns = 19; }
  check_every_weight(graph, machine);
}

TEST_CASE("the network has several replicas, partial blocks and packed groups, or the test above shows little") {
  const Program program = compile(every_node(), small_machine());
  CHECK(program.layers[0].replicas > 1);
  CHECK(program.layers[0].blocks.size() == 2);  // 3 x 3 x 5 = 45 rows: 32 + 13
  CHECK(program.layers[0].blocks[1].encoded.rows == 13);
  CHECK(program.layers[1].blocks.size() == 3);  // depthwise: 9 rows a group, 3 + 3 + 2 groups
  CHECK(program.layers[3].blocks.size() == 4);  // two groups of 36 rows: 32 + 4 each
  CHECK(program.layers[5].stream.is_signed);
}

TEST_CASE("a layer computed block by block on its arrays gives the integer reference") {
  Machine machine = small_machine();
  SECTION("one window a vector") {}
  SECTION("two windows a vector, in the free columns") {
    machine.toeplitz = true;
    machine.crossbar.columns = 64;
  }
  const dnn::Graph graph = every_node(3);
  const auto tensors = dnn::execute(graph, random_inputs(graph, 4));
  const Program program = compile(graph, machine);
  CHECK(program.layers[0].expansion == (machine.toeplitz ? 2 : 1));
  CHECK(program.layers[4].expansion == (machine.toeplitz ? 2 : 1));
  for (const LayerPlan& layer : program.layers) {
    const dnn::Node& node = graph.nodes[std::size_t(layer.node)];
    const dnn::Shape& shape = graph.output_of(node).shape;
    const std::vector<std::uint8_t>& reference = tensors[std::size_t(node.output)];
    for (int y = 0; y < shape.height; ++y) {
      const auto psums = row_on_arrays(program, layer, y, tensors[std::size_t(node.inputs[0])]);
      for (std::size_t i = 0; i < psums.size(); ++i) {
        const std::uint8_t code = requantised(program.graph, node, psums[i], int(i % std::size_t(shape.channels)));
        CHECK(code == reference[std::size_t(y) * shape.row_bytes() + i]);
      }
    }
  }
}

TEST_CASE("a placement stays within its crossbar_tile, which belongs to one layer") {
  const Machine machine = small_machine();
  const Program program = compile(every_node(), machine);
  std::set<std::tuple<int, int, int>> crossbars;
  std::map<std::pair<int, int>, int> owner;
  for (std::size_t i = 0; i < program.layers.size(); ++i)
    for (const Placement& p : program.layers[i].placements) {
      CHECK(p.tile < program.tiles);
      CHECK(p.crossbar_tile < machine.crossbar_tiles_per_tile);
      CHECK(p.first_crossbar + p.crossbars <= machine.crossbar.crossbars);
      CHECK(p.filters <= p.crossbars * 4);
      CHECK(p.filters > (p.crossbars - 1) * 4);
      for (int c = 0; c < p.crossbars; ++c)
        CHECK(crossbars.insert({p.tile, p.crossbar_tile, p.first_crossbar + c}).second);
      CHECK(owner.emplace(std::make_pair(p.tile, p.crossbar_tile), int(i)).first->second == int(i));
    }
  CHECK(program.crossbars_used == crossbars.size());
  CHECK(program.crossbars_total == std::uint64_t(program.chips) * 40 * 2 * 3);
}

TEST_CASE("replicas follow each other and are at home where they start") {
  // 8 filters, 45 rows: 2 blocks x 2 crossbars = 4 crossbars a copy, 3 crossbars a crossbar_tile, 2 of those a tile:
  // there is room to begin each replica in a tile of its own.
  const LayerPlan layer = compile(every_node(), small_machine()).layers[0];
  REQUIRE(int(layer.home_tiles.size()) == layer.replicas);
  for (int r = 0; r < layer.replicas; ++r) CHECK(layer.home_tiles[std::size_t(r)] == r);
}

TEST_CASE("no chip is added for parts that do not straddle tiles") {
  // 3, 6 and 3 crossbars in tiles of two crossbar_tiles of 3: the second layer fits a tile, but two tiles hold all
  // three only where it straddles them.
  dnn::GraphBuilder net("three");
  const int first = net.convolution(net.input({4, 4, 96}), 4, dnn::square_window(1));
  net.convolution(net.convolution(first, 12, dnn::square_window(3, 1, 1)), 12, dnn::square_window(1));
  Machine machine = small_machine();
  machine.replication = Replication::kNone;
  machine.tiles_per_chip = 2;
  const Program tight = compile(net.build(), machine);
  CHECK(tight.chips == 1);
  CHECK(tight.layers[1].home_tiles == std::vector<int>{0});
  CHECK(tight.layers[1].placements.back().tile == 1);
  machine.tiles_per_chip = 3;
  const Program roomy = compile(net.build(), machine);
  CHECK(roomy.layers[1].home_tiles == std::vector<int>{1});
  CHECK(roomy.layers[2].home_tiles == std::vector<int>{2});
}

TEST_CASE("functions stand on the tile of the latest of their nearest weighted layers") {
  const Program program = compile(every_node(), small_machine());
  std::map<std::string, int> tile;
  for (const FunctionPlan& function : program.functions)
    tile[program.graph.nodes[std::size_t(function.node)].name] = function.tile;
  CHECK(tile.at("add_3") == program.layers[2].home_tiles[0]);       // of stem and the 1x1 convolution, the latter
  CHECK(tile.at("max_pool_4") == program.layers[2].home_tiles[0]);  // through the add
  CHECK(tile.at("concat_7") == program.layers[4].home_tiles[0]);    // of its two branches, the second
  CHECK(tile.at("average_pool_8") == program.layers[4].home_tiles[0]);
  dnn::GraphBuilder net("pool_first");
  net.convolution(net.max_pool(net.input({8, 8, 2}), dnn::square_window(2, 2)), 2, dnn::square_window(1));
  CHECK(compile(net.build(), small_machine()).functions[0].tile == 0);
}

TEST_CASE("scores stand with the keys and contexts with the values, whatever is projected last") {
  // 24 filters of 24 rows fill the 6 crossbars of a tile: values on tile 0, keys on 1, queries on 2.
  dnn::GraphBuilder net("attention");
  const int x = net.sequence(4, 24);
  const int values = net.convolution(x, 24, dnn::square_window(1)),
            keys = net.convolution(x, 24, dnn::square_window(1));
  net.attention(net.convolution(x, 24, dnn::square_window(1)), keys, values, 3);
  Machine machine = small_machine();
  machine.replication = Replication::kNone;
  machine.edram.bytes = 1 << 16;
  const Program program = compile(net.build(), machine);
  REQUIRE(program.functions.size() == 3);
  CHECK(program.functions[0].tile == 1);  // scores
  CHECK(program.functions[1].tile == 1);  // their softmax
  CHECK(program.functions[2].tile == 0);  // what it weighs
}

TEST_CASE("the compiled graph has no weights and a bias without the zero-point term") {
  dnn::Graph graph = one_layer(3, 2, {1, 2, 3, -4, 5, -6});
  graph.tensors[0].zero_point = 10;
  graph.nodes[0].weights.bias = {100, 200};
  const Program program = compile(graph, small_machine());
  CHECK(program.graph.nodes[0].weights.values.empty());
  CHECK(program.graph.nodes[0].weights.bias == std::vector<std::int32_t>{100 - 10 * 6, 200 + 10 * 5});
}

TEST_CASE("the function unit's requantiser takes the compiled graph as folded") {
  const dnn::Graph graph = every_node();
  const Program program = compile(graph, small_machine());
  for (const LayerPlan& layer : program.layers) {
    const auto node = std::size_t(layer.node);
    const int filters = dnn::filters_of(graph, graph.nodes[node]);
    std::vector<std::int32_t> psums;
    for (int f = 0; f < filters; ++f) psums.push_back(1000 * f - 3000);
    std::vector<std::uint8_t> whole(psums.size()), folded(psums.size());
    dnn::Requantiser(graph, graph.nodes[node]).apply(psums.data(), 1, 0, filters, whole.data(), psums.size());
    dnn::Requantiser(program.graph, program.graph.nodes[node])
        .apply(psums.data(), 1, 0, filters, folded.data(), psums.size());
    CHECK(whole == folded);
  }
}

TEST_CASE("commands write everything, load the inputs, compute in node order and store the outputs") {
  const Program program = compile(every_node(), small_machine());
  std::size_t i = 0;
  for (std::size_t layer = 0; layer < program.layers.size(); ++layer)
    for (std::size_t p = 0; p < program.layers[layer].placements.size(); ++p, ++i) {
      CHECK(program.commands[i].kind == Command::Kind::kWrite);
      CHECK(program.commands[i].index == int(layer));
      CHECK(program.commands[i].placement == int(p));
    }
  CHECK(program.commands[i].kind == Command::Kind::kLoad);
  CHECK(program.commands[i++].index == program.graph.inputs[0]);
  int layers = 0, functions = 0;
  for (const dnn::Node& node : program.graph.nodes) {
    const bool weighted = node.op == dnn::Operator::kConvolution;
    CHECK(program.commands[i].kind == (weighted ? Command::Kind::kCompute : Command::Kind::kFunction));
    CHECK(program.commands[i++].index == (weighted ? layers++ : functions++));
  }
  REQUIRE(program.commands.size() == i + 2);
  CHECK(program.commands[i].kind == Command::Kind::kStore);
  CHECK(program.commands[i].index == program.graph.outputs[0]);
  CHECK(program.commands[i + 1].index == program.graph.outputs[1]);
}

TEST_CASE("a broken graph or machine is refused before anything is made of it") {
  dnn::Graph graph = every_node();
  graph.nodes[0].weights.values.pop_back();
  CHECK(refusal(graph, small_machine()).find("every_node: node `convolution_0`") == 0);
  Machine machine = small_machine();
  machine.adc.bits = 0;
  CHECK_THROWS_AS(compile(every_node(), machine), std::invalid_argument);
}

TEST_CASE("the printed table names layers, buffers and spilled bytes") {
  std::ostringstream out;
  dnn::Graph graph = every_node();
  graph.nodes[0].name = "bell\a";
  print(out, compile(graph, small_machine()), small_machine());
  const std::string text = out.str();
  CHECK(text.find("bell\\x07") != std::string::npos);
  CHECK(text.find('\a') == std::string::npos);
  CHECK(text.find("average_pool_8") != std::string::npos);
  CHECK(text.find("pixel granular") != std::string::npos);
  CHECK(text.find("135") != std::string::npos);  // stem: ((12 x 2) + 3) x 5
  Machine wide = small_machine();
  wide.toeplitz = true;
  wide.crossbar.columns = 64;
  std::ostringstream table;
  print(table, compile(graph, wide), wide);
  // 45 rows, 8 filters, two windows a vector, 2 blocks.
  CHECK(table.str().find("      45        8         2       2") != std::string::npos);
}
