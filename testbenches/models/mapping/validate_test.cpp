// SPDX-License-Identifier: Apache-2.0
// validate(Program): one violation at a time, each found and named.
#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <utility>

#include "models/input_error.h"
#include "models/mapping/program.h"
#include "testbenches/models/mapping/small_networks.h"

using namespace mho;
using namespace mho::mapping;

namespace {

const Program& whole() {
  static const Program program = compile(every_node(), small_machine());
  return program;
}

std::string refusal(const std::function<void(Program&)>& change, const Machine& machine = small_machine()) {
  Program program = whole();
  change(program);
  try {
    validate(program, machine);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

bool refused_for(const std::function<void(Program&)>& change, const std::string& reason) {
  const std::string text = refusal(change);
  UNSCOPED_INFO(text);
  return text.find("every_node: ") == 0 && text.find(reason) != std::string::npos;
}

Machine tight_machine() {
  Machine machine = small_machine();
  machine.edram.bytes = 512;
  return machine;
}

}  // namespace

TEST_CASE("what compile makes is valid") {
  CHECK(refusal([](Program&) {}) == "accepted");
  for (unsigned seed = 2; seed < 6; ++seed) {
    Machine machine = tight_machine();
    machine.replication = seed % 2 == 0 ? Replication::kBalanced : Replication::kNone;
    machine.fidelity = seed % 3 == 0 ? Fidelity::kSliced : Fidelity::kAuto;
    CHECK_NOTHROW(validate(compile(every_node(seed), machine), machine));
  }
}

TEST_CASE("a broken graph is refused although it has no weight values") {
  CHECK(refused_for([](Program& p) { p.graph.nodes[0].inputs[0] = 99; }, "reads tensor 99"));
  CHECK(refused_for([](Program& p) { p.graph.nodes[0].inputs.clear(); }, "0 inputs"));
  CHECK(refused_for([](Program& p) { p.graph.nodes[0].output = -1; }, "writes tensor -1"));
  CHECK(refused_for([](Program& p) { p.graph.nodes[0].weights.groups = 0; }, "groups"));
  CHECK(refused_for([](Program& p) { p.graph.nodes[0].weights.bias.pop_back(); }, "biases"));
  CHECK(refused_for([](Program& p) { p.graph.tensors[1].shape.height = 0; }, "each extent"));
  CHECK(refused_for([](Program& p) { p.graph.nodes[0].window.kernel_height = 1 << 30; }, "fewer cells than weights"));
  CHECK(refused_for([](Program& p) { p.graph.nodes[0].window.kernel_height = -1; }, "kernel"));
  CHECK(refused_for([](Program& p) { p.graph.outputs.clear(); }, "no graph output"));
  CHECK(refused_for([](Program& p) { p.graph.nodes[0].weights.values = {1}; }, "weight values"));
}

TEST_CASE("plans that do not match the weighted nodes are refused") {
  CHECK(refused_for([](Program& p) { p.layers.pop_back(); }, "has no plan"));
  CHECK(refused_for([](Program& p) { p.layers.push_back(p.layers.back()); }, "more plans"));
  CHECK(refused_for([](Program& p) { p.layers[0].node = 1; }, "plan 0 is of node 1"));
  CHECK(refused_for([](Program& p) { p.layers[0].node = -5; }, "plan 0 is of node -5"));
}

TEST_CASE("totals that do not add up are refused") {
  CHECK(refused_for([](Program& p) { p.chips = 0; }, "compiled for 0 chips"));
  CHECK(refused_for([](Program& p) { p.chips = 1000; }, "compiled for 1000 chips"));
  CHECK(refused_for([](Program& p) { p.chips = 1000, p.rings.front().rows = INT32_MAX, p.rings.front().tensor = -1; },
                    "compiled for 1000 chips"));
  CHECK(refused_for([](Program& p) { ++p.tiles; }, "tiles"));
  CHECK(refused_for([](Program& p) { ++p.crossbars_used; }, "counts"));
  CHECK(refused_for([](Program& p) { ++p.crossbars_total; }, "counts"));
}

TEST_CASE("a program for more chips than the machine has is refused, for fewer it is not") {
  Machine machine = small_machine();
  machine.chips = 3;
  const Program program = compile(every_node(), machine);
  CHECK_NOTHROW(validate(program, machine));
  machine.chips = 2;
  CHECK_THROWS_AS(validate(program, machine), InputError);
  machine.chips = 4;
  CHECK_NOTHROW(validate(program, machine));
}

TEST_CASE("replicas, streams and homes are checked") {
  CHECK(refused_for([](Program& p) { p.layers[0].replicas = 0; }, "0 replicas"));
  CHECK(refused_for([](Program& p) { p.layers[0].replicas = 145; }, "145 replicas (1 to 144)"));
  CHECK(refused_for([](Program& p) { p.layers[0].home_tiles.pop_back(); }, "one home tile for each part"));
  CHECK(refused_for([](Program& p) { ++p.layers[0].home_tiles[1]; }, "replica 1, part 0 is at home"));
  CHECK(refused_for([](Program& p) { p.layers[0].parts.clear(); }, "cut into other parts"));
  CHECK(refused_for([](Program& p) { p.layers[0].parts = {{0, 4}, {4, 4}}; }, "cut into other parts"));
  CHECK(refused_for([](Program& p) { --p.layers[0].parts[0].count; }, "cut into other parts"));
  CHECK(refused_for([](Program& p) { p.layers[0].stream.is_signed = true; }, "input stream"));
  CHECK(
      refused_for([](Program& p) { p.layers[0].stream.slicing = arithmetic::Slicing::uniform(8, 2); }, "input stream"));
}

TEST_CASE("blocks that do not hold their part of the weights are refused") {
  CHECK(refused_for([](Program& p) { p.layers[0].blocks.pop_back(); }, "has 1 blocks (2)"));
  CHECK(refused_for([](Program& p) { p.layers[0].blocks.push_back(p.layers[0].blocks[0]); }, "has 3 blocks (2)"));
  CHECK(refused_for([](Program& p) { ++p.layers[0].blocks[1].row_first; }, "13 rows from 32"));
  CHECK(refused_for([](Program& p) { ++p.layers[0].blocks[0].filter_first; }, "does not hold its part"));
  CHECK(refused_for([](Program& p) { p.layers[0].blocks[0].encoded.rows = 31; }, "does not hold its part"));
  CHECK(refused_for([](Program& p) { p.layers[0].blocks[0].encoded.filters = 9; }, "does not hold its part"));
  CHECK(refused_for([](Program& p) { p.layers[0].blocks[0].encoded.cell_bits = 1; }, "slicing"));
  CHECK(refused_for([](Program& p) { p.layers[0].blocks[0].encoded.recombination.columns_per_filter = 3; }, "slicing"));
  CHECK(refused_for([](Program& p) { p.layers[0].blocks[0].encoded.levels.pop_back(); }, "levels"));
  CHECK(refused_for([](Program& p) { p.layers[0].blocks[0].encoded.recombination.coefficient.pop_back(); },
                    "coefficients"));
  CHECK(refused_for([](Program& p) { p.layers[0].blocks[0].encoded.recombination.unit_coefficient.push_back(0); },
                    "coefficients"));
}

TEST_CASE("windows of a vector and cells with a weight are those that follow from the shapes") {
  CHECK(refused_for([](Program& p) { p.layers[0].expansion = 2; }, "computes 2 windows with one vector (1)"));
  CHECK(refused_for([](Program& p) { p.layers[0].expansion = 0; }, "computes 0 windows with one vector (1)"));
  const auto weighted = [](Program & p, std::size_t layer) -> auto& {
    return p.layers[layer].blocks[0].encoded.weighted;
  };
  CHECK(refused_for([&](Program& p) { weighted(p, 0).resize(32, {0, 8}); }, "has its weights in other cells"));
  CHECK(refused_for([&](Program& p) { weighted(p, 1).clear(); }, "has its weights in other cells"));
  CHECK(refused_for([&](Program& p) { weighted(p, 1)[8].first = 1; }, "has its weights in other cells"));
  CHECK(refused_for([&](Program& p) { weighted(p, 1)[8].count = 9; }, "other filters than its own"));
  Machine machine = small_machine();
  machine.toeplitz = true;
  machine.crossbar.columns = 64;
  Program wide = compile(every_node(), machine);
  CHECK_NOTHROW(validate(wide, machine));
  // 12 x 12 pixels are 72 vectors of two windows.
  wide.layers[0].replicas = 73;
  CHECK_THROWS_WITH(validate(wide, machine), Catch::Contains("73 replicas (1 to 72)"));
}

TEST_CASE("levels and coefficients out of range are refused") {
  CHECK(refused_for([](Program& p) { p.layers[0].blocks[1].encoded.levels[2] = 4; }, "block 1, column 2 has a level"));
  CHECK(refused_for([](Program& p) { p.layers[0].blocks[0].encoded.recombination.coefficient[5] *= 2; },
                    "filter 1, row 0 stands for 138, which leaves 8 bits"));
  CHECK(refused_for([](Program& p) { p.layers[0].blocks[0].encoded.recombination.unit_coefficient[7] = INT32_MIN; },
                    "filter 7, row 0 stands for -2147483453, which leaves 8 bits"));
}

TEST_CASE("a layer marked lossless on an ADC that loses something is refused") {
  Machine machine = small_machine();
  machine.adc.bits = 4;
  CHECK(refusal([](Program&) {}, machine).find("marked lossless, but column") != std::string::npos);
  machine.adc.bits = 8;
  machine.fidelity = Fidelity::kExact;
  CHECK(refusal([](Program&) {}, machine) == "accepted");
  CHECK(refusal([](Program& p) { p.layers[2].lossless = false; }, machine).find("not compiled for exact") !=
        std::string::npos);
}

TEST_CASE("placements that leave out, repeat or move weights are refused") {
  const auto change = [](std::size_t layer, std::size_t placement, int Placement::*field, int by) {
    return [=](Program& p) { p.layers[layer].placements[placement].*field += by; };
  };
  CHECK(refused_for([](Program& p) { p.layers[0].placements.pop_back(); }, "not placed completely"));
  CHECK(refused_for([](Program& p) { p.layers[0].placements.clear(); }, "not placed completely"));
  CHECK(refused_for([](Program& p) { p.layers[0].placements.push_back(p.layers[0].placements[0]); }, "to spare"));
  CHECK(refused_for(change(0, 1, &Placement::block, 1), "placement 1 is out of order"));
  CHECK(refused_for(change(0, 1, &Placement::replica, 1), "placement 1 is out of order"));
  CHECK(refused_for(change(0, 1, &Placement::part, 1), "placement 1 is out of order"));
  CHECK(refused_for(change(0, 0, &Placement::first_filter, 4), "placement 0 is out of order"));
  CHECK(refused_for(change(0, 0, &Placement::filters, -4), "placement 0 has 2 crossbars (1)"));
  CHECK(refused_for(change(0, 0, &Placement::filters, -100), "out of order"));
  CHECK(refused_for(change(0, 0, &Placement::crossbars, 1), "placement 0 has 3 crossbars (2)"));
}

TEST_CASE("placements outside the machine or on each other are refused") {
  const auto change = [](std::size_t layer, std::size_t placement, int Placement::*field, int to) {
    return [=](Program& p) { p.layers[layer].placements[placement].*field = to; };
  };
  CHECK(refused_for(change(0, 2, &Placement::tile, 1 << 20), "outside the machine"));
  CHECK(refused_for(change(0, 2, &Placement::tile, -1), "outside the machine"));
  CHECK(refused_for(change(0, 2, &Placement::crossbar_tile, 2), "outside the machine"));
  CHECK(refused_for(change(0, 2, &Placement::crossbar_tile, -1), "outside the machine"));
  CHECK(refused_for(change(0, 0, &Placement::first_crossbar, 2), "outside the machine"));
  CHECK(refused_for(change(0, 0, &Placement::first_crossbar, -1), "outside the machine"));
  CHECK(refused_for(change(0, 0, &Placement::first_crossbar, 1), "share a crossbar"));
  // The first placement of layer 1 moves onto the last crossbar_tile of layer 0, which has a crossbar to spare.
  CHECK(refused_for(
      [](Program& p) {
        Placement& moved = p.layers[1].placements[0];
        const Placement& last = p.layers[0].placements.back();
        moved.tile = p.layers[1].home_tiles[0] = last.tile;
        moved.crossbar_tile = last.crossbar_tile;
      },
      "two layers share a crossbar_tile"));
}

TEST_CASE("functions are complete and on tiles that exist") {
  CHECK(refused_for([](Program& p) { p.functions.pop_back(); }, "has no tile"));
  CHECK(refused_for([](Program& p) { p.functions.push_back({0, 0}); }, "more functions"));
  CHECK(refused_for([](Program& p) { p.functions[0].node = 0; }, "has no tile"));
  CHECK(refused_for([](Program& p) { p.functions[0].tile = p.tiles; }, "is on tile"));
  CHECK(refused_for([](Program& p) { p.functions[0].tile = -1; }, "is on tile"));
}

TEST_CASE("row buffers are complete and hold what is alive") {
  CHECK(refused_for([](Program& p) { p.buffers.pop_back(); }, "row buffers"));
  CHECK(refused_for([](Program& p) { std::swap(p.buffers[0], p.buffers[1]); }, "out of order"));
  CHECK(refused_for([](Program& p) { p.buffers[0].consumer = 7; }, "out of order"));
  CHECK(refused_for([](Program& p) { p.buffers[0].rows = 2; }, "keeps 2 rows of tensor 0 (3 or more)"));
}

TEST_CASE("rings are complete, large enough, apart from each other and within the eDRAM") {
  CHECK(refused_for([](Program& p) { p.rings.pop_back(); }, "rings"));
  CHECK(refused_for([](Program& p) { ++p.rings[0].tensor; }, "out of order"));
  CHECK(refused_for([](Program& p) { ++p.rings[0].tile; }, "out of order"));
  CHECK(refused_for([](Program& p) { --p.rings[0].rows; }, "rows"));
  CHECK(refused_for([](Program& p) { p.buffers[0].rows = 100; }, "rows (100 or more)"));
  CHECK(refused_for([](Program& p) { p.rings[0].rows = INT32_MAX; }, "outside the eDRAM"));
  CHECK(refused_for([](Program& p) { p.rings[0].offset = 2047; }, "outside the eDRAM"));
  CHECK(refused_for(
      [](Program& p) {
        for (std::size_t i = 1; i < p.rings.size(); ++i)
          if (p.rings[i].tile == p.rings[i - 1].tile) {
            p.rings[i].offset = p.rings[i - 1].offset;
            break;
          }
      },
      "overlap"));
}

TEST_CASE("spilled rings start past the eDRAM and name the tile that has room") {
  const Machine machine = tight_machine();
  const Program program = compile(every_node(), machine);
  const auto spilled = [&](const std::function<void(Ring&, const Program&)>& change) {
    Program changed = program;
    auto last = changed.rings.rbegin();
    while (last->spilled_to < 0) ++last;
    change(*last, program);
    try {
      validate(changed, machine);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const auto contains = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  CHECK(spilled([](Ring&, const Program&) {}) == "accepted");
  CHECK(contains(spilled([](Ring& r, const Program&) { r.offset = 0; }), "starts within the eDRAM"));
  CHECK(contains(spilled([](Ring& r, const Program&) { r.spilled_to = -1; }), "ends outside the eDRAM"));
  CHECK(contains(spilled([](Ring& r, const Program&) { r.spilled_to = r.tile; }), "nearest with room"));
  CHECK(contains(spilled([](Ring& r, const Program& p) { r.spilled_to = p.tiles; }), "nearest with room"));
  CHECK(contains(spilled([](Ring& r, const Program&) { r.spilled_to = -7; }), "nearest with room"));
  CHECK(contains(spilled([](Ring& r, const Program&) { r.offset = UINT32_MAX; }), "above 4 GiB"));
  CHECK(contains(spilled([](Ring& r, const Program&) { r.rows = 1 << 22; }), "no tile has room"));
}

TEST_CASE("commands are complete and in an order that can be played") {
  const auto index_of = [](const Program& p, Command::Kind kind) {
    std::size_t i = 0;
    while (p.commands[i].kind != kind) ++i;
    return i;
  };
  const auto without = [&](Command::Kind kind) {
    return [=](Program& p) { p.commands.erase(p.commands.begin() + std::ptrdiff_t(index_of(p, kind))); };
  };
  const auto twice = [&](Command::Kind kind) {
    return [=](Program& p) {
      const std::size_t i = index_of(p, kind);
      p.commands.insert(p.commands.begin() + std::ptrdiff_t(i), p.commands[i]);
    };
  };
  CHECK(refused_for(without(Command::Kind::kWrite), "before all of it is written"));
  CHECK(refused_for(without(Command::Kind::kLoad), "an input of the network is never loaded"));
  CHECK(refused_for(without(Command::Kind::kCompute), "a layer is never computed"));
  CHECK(refused_for(without(Command::Kind::kFunction), "a function is never computed"));
  CHECK(refused_for(without(Command::Kind::kStore), "an output of the network is never stored"));
  CHECK(refused_for(twice(Command::Kind::kWrite), "repeats"));
  CHECK(refused_for(twice(Command::Kind::kLoad), "repeats"));
  CHECK(refused_for(twice(Command::Kind::kCompute), "repeats"));
  CHECK(refused_for(twice(Command::Kind::kFunction), "repeats"));
  CHECK(refused_for(twice(Command::Kind::kStore), "repeats"));
  CHECK(refused_for([](Program& p) { p.commands[0].index = 50; }, "names layer 50"));
  CHECK(refused_for([](Program& p) { p.commands[0].index = -1; }, "names layer -1"));
  CHECK(refused_for([](Program& p) { p.commands[0].placement = -1; }, "has index -1"));
  CHECK(refused_for([](Program& p) { p.commands.push_back({Command::Kind::kLoad, 3, -1}); }, "no input"));
  CHECK(refused_for([](Program& p) { p.commands.push_back({Command::Kind::kStore, 0, -1}); }, "no output"));
  CHECK(refused_for(
      [&](Program& p) {  // the first write after everything else
        p.commands.push_back(p.commands[0]);
        p.commands.erase(p.commands.begin());
      },
      "before all of it is written"));
}
