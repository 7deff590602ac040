// SPDX-License-Identifier: Apache-2.0
// Counts times figures.
#include "platforms/cost/energy_report.h"

#include <numeric>

#include "platforms/cost/chip_budget.h"

namespace mho {

std::vector<double> energy_of(const observe::Counts& counts, const CostModel& costs) {
  std::vector<double> energy;
  for (const CostModel::Costs& component : costs.components()) {
    double sum = 0.0;
    for (const auto& [action, joules] : component.energy_j) sum += double(counts[action]) * joules;
    energy.push_back(sum);
  }
  return energy;
}

double total_energy_of(const observe::Counts& counts, const CostModel& costs) {
  const std::vector<double> energy = energy_of(counts, costs);
  return std::accumulate(energy.begin(), energy.end(), 0.0);
}

EnergyReport energy_report(const observe::Ledger& ledger, const CostModel& costs, const mapping::Machine& machine,
                           int chips, double time_s) {
  EnergyReport report;
  for (std::size_t node = 0; node < ledger.nodes(); ++node)
    report.nodes.push_back(energy_of(ledger.of(int(node)), costs));
  report.machine = energy_of(ledger.of(-1), costs);
  for (std::size_t i = 0; i < costs.components().size(); ++i) {
    const CostModel::Costs& component = costs.components()[i];
    report.components.push_back(component.name);
    report.machine[i] += leakage_w(component, machine, chips) * time_s;
    double sum = report.machine[i];
    for (const std::vector<double>& node : report.nodes) sum += node[i];
    report.components_j.push_back(sum);
    report.total_j += sum;
  }
  return report;
}

}  // namespace mho
