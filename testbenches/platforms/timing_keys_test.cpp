// SPDX-License-Identifier: Apache-2.0
// The keys that say what part of a run is approximately timed: from YAML to the platform, layer names to nodes, and
// refusals at the place where the mistake is.
#include <catch2/catch.hpp>
#include <limits>

#include "platforms/config/writer.h"
#include "platforms/scenario/workload.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;

namespace {

constexpr const char* kHead = "system: isaac_8b\nnetwork: resnet20_shapes\ninferences: 1\n";

Scenario approximate(std::vector<std::string> overrides) {
  overrides.insert(overrides.begin(), "timing=approximately_timed");
  return scenario_with(overrides);
}

std::string refusal_of_approximate(const std::string& override) {
  return refusal_of({"timing=approximately_timed", "approximately_timed." + override});
}

/// What `mho check` says about a scenario of these lines.
ProgramResult check_file(const TemporaryFolder& folder, const std::string& lines) {
  return run_program({"check", folder.write("run.yaml", kHead + lines)});
}

}  // namespace

TEST_CASE("a run is loosely timed unless it says otherwise") {
  CHECK_FALSE(scenario_with({}).platform.approximate_timing.enabled);
  CHECK(scenario_with({}).effective.find("approximately_timed") == nullptr);
}

TEST_CASE("without a section all of an approximately timed run is") {
  const Scenario scenario = approximate({});
  const auto& timing = scenario.platform.approximate_timing;
  CHECK(timing.enabled);
  CHECK(timing.from_s == 0.0);
  CHECK(timing.to_s == std::numeric_limits<double>::infinity());
  CHECK(timing.tiles.empty());
  CHECK(timing.nodes.empty());
  CHECK(timing.first_row == 0);
  CHECK(timing.last_row == std::numeric_limits<std::uint64_t>::max());
  CHECK(timing.psum_registers == decltype(PlatformConfig::approximate_timing)().psum_registers);
  CHECK(scenario.timed_layers.empty());
}

TEST_CASE("every key of the section is reached") {
  const Scenario scenario =
      approximate({"approximately_timed={from: 2 us, to: 3.5 us, layers: [a, b], tiles: [4, 0], rows: [10, 12], "
                   "psum_registers: 2}"});
  const auto& timing = scenario.platform.approximate_timing;
  CHECK(timing.from_s == 2e-6);
  CHECK(timing.to_s == 3.5e-6);
  CHECK(timing.tiles == std::vector<int>{4, 0});
  CHECK(timing.first_row == 10);
  CHECK(timing.last_row == 12);
  CHECK(timing.psum_registers == 2);
  REQUIRE(scenario.timed_layers.size() == 2);
  CHECK(scenario.timed_layers[0].name == "a");
  CHECK(scenario.timed_layers[1].name == "b");
  CHECK(
      approximate({"approximately_timed={rows: [7, 7], to: end, layers: all}"}).platform.approximate_timing.last_row ==
      7);
}

TEST_CASE("names of layers become nodes of the network, in its order and each once") {
  const Workload any = load_workload(scenario_with({"inferences=1"}));
  CHECK(any.timed_nodes.empty());
  const std::string third = any.graph.nodes[3].name, first = any.graph.nodes[1].name;
  const std::string layers = "approximately_timed.layers=[" + third + ", " + first + ", " + third + "]";
  CHECK(load_workload(approximate({"inferences=1", layers})).timed_nodes == std::vector<int>{1, 3});
}

TEST_CASE("the platform is given the nodes") {
  std::vector<int> nodes;
  bool enabled = false;
  const Simulate look = [&](const PlatformConfig& config, const dnn::Graph& graph, const auto& inputs, auto&&...) {
    nodes = config.approximate_timing.nodes;
    enabled = config.approximate_timing.enabled;
    return invented_run(config, graph, inputs, {});
  };
  const ProgramResult result =
      run_program({"run", "classify_shapes", "--inferences", "1", "--set", "timing=approximately_timed", "--set",
                   "approximately_timed.layers=[stem.conv.sum.Conv]"},
                  look);
  CHECK(result.err.empty());
  CHECK(result.exit_code == 0);
  CHECK(enabled);
  REQUIRE(nodes.size() == 1);
  CHECK(load_workload(scenario_with({"inferences=1"})).graph.nodes[std::size_t(nodes[0])].name == "stem.conv.sum.Conv");
}

TEST_CASE("a name that the network does not have is refused where it stands, with the nearest ones") {
  TemporaryFolder folder;
  const ProgramResult result = check_file(
      folder, "timing: approximately_timed\napproximately_timed:\n  layers: [stem.conv.sum.Conv, stem.Conv]\n");
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, Catch::StartsWith(folder.path("run.yaml") +
                                           ":6:32: `approximately_timed.layers`: the network has no node `stem.Conv` "
                                           "(among others `stem.conv.sum.Conv`, `"));
}

