// SPDX-License-Identifier: Apache-2.0
// RAELLA and the steps that lead to it from ISAAC: what differs between them, the sums of their component table, and
// what reports and comparisons say of them.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "models/arithmetic/input_stream.h"
#include "models/dnn/synthetic/graph_builder.h"
#include "models/input_error.h"
#include "platforms/config/document.h"
#include "platforms/config/writer.h"
#include "platforms/cost/chip_budget.h"
#include "platforms/host_memory.h"
#include "platforms/report/comparison.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
using config::Quantity;
using mapping::Machine;
using observe::Action;

namespace {

const char* const kLadder[] = {"isaac_raella", "raella_centre_offset", "raella_adaptive_slicing", "raella"};

Machine machine_of(const std::string& system, const std::vector<std::string>& overrides = {}) {
  return scenario_with(overrides, system).platform.machine;
}

CostModel costs_of(const Scenario& scenario) { return CostModel(scenario.technology, scenario.platform.machine); }

ChipBudget budget_of(const std::string& system) {
  const Scenario scenario = scenario_with({}, system);
  return chip_budget(costs_of(scenario), scenario.platform.machine);
}

double energy_of(const Scenario& scenario, const std::string& component, Action action) {
  const CostModel costs = costs_of(scenario);
  for (const CostModel::Costs& part : costs.components())
    for (const auto& [own, joules] : part.energy_j)
      if (part.name == component && own == action) return joules;
  return -1.0;
}

std::string claim_text(const std::string& name, const std::string& key) {
  const config::Node claims = config::load_file(scenarios_folder() + "/systems/" + name + "_claims.yaml");
  return claims.find("claims")->find(key)->find("value")->text();
}

double claim(const std::string& name, const std::string& key, Quantity quantity) {
  return *config::parse_quantity(claim_text(name, key), quantity).value;
}

/// Conversions of one MAC on fully used rows: what a machine does without recovering anything.
double full_rows(const Machine& machine) {
  arithmetic::InputStream stream;
  if (!machine.input_slicing.empty()) stream.slicing = arithmetic::Slicing(machine.input_slicing);
  stream.speculation = machine.speculation;
  return double(machine.weight_slicing.size()) * arithmetic::count_cycles(stream).whole / machine.crossbar.rows;
}

}  // namespace

TEST_CASE("RAELLA is the published machine") {
  const Machine m = machine_of("raella");
  CHECK(m.name == "raella");
  CHECK(std::to_string(m.tiles_per_chip) == claim_text("raella", "tiles"));
  CHECK(m.crossbar_tiles_per_tile == 8);
  CHECK(m.crossbar.crossbars == 4);
  CHECK(m.crossbar.cell == mapping::CellKind::k2T2R);
  CHECK(m.crossbar.rows == 512);
  CHECK(m.crossbar.columns == 512);
  CHECK(m.crossbar.cell_bits == 4);
  CHECK(m.crossbar.input_register_bytes == 2048);
  CHECK(m.adc.bits == 7);
  CHECK(m.adc.is_signed);
  CHECK(m.data_bits == 8);
  CHECK(m.dac_bits == 4);
  CHECK(m.encoding.name() == "centre_offset");
  CHECK(m.input_sum == mapping::InputSum::kDigital);
  CHECK(m.signed_inputs == mapping::SignedInputs::kTwoPasses);
  CHECK(m.replication == mapping::Replication::kGreedy);
  CHECK(m.toeplitz);
  CHECK(m.edram.bytes == 65536);
  CHECK(m.router.tiles_per_router == 4);
  CHECK(m.writer.pulse_s == 40e-9);
  // Sixteen converters for four crossbars: 512 columns / (4 x 1.28 GS/s) = 100 ns, one cycle.
  CHECK(m.crossbar.columns / (m.adc.converters / m.crossbar.crossbars * m.adc.rate_hz) == Approx(m.crossbar.cycle_s));
  // S4 R R R R S2 R R S2 R R.
  arithmetic::InputStream stream;
  stream.slicing = arithmetic::Slicing(m.input_slicing);
  stream.speculation = m.speculation;
  CHECK(arithmetic::count_cycles(stream).all() * m.crossbar.cycle_s ==
        Approx(claim("raella", "psum_set_time", Quantity::time)));
  CHECK(scenario_with({}, "raella").slicing.adaptive);
}

