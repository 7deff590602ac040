// SPDX-License-Identifier: Apache-2.0
// The search for slicings: its parts by hand, and whole searches beside loops over every candidate, window, filter,
// bit and row.
#include "models/mapping/slicing_search.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <stdexcept>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/mapping/slicing_search_columns.h"
#include "models/mapping/slicing_search_layer.h"
#include "models/mapping/slicing_search_sample.h"
#include "testbenches/models/mapping/naive_slicing.h"
#include "testbenches/models/mapping/small_networks.h"

using namespace mho;
using namespace mho::mapping;

namespace {

using Codes = std::vector<std::uint8_t>;
using Slicing = std::vector<int>;
const Slicing kFinest(8, 1);

/// A 1x1 convolution on vectors whose output code is clip(psum + bias) in 0 .. 255, and a layer behind it.
dnn::Graph plain_layer(int rows, const std::vector<std::int8_t>& weights, int zero_point = 0) {
  dnn::GraphBuilder net("plain");
  dnn::ConvolutionOptions options;
  options.values = weights;
  options.name = "first";
  const int filters = int(weights.size()) / rows;
  const int hidden = net.convolution(net.input({1, 1, rows}), filters, dnn::square_window(1), options);
  options.values.assign(std::size_t(filters), 1);
  options.name = "last";
  net.convolution(hidden, 1, dnn::square_window(1), options);
  dnn::Graph graph = net.build();
  for (dnn::Tensor& tensor : graph.tensors) tensor.scale = 1.0, tensor.zero_point = 0;
  graph.tensors[std::size_t(hidden)].zero_point = zero_point;
  dnn::Node& node = graph.nodes.front();
  std::fill(node.weights.scale.begin(), node.weights.scale.end(), 1.0);
  std::fill(node.weights.bias.begin(), node.weights.bias.end(), 0);
  node.lower = 0, node.upper = 255;
  return graph;
}

std::uint64_t error_of(const LayerTrial& trial, const Machine& machine, const Slicing& slicing) {
  Machine changed = machine;
  changed.weight_slicing = slicing;
  const auto encoding = machine.encoding.make(changed);
  std::uint64_t error = 0;
  for (int part = 0; part < trial.parts(); ++part) error += trial.error(*encoding, part);
  return error;
}

std::vector<int> convolutions(const dnn::Graph& graph) {
  std::vector<int> nodes;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].op == dnn::Operator::kConvolution) nodes.push_back(int(i));
  return nodes;
}

}  // namespace

TEST_CASE("candidates are all compositions of eight bits, few slices first") {
  const auto all = slicing_candidates(8, 4);
  REQUIRE(all.size() == 108);
  CHECK(all.front() == Slicing{4, 4});
  CHECK(all[1] == Slicing{1, 3, 4});
  CHECK(all[12] == Slicing{4, 3, 1});
  CHECK(all[13] == Slicing{1, 1, 2, 4});
  CHECK(all.back() == kFinest);
  CHECK(slicing_candidates(8, 2).size() == 34);  // Fibonacci's number 9
  CHECK(slicing_candidates(8, 2).front() == Slicing{2, 2, 2, 2});
}

