// SPDX-License-Identifier: Apache-2.0
// Figures and the laws by which they follow a machine; the sums of ISAAC's component table.
#include <catch2/catch.hpp>
#include <set>

#include "platforms/config/document.h"
#include "platforms/config/overrides.h"
#include "platforms/cost/chip_budget.h"
#include "platforms/cost/technology_reader.h"
#include "platforms/scenario/system_reader.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using mho::testbenches::scenario_with;

namespace {

/// A technology with one component "part" whose power is `figure` (the members of a flow mapping).
Technology technology_of(const std::string& figure, const std::string& scaling = "refuse") {
  config::Reader root(config::parse_text("technology: {energy_scaling: " + scaling +
                                             ", components: {part: {level: chip, power: {" + figure +
                                             ", source: a test}}}}\n",
                                         "test.yaml"));
  Technology technology = read_technology(root);
  root.finish();
  return technology;
}

double power_of(const std::string& figure, const mapping::Machine& machine, const std::string& scaling = "refuse") {
  return CostModel(technology_of(figure, scaling), machine).components().front().power_w;
}

std::string refusal(const std::string& figure, const mapping::Machine& machine) {
  try {
    power_of(figure, machine);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

CostModel costs_of(const std::string& system, const std::vector<std::string>& overrides = {}) {
  const Scenario scenario = scenario_with(overrides, system);
  return CostModel(scenario.technology, scenario.platform.machine);
}

double energy_of_action(const CostModel& costs, const std::string& component, observe::Action action) {
  for (const CostModel::Costs& part : costs.components())
    for (const auto& [own, joules] : part.energy_j)
      if (part.name == component && own == action) return joules;
  FAIL("no energy for " << component);
  return 0.0;
}

/// A published figure, in the unit it is written in where it has one.
double claim(const std::string& name, const std::string& key, config::Quantity quantity) {
  const config::Node claims =
      config::load_file(mho::testbenches::scenarios_folder() + "/systems/" + name + "_claims.yaml");
  return *config::parse_quantity(claims.find("claims")->find(key)->find("value")->text(), quantity).value;
}

}  // namespace

TEST_CASE("a figure scales linearly and inversely with the parameters it names") {
  // 4 mW at 8 crossbars of 128 rows and 100 ns; with 16 crossbars of 256 rows and 50 ns: 4 x 2 x 2 x 2 = 32 mW.
  mapping::Machine machine;
  machine.crossbar.crossbars = 16;
  machine.crossbar.rows = 256;
  machine.crossbar.cycle_s = 50e-9;
  CHECK(power_of("value: 4 mW, at: {crossbars: 8, crossbar.rows: 128, crossbar.cycle: 100 ns}, "
                 "scaling: {linear: [crossbars, crossbar.rows], inverse: [crossbar.cycle]}",
                 machine) == Approx(32e-3));
}

TEST_CASE("a figure stays where a parameter is known not to matter, and without parameters") {
  mapping::Machine machine;
  machine.crossbar.cell_bits = 4;
  CHECK(power_of("value: 3 mW, at: {crossbar.cell_bits: 2}, scaling: {constant: [crossbar.cell_bits]}", machine) ==
        3e-3);
  CHECK(power_of("value: 3 mW", machine) == 3e-3);
}

TEST_CASE("a table scales a figure by the ratio of its entries") {
  // 1.5625 stated at 8 bit; the table says 1.42 at 7 bit and 1.667 at 8 bit: 1.5625 x 1.42 / 1.667 = 1.33098 mW.
  mapping::Machine machine;
  machine.adc.bits = 7;
  CHECK(power_of("value: 1.5625 mW, at: {adc.bits: 8}, table: {adc.bits: {7: 1.42 mW, 8: 1.667 mW}}", machine) ==
        Approx(1.33098e-3).epsilon(1e-5));
}

TEST_CASE("a figure outside its domain is refused with key, value, domain and remedy") {
  mapping::Machine machine;
  machine.dac_bits = 2;
  CHECK(refusal("value: 4 mW, at: {dac.bits: 1}", machine) ==
        "test.yaml:1:78: dac.bits = 2 lies outside the domain of `technology.components.part.power` "
        "(stated at 1; `technology.energy_scaling: hold` uses it all the same)");
  machine.adc.bits = 11;
  CHECK_THAT(refusal("value: 4 mW, at: {adc.bits: 8}, table: {adc.bits: {4: 1 mW, 8: 2 mW}}", machine),
             Catch::Contains("stated at 4, 8;"));
}

TEST_CASE("a held figure keeps its value, or the nearest entry of its table, and leaves a note") {
  // 11 bit is nearest to 10 bit, whose entry is three times that of 8 bit: 4 mW x 6 / 2 = 12 mW.
  mapping::Machine machine;
  machine.dac_bits = 2;
  machine.adc.bits = 11;
  const std::string figure =
      "value: 4 mW, at: {dac.bits: 1, adc.bits: 8}, table: {adc.bits: {4: 1 mW, 8: 2 mW, 10: 6 mW}}";
  const CostModel costs(technology_of(figure, "hold"), machine);
  CHECK(costs.components().front().power_w == Approx(12e-3));
  REQUIRE(costs.notes().size() == 2);
  CHECK(costs.notes()[0] == "technology.components.part.power is held at dac.bits = 2 (stated at 1)");
}

TEST_CASE("a technology that contradicts itself is refused") {
  const mapping::Machine machine;
  CHECK_THAT(refusal("value: 4 mW, at: {adc.bits: 8}, scaling: {linear: [adc.bits], inverse: [adc.bits]}", machine),
             Catch::Contains("second law"));
  CHECK_THAT(refusal("value: 4 mW, scaling: {linear: [adc.bits]}", machine), Catch::Contains("not stated at one"));
  CHECK_THAT(refusal("value: 4 mW, at: {adc.bits: 8}, table: {adc.bits: {7: 1 mW}}", machine),
             Catch::Contains("no entry above zero"));
  CHECK_THAT(refusal("value: 4 mW, at: {adc.bit: 8}", machine), Catch::Contains("did you mean `adc.bits`?"));
  CHECK_THAT(refusal("value: 4 pJ", machine), Catch::Contains("power"));
  CHECK_THAT(refusal("value: 4", machine), Catch::Contains("has no unit"));
}

TEST_CASE("energy of an action that nobody counts is refused with a suggestion") {
  config::Reader root(
      config::parse_text("technology:\n  components:\n    part:\n      level: chip\n      energy:\n"
                         "        adc_conversion: {value: 1 pJ, source: x}\n",
                         "test.yaml"));
  CHECK_THROWS_WITH(read_technology(root),
                    Catch::Contains("test.yaml:6:") && Catch::Contains("did you mean `adc_conversions`?"));
}

TEST_CASE("ISAAC's power sums to the published table level by level") {
  // IMA: 16 + 4 + 0.01 + 2.4 + 0.2 + 1.24 + 0.23 = 24.08 mW.
  // Tile: 12 x 24.08 + 20.7 + 7 + 10.5 + 0.05 + 1.68 + 0.52 + 0.4 = 329.81 mW (printed as 330).
  // Chip: 168 x 329.81 mW + 10.4 W = 65.81 W.
  const Scenario scenario = scenario_with({}, "isaac");
  const ChipBudget budget =
      chip_budget(CostModel(scenario.technology, scenario.platform.machine), scenario.platform.machine);
  using config::Quantity;
  CHECK(budget.crossbar_tile.power_w == Approx(claim("isaac", "crossbar_tile_power", Quantity::power)).epsilon(1e-6));
  CHECK(budget.tile.power_w == Approx(329.81e-3).epsilon(1e-6));
  CHECK(budget.tile.power_w == Approx(claim("isaac", "tile_power", Quantity::power)).epsilon(1e-3));
  CHECK(168 * budget.tile.power_w == Approx(claim("isaac", "tiles_power", Quantity::power)).epsilon(1e-3));
  CHECK(budget.chip.power_w == Approx(claim("isaac", "chip_power", Quantity::power)).epsilon(1e-3));
}

TEST_CASE("ISAAC's area sums to the published table level by level") {
  // IMA: 0.0096 + 0.00017 + 0.00004 + 0.0002 + 0.00024 + 0.0021 + 0.00077 = 0.01312 mm2.
  // Tile: 12 x 0.01312 + 0.083 + 0.09 + 0.03775 + 0.00006 + 0.0032 + 0.0006 + 0.00024 = 0.37229 mm2.
  // Chip: 168 x 0.37229 + 22.88 = 85.42 mm2.
  const Scenario scenario = scenario_with({}, "isaac");
  const ChipBudget budget =
      chip_budget(CostModel(scenario.technology, scenario.platform.machine), scenario.platform.machine);
  using config::Quantity;
  CHECK(budget.crossbar_tile.area_m2 == Approx(0.01312e-6).epsilon(1e-6));
  CHECK(budget.tile.area_m2 == Approx(claim("isaac", "tile_area", Quantity::area)).epsilon(1e-3));
  CHECK(168 * budget.tile.area_m2 == Approx(claim("isaac", "tiles_area", Quantity::area)).epsilon(1e-3));
  CHECK(budget.chip.area_m2 == Approx(claim("isaac", "chip_area", Quantity::area)).epsilon(1e-3));
}

TEST_CASE("8-bit ISAAC has the component table of 16-bit ISAAC") {
  // The max-pool unit passes twice as many values of half as many bits.
  const auto budget = [](const char* system) {
    const Scenario scenario = scenario_with({}, system);
    return chip_budget(CostModel(scenario.technology, scenario.platform.machine), scenario.platform.machine).chip;
  };
  CHECK(budget("isaac_8b").power_w == Approx(budget("isaac").power_w));
  CHECK(budget("isaac_8b").area_m2 == Approx(budget("isaac").area_m2));
}

TEST_CASE("ADCs draw 58 % of a tile of ISAAC") {
  // 12 x 16 mW / 329.81 mW = 0.5822.
  const Scenario scenario = scenario_with({}, "isaac");
  const CostModel costs(scenario.technology, scenario.platform.machine);
  const double share =
      12 * costs.components().front().power_w / chip_budget(costs, scenario.platform.machine).tile.power_w;
  CHECK(costs.components().front().name == "adc");
  CHECK(share == Approx(0.5822).epsilon(1e-3));
  CHECK(share == Approx(claim("isaac", "adc_share_of_tile_power", config::Quantity::percentage)).epsilon(5e-3));
}

TEST_CASE("ISAAC's peak closes to 1 % of the published densities") {
  // A crossbar does 128 rows x 16 filters in 16 x 100 ns: 2 x 2048 / 1.6 us = 2.56 GOPS; x 16 128 = 41.29 TOPS.
  // 41 288 GOPS / 85.42 mm2 = 483.3 (published 478.95, 0.9 % less); / 65.81 W = 627.4 GOPS/W (published 627.5).
  const Scenario scenario = scenario_with({}, "isaac");
  const mapping::Machine& machine = scenario.platform.machine;
  const ChipBudget budget = chip_budget(CostModel(scenario.technology, machine), machine);
  CHECK(peak_ops_per_s(machine) == Approx(41.288e12).epsilon(1e-4));
  CHECK(peak_ops_per_s(machine) * 1e-9 / (budget.chip.area_m2 * 1e6) == Approx(478.95).epsilon(0.01));
  CHECK(peak_ops_per_s(machine) * 1e-9 / budget.chip.power_w == Approx(627.5).epsilon(1e-3));
}

TEST_CASE("an IMA at full rate draws what counting its actions gives") {
  // In 100 ns: 1024 conversions x (1.5625 + 0.0009765625 + 0.0224609375) pJ + 1024 drives x (0.390625 + 0.12109375) pJ
  // + 8 crossbar cycles x 30 pJ + 1024 shift-adds x 0.021 pJ = 1624 + 524 + 240 + 21.5 = 2409.5 pJ, so 24.095 mW
  // (the table: 24.08; the difference is the rounding of 0.0208 pJ to 0.021 pJ).
  using observe::Action;
  const CostModel costs = costs_of("isaac");
  const double conversion = energy_of_action(costs, "adc", Action::kConversions) +
                            energy_of_action(costs, "sample_and_hold", Action::kConversions) +
                            energy_of_action(costs, "output_register", Action::kConversions);
  const double drive = energy_of_action(costs, "dac", Action::kRowDrives) +
                       energy_of_action(costs, "input_register", Action::kRowDrives);
  const double cycle = 1024 * conversion + 1024 * drive + 8 * energy_of_action(costs, "arrays", Action::kArrayCycles) +
                       1024 * energy_of_action(costs, "shift_and_add", Action::kShiftAdds);
  CHECK(cycle / 100e-9 == Approx(24.095e-3).epsilon(1e-4));
}

TEST_CASE("energies of ISAAC follow from powers and rates") {
  using observe::Action;
  const CostModel costs = costs_of("isaac");
  CHECK(energy_of_action(costs, "adc", Action::kConversions) == Approx(2e-3 / 1.28e9));
  CHECK(energy_of_action(costs, "adc_unit_columns", Action::kUnitConversions) == Approx(2e-3 / 1.28e9));
  CHECK(energy_of_action(costs, "dac", Action::kRowDrives) == Approx(4e-3 * 100e-9 / 1024));
  CHECK(energy_of_action(costs, "sample_and_hold", Action::kConversions) == Approx(0.01e-3 * 100e-9 / 1024));
  CHECK(energy_of_action(costs, "input_register", Action::kRowDrives) == Approx(1.24e-3 * 100e-9 / 1024));
  CHECK(energy_of_action(costs, "output_register", Action::kConversions) == Approx(0.23e-3 * 100e-9 / 1024));
  CHECK(energy_of_action(costs, "arrays", Action::kArrayCycles) == Approx(2.4e-3 / 8 * 100e-9));
  CHECK(energy_of_action(costs, "tile_shift_and_add", Action::kTileShiftAdds) == Approx(0.05e-3 / 1.2e9));
  CHECK(energy_of_action(costs, "tile_output_register", Action::kTileShiftAdds) == Approx(1.68e-3 / 1.2e9));
  CHECK(energy_of_action(costs, "sigmoid", Action::kFunctionOutputs) == Approx(0.52e-3 / 2 / 1.2e9));
  CHECK(energy_of_action(costs, "max_pool", Action::kPoolInputs) == Approx(0.4e-3 / 19.2e9));
  CHECK(energy_of_action(costs, "activation_products", Action::kFunctionProducts) == Approx(4 * (0.2e-12 + 0.03e-12)));
  CHECK(energy_of_action(costs, "router", Action::kRouterFlits) == Approx(20.74e-12 / 8));
  CHECK(energy_of_action(costs, "bus", Action::kBusBits) == Approx(13.824e-12 / 256));
  CHECK(energy_of_action(costs, "edram", Action::kEdramLinesRead) == Approx(20.45e-12));
  CHECK(energy_of_action(costs, "hypertransport", Action::kHyperTransportBits) == Approx(10.4 / (4 * 6.4e9 * 8)));
  CHECK(energy_of_action(costs, "writer", Action::kCellWriteSteps) == Approx(48.95e-12 / 3));
  CHECK(energy_of_action(costs, "main_memory", Action::kMemoryBytesRead) == Approx(8 * 8e-12));
}

TEST_CASE("a converter of other resolution costs as the library's table says") {
  // 6 bit: 1.5625 pJ x 1.20 / 1.667 = 1.12478 pJ; area 627 / 1200 of 0.0096 mm2 = 0.005016 mm2.
  const CostModel costs = costs_of("isaac_8b", {"adc.bits=6"});
  CHECK(energy_of_action(costs, "adc", observe::Action::kConversions) == Approx(1.12478e-12).epsilon(1e-5));
  CHECK(costs.components().front().area_m2 == Approx(0.005016e-6));
}

namespace {

/// Everything that the technology says about a machine, as one list of numbers.
std::vector<double> all_costs(const std::vector<std::string>& overrides) {
  const Scenario scenario = scenario_with(overrides);
  const CostModel costs(scenario.technology, scenario.platform.machine);
  const ChipBudget budget = chip_budget(costs, scenario.platform.machine);
  std::vector<double> numbers{budget.chip.power_w, budget.chip.area_m2};
  for (const CostModel::Costs& component : costs.components())
    for (const auto& energy : component.energy_j) numbers.push_back(energy.second);
  return numbers;
}

struct KeyChange {
  const char* change;
  const char* neutral_because = nullptr;  ///< why the cost of parts and actions does not follow this key
  std::vector<std::string> with{};        ///< changes that it cannot do without
  bool with_change_only = false;          ///< that are not possible without it either
};

const KeyChange kChanges[] = {
    {"chip.tiles=84"},
    {"tile.crossbar_tiles=6"},
    {"crossbars=16"},
    {"crossbar.rows=256"},
    {"crossbar.columns=64"},
    {"crossbar.cell_bits=1"},
    {"crossbar.cycle=50 ns"},
    {"crossbar.input_register=4 KiB"},
    {"dac.bits=2"},
    {"adc.bits=6"},
    {"adc.rate=2.56 GS/s"},
    {"adc.converters=4"},
    {"edram.size=128 KiB"},
    {"edram.line=64 B"},
    {"bus.bandwidth=40.96 GB/s"},
    {"router.tiles=2"},
    {"router.bandwidth=9.6 GB/s"},
    {"hypertransport.links=2"},
    {"hypertransport.bandwidth=3.2 GB/s"},
    {"function_unit.rate=4.8 GS/s"},
    {"function_unit.pool_rate=9.6 GS/s"},
    {"function_unit.product_rate=9.6 GS/s",
     "neither power nor area of the unit is stated, only the energy of a product"},
    {"data_bits=16"},
    {"machine=other", "a name"},
    {"chips=2", "multiplies the figures of one chip in the report"},
    {"chip.area=600 mm2", "what machines are compared per area by, not what parts take"},
    {"crossbar.cell=2t2r",
     "refused unless it is held: the arrays' figures are of single devices",
     {"input_sum=digital", "encoding=zero_offset"},
     true},
    {"speculation=true",
     "changes how many actions there are",
     {"dac.bits=4", "input_slicing=[1, 1, 1, 1, 1, 1, 1, 1]"}},
    {"signed_inputs=two_passes", "changes how many actions there are"},
    {"input_sum=digital", "changes how many actions there are"},
    {"toeplitz=true", "changes how many actions there are"},
    {"slicing_search.positions=100", "changes how weights are cut"},
    {"slicing_search.seed=2", "changes how weights are cut"},
    {"slicing_search.budget=0.5", "changes how weights are cut"},
    {"slicing_search.inputs=3", "changes how weights are cut"},
    {"noise.conductance_spread=0.1",
     "changes values; currents are charged as ideal cells draw them",
     {"fidelity=noisy"}},
    {"noise.read_noise=1", "changes values", {"fidelity=noisy"}},
    {"noise.proportional_noise=0.04", "changes values", {"fidelity=noisy"}},
    {"noise.stuck_off=0.1", "changes values; currents are charged as ideal cells draw them", {"fidelity=noisy"}},
    {"noise.stuck_on=0.1", "changes values; currents are charged as ideal cells draw them", {"fidelity=noisy"}},
    {"noise.seed=2", "changes values", {"fidelity=noisy"}},
    {"input_slicing=uniform", "changes how many actions there are, not what one costs"},
    {"weight_slicing=[1, 1, 1, 1, 1, 1, 1, 1]", "changes how many actions there are, not what one costs"},
    {"encoding=biased", "changes what cells store; the array's energy is stated whatever the data"},
    {"replication=none", "changes how many actions run at once"},
    {"adc.signed=true", "the sign is one of the converter's bits"},
    {"edram.line_time=2 ns", "a time: the figures are energies of one access"},
    {"bus.latency=1 ns", "a time"},
    {"router.hop=2 ns", "a time"},
    {"router.multicast=false", "changes how many flits there are, not what one costs"},
    {"hypertransport.latency=10 ns", "a time"},
    {"function_unit.shift_add=50 ns", "a time"},
    {"function_unit.function=50 ns", "a time"},
    {"function_unit.write=50 ns", "a time"},
    {"adc.arbitration=first_come", "changes when, not how often"},
    {"adc.queue=2", "changes when, not how often; published areas state no queues"},
    {"bus.arbitration=fixed_priority", "changes when, not how often"},
    {"bus.queue=2", "changes when, not how often; published areas state no queues"},
    {"writer.drivers=2", "changes when, not how often; published areas state no write drivers"},
    {"writer.arbitration=first_come", "changes when, not how often"},
    {"writer.setup=1 ns", "a time"},
    {"writer.pulse=10 ns", "a time: the energy is stated for a step, whatever the pulse"},
};

std::string key_of(const KeyChange& change) {
  return std::string(change.change).substr(0, std::string(change.change).find('='));
}

}  // namespace

TEST_CASE("every key of a machine changes a cost or is neutral for a stated reason") {
  for (const KeyChange& change : kChanges) {
    INFO(change.change);
    std::vector<std::string> plain{"technology.energy_scaling=hold"};
    plain.insert(plain.end(), change.with.begin(), change.with.end());
    std::vector<std::string> changed = plain;
    changed.emplace_back(change.change);
    if (change.with_change_only) plain.resize(1);
    CHECK((all_costs(changed) != all_costs(plain)) == (change.neutral_because == nullptr));
  }
}

TEST_CASE("the list of keys that change costs is complete") {
  std::set<std::string> listed;
  for (const KeyChange& change : kChanges) listed.insert(key_of(change));
  // Keys that are no part of a machine: what runs, how it is simulated, and the costs themselves.
  const std::set<std::string> elsewhere{"system",     "network", "network_parameters", "inputs", "labels",
                                        "inferences", "seed",    "fidelity",           "timing", "name",
                                        "description"};
  for (const config::KeyReference& key : scenario_keys()) {
    const bool belongs = key.type != "section" && key.path.rfind("technology", 0) != 0 &&
                         key.path.rfind("platform", 0) != 0 && key.path.rfind("approximately_timed", 0) != 0 &&
                         key.path.rfind("observe", 0) != 0 && key.path.rfind("trace", 0) != 0 &&
                         elsewhere.count(key.path) == 0;
    INFO(key.path);
    if (belongs) CHECK(listed.count(key.path) == 1);
  }
}

TEST_CASE("area and power follow every geometry key in the direction one expects") {
  const auto area = [](const std::vector<std::string>& overrides) { return all_costs(overrides)[1]; };
  const auto power = [](const std::vector<std::string>& overrides) { return all_costs(overrides)[0]; };
  for (const char* larger :
       {"chip.tiles=200", "tile.crossbar_tiles=16", "crossbars=16", "crossbar.rows=256", "crossbar.columns=256",
        "adc.bits=9", "adc.converters=16", "edram.size=128 KiB", "hypertransport.links=8"}) {
    INFO(larger);
    CHECK(area({larger}) > area({}));
    CHECK(power({larger}) > power({}));
  }
}