TEST_CASE("the baseline of RAELLA is 8-bit ISAAC with 1024 tiles") {
  const Machine m = machine_of("isaac_raella"), isaac = machine_of("isaac_8b");
  CHECK(std::to_string(m.tiles_per_chip) == claim_text("isaac_raella", "tiles"));
  CHECK(m.crossbar_tiles_per_tile == isaac.crossbar_tiles_per_tile);
  CHECK(m.crossbar.rows == isaac.crossbar.rows);
  CHECK(m.adc.bits == isaac.adc.bits);
  CHECK(m.weight_slicing == isaac.weight_slicing);
  CHECK(m.encoding.name() == "flip");
  CHECK(m.input_sum == mapping::InputSum::kUnitColumn);
  CHECK(m.replication == mapping::Replication::kGreedy);
  CHECK(m.toeplitz);
}

TEST_CASE("conversions a MAC on fully used rows fall from 0.25 to 0.0625 and are published so") {
  // 4 slices x 8 cycles / 128 rows = 0.25; / 512 rows = 0.0625. Speculation on two 4-bit slices, if it always
  // succeeded: 2 x 3 / 512 = 0.01172.
  CHECK(full_rows(machine_of("isaac_raella")) == 0.25);
  CHECK(full_rows(machine_of("raella_centre_offset")) == 0.0625);
  CHECK(full_rows(machine_of("raella")) == 0.01171875);
  CHECK(claim_text("isaac_raella", "conversions_per_mac_full_rows") == "0.25");
  CHECK(std::stod(claim_text("raella", "conversions_per_mac_full_rows_centre_offset")) ==
        Approx(0.0625).margin(0.0005));
}

TEST_CASE("each step from ISAAC to RAELLA changes its own keys only") {
  const auto changed = [](const char* from, const char* to) {
    std::vector<std::string> keys;
    const config::Node a = scenario_with({}, from).effective, b = scenario_with({}, to).effective;
    for (const config::Node::Member& member : b.members())
      if (const config::Node* other = a.find(member.key);
          other == nullptr || config::write_yaml(*other) != config::write_yaml(member.value))
        keys.push_back(member.key);
    return keys;
  };
  using Keys = std::vector<std::string>;
  CHECK(changed("raella_centre_offset", "raella_adaptive_slicing") ==
        Keys{"name", "description", "machine", "weight_slicing"});
  CHECK(changed("raella_adaptive_slicing", "raella") ==
        Keys{"name", "description", "machine", "dac", "input_slicing", "speculation", "technology"});
}

TEST_CASE("RAELLA's area sums to the published figures level by level") {
  // Crossbar: 2947.5 + 3380.7 + 2109.3 + 1511 + 302 + 2560 = 12 810.5 um2. IMA: 4 x 12 810.5 + 2100 + 9694 = 63 036
  // um2. Tile: 8 x 63 036 + 83 000 + 37 750 + 40 962 = 666 000 um2. 743 tiles: 494.8 mm2, against 600 mm2.
  const ChipBudget budget = budget_of("raella");
  CHECK((budget.crossbar_tile.area_m2 * 1e12 - 2100 - 9694) / 4 == Approx(12810.5));
  CHECK(claim("raella", "crossbar_area", Quantity::area) * 1e12 == Approx(12810.5).epsilon(1e-4));
  CHECK(budget.crossbar_tile.area_m2 == Approx(claim("raella", "crossbar_tile_area", Quantity::area)).epsilon(1e-6));
  CHECK(budget.tile.area_m2 == Approx(claim("raella", "tile_area", Quantity::area)).epsilon(1e-6));
  CHECK(budget.chip.area_m2 == Approx(494.838e-6).epsilon(1e-6));
  for (const char* system : kLadder) {
    INFO(system);
    CHECK(*scenario_with({}, system).chip_area_m2 == Approx(claim("raella", "chip_area", Quantity::area)));
  }
}