TEST_CASE("positions are drawn without repetition, each equally likely, all where there are too few") {
  CHECK(draw_positions(3, 5, 1) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(draw_positions(3, 3, 2) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(draw_positions(1000, 10, 1) != draw_positions(1000, 10, 2));
  std::vector<int> times(10, 0);
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const auto drawn = draw_positions(10, 3, seed);
    REQUIRE(drawn.size() == 3);
    REQUIRE((drawn[0] >= 0 && drawn[0] < drawn[1] && drawn[1] < drawn[2] && drawn[2] < 10));
    for (const std::int64_t position : drawn) ++times[std::size_t(position)];
  }
  for (const int count : times) CHECK(std::abs(count - 600) < 103);  // five standard deviations of sqrt(2000 0.3 0.7)
}

TEST_CASE("a column is at risk where its largest levels leave the range") {
  // Two filters on four rows, one slice each. Filter 0: 5, -3, 2, 0; filter 1: 1, 1, -4, -1.
  arithmetic::EncodedBlock block;
  block.rows = 4, block.filters = 2, block.cell_bits = 3, block.paired = true;
  block.recombination.columns_per_filter = 1;
  block.recombination.coefficient = {7, 9};
  for (const int level : {5, 1, -3, 1, 2, -4, 0, -1}) block.levels.push_back(std::uint8_t(std::int8_t(level)));
  const auto filters = [&](int lowest, int highest, int pulses) {
    return columns_at_risk(block, 0, {lowest, highest}, pulses).filters;
  };
  using Filters = std::vector<std::size_t>;
  // Above 6 with two rows (5 + 2), never below -5.
  CHECK(filters(-5, 6, 1).empty());
  CHECK(filters(-5, 6, 2) == Filters{0});
  CHECK(filters(-5, 7, 4).empty());
  CHECK(filters(-4, 7, 1).empty());
  CHECK(filters(-4, 7, 2) == Filters{1});
  CHECK(filters(-2, 4, 1) == Filters{0, 1});
  CHECK(filters(-2, 4, 0).empty());
  const RiskyColumns columns = columns_at_risk(block, 0, {-4, 7}, 3);
  CHECK(columns.safe_pulses == 1);
  CHECK(columns.rows == 4);
  REQUIRE(columns.width == 16);
  REQUIRE(columns.levels.size() == 64);
  CHECK((columns.levels[0] == 1 && columns.levels[16] == 1 && columns.levels[32] == -4 && columns.levels[48] == -1));
  CHECK(std::count(columns.levels.begin(), columns.levels.end(), 0) == 60);
  CHECK(columns.coefficients[0] == 9);
  CHECK(columns_at_risk(block, 0, {-2, 4}, 3).safe_pulses == 0);
  block.levels[0] = 16;
  CHECK_THROWS_AS(columns_at_risk(block, 0, {-4, 7}, 3), std::invalid_argument);
}

TEST_CASE("machines whose crossbars hold no filter of eight slices are refused before the search") {
  const dnn::Graph graph = plain_layer(1, {1});
  Machine machine = pairs(4, 4);
  machine.crossbar.columns = 7;
  CHECK_THROWS_WITH(search_slicings(graph, machine, {{{1}}}, {}),
                    Catch::StartsWith("crossbar.columns is 7 (8 or more"));
  machine.crossbar.columns = 8;
  CHECK(search_slicings(graph, machine, {{{1}}}, {}).size() == 2);
}

TEST_CASE("errors are those of clipped column sums in output codes, worked by hand") {
  // Weights 3, 3, 3, -9 (u = 131, 131, 131, 119) under zero_offset and 4-4: offsets 0, 3 each and -9: high slice 0, low
  // slice 3, 3, 3, -9. A 4-bit signed ADC ends at 7. Inputs 1, 1, 1, 0: sum 9 -> 7: code 9 becomes 7. Inputs 2, 2, 2,
  // 1: bit 1: 9 -> 7, bit 0: -9 -> -8: 2 * 7 - 8 = 6 beside 18 - 9 = 9. Inputs 1, 0, 0, 1: -6 exactly, so nothing is
  // lost, and the code is 0, the zero point: it does not count.
  const dnn::Graph graph = plain_layer(4, {3, 3, 3, -9});
  const Machine machine = pairs(4, 4, "zero_offset");
  const CalibrationInputs inputs{{{1, 1, 1, 0}}, {{2, 2, 2, 1}}, {{1, 0, 0, 1}}};
  const auto samples = sample_layers(graph, {{0, 2}}, machine, inputs, {});
  REQUIRE(samples.size() == 1);
  CHECK(samples[0].vectors == 3);
  CHECK(samples[0].blocks.at(0).codes == Codes{1, 1, 1, 0, 2, 2, 2, 1, 1, 0, 0, 1});
  const LayerTrial trial(graph, machine, samples[0]);
  CHECK(trial.outputs() == 2);
  CHECK(error_of(trial, machine, {4, 4}) == 2 + 3);
  // 4-3-1: the lower three bits of 3 are 1, 1 and of -9 -4, -1: sums 3 and 3, or -4 and -1: nothing is clipped.
  CHECK(error_of(trial, machine, {4, 3, 1}) == 0);
}

TEST_CASE("an output at the zero point does not count, however far clipping moves it") {
  // As above with zero point 9: exact codes 18, 18 and 3. With a bias of -9 they are 9, 9 and 0.
  dnn::Graph graph = plain_layer(4, {3, 3, 3, -9}, 9);
  const Machine machine = pairs(4, 4, "zero_offset");
  const CalibrationInputs inputs{{{1, 1, 1, 0}}, {{2, 2, 2, 1}}, {{1, 0, 0, 1}}};
  {
    const auto samples = sample_layers(graph, {{0, 2}}, machine, inputs, {});
    const LayerTrial trial(graph, machine, samples[0]);
    CHECK(trial.outputs() == 3);
    CHECK(error_of(trial, machine, {4, 4}) == 5);
  }
  graph.nodes[0].weights.bias[0] = -9;
  const auto samples = sample_layers(graph, {{0, 2}}, machine, inputs, {});
  const LayerTrial trial(graph, machine, samples[0]);
  CHECK(trial.outputs() == 1);
  CHECK(error_of(trial, machine, {4, 4}) == 0);
}

namespace {

/// The same errors by search and loops, for some slicings of every layer; returns how far the furthest was expanded.
int compare_with_loops(const dnn::Graph& graph, const Machine& machine) {
  const CalibrationInputs inputs = random_inputs(graph, 1, 5);
  const auto candidates = slicing_candidates(8, 4);
  std::uint64_t all = 0;
  int furthest = 1;
  for (const int node : convolutions(graph))
    for (std::size_t i = std::size_t(node) % 3; i < candidates.size(); i += 17) {
      const auto samples = sample_layers(graph, {{node, int(candidates[i].size())}}, machine, inputs, {});
      const LayerTrial trial(graph, machine, samples.at(0));
      const SlicingErrors expected = naive_errors(graph, node, machine, inputs, candidates[i]);
      CAPTURE(node, candidates[i]);
      REQUIRE(trial.outputs() == expected.outputs);
      REQUIRE(error_of(trial, machine, candidates[i]) == expected.sum);
      all += expected.sum;
      furthest = std::max(furthest, samples[0].layout.expansion());
    }
  CHECK(all > 0);
  return furthest;
}

}  // namespace

TEST_CASE("errors of every operator's layers under every slicing are those of plain loops") {
  for (const char* encoding : {"centre_offset", "zero_offset"}) {
    CHECK(compare_with_loops(every_node(3), pairs(24, 6, encoding)) == 1);
    Machine machine = pairs(24, 5, encoding);
    if (encoding[0] == 'z') machine.signed_inputs = SignedInputs::kTwosComplement;
    CHECK(compare_with_loops(every_activation(), machine) == 1);
  }
}

TEST_CASE("layers that are expanded are tried with the blocks that machines program") {
  // The first layer's vectors compute 5 windows of a row of 12: a last vector of two is left.
  Machine machine = pairs(128, 6);
  machine.toeplitz = true;
  machine.crossbar.columns = 160;
  CHECK(compare_with_loops(every_node(3), machine) > 4);
}

TEST_CASE("the smallest number of slices that passes wins, then the least error, as loops over all find") {
  dnn::Graph graph = every_node(2);
  dnn::Weights& weights = graph.nodes[0].weights;  // centres far from 128, so that copies of filters change much
  for (std::int8_t& weight : weights.values) weight = std::int8_t(std::abs(weight / 3) + 30);
  for (double& scale : weights.scale) scale *= 0.2;
  const CalibrationInputs inputs = random_inputs(graph, 1, 8);
  Machine machine = pairs(128, 5);  // the more slices, the less are layers expanded: 4, 2, 2, 1
  machine.toeplitz = true;
  const auto nodes = convolutions(graph);
  std::vector<Slicing> found;
  for (const double budget : {0.2, 2.0}) {
    SlicingSearch options;
    options.budget = budget;
    const LayerSlicings slicings = search_slicings(graph, machine, inputs, options);
    REQUIRE(slicings.size() == nodes.size());
    for (const int index : nodes) {
      const Slicing& chosen = slicings.at(graph.nodes[std::size_t(index)].name);
      found.push_back(chosen);
      if (index == nodes.back()) {
        CHECK(chosen == kFinest);
        continue;
      }
      Slicing best = kFinest;
      double least = budget;
      for (const Slicing& slicing : slicing_candidates(8, 4)) {
        if (slicing.size() > best.size()) break;
        const double error = naive_errors(graph, index, machine, inputs, slicing).mean();
        if (error < least) best = slicing, least = error;
      }
      CAPTURE(budget, index);
      CHECK(chosen == best);
    }
  }
  std::sort(found.begin(), found.end());
  CHECK(std::unique(found.begin(), found.end()) - found.begin() >= 4);  // not one answer for all
}

TEST_CASE("equal errors go to the slicing that is first in lexicographic order") {
  // All weights 0: no slicing has an error; with a budget of none at all nothing is accepted.
  const dnn::Graph graph = plain_layer(4, {0, 0, 0, 0, 0, 0, 0, 0}, 5);
  const CalibrationInputs inputs = random_inputs(graph, 1, 1);
  const auto chosen = [&](double budget, int cell_bits) {
    Machine machine = pairs(4, 4);
    machine.crossbar.cell_bits = cell_bits;
    SlicingSearch options;
    options.budget = budget;
    return search_slicings(graph, machine, inputs, options).at("first");
  };
  CHECK(chosen(0.09, 4) == Slicing{4, 4});
  CHECK(chosen(0.09, 3) == Slicing{2, 3, 3});
  CHECK(chosen(0.0, 4) == kFinest);
}

TEST_CASE("the sample is drawn by the seed, from all inferences, and progress goes up") {
  const dnn::Graph graph = every_node(1);
  const Machine machine = pairs(24, 6);
  const CalibrationInputs inputs = random_inputs(graph, 4, 2);
  SlicingSearch options;
  options.positions = 9;
  const auto sample = [&](const SlicingSearch& with) {
    return sample_layers(graph, {{0, 2}}, machine, inputs, with).at(0);
  };
  const LayerSample first = sample(options), again = sample(options);
  CHECK(first.vectors == 9);
  REQUIRE(first.blocks.size() == 2);  // 45 rows in crossbars of 24
  CHECK(first.blocks[1].codes.size() == 9 * 21);
  CHECK(first.blocks[0].codes == again.blocks[0].codes);
  options.seed = 2;
  CHECK(first.blocks[0].codes != sample(options).blocks[0].codes);
  options.positions = 4 * 144 - 1;
  CHECK(sample(options).vectors == 4 * 144 - 1);
  options.positions = 4 * 144 + 1;
  const LayerSample all = sample(options);
  CHECK(all.vectors == 4 * 144);
  // The last window of the last inference: its centre tap (row 4 * 5 + channel) is the last pixel.
  const Codes& codes = all.blocks[0].codes;
  for (std::size_t c = 0; c < 4; ++c) CHECK(codes[codes.size() - 4 + c] == inputs[3][0][inputs[3][0].size() - 5 + c]);
  std::vector<double> shares;
  std::vector<std::string> names;
  options.positions = 5;
  search_slicings(graph, machine, inputs, options, [&](double share, const std::string& layer) {
    shares.push_back(share);
    names.push_back(layer);
  });
  REQUIRE(shares.size() == convolutions(graph).size() - 1);
  CHECK(shares.front() == 0.0);
  CHECK(std::is_sorted(shares.begin(), shares.end()));
  CHECK((shares.back() > 0.5 && shares.back() < 1.0));
  CHECK(names.front() == graph.nodes[0].name);
}

TEST_CASE("layers of equal shape are sampled at positions of their own") {
  dnn::GraphBuilder net("twins");
  const int input = net.input({20, 20, 3});
  net.concat({net.convolution(input, 2, dnn::square_window(1)), net.convolution(input, 2, dnn::square_window(1))});
  const dnn::Graph graph = net.build();
  SlicingSearch options;
  options.positions = 20;
  const auto samples = sample_layers(graph, {{0, 2}, {1, 2}}, pairs(24, 6), random_inputs(graph, 1, 2), options);
  CHECK(samples.at(0).blocks.at(0).codes != samples.at(1).blocks.at(0).codes);
}

TEST_CASE("slicings that a machine has already do not change the search") {
  const dnn::Graph graph = every_node(1);
  const CalibrationInputs inputs = random_inputs(graph, 1, 2);
  Machine machine = pairs(128, 6);
  machine.toeplitz = true;
  const LayerSlicings found = search_slicings(graph, machine, inputs, {});
  machine.weight_slicing = kFinest;
  machine.layer_slicings[graph.nodes[0].name] = {1, 1, 2, 4};
  CHECK(search_slicings(graph, machine, inputs, {}) == found);
}

TEST_CASE("a sample of an expanded layer has as many windows as one of another") {
  const dnn::Graph graph = every_node(1);
  Machine machine = pairs(128, 6);
  machine.toeplitz = true;
  machine.crossbar.columns = 160;
  SlicingSearch options;
  options.positions = 11;
  const auto samples = sample_layers(graph, {{0, 4}, {0, 8}}, machine, random_inputs(graph, 1, 2), options);
  CHECK(samples.at(0).layout.expansion() == 5);
  CHECK(samples.at(0).vectors == 3);
  CHECK(samples.at(0).windows.size() == 3);
  CHECK(samples.at(0).blocks.at(0).codes.size() == 3 * 105);  // 7 pixels wide, 3 high, 5 channels
  CHECK(samples.at(1).layout.expansion() == 2);
  CHECK(samples.at(1).vectors == 6);
}

TEST_CASE("machines and options that do not suit are refused") {
  const dnn::Graph graph = every_node(1);
  const CalibrationInputs inputs = random_inputs(graph, 1, 2);
  const auto refusal = [&](auto change) {
    Machine machine = pairs(24, 6);
    SlicingSearch options;
    CalibrationInputs given = inputs;
    change(machine, options, given);
    try {
      search_slicings(graph, machine, given, options);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  using M = Machine&;
  using O = SlicingSearch&;
  using I = CalibrationInputs&;
  CHECK(refusal([](M, O, I) {}) == "accepted");
  CHECK(refusal([](M m, O, I) { m.data_bits = 16; }) == "data_bits is 16 (8 where weight slicings are searched for)");
  CHECK(refusal([](M m, O, I) { m.input_sum = InputSum::kUnitColumn; }) ==
        "input_sum is unit_column (digital where weight slicings are searched for)");
  CHECK(refusal([](M, O o, I) { o.positions = 0; }) == "0 positions to search weight slicings (1 to 16384)");
  CHECK(refusal([](M, O o, I) { o.positions = 16385; }) == "16385 positions to search weight slicings (1 to 16384)");
  CHECK(refusal([](M, O o, I) { o.budget = -0.1; }) == "a negative error budget of weight slicings (0 or more)");
  CHECK(refusal([](M, O, I i) { i.clear(); }) == "no calibration inputs to search weight slicings (1 or more)");
  CHECK(refusal([](M m, O, I) { m.crossbar.cell = CellKind::k1T1R; }) ==
        "levels have a sign (crossbar.cell: 2t2r and input_sum: digital)");
}
