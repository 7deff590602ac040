// SPDX-License-Identifier: Apache-2.0
// Whole networks on small machines of RAELLA's kind - pairs of devices, centres, speculation, signed inputs in two
// passes - and with noisy devices: both timing modes give the same values and counts, replicas have devices of their
// own.
#include <catch2/catch.hpp>

#include "models/dnn/synthetic/graph_builder.h"
#include "testbenches/models/pim/approximate_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;

mapping::Machine pair_machine(bool speculates) {
  mapping::Machine machine = small_machine();
  machine.tiles_per_chip = 16;
  machine.crossbar.cell = mapping::CellKind::k2T2R;
  machine.crossbar.cell_bits = machine.dac_bits = 4;
  machine.crossbar.columns = 24;
  machine.input_slicing = std::vector<int>(8, 1);
  if (speculates) machine.speculation = {4, 2, 2};
  machine.signed_inputs = mapping::SignedInputs::kTwoPasses;
  machine.input_sum = mapping::InputSum::kDigital;
  machine.weight_slicing = {4, 2, 2};
  machine.encoding = "centre_offset";
  machine.fidelity = mapping::Fidelity::kSliced;
  machine.adc.bits = 7;
  machine.adc.is_signed = true;
  return machine;
}

/// The same network in both modes.
struct Both {
  Both(const std::string& name, const dnn::Graph& graph, const mapping::Machine& machine)
      : loose(device_of(name + "_loose", graph, machine, {}, &records)),
        approximate(device_of(name, graph, machine, approximately())) {}
  void run(std::size_t inferences) {
    const std::vector<Tensors> inputs = random_inputs(loose->graph, 1, inferences);
    loose->program();
    loosely = run_job(*loose, inputs);
    approximate->program();
    approximated = run_job(*approximate, inputs);
    CHECK(loosely.outputs == approximated.outputs);
    REQUIRE(loosely.counts.size() == approximated.counts.size());
    for (std::size_t row = 0; row < loosely.counts.size(); ++row)
      for (std::size_t action = 0; action < observe::kActions; ++action) {
        INFO("node " << int(row) - 1 << ", " << observe::describe(observe::Action(action)).name);
        CHECK(loosely.counts[row].values[action] == approximated.counts[row].values[action]);
      }
    total = {};
    for (const observe::Counts& counts : loosely.counts) total += counts;
  }
  Records records;
  std::unique_ptr<Device<>> loose, approximate;
  JobResult loosely, approximated;
  observe::Counts total;
};

TEST_CASE("random networks on pairs give the same values and counts in both timing modes") {
  std::vector<std::unique_ptr<Both>> all;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const dnn::Graph graph = small_network(random);
    mapping::Machine machine = pair_machine(seed % 2 == 0);
    machine.adc.bits = 5 + int(seed % 3);
    all.push_back(std::make_unique<Both>("seed_" + std::to_string(seed), graph, machine));
  }
  std::uint64_t failures = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO("seed " << i + 1);
    all[i]->run(2);
    const observe::Counts& total = all[i]->total;
    CHECK((total[Action::kSpeculations] > 0) == (i % 2 == 1));
    CHECK(total[Action::kUnitConversions] == 0);
    CHECK(total[Action::kShiftAdds] == total[Action::kConversions] - total[Action::kSpeculationFailures]);
    failures += total[Action::kSpeculationFailures];
  }
  CHECK(failures > 0);
}

TEST_CASE("where no converter loses anything, pairs give the outputs of the integer reference") {
  std::vector<std::unique_ptr<Both>> all;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    std::mt19937 random(seed);
    const dnn::Graph graph = small_network(random);
    mapping::Machine machine = pair_machine(seed % 2 == 0);
    machine.adc.bits = 15;
    if (seed % 4 < 2) machine.fidelity = mapping::Fidelity::kExact;
    all.push_back(std::make_unique<Both>("seed_" + std::to_string(seed), graph, machine));
  }
  for (auto& both : all) {
    both->run(2);
    CHECK(both->loosely.outputs == reference_outputs(both->loose->graph, random_inputs(both->loose->graph, 1, 2)));
  }
}