TEST_CASE("the baseline's parts are those of the same library") {
  // IMA: ADC 8 x 3380.7 / 4 x 1200 / 845 = 9601.9; row drivers 8 x 2109.3 / 4 = 4218.6; cells 8 x 2947.5 / 16 / 2 =
  // 736.9; column buffers 8 x 2560 / 4 = 5120; adders 8 x 302 / 4 = 604; psum buffers 8 x 1511 / 4 = 3022; input
  // register 2100: 25 403.4 um2. Tile: 12 x that + 83 000 + 37 750 + 40 962 = 466 553 um2.
  const ChipBudget budget = budget_of("isaac_raella");
  CHECK(budget.crossbar_tile.area_m2 * 1e12 == Approx(25403.4).epsilon(1e-5));
  CHECK(budget.tile.area_m2 * 1e12 == Approx(466553).epsilon(1e-5));
}

TEST_CASE("energies of the library are charged for the actions they belong to, in both machines") {
  const double off = 0.2 * 0.2 * 1e-9 / 20735, on = 0.2 * 0.2 * 1e-9 / 2068;
  for (const char* system : {"isaac_raella", "raella"}) {
    INFO(system);
    const Scenario s = scenario_with({}, system);
    CHECK(energy_of(s, "cells", Action::kCellPulses) == Approx(off).epsilon(1e-6));
    CHECK(energy_of(s, "cells", Action::kCurrentLevelPulses) == Approx((on - off) / 15).epsilon(1e-6));
    CHECK(energy_of(s, "spare_cells", Action::kSpareCellPulses) == Approx(off).epsilon(1e-6));
    CHECK(energy_of(s, "spare_cells", Action::kSpareLevelPulses) == 0.0);
    CHECK(energy_of(s, "row_drivers", Action::kRowPulses) == Approx(0.0522e-12));
    CHECK(energy_of(s, "column_buffers", Action::kColumnReads) == Approx(0.0023e-12));
    CHECK(energy_of(s, "shift_and_add", Action::kShiftAdds) == Approx(0.0739e-12));
    CHECK(energy_of(s, "psum_buffer", Action::kShiftAdds) == Approx((1.053 + 1.608 + 2 * 0.014) / 8 * 1e-12));
    CHECK(energy_of(s, "input_register", Action::kInputCodesRead) == Approx(1.235e-12 / 4));
    CHECK(energy_of(s, "input_register", Action::kBusBits) == Approx(1.563e-12 / 32));
    CHECK(energy_of(s, "input_register", Action::kRowDrives) == -1.0);
    CHECK(energy_of(s, "offset_correction", Action::kOffsetCorrections) == Approx(0.425e-12));
    CHECK(energy_of(s, "quantiser", Action::kFunctionOutputs) == Approx(15.5e-12 / 16));
    CHECK(energy_of(s, "sigmoid", Action::kFunctionOutputs) == -1.0);
    CHECK(energy_of(s, "bus", Action::kBusBits) == Approx(13.824e-12 / 256));
    CHECK(energy_of(s, "edram", Action::kEdramLinesRead) == Approx(20.45e-12));
    CHECK(energy_of(s, "router", Action::kRouterFlits) == Approx(20.74e-12 / 8));
    CHECK(energy_of(s, "writer", Action::kCellWriteSteps) == Approx(48.95e-12 / 15));
  }
  CHECK(energy_of(scenario_with({}, "raella"), "adc", Action::kConversions) == Approx(1.42e-12));
  CHECK(energy_of(scenario_with({}, "isaac_raella"), "adc", Action::kConversions) == Approx(1.667e-12));
  CHECK(energy_of(scenario_with({}, "isaac_raella"), "adc_unit_columns", Action::kUnitConversions) ==
        Approx(1.667e-12));
  // Eleven accesses of 0.092 / 8 pJ for three speculated conversions.
  CHECK(energy_of(scenario_with({}, "raella"), "success_flags", Action::kSpeculations) ==
        Approx(11.0 / 3 * 0.092 / 8 * 1e-12));
  CHECK(energy_of(scenario_with({}, "raella_adaptive_slicing"), "success_flags", Action::kSpeculations) == -1.0);
}

TEST_CASE("cells without a weight cost what one says, nothing among it") {
  const Scenario s = scenario_with({"technology.components.spare_cells=~"}, "raella");
  CHECK(energy_of(s, "spare_cells", Action::kSpareCellPulses) == -1.0);
}

