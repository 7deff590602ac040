// SPDX-License-Identifier: Apache-2.0
// The keys that cut numbers into slices and the section of noise: from YAML to the machine, layer names to the network,
// `adaptive` to a map that runs again, and refusals at the place where the mistake is.
#include <algorithm>
#include <catch2/catch.hpp>

#include "platforms/config/writer.h"
#include "platforms/scenario/weight_slicing.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
using mapping::Machine;

namespace {

Machine machine_of(const std::string& system, const std::vector<std::string>& overrides = {}) {
  return scenario_with(overrides, system).platform.machine;
}

std::string refusal(const std::string& system, const std::vector<std::string>& overrides) {
  try {
    scenario_with(overrides, system);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("speculation is written as a word or as widths") {
  CHECK(machine_of("raella").speculation == std::vector<int>{4, 2, 2});
  CHECK(machine_of("raella", {"speculation=true"}).speculation == std::vector<int>{4, 2, 2});
  CHECK(machine_of("raella", {"speculation=false"}).speculation.empty());
  CHECK(machine_of("raella", {"speculation=[2, 2, 2, 2]"}).speculation == std::vector<int>(4, 2));
  CHECK(config::write_flow(*scenario_with({}, "raella").effective.find("speculation")) == "[4, 2, 2]");
  CHECK(config::write_flow(*scenario_with({}, "isaac_8b").effective.find("speculation")) == "false");
  CHECK_THAT(
      refusal("raella", {"speculation=maybe"}),
      Catch::StartsWith("--set speculation: `speculation` is the text `maybe` (`false`, `true` for [4, 2, 2], or 1 "));
  CHECK_THAT(refusal("raella", {"speculation={a: 1}"}), Catch::StartsWith("--set speculation: `speculation` is a"));
  CHECK_THAT(refusal("raella", {"speculation=[4, 2]"}),
             Catch::StartsWith("--set speculation: speculation covers 6 bits (data_bits: 8 must be covered)"));
  CHECK_THAT(refusal("raella", {"speculation=[5, 3]"}),
             Catch::StartsWith("--set speculation: a slice of speculation is 5 (1 to 4)"));
  CHECK_THAT(refusal("raella", {"dac.bits=8", "speculation=[8]"}),
             Catch::Contains("crossbar.rows and input slices of 8 bits give sums of inputs up to 130560"));
  CHECK_THAT(refusal("raella", {"input_slicing=[3, 3, 2]"}), Catch::Contains("slices of input_slicing do not fill"));
}

TEST_CASE("weight slicings are a word, a list for all layers, or lists by layer") {
  CHECK(machine_of("raella", {"weight_slicing=uniform"}).weight_slicing == std::vector<int>{4, 4});
  const Scenario list = scenario_with({"weight_slicing=[4, 2, 2]"}, "raella");
  CHECK(list.platform.machine.weight_slicing == std::vector<int>{4, 2, 2});
  CHECK_FALSE(list.slicing.adaptive);
  const Scenario map = scenario_with({"weight_slicing={a: [4, 2, 2], b: [1, 1, 2, 4]}"}, "raella");
  CHECK(map.platform.machine.slicing_of("a") == std::vector<int>{4, 2, 2});
  CHECK(map.platform.machine.slicing_of("b") == std::vector<int>{1, 1, 2, 4});
  CHECK(map.platform.machine.slicing_of("c") == std::vector<int>{4, 4});
  CHECK(config::write_flow(*map.effective.find("weight_slicing")) == "{a: [4, 2, 2], b: [1, 1, 2, 4]}");
  CHECK_THAT(refusal("raella", {"weight_slicing=adaptiv"}), Catch::Contains("did you mean `adaptive`?"));
  CHECK_THAT(refusal("raella", {"weight_slicing=4"}), Catch::Contains("(`uniform`, `adaptive`, 1 to 16 entries"));
  CHECK_THAT(refusal("raella", {"weight_slicing={a: 4}"}),
             Catch::StartsWith("--set weight_slicing: `weight_slicing.a` is the number `4`"));
  CHECK_THAT(refusal("raella", {"weight_slicing={a: [4, 2]}"}),
             Catch::StartsWith("--set weight_slicing: weight_slicing covers 6 bits"));
  CHECK_THAT(refusal("raella", {"weight_slicing=[5, 3]"}),
             Catch::StartsWith("--set weight_slicing: a slice of weight_slicing is 5 (1 to 4)"));
}

TEST_CASE("options of the search are read and refused at their keys") {
  const Scenario s = scenario_with({"slicing_search={positions: 7, seed: 3, budget: 0.5, inputs: 2}"}, "raella");
  CHECK(s.slicing.search.positions == 7);
  CHECK(s.slicing.search.seed == 3);
  CHECK(s.slicing.search.budget == 0.5);
  CHECK(s.slicing.inputs == 2);
  const Scenario published = scenario_with({}, "raella");
  CHECK(published.slicing.search.positions == 1024);
  CHECK(published.slicing.search.budget == 0.09);
  CHECK(published.slicing.inputs == 10);
  CHECK_THAT(refusal("raella", {"slicing_search.positions=0"}), Catch::Contains("`slicing_search.positions` is 0"));
  CHECK_THAT(refusal("raella", {"slicing_search.budget=-1"}), Catch::Contains("`slicing_search.budget` is -1"));
  CHECK_THAT(refusal("raella", {"slicing_search.inputs=0"}), Catch::Contains("`slicing_search.inputs` is 0"));
}

TEST_CASE("layers of a weight slicing are layers with weights, known once the network is") {
  const auto settle = [](const std::string& slicing) -> std::string {
    Scenario s = scenario_with({"inferences=1", "weight_slicing=" + slicing}, "raella");
    const Workload workload = load_workload(s);
    try {
      settle_weight_slicing(s, workload);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  CHECK(settle("{logits.sum.Gemm: [4, 4]}").empty());
  CHECK_THAT(
      settle("{logits.sum.Gem: [4, 4]}"),
      Catch::StartsWith("--set weight_slicing: `weight_slicing`: the network has no node `logits.sum.Gem` (among "
                        "others `logits.sum.Gemm`"));
  CHECK_THAT(settle("{stage1.block0.add.sum.Add: [4, 4]}"), Catch::Contains("(add) has no weights"));
}

TEST_CASE("adaptive slicing becomes a map that runs again to the same machine") {
  Scenario s =
      scenario_with({"inferences=1", "inputs=synthetic", "slicing_search={positions: 8, inputs: 2}"}, "raella");
  const Workload workload = load_workload(s);
  double last = -1.0;
  settle_weight_slicing(s, workload, [&last](double share, const std::string&) { last = share; });
  const Machine& machine = s.platform.machine;
  REQUIRE(machine.layer_slicings.size() == 22);
  CHECK(machine.slicing_of("logits.sum.Gemm") == std::vector<int>(8, 1));
  for (const auto& [layer, widths] : machine.layer_slicings) {
    INFO(layer);
    CHECK(arithmetic::Slicing(widths).bits() == 8);
    CHECK(*std::max_element(widths.begin(), widths.end()) <= 4);
  }
  TemporaryFolder folder;
  ScenarioRequest request;
  request.file = folder.write("effective.yaml", config::write_yaml(s.effective));
  const Scenario again = load_scenario(request, project_files());
  CHECK_FALSE(again.slicing.adaptive);
  CHECK(again.platform.machine.layer_slicings == machine.layer_slicings);
  CHECK(config::write_yaml(again.effective) == config::write_yaml(s.effective));
}

TEST_CASE("calibration takes the first of a scenario's files, whatever the run takes, else images of its own") {
  const Scenario given = scenario_with({"inferences=2"});
  const Workload workload = load_workload(given);
  const auto inputs = calibration_inputs(given, workload.graph, 5);
  REQUIRE(inputs.size() == 5);
  CHECK(inputs[0] == workload.inputs[0]);
  CHECK(inputs[1] == workload.inputs[1]);
  CHECK(calibration_inputs(scenario_with({"inferences=3"}), workload.graph, 5) == inputs);
  CHECK(calibration_inputs(given, workload.graph, 1000).size() == 500);
  const Scenario synthetic = scenario_with({"inferences=2", "inputs=synthetic"});
  const auto drawn = calibration_inputs(synthetic, workload.graph, 3);
  REQUIRE(drawn.size() == 3);
  CHECK(drawn[0] != drawn[1]);
  for (const auto& image : load_workload(synthetic).inputs) CHECK(image != drawn[0]);
  CHECK(calibration_inputs(scenario_with({"inputs=synthetic", "seed=2"}), workload.graph, 3) != drawn);
}

TEST_CASE("a search needs a machine of pairs and the whole network") {
  const auto check = [](const std::vector<std::string>& sets) {
    std::vector<std::string> arguments{"check", "--system", "isaac_8b", "--network", "resnet20_shapes"};
    for (const std::string& set : sets) arguments.insert(arguments.end(), {"--set", set});
    return complaint(arguments);
  };
  CHECK_THAT(check({"weight_slicing=adaptive"}),
             Catch::StartsWith("--set weight_slicing: weight_slicing: adaptive does not suit the machine: "));
  const TemporaryFolder folder;
  REQUIRE(run_program({"trace", "classify_shapes", "--inferences", "1", "--out", folder.path("recorded")}).exit_code ==
          0);
  const std::vector<std::string> replay{"check",
                                        "--system",
                                        "raella",
                                        "--network",
                                        "resnet20_shapes",
                                        "--set",
                                        "trace={folder: " + folder.path("recorded") + "}"};
  CHECK_THAT(complaint(replay), Catch::Contains("adaptive needs the whole network"));
  std::vector<std::string> mapped = replay;  // a map may name layers that the replay lacks
  mapped.insert(mapped.end(),
                {"--set", "trace.layers=[logits.sum.Gemm]", "--set", "weight_slicing={stem.conv.sum.Conv: [4, 4]}"});
  CHECK(run_program(mapped).exit_code == 0);
}

TEST_CASE("every key of noise is reached, and has a place in noisy runs only") {
  const Machine m = machine_of("raella", {"fidelity=noisy",
                                          "noise={conductance_spread: 0.1, read_noise: 0.5, "
                                          "proportional_noise: 0.04, stuck_off: 0.01, stuck_on: "
                                          "0.02, seed: 9}"});
  CHECK(m.fidelity == mapping::Fidelity::kNoisy);
  CHECK(m.noise.conductance_spread == 0.1);
  CHECK(m.noise.read_noise == 0.5);
  CHECK(m.noise.proportional_noise == 0.04);
  CHECK(m.noise.stuck_off == 0.01);
  CHECK(m.noise.stuck_on == 0.02);
  CHECK(m.noise_seed == 9);
  CHECK(machine_of("raella", {"fidelity=noisy"}).noise == arithmetic::NoiseModel());
  CHECK(scenario_with({}, "raella").effective.find("noise") == nullptr);
  CHECK(refusal("raella", {"noise.read_noise=1"}) ==
        "--set noise.read_noise: `noise` has no effect on a run without noise (no such section, or `fidelity: noisy`)");
  CHECK_THAT(refusal("raella", {"fidelity=noisy", "noise.stuck_off=1.5"}),
             Catch::StartsWith("--set noise.stuck_off: `noise.stuck_off` is 1.5"));
  CHECK_THAT(refusal("raella", {"fidelity=noisy", "noise.stuck_off=0.6", "noise.stuck_on=0.6"}),
             Catch::StartsWith("--set noise.stuck_on: noise.stuck_on and noise.stuck_off together"));
  CHECK_THAT(refusal("raella", {"fidelity=noisy", "noise.spread=0.1"}), Catch::Contains("unknown key `noise.spread`"));
}

TEST_CASE("cells, sums of inputs and encoding must go together") {
  CHECK_THAT(refusal("isaac_8b", {"crossbar.cell=2t2r"}), Catch::Contains("input_sum is unit_column"));
  CHECK_THAT(refusal("raella", {"input_sum=unit_column"}),
             Catch::StartsWith("--set input_sum: input_sum is unit_column and crossbar.cell is 2t2r"));
  CHECK_THAT(refusal("isaac_8b", {"encoding=centre_offset"}),
             Catch::StartsWith("--set encoding: `encoding` `centre_offset` does not suit the machine"));
  CHECK(refusal("raella", {"adc.bits=lossless"}) ==
        "--set adc.bits: `adc.bits` is lossless and column sums need 18 bits (1 to 16)");
  CHECK(machine_of("raella", {"encoding=zero_offset"}).encoding.name() == "zero_offset");
}