TEST_CASE("cells without a weight are counted apart, placement by placement") {
  // Two groups of 4 inputs and 24 filters: 48 filters of 8 rows, packed block-diagonally, 8 a crossbar, on two
  // crossbar_tiles of 3. Half the filters of a row have no weight there.
  dnn::GraphBuilder net("grouped");
  dnn::ConvolutionOptions grouped;
  grouped.groups = 2;
  net.output(net.convolution(net.input({3, 3, 8}), 48, dnn::square_window(1), grouped));
  Both both("grouped", net.build(), pair_machine(true));
  both.run(1);
  const mapping::LayerPlan& layer = both.loose->compiled.layers[0];
  REQUIRE(layer.blocks.size() == 1);
  CHECK(both.total[Action::kSpareCellPulses] == both.total[Action::kCellPulses]);
  CHECK(both.total[Action::kCellPulses] > 0);
  CHECK(layer.placements.size() == 2);
  // On each of the crossbars a row has its pulses; 24 filters of 3 columns, two devices each, see them once.
  std::uint64_t crossbars = 0;
  for (const mapping::Placement& placement : layer.placements) crossbars += std::uint64_t(placement.crossbars);
  CHECK(both.total[Action::kCellPulses] * crossbars == both.total[Action::kRowPulses] * 24 * 3 * 2);
}

mapping::Machine noisy_machine(std::uint64_t seed, bool pairs) {
  mapping::Machine machine = pairs ? pair_machine(true) : small_machine();
  machine.fidelity = mapping::Fidelity::kNoisy;
  machine.noise.conductance_spread = 0.1;
  machine.noise.read_noise = 0.5;
  machine.noise_seed = seed;
  return machine;
}

TEST_CASE("noisy machines give the same values in both timing modes, others with another seed") {
  dnn::GraphBuilder net("small");
  net.output(
      net.convolution(net.convolution(net.input({6, 6, 5}), 7, dnn::square_window(3, 1, 1)), 4, dnn::square_window(1)));
  const dnn::Graph graph = net.build();
  Both pairs("pairs", graph, noisy_machine(1, true)), again("again", graph, noisy_machine(1, true));
  Both other("other", graph, noisy_machine(2, true)), single("single", graph, noisy_machine(1, false));
  for (Both* const both : {&pairs, &again, &other, &single}) both->run(2);
  CHECK(pairs.loosely.outputs == again.loosely.outputs);
  CHECK(pairs.loosely.outputs != other.loosely.outputs);
  const auto exact = reference_outputs(graph, random_inputs(graph, 1, 2));
  CHECK(pairs.loosely.outputs != exact);
  CHECK(single.loosely.outputs != exact);
}

TEST_CASE("noise of readings alone is that of a vector, whichever replica computes it and however many there are") {
  dnn::GraphBuilder net("alone");
  net.output(net.convolution(net.input({8, 8, 4}), 4, dnn::square_window(3, 1, 1)));
  const dnn::Graph graph = net.build();
  std::vector<std::unique_ptr<Both>> all;
  for (const auto replication : {mapping::Replication::kNone, mapping::Replication::kGreedy}) {
    mapping::Machine machine = noisy_machine(1, true);
    machine.noise = {};
    machine.noise.proportional_noise = 0.3;
    machine.replication = replication;
    all.push_back(std::make_unique<Both>(replication == mapping::Replication::kNone ? "one" : "many", graph, machine));
  }
  for (auto& both : all) both->run(2);
  CHECK(all[1]->loose->compiled.layers[0].replicas > 1);
  CHECK(all[0]->loosely.outputs == all[1]->loosely.outputs);
  CHECK(all[0]->loosely.outputs != reference_outputs(graph, random_inputs(graph, 1, 2)));
}

TEST_CASE("replicas have devices of their own, so windows with equal inputs differ") {
  // A 1x1 layer on an image of equal pixels: with one set of devices and no noise of reading all outputs of a filter
  // are equal, with several replicas they are not.
  dnn::GraphBuilder net("flat");
  net.output(net.convolution(net.input({8, 8, 4}), 4, dnn::square_window(1)));
  const dnn::Graph graph = net.build();
  std::vector<std::unique_ptr<Both>> all;
  for (const auto replication : {mapping::Replication::kNone, mapping::Replication::kGreedy}) {
    mapping::Machine machine = noisy_machine(1, true);
    machine.noise.read_noise = 0.0;
    machine.noise.conductance_spread = 0.3;
    machine.replication = replication;
    all.push_back(std::make_unique<Both>(replication == mapping::Replication::kNone ? "one" : "many", graph, machine));
  }
  std::vector<Tensors> inputs = random_inputs(graph, 1, 1);
  for (auto& tensor : inputs[0])
    for (std::size_t i = 0; i < tensor.size(); ++i) tensor[i] = tensor[i % 4];
  for (auto& both : all) {
    Device<>& device = *both->loose;
    device.program();
    const std::vector<Tensors> outputs = device.infer(inputs);
    bool equal = true;
    const auto& first = outputs[0][0];
    for (std::size_t i = 0; i < first.size(); ++i) equal = equal && first[i] == first[i % 4];
    CHECK(equal == (both == all[0]));
    CHECK((device.compiled.layers[0].replicas > 1) == (both == all[1]));
  }
}

}  // namespace
}  // namespace mho::testbenches