TEST_CASE("a peak counts the cycles of one vector, those of recovery among them") {
  // 512 rows x 170 filters of 4-2-2 slices, 23 776 crossbars, 1.1 us: 2 x 512 x 170 x 23 776 / 1.1e-6 = 3.7627e15.
  const std::vector<std::string> fixed{"weight_slicing=[4, 2, 2]"};
  CHECK(peak_ops_per_s(machine_of("raella", fixed)) == Approx(3.7627e15).epsilon(1e-4));
  // Eight cycles without speculation.
  CHECK(peak_ops_per_s(machine_of("raella", {"weight_slicing=[4, 2, 2]", "speculation=false"})) ==
        Approx(3.7627e15 * 11 / 8).epsilon(1e-4));
  // Of layers with slicings of their own the fewest slices count: 256 filters of two.
  Machine mixed = machine_of("raella", fixed);
  mixed.layer_slicings = {{"a", {4, 2, 2}}, {"b", {4, 4}}, {"c", {1, 1, 1, 1, 1, 1, 1, 1}}};
  CHECK(peak_ops_per_s(mixed) == Approx(3.7627e15 * 256 / 170).epsilon(1e-4));
}

TEST_CASE("reports state what speculation did, and how the weights were cut") {
  // An invented machine: of 800 conversions 200 recover, 300 speculated codes of which 60 failed, 90 sums out of range.
  const auto invent = [](const PlatformConfig& config, const dnn::Graph& graph, const auto& inputs,
                         const Progress& progress, observe::Recorder* recorder) {
    RunRecord record = invented_run(config, graph, inputs, progress, recorder);
    record.ledger.resize(graph.nodes.size());
    observe::Counts& counts = record.ledger.of(0);
    counts[Action::kConversions] = 800;
    counts[Action::kRecoveryConversions] = 200;
    counts[Action::kSpeculations] = 300;
    counts[Action::kSpeculationFailures] = 60;
    counts[Action::kOutOfRange] = 90;
    return record;
  };
  std::vector<std::string> run{"run",       "--system",        "raella",
                               "--network", "resnet20_shapes", "--inferences",
                               "2",         "--set",           "weight_slicing=[4, 2, 2]"};
  run.emplace_back("--json");
  const auto summary = nlohmann::json::parse(run_program(run, invent).out);
  CHECK(summary["speculations"] == 300);
  CHECK(summary["speculation_failures"] == 60);
  CHECK(summary["recovery_conversions"] == 200);
  CHECK(summary["sums_in_range"].get<double>() == Approx(1.0 - 90.0 / 600.0));
  CHECK(summary["weight_slicings"] == nlohmann::json{{"4-2-2", 22}});
  CHECK(summary["comparison_area_mm2"].get<double>() == Approx(600.0));
  CHECK(summary["area_mm2"].get<double>() == Approx(494.838));
  // 3 slices x 3 cycles / 512 = 0.017578 a MAC, and a third more in the first layer, which has 442 368 of 40 813 312
  // MACs: 0.017578 x (1 + 442368 / 40813312 / 3) = 0.017642.
  CHECK(summary["adc_conversions_per_mac_full_rows"].get<double>() == Approx(0.0176416).epsilon(1e-5));
  run.back() = "--report";
  const std::string text = run_program(run, invent).out;
  CHECK_THAT(text, Catch::Contains("0.01764 on fully used rows") && Catch::Contains("4-2-2") &&
                       Catch::Contains("85.0 %") && Catch::Contains("80.0 %") &&
                       Catch::Contains("right, 0.667 conversions to recover for each"));
  const TemporaryFolder folder;
  run.back() = "--out=" + folder.path("a");
  REQUIRE(run_program(run, invent).exit_code == 0);
  const std::string csv = text_of(folder.path("a/layers.csv"));
  CHECK_THAT(csv, Catch::Contains(",out_of_range,speculations,speculation_failures,recovery_conversions,slicing,"));
  CHECK_THAT(csv, Catch::Contains(",90,300,60,200,4-2-2,"));
}

