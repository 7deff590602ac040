// SPDX-License-Identifier: Apache-2.0
// The program with its real platform: one SystemC simulation a case, so these cases run in processes of their own.
#include <catch2/catch.hpp>
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
