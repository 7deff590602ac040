// SPDX-License-Identifier: Apache-2.0
// The program with its real platform: one SystemC simulation a case, so these cases run in processes of their own.
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
using nlohmann::json;

namespace {

json summary_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"run", "classify_shapes", "--inferences", "2", "--json"});
  const ProgramResult result = run_program(arguments, Simulate{});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return json::parse(result.out);
}

}  // namespace

TEST_CASE("8-bit ISAAC computes what the integer reference computes and every component is charged") {
  const json summary = summary_of({});
  CHECK(summary["output_mean_abs_error"] == 0.0);
  CHECK(summary["adc_saturations"] == 0);
  CHECK(summary["crossbars_used"] == 339);
  CHECK(summary["latency_s"].get<double>() > 10e-6);
  CHECK(summary["programming_energy_j"].get<double>() > 0.0);
  // One chip: nothing passes HyperTransport; nothing is written while inferences run; no activations are multiplied.
  for (const auto& [component, joules] : summary["energy_breakdown_j"].items()) {
    INFO(component);
    CHECK((joules.get<double>() > 0.0) ==
          (component != "hypertransport" && component != "writer" && component != "activation_products"));
  }
}

TEST_CASE("converters of five bits saturate, change outputs and save energy") {
  const json summary = summary_of({"--set", "adc.bits=5"});
  CHECK(summary["adc_saturations"].get<std::uint64_t>() > 0);
  CHECK(summary["output_mean_abs_error"].get<double>() > 0.0);
  // 0.99 / 1.667 of an 8-bit converter's energy a conversion.
  const double conversion =
      summary["energy_breakdown_j"]["adc"].get<double>() * 2 / summary["adc_conversions"].get<double>();
  CHECK(conversion == Approx(1.5625e-12 * 0.99 / 1.667));
}

TEST_CASE("RAELLA speculates, recovers what failed and charges both") {
  const json summary = summary_of({"--set", "system=raella"});
  const auto count = [&summary](const char* key) { return summary[key].get<double>(); };
  CHECK(count("speculations") > 0);
  CHECK(count("adc_conversions") == count("speculations") + count("recovery_conversions"));
  // A column fails on 4 or on 2 bits, which it then reads one by one.
  CHECK(count("recovery_conversions") >= 2 * count("speculation_failures"));
  CHECK(count("recovery_conversions") <= 4 * count("speculation_failures"));
  // Whatever lies outside the range has failed, and so has what lies on its bounds.
  CHECK(1.0 - count("sums_in_range") <= count("speculation_failures") / count("speculations"));
  CHECK(summary["weight_slicings"]["1-1-1-1-1-1-1-1"] >= 1);  // the last layer
  const json& energy = summary["energy_breakdown_j"];
  CHECK(energy["adc"].get<double>() * 2 == Approx(1.42e-12 * count("adc_conversions")));
  CHECK(energy["success_flags"].get<double>() * 2 == Approx(11.0 / 3 * 0.0115e-12 * count("speculations")));
  CHECK(energy["psum_buffer"].get<double>() == Approx(energy["shift_and_add"].get<double>() * 0.336125 / 0.0739));
  for (const char* part : {"cells", "spare_cells", "row_drivers", "column_buffers", "input_register", "quantiser",
                           "offset_correction", "edram", "bus"}) {
    INFO(part);
    CHECK(energy[part].get<double>() > 0.0);
  }
}

TEST_CASE("Centre+Offset alone converts 0.0625 times a MAC on fully used rows, and speculates on nothing") {
  const json summary = summary_of({"--set", "system=raella_centre_offset"});
  CHECK(summary["adc_conversions_per_mac_full_rows"] == 0.0625);
  CHECK(summary["speculations"] == 0);
  CHECK(summary["recovery_conversions"] == 0);
  CHECK(summary["sums_in_range"].get<double>() > 0.99);
  CHECK(summary["weight_slicings"] == json{{"2-2-2-2", 22}});
}

TEST_CASE("a run with searched slicings runs again from its effective.yaml to the same result") {
  const TemporaryFolder folder;
  const auto run = [&folder](const std::string& scenario, const std::string& out) {
    const ProgramResult result = run_program({"run", scenario, "--out", folder.path(out)}, Simulate{});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
  };
  const std::string first = folder.write(
      "a.yaml", "system: raella\nnetwork: resnet20_shapes\ninferences: 2\nslicing_search: {positions: 64, seed: 5}\n");
  run(first, "a");
  // One process elaborates once: the second run is judged by its inputs, which reports_test.cpp shows to decide.
  const Scenario again = load_scenario({folder.path("a/effective.yaml"), {}, {}, {}, {}}, project_files());
  CHECK_FALSE(again.slicing.adaptive);
  const json summary = json::parse(text_of(folder.path("a/summary.json")));
  std::map<std::string, int> layers;
  for (const auto& layer : again.platform.machine.layer_slicings) {
    std::string text;
    for (const int width : layer.second) text += (text.empty() ? "" : "-") + std::to_string(width);
    ++layers[text];
  }
  CHECK(summary["weight_slicings"] == json(layers));
}

TEST_CASE("noise of a seed changes outputs") {
  const json summary =
      summary_of({"--fidelity", "noisy", "--set", "system=raella_centre_offset", "--set", "noise.read_noise=8"});
  CHECK(summary["output_mean_abs_error"].get<double>() > 1.0);
}