TEST_CASE("cells that hold weights are those of a layer's own slices, and of Toeplitz copies") {
  const TemporaryFolder folder;
  const auto first_layer = [&folder](std::vector<std::string> run) {
    run.insert(run.begin(), {"run", "--network", "resnet20_shapes", "--inferences", "1", "--out", folder.path("a")});
    REQUIRE(run_program(run).exit_code == 0);
    std::istringstream lines(text_of(folder.path("a/layers.csv")));
    std::string line;
    std::getline(lines, line);
    CHECK_THAT(line, Catch::Contains(",crossbars,cell_utilisation,fidelity,") &&
                         Catch::Contains(",slicing,expansion,conversions_per_mac_full_rows,"));
    std::getline(lines, line);
    return line;
  };
  // The first convolution of the baseline: two windows of 27 weights x 16 filters x 4 slices in 128 x 128 cells.
  CHECK_THAT(first_layer({"--system", "isaac_raella"}),
             Catch::Contains("," + config::format_real(2.0 * 27 * 64 / 16384) + ",exact,") &&
                 Catch::Contains(",2-2-2-2,2,0.25,"));
  // One window in four slices of its own in 512 x 512 cells; 4 x 3 / 512 conversions a MAC.
  CHECK_THAT(first_layer({"--system", "raella", "--set", "toeplitz=false", "--set",
                          "weight_slicing={stem.conv.sum.Conv: [2, 2, 2, 2]}"}),
             Catch::Contains("," + config::format_real(27.0 * 64 / 262144) + ",sliced,") &&
                 Catch::Contains(",2-2-2-2,1,0.0234375,"));
}

TEST_CASE("costs of RAELLA follow the keys of its geometry") {
  const auto costs = [](std::vector<std::string> overrides) {
    overrides.emplace_back("technology.energy_scaling=hold");
    const Scenario scenario = scenario_with(overrides, "raella_centre_offset");
    const CostModel model = costs_of(scenario);
    const ChipBudget budget = chip_budget(model, scenario.platform.machine);
    std::vector<double> numbers{budget.chip.power_w, budget.chip.area_m2};
    for (const CostModel::Costs& component : model.components())
      for (const auto& energy : component.energy_j) numbers.push_back(energy.second);
    return numbers;
  };
  const std::vector<double> before = costs({});
  for (const char* change :
       {"chip.tiles=84", "tile.crossbar_tiles=6", "crossbars=8", "crossbar.rows=256", "crossbar.columns=256",
        "crossbar.cycle=50 ns", "crossbar.input_register=4 KiB", "adc.bits=6", "adc.rate=2.56 GS/s", "adc.converters=4",
        "edram.size=128 KiB", "edram.line=64 B", "bus.bandwidth=40.96 GB/s", "router.tiles=2",
        "router.bandwidth=9.6 GB/s", "function_unit.rate=4.8 GS/s", "function_unit.pool_rate=9.6 GS/s"}) {
    INFO(change);
    CHECK(costs({change}) != before);
  }
  // A cell of one device takes half the area of a pair: 743 x 8 tiles lose 5895 um2 each.
  CHECK(before[1] - costs({"crossbar.cell=1t1r", "encoding=biased"})[1] == Approx(743 * 8 * 5895e-12));
  // Devices of fewer bits use the lowest levels of the same device; rows are charged by the pulse; chips have no links.
  for (const char* neutral : {"crossbar.cell_bits=2", "dac.bits=2", "hypertransport.links=2"}) {
    INFO(neutral);
    CHECK(costs({neutral}) == before);
  }
}