TEST_CASE("the section has no place in a loosely timed run") {
  TemporaryFolder folder;
  const std::string complaint =
      "`approximately_timed` has no effect on a loosely timed run (no such section, or `timing: "
      "approximately_timed`)\n";
  CHECK(check_file(folder, "approximately_timed: {from: 1 us}\n").err ==
        folder.path("run.yaml") + ":4:22: " + complaint);
  CHECK(check_file(folder, "timing: loosely_timed\napproximately_timed:\n  rows: all\n").exit_code == 2);
  CHECK(refusal_of({"approximately_timed.rows=all"}) + "\n" == "--set approximately_timed.rows: " + complaint);
}

TEST_CASE("effective.yaml keeps what is approximately timed") {
  TemporaryFolder folder;
  const Scenario first = approximate({"approximately_timed={from: 2 us, layers: [a], rows: [0, 3], tiles: [1]}"});
  const std::string written = config::write_yaml(first.effective);
  ScenarioRequest request;
  request.file = folder.write("effective.yaml", written);
  const Scenario again = load_scenario(request, project_files());
  CHECK(config::write_yaml(again.effective) == written);
  CHECK(again.platform.approximate_timing.enabled);
  CHECK(again.platform.approximate_timing.from_s == 2e-6);
  CHECK(again.platform.approximate_timing.to_s == first.platform.approximate_timing.to_s);
  CHECK(again.platform.approximate_timing.last_row == 3);
  CHECK(again.platform.approximate_timing.tiles == std::vector<int>{1});
  CHECK(again.timed_layers.at(0).name == "a");
}

TEST_CASE("values that mean nothing are refused at their key") {
  const std::string at = "--set approximately_timed.";
  CHECK(refusal_of({"timing=approximately_timed", "approximately_timed.from=2 us", "approximately_timed.to=2 us"}) ==
        at + "to: `approximately_timed.to` is not after `from` (a later time, or `end`)");
  CHECK_THAT(refusal_of_approximate("from=2"), Catch::StartsWith(at + "from: ") && Catch::Contains("has no unit"));
  CHECK_THAT(refusal_of_approximate("from=-1 us"), Catch::StartsWith(at + "from: "));
  CHECK_THAT(refusal_of_approximate("to=0 s"), Catch::StartsWith(at + "to: "));
  CHECK_THAT(refusal_of_approximate("to=never"), Catch::StartsWith(at + "to: ") && Catch::Contains("`end`"));
  CHECK(refusal_of_approximate("rows=[3, 2]") ==
        at + "rows: `approximately_timed.rows` ends before it begins ([first, last])");
  CHECK_THAT(refusal_of_approximate("rows=[3]"), Catch::StartsWith(at + "rows: "));
  CHECK_THAT(refusal_of_approximate("rows=[-1, 3]"), Catch::StartsWith(at + "rows: "));
  CHECK_THAT(refusal_of_approximate("tiles=[-1]"), Catch::StartsWith(at + "tiles: "));
  CHECK_THAT(refusal_of_approximate("tiles=[]"), Catch::StartsWith(at + "tiles: "));
  CHECK_THAT(refusal_of_approximate("layers=[]"), Catch::StartsWith(at + "layers: "));
  CHECK_THAT(refusal_of_approximate("psum_registers=0"),
             Catch::StartsWith(at + "psum_registers: ") && Catch::Contains("1 to 65536"));
  CHECK_THAT(refusal_of_approximate("form=1 us"),
             Catch::StartsWith(at + "form: unknown key `approximately_timed.form`; did you mean `from`?"));
  CHECK_THAT(refusal_of({"adc.arbitration=robin"}),
             Catch::StartsWith("--set adc.arbitration: ") &&
                 Catch::Contains("`round_robin`, `fixed_priority` or `first_come`"));
  CHECK_THAT(refusal_of({"bus.queue=0"}), Catch::StartsWith("--set bus.queue: ") && Catch::Contains("1 to 65536"));
  CHECK_THAT(refusal_of({"adc.queue=0"}), Catch::StartsWith("--set adc.queue: "));
  CHECK_THAT(refusal_of({"writer.drivers=0"}),
             Catch::StartsWith("--set writer.drivers: ") && Catch::Contains("`auto`"));
}

TEST_CASE("`mho list keys` names the defaults of arbitration and queues") {
  const std::string keys = run_program({"list", "keys"}).out;
  for (const char* line :
       {"adc.arbitration  [word; default round_robin]", "adc.queue  [integer; default 8]",
        "bus.arbitration  [word; default round_robin]", "bus.queue  [integer; default 4]",
        "writer.drivers  [integer or `auto`; default auto]", "writer.arbitration  [word; default round_robin]",
        "approximately_timed.to  [time or `end`, in s; default end]",
        "approximately_timed.psum_registers  [integer; default 4]"})
    CHECK_THAT(keys, Catch::Contains(line));
}
