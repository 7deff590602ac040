// SPDX-License-Identifier: Apache-2.0
// Policies in scenarios: named with or without parameters, listed, refused; and the whole command line with a policy
// that the program registers.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "models/arithmetic/encoding.h"
#include "platforms/config/writer.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;

namespace {

/// Flips at `at`; with `keep` below 8 only the uppermost bits of a weight are stored.
struct Own : arithmetic::WeightEncoding {
  Own(const mapping::Machine& machine, const mapping::PolicyValues& values)
      : slicing(machine.weight_slicing), at(std::int64_t(values.at("at"))), part(values.at("part")) {}
  arithmetic::EncodedBlock encode(const std::vector<std::int32_t>& weights, int rows, int filters) const override {
    auto block = arithmetic::make_flip_encoding(slicing, at)->encode(weights, rows, filters);
    if (part < 1.0)
      for (std::size_t i = 3; i < block.levels.size(); i += 4) block.levels[i] = 0;
    return block;
  }
  int adc_bits_saved() const override { return 2; }
  bool lossless() const override { return part == 1.0; }
  arithmetic::Slicing slicing;
  std::int64_t at;
  double part;
};

mapping::Policies own_policies() {
  mapping::Policies policies;
  policies.register_policy(mapping::EncodingPolicy{
      "own",
      "flips anywhere",
      [](const mapping::Machine& machine, const mapping::PolicyValues& values) {
        if (machine.dac_bits > 1) throw std::invalid_argument("dac_bits is not 1");
        return std::make_unique<Own>(machine, values);
      },
      {{"at", "sum of levels", 192, 1, 1000, true}, {"part", "of the weights that is kept", 1, 0, 1, false}}});
  return policies;
}

Scenario scenario(const std::vector<std::string>& overrides) {
  ScenarioRequest request;
  request.options = {{"system", "isaac_8b"}, {"network", "resnet20_shapes"}};
  request.overrides = overrides;
  return load_scenario(request, ScenarioFiles({scenarios_folder()}, own_policies()));
}

std::string refusal(const std::vector<std::string>& overrides) {
  try {
    scenario(overrides);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

ProgramResult run_own(const std::vector<std::string>& arguments) {
  std::ostringstream out, err;
  const Surroundings surroundings{{scenarios_folder()}, &out, &err, false, invented_run, own_policies(), {}};
  std::vector<const char*> argv{"my_mho"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  const int exit_code = run_main(int(argv.size()), argv.data(), surroundings);
  return {exit_code, out.str(), err.str()};
}

}  // namespace

TEST_CASE("a policy is named alone, with its defaults, or with parameters") {
  CHECK(scenario({}).platform.machine.encoding.name() == "flip");
  const auto of = [](const std::string& change) { return scenario({change}).platform.machine.encoding; };
  CHECK(of("encoding=own").name() == "own");
  CHECK(of("encoding=own").values() == mapping::PolicyValues{{"at", 192}, {"part", 1}});
  CHECK(of("encoding={name: own, at: 7}").values() == mapping::PolicyValues{{"at", 7}, {"part", 1}});
  CHECK(of("encoding={name: own, part: 0.25}").values() == mapping::PolicyValues{{"at", 192}, {"part", 0.25}});
  CHECK(of("encoding={name: biased}").name() == "biased");
  const Scenario twice = scenario({"encoding={name: own}", "encoding.at=9"});
  CHECK(twice.platform.machine.encoding.values().at("at") == 9);
  CHECK(scenario({"encoding={name: own}", "encoding=flip"}).platform.machine.encoding.name() == "flip");
}

TEST_CASE("effective.yaml states a policy with all its parameters and reads back the same") {
  const config::Node tree = scenario({"encoding={name: own, at: 7, part: 0.1}"}).effective;
  CHECK(config::write_flow(*tree.find("encoding")) == "{name: own, at: 7, part: 0.1}");
  CHECK(config::write_flow(*scenario({"encoding=own"}).effective.find("encoding")) == "{name: own, at: 192, part: 1}");
  CHECK(config::write_flow(*scenario({}).effective.find("encoding")) == "flip");
  const Scenario again = read_scenario(tree, ScenarioFiles({scenarios_folder()}, own_policies()));
  CHECK(config::write_yaml(again.effective) == config::write_yaml(tree));
}

TEST_CASE("mistakes about policies are reported where they stand, with what is known") {
  CHECK(refusal({"encoding=owm"}) ==
        "--set encoding: `encoding` is the text `owm`; did you mean `own`? (`flip`, `biased`, `centre_offset`, "
        "`zero_offset` or `own`)");
  CHECK(refusal_of({"encoding=own"}) ==
        "--set encoding: `encoding` is the text `own` (`flip`, `biased`, `centre_offset` or `zero_offset`)");
  CHECK(refusal({"encoding={name: owm}"}) ==
        "--set encoding: `encoding.name` is the text `owm`; did you mean `own`? (`flip`, `biased`, `centre_offset`, "
        "`zero_offset` or `own`)");
  CHECK(refusal({"encoding={at: 3}"}).find("--set encoding: missing key `encoding.name`") == 0);
  CHECK(refusal({"encoding={name: own, art: 3}"}) ==
        "--set encoding: unknown key `encoding.art`; did you mean `at`? (keys: `at`, `name` or `part`)");
  CHECK(refusal({"encoding={name: flip, at: 3}"}) == "--set encoding: unknown key `encoding.at` (keys: `name`)");
  CHECK(refusal({"encoding={name: own, at: 0}"}) == "--set encoding: `encoding.at` is 0 (integer, 1 to 1000)");
  CHECK(refusal({"encoding={name: own, at: 1.5}"}).find("--set encoding: `encoding.at`: `1.5`") == 0);
  CHECK(refusal({"encoding={name: own, part: 2}"}).find("--set encoding: `encoding.part` is 2") == 0);
  CHECK(refusal({"encoding=[own]"}).find("--set encoding: `encoding` is a list") == 0);
  CHECK(refusal({"technology.energy_scaling=hold", "dac.bits=2", "encoding=own"}) ==
        "--set encoding: `encoding` `own` does not suit the machine: dac_bits is not 1");
  TemporaryFolder folder;
  const std::string file =
      folder.write("run.yaml", "system: isaac_8b\nnetwork: resnet20_shapes\nencoding:\n  name: own\n  art: 3\n");
  const ProgramResult result = run_own({"check", file});
  CHECK(result.exit_code == 2);
  CHECK(result.err.find(file + ":5:3: unknown key `encoding.art`; did you mean `at`?") == 0);
}

TEST_CASE("a lossless converter has as many bits less as the policy says") {
  // log2(128) + 1 + 2 - 1 = 9.
  CHECK(scenario({"adc.bits=lossless"}).platform.machine.adc.bits == 8);
  CHECK(scenario({"adc.bits=lossless", "encoding=biased"}).platform.machine.adc.bits == 9);
  CHECK(scenario({"adc.bits=lossless", "encoding=own"}).platform.machine.adc.bits == 7);
  CHECK(scenario({"adc.bits=8", "encoding=own"}).platform.machine.adc.bits == 8);
}

TEST_CASE("policies are listed with their parameters, those of the program among them") {
  const ProgramResult stock = run_program({"list", "policies"}), own = run_own({"list", "policies"});
  CHECK(stock.exit_code == 0);
  CHECK(stock.out.find("encoding\n  flip ") == 0);
  CHECK(stock.out.find("own") == std::string::npos);
  CHECK(own.out.find("  own            flips anywhere\n") != std::string::npos);
  CHECK(own.out.find("    at           sum of levels (1 to 1000; default 192)\n") != std::string::npos);
  const ProgramResult keys = run_own({"list", "keys"});
  CHECK(keys.out.find("allowed: `flip`, `biased`, `centre_offset`, `zero_offset` or `own`\n") != std::string::npos);
}

TEST_CASE("every command knows the program's policies") {
  CHECK(run_own({"check", "classify_shapes", "--set", "encoding=own"}).err.empty());
  const ProgramResult run = run_own({"run", "classify_shapes", "--inferences", "1", "--set", "encoding=own", "--json"});
  CHECK(run.exit_code == 0);
  CHECK(run.err.empty());
  const ProgramResult stock = run_program({"check", "classify_shapes", "--set", "encoding=own"});
  CHECK(stock.exit_code == 2);
  CHECK(stock.err ==
        "--set encoding: `encoding` is the text `own` (`flip`, `biased`, `centre_offset` or `zero_offset`)\n");
}