TEST_CASE("machines are compared per the area that their systems say, and the tables say so") {
  // The invented throughput is 50 000 a second: / 600 mm2 = 83.33, whatever the parts count to.
  const TemporaryFolder folder;
  Comparison comparison{{"isaac_raella", "raella"}, {"resnet20_shapes"}, {}};
  for (const std::string& system : comparison.contenders) {
    std::vector<std::string> run{"run",          "--system", system,  "--network",        "resnet20_shapes",
                                 "--inferences", "4",        "--out", folder.path(system)};
    if (system == "raella") run.insert(run.end(), {"--set", "weight_slicing=[4, 2, 2]"});
    REQUIRE(run_program(run).exit_code == 0);
    comparison.runs.push_back(read_run(folder.path(system)));
    CHECK(comparison.runs.back()[Measure::kThroughputPerArea].value() == Approx(50'000.0 / 600.0));
  }
  const ComparedRun& raella = comparison.runs[1];
  CHECK(raella[Measure::kArea].value() == Approx(494.838));
  CHECK(raella[Measure::kConversionsPerMacFullRows].value() == Approx(9.0 / 512));
  CHECK(raella[Measure::kSumsInRange].value() == 1.0);
  CHECK(!raella[Measure::kSpeculationsRight]);
  CHECK(ratio(comparison, Ratio::kArea, "raella", "resnet20_shapes").value() == Approx(1.0));
  CHECK(ratio(comparison, Ratio::kSpeedUpEqualArea, "raella", "resnet20_shapes").value() == Approx(1.0));
  CHECK(notes(comparison) == std::vector<std::string>{"figures per area of isaac_raella take a chip as 600 mm2, as "
                                                      "`chip.area` says; its parts add up to 478 mm2",
                                                      "figures per area of raella take a chip as 600 mm2, as "
                                                      "`chip.area` says; its parts add up to 495 mm2"});
  std::ostringstream text;
  write_comparison(text, comparison, true);
  CHECK_THAT(text.str(), Catch::Contains("area to compare by") && Catch::Contains("on fully used rows"));
  // Two chips take twice the area; speculations are right where they have not failed.
  auto summary = nlohmann::json::parse(text_of(folder.path("raella/summary.json")));
  summary["speculations"] = 200;
  summary["speculation_failures"] = 5;
  folder.write("raella/summary.json", summary.dump());
  CHECK(read_run(folder.path("raella"))[Measure::kSpeculationsRight].value() == 0.975);
  const auto two = nlohmann::json::parse(run_program({"run", "--system", "isaac_raella", "--network", "resnet20_shapes",
                                                      "--inferences", "2", "--set", "chips=2", "--json"})
                                             .out);
  CHECK(two["comparison_area_mm2"].get<double>() == Approx(1200.0));
}

TEST_CASE("memory of replicas with conductances of their own is known beforehand, and refused where it is missing") {
  dnn::GraphBuilder net("one_layer");
  net.output(net.convolution(net.input({8, 8, 4}), 4, dnn::square_window(1)));
  const dnn::Graph graph = net.build();
  const auto bytes = [&](const std::string& system, std::vector<std::string> overrides, int* replicas = nullptr) {
    overrides.push_back("fidelity=noisy");
    const Machine machine = machine_of(system, overrides);
    const mapping::Program planned = mapping::plan(graph, machine);
    if (replicas != nullptr) *replicas = planned.layers[0].replicas;
    const std::uint64_t needed = noisy_array_bytes(planned, graph, machine), rest = std::uint64_t{1} << 30;
    CHECK_NOTHROW(check_noisy_memory(planned, graph, machine, needed == 0 ? 0 : rest + needed));
    if (needed > 0) CHECK_THROWS_AS(check_noisy_memory(planned, graph, machine, rest + needed - 1), InputError);
    return needed;
  };
  // 4 rows of 4 filters of 3 slices: 48 cells of one byte, a product of two and, to recover, columns of two.
  const std::string slices = "weight_slicing=[4, 2, 2]", spread = "noise.conductance_spread=0.1";
  const std::vector<std::string> one = {slices, spread, "replication=none", "toeplitz=false"};
  const auto with = [&](const char* more) {
    std::vector<std::string> all = one;
    all.push_back(more);
    return all;
  };
  CHECK(bytes("raella", one) == 48 * 5);
  CHECK(bytes("raella", with("speculation=false")) == 48 * 3);
  CHECK(bytes("raella", with("noise.proportional_noise=0.1")) == 48 * 9);
  CHECK(bytes("raella", with("noise.conductance_spread=0")) == 0);
  int replicas = 0;
  const std::uint64_t greedy = bytes("raella", {slices, spread, "toeplitz=false", "replication=greedy"}, &replicas);
  CHECK(greedy == 48u * 5u * unsigned(replicas));
  CHECK(replicas > 1);
  // 4 slices of 2 bits: 64 cells of a quarter of a byte and a product.
  CHECK(bytes("isaac_8b", {spread, "replication=none"}) == 64 * 18 / 8);
  CHECK(available_memory_bytes() > (std::uint64_t{1} << 20));
  CHECK(available_memory_bytes() < (std::uint64_t{1} << 50));
}
