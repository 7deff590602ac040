// SPDX-License-Identifier: Apache-2.0
// Counts times energies, and that nothing is lost between actions, nodes, components and totals.
#include <catch2/catch.hpp>
#include <numeric>

#include "platforms/cost/energy_report.h"

using namespace mho;
using observe::Action;

namespace {

/// Converters at 2 pJ a conversion, drivers at 1 pJ a drive, and 3 mW of leakage a tile.
CostModel small_costs() {
  Technology technology;
  Component adc{"adc", Component::Level::kCrossbarTile};
  adc.energy = {{Action::kConversions, Figure{2e-12}}, {Action::kUnitConversions, Figure{2e-12}}};
  Component dac{"dac", Component::Level::kCrossbarTile};
  dac.energy = {{Action::kRowDrives, Figure{1e-12}}};
  Component buffer{"edram", Component::Level::kTile};
  buffer.leakage = Figure{3e-3};
  technology.components = {adc, dac, buffer};
  return CostModel(technology, mapping::Machine{});
}

observe::Ledger small_ledger() {
  observe::Ledger ledger;
  ledger.resize(2);
  ledger.of(0)[Action::kConversions] = 100;
  ledger.of(0)[Action::kUnitConversions] = 10;
  ledger.of(1)[Action::kRowDrives] = 50;
  ledger.of(-1)[Action::kRowDrives] = 5;
  return ledger;
}

double sum(const std::vector<double>& numbers) { return std::accumulate(numbers.begin(), numbers.end(), 0.0); }

}  // namespace

TEST_CASE("energy is counts times energy per action, node by node") {
  // Node 0: 110 conversions x 2 pJ = 220 pJ. Node 1: 50 drives x 1 pJ = 50 pJ. Machine: 5 pJ.
  const EnergyReport report = energy_report(small_ledger(), small_costs(), mapping::Machine{}, 1, 0.0);
  CHECK(report.components == std::vector<std::string>{"adc", "dac", "edram"});
  CHECK(report.nodes[0][0] == Approx(220e-12));
  CHECK(report.nodes[1][1] == Approx(50e-12));
  CHECK(report.machine[1] == Approx(5e-12));
  CHECK(report.total_j == Approx(275e-12));
}

TEST_CASE("unit columns are charged like any other column") {
  observe::Counts weights, unit;
  weights[Action::kConversions] = 7;
  unit[Action::kUnitConversions] = 7;
  CHECK(energy_of(weights, small_costs()) == energy_of(unit, small_costs()));
}

TEST_CASE("static power is charged for the whole run on every part of every chip") {
  // 3 mW x 168 tiles x 2 chips x 1 us = 1.008 uJ, all of it on the machine's own row.
  const EnergyReport report = energy_report(observe::Ledger{}, small_costs(), mapping::Machine{}, 2, 1e-6);
  CHECK(report.machine[2] == Approx(1.008e-6));
  CHECK(report.total_j == Approx(1.008e-6));
}

TEST_CASE("components, nodes and total hold the same joules") {
  const EnergyReport report = energy_report(small_ledger(), small_costs(), mapping::Machine{}, 1, 1e-9);
  double of_nodes = sum(report.machine);
  for (const auto& node : report.nodes) of_nodes += sum(node);
  CHECK(sum(report.components_j) == Approx(report.total_j).epsilon(1e-12));
  CHECK(of_nodes == Approx(report.total_j).epsilon(1e-12));
}
