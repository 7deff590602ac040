// SPDX-License-Identifier: Apache-2.0
// Policies of other people: what may be registered, and what is asked of an encoding when a network is compiled.
#include "models/mapping/policies.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <stdexcept>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/mapping/program.h"
#include "testbenches/models/mapping/small_networks.h"

using namespace mho;
using namespace mho::mapping;
using arithmetic::EncodedBlock;
using arithmetic::Slicing;
using arithmetic::WeightEncoding;

namespace {

/// Weights above the smallest of their filter, and then whatever `change` makes of the block.
struct Smallest : WeightEncoding {
  Smallest(const Machine& machine, std::function<void(EncodedBlock&)> its_change, bool is_lossless)
      : slicing(machine.weight_slicing), change(std::move(its_change)), honest(is_lossless) {}
  EncodedBlock encode(const std::vector<std::int32_t>& weights, int rows, int filters) const override {
    std::vector<std::int32_t> offsets;
    for (auto first = weights.begin(); first != weights.end(); first += rows)
      offsets.push_back(-*std::min_element(first, first + rows));
    EncodedBlock block = arithmetic::encode_offset(weights, rows, filters, slicing, offsets);
    if (change) change(block);
    return block;
  }
  bool lossless() const override { return honest; }
  Slicing slicing;
  std::function<void(EncodedBlock&)> change;
  bool honest;
};

EncodingPolicy smallest(std::function<void(EncodedBlock&)> change = {}, bool lossless = true) {
  return {"smallest",
          "weights above the smallest of their filter",
          [=](const Machine& machine, const PolicyValues&) {
            return std::make_unique<Smallest>(machine, change, lossless);
          },
          {}};
}

Machine machine_with(EncodingPolicy policy) {
  Machine machine = small_machine();
  machine.encoding = EncodingChoice(std::move(policy));
  return machine;
}

std::string refusal_of(const std::function<void(EncodingPolicy&)>& change) {
  EncodingPolicy policy = smallest();
  change(policy);
  try {
    Policies().register_policy(policy);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("the library's policies come first, the default before all others") {
  REQUIRE(Policies().all<WeightEncoding>().size() == 4);
  CHECK(Machine().encoding.name() == "flip");
  CHECK(EncodingChoice("biased").name() == "biased");
  Policies policies;
  policies.register_policy(smallest());
  REQUIRE(policies.all<WeightEncoding>().size() == 5);
  CHECK(policies.all<WeightEncoding>()[0].name == "flip");
  CHECK(policies.all<WeightEncoding>()[4].name == "smallest");
  CHECK(Policies().all<WeightEncoding>().size() == 4);  // a table of its own
}

TEST_CASE("a name is given once") {
  Policies policies;
  policies.register_policy(smallest());
  CHECK_THROWS_WITH(policies.register_policy(smallest()), "a policy called `smallest` is registered already");
  CHECK(refusal_of([](EncodingPolicy& p) { p.name = "flip"; }) == "a policy called `flip` is registered already");
}

TEST_CASE("a policy that scenarios or people could not use is not registered") {
  CHECK(refusal_of([](EncodingPolicy&) {}) == "accepted");
  for (const char* name : {"", "Mine", "my encoding", "1st", "_a", "a.b"})
    CHECK(refusal_of([&](EncodingPolicy& p) { p.name = name; }) ==
          "policy `" + std::string(name) +
              "` has a name that scenarios cannot write (lower-case letters, digits and _, a letter first)");
  for (const char* text : {"", "two\nlines"})
    CHECK(refusal_of([&](EncodingPolicy& p) { p.description = text; }) ==
          "policy `smallest` lacks a description of one line");
  CHECK(refusal_of([](EncodingPolicy& p) { p.make = nullptr; }) == "policy `smallest` has no function that makes it");
  const auto with = [](PolicyParameter parameter, int times = 1) {
    return refusal_of([&](EncodingPolicy& p) { p.parameters.assign(std::size_t(times), parameter); });
  };
  CHECK(with({"part", "of what", 0.5, 0, 1, false}) == "accepted");
  CHECK(with({"part", "of what", 1.5, 0, 1, false}) == "`part` of `smallest` is 1.500000 (0 to 1)");
  CHECK(with({"rows", "of what", 1.5, 0, 4, true}) == "`rows` of `smallest` is 1.500000 (a whole number from 0 to 4)");
  CHECK(with({"rows", "of what", 1, 0, 1e18, true}) == "policy `smallest` has a whole parameter `rows` beyond 1e15");
  CHECK(with({"part", "", 0.5, 0, 1, false}) ==
        "policy `smallest` has a parameter `part` without a description of one line");
  for (const char* name : {"name", "", "Part"})
    CHECK(with({name, "of what", 0.5, 0, 1, false}).find("that scenarios cannot write") != std::string::npos);
  CHECK(with({"part", "of what", 0.5, 0, 1, false}, 2) == "policy `smallest` has two parameters `part`");
}

TEST_CASE("a maker gets the machine and a value for every parameter") {
  EncodingPolicy policy = smallest();
  policy.parameters = {{"part", "of what", 0.5, 0, 1, false}, {"rows", "of what", 3, 1, 9, true}};
  int rows = 0;
  PolicyValues values;
  policy.make = [&](const Machine& machine, const PolicyValues& given) {
    rows = machine.crossbar.rows;
    values = given;
    return std::make_unique<Smallest>(machine, nullptr, true);
  };
  Machine machine = small_machine();
  EncodingChoice(policy, {{"rows", 7}}).make(machine);
  CHECK(rows == 32);
  CHECK(values == PolicyValues{{"part", 0.5}, {"rows", 7}});
  CHECK_THROWS_WITH(EncodingChoice(policy, {{"rows", 10}}), "`rows` of `smallest` is 10 (a whole number from 1 to 9)");
  CHECK_THROWS_WITH(EncodingChoice(policy, {{"row", 1}}), "policy `smallest` has no parameter `row`");
  policy.make = [](const Machine&, const PolicyValues&) { return nullptr; };
  CHECK_THROWS_WITH(EncodingChoice(policy).make(machine), "`smallest` made nothing");
}

TEST_CASE("an encoding of somebody else is compiled, and the program is valid for a machine that never heard of it") {
  const Machine machine = machine_with(smallest());
  const dnn::Graph graph = every_node();
  const Program program = compile(graph, machine), flipped = compile(graph, small_machine());
  CHECK_NOTHROW(validate(program, small_machine()));
  int differ = 0, wrong = 0;
  for (std::size_t l = 0; l < program.layers.size(); ++l)
    for (std::size_t b = 0; b < program.layers[l].blocks.size(); ++b) {
      const EncodedBlock &mine = program.layers[l].blocks[b].encoded, &other = flipped.layers[l].blocks[b].encoded;
      differ += mine.levels != other.levels;
      for (int row = 0; row < mine.rows; ++row)
        for (int filter = 0; filter < mine.filters; ++filter)
          wrong += stored_weight(mine, row, filter) != stored_weight(other, row, filter);
    }
  CHECK(differ > 0);
  CHECK(wrong == 0);
}

TEST_CASE("an encoding that changes a weight is refused with layer and weight, unless it says so") {
  // Filter 1 of 2 on 3 rows: weights 4, 7, 9 above 4 are 0, 3, 5; 5 = 0 0 1 1 in 2-bit cells.
  const dnn::Graph graph = one_layer(3, 2, {1, 2, 3, 4, 7, 9});
  const auto spoil = [](EncodedBlock& block) { block.levels[2 * 8 + 7] = 3; };  // row 2, filter 1: 7 above 4
  CHECK(refusal(graph, machine_with(smallest(spoil))) ==
        "one_layer: layer conv1, block 0: encoding `smallest`: weight 9 of filter 1, row 2 is stored as 11 (an "
        "encoding that changes weights overrides lossless())");
  CHECK(refusal(graph, machine_with(smallest(spoil, false))) == "accepted");
}

TEST_CASE("the weight named is the layer's, also in later blocks") {
  // 40 rows on crossbars of 32: row 5 of block 1 is row 37.
  const dnn::Graph graph = one_layer(40, 1, std::vector<std::int8_t>(40, 6));
  const auto spoil = [](EncodedBlock& block) {
    if (block.rows == 8) block.levels[5 * 4 + 3] = 1;
  };
  CHECK(refusal(graph, machine_with(smallest(spoil)))
            .find("layer conv1, block 1: encoding `smallest`: weight 6 of filter 0, row 37 is stored as 7 (") !=
        std::string::npos);
}

TEST_CASE("the weight named is the layer's, also where groups share a crossbar") {
  // Depthwise 3x3, 8 channels, 32 rows: blocks of 3, 3 and 2 filters on 27, 27 and 18 rows. Block 2 begins at filter 6,
  // row 54; its second filter has its weights in rows 63 to 71.
  dnn::GraphBuilder net("depthwise");
  dnn::ConvolutionOptions options;
  options.groups = 8;
  options.name = "conv1";
  options.values.assign(72, 5);
  net.convolution(net.input({4, 4, 8}), 8, dnn::square_window(3, 1, 1), options);
  const auto spoil = [](EncodedBlock& block) {
    if (block.filters == 2) block.levels[std::size_t(9 * block.columns() + 4 + 3)] ^= 1;
  };
  CHECK(refusal(net.build(), machine_with(smallest(spoil)))
            .find("block 2: encoding `smallest`: weight 5 of filter 7, row 63 is stored as 4 (") != std::string::npos);
}

TEST_CASE("what crossbars cannot hold is refused, lossless or not") {
  const dnn::Graph graph = one_layer(3, 2, {1, 2, 3, 4, 7, 9});
  const std::vector<std::pair<std::function<void(EncodedBlock&)>, std::string>> faults = {
      {[](EncodedBlock& b) { b.rows = 4; }, "what it gives has another number of rows or filters"},
      {[](EncodedBlock& b) { b.filters = 1; }, "what it gives has another number of rows or filters"},
      {[](EncodedBlock& b) { b.levels.pop_back(); }, "what it gives has too few or too many levels or coefficients"},
      {[](EncodedBlock& b) { b.recombination.coefficient.push_back(1); },
       "what it gives has too few or too many levels or coefficients"},
      {[](EncodedBlock& b) { b.recombination.unit_coefficient.clear(); },
       "what it gives has too few or too many levels or coefficients"},
      {[](EncodedBlock& b) { b.cell_bits = 3; }, "what it gives has another slicing than the machine"},
      {[](EncodedBlock& b) { b.recombination.columns_per_filter = 2; },
       "what it gives has another slicing than the machine"},
      {[](EncodedBlock& b) { b.levels[9] = 4; }, "what it gives, column 1 has a level above its slice"},
      {[](EncodedBlock& b) { b.recombination.unit_coefficient[1] = 123; },
       "what it gives, filter 1, row 2 stands for 128, which leaves 8 bits"},
      {[](EncodedBlock& b) { b.recombination.unit_coefficient[1] = -129; },
       "what it gives, filter 1, row 0 stands for -129, which leaves 8 bits"},
      {[](EncodedBlock&) { throw std::invalid_argument("it gives up"); }, "it gives up"},
  };
  for (const auto& [spoil, fault] : faults)
    CHECK(refusal(graph, machine_with(smallest(spoil, false))) ==
          "one_layer: layer conv1, block 0: encoding `smallest`: " + fault);
  const auto largest = [](EncodedBlock& b) { b.recombination.unit_coefficient[1] = 122; };
  CHECK(refusal(graph, machine_with(smallest(largest, false))) == "accepted");
}
