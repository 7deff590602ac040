// SPDX-License-Identifier: Apache-2.0
// Derives the figures of a run.
#include "platforms/report/summary.h"

#include <sys/resource.h>

#include <algorithm>
#include <numeric>

#include "platforms/cost/chip_budget.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

using observe::Action;

std::uint64_t peak_memory_bytes() {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? std::uint64_t(usage.ru_maxrss) * 1024 : 0;
}

void add_accuracy(Summary& s, const Workload& workload, const RunRecord& record) {
  if (workload.labels.empty()) return;
  const dnn::CodeType type = workload.graph.tensors[std::size_t(workload.graph.outputs.front())].type;
  s.accuracy_top1 = accuracy(record.outputs.front(), type, workload.labels, 1);
  s.accuracy_top5 = accuracy(record.outputs.front(), type, workload.labels, 5);
}

void add_counts(Summary& s, const Workload& workload, const RunRecord& record) {
  const observe::Counts run = record.ledger.total();
  s.macs = dnn::macs(workload.graph) * record.inferences;
  for (const dnn::Node& node : workload.graph.nodes)
    s.digital_macs += dnn::digital_macs(workload.graph, node) * record.inferences;
  s.adc_conversions = run[Action::kConversions];
  s.adc_unit_conversions = run[Action::kUnitConversions];
  s.adc_conversions_per_mac = s.macs == 0 ? 0.0 : double(s.adc_conversions) / double(s.macs);
  s.adc_saturations = run[Action::kSaturations];
  s.speculations = run[Action::kSpeculations];
  s.speculation_failures = run[Action::kSpeculationFailures];
  s.recovery_conversions = run[Action::kRecoveryConversions];
  const std::uint64_t whole = s.adc_conversions + s.adc_unit_conversions - s.recovery_conversions;
  if (whole > 0) s.sums_in_range = 1.0 - double(run[Action::kOutOfRange]) / double(whole);
  s.cell_write_steps = run[Action::kCellWriteSteps] + record.programming.total()[Action::kCellWriteSteps];
  s.crossbars_used = record.program.crossbars_used;
  s.crossbars_total = record.program.crossbars_total;
}

void add_layers(Summary& s, const std::vector<LayerRow>& rows) {
  double macs = 0.0, conversions = 0.0;
  for (const LayerRow& row : rows) {
    if (row.slicing.empty()) continue;
    macs += double(row.macs);
    conversions += double(row.macs) * row.conversions_per_mac_full_rows;
    const auto same = [&row](const std::pair<std::string, int>& known) { return known.first == row.slicing; };
    const auto found = std::find_if(s.weight_slicings.begin(), s.weight_slicings.end(), same);
    if (found == s.weight_slicings.end())
      s.weight_slicings.emplace_back(row.slicing, 1);
    else
      ++found->second;
  }
  std::stable_sort(s.weight_slicings.begin(), s.weight_slicings.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (macs > 0.0) s.adc_conversions_per_mac_full_rows = conversions / macs;
}

void add_costs(Summary& s, const Scenario& scenario, const RunRecord& record, const CostModel& costs,
               const EnergyReport& energy) {
  const mapping::Machine& machine = scenario.platform.machine;
  const ChipBudget budget = chip_budget(costs, machine);
  const double inferences = double(std::max<std::uint64_t>(record.inferences, 1));
  s.chips = record.program.chips;
  s.area_mm2 = budget.chip.area_m2 * 1e6 * s.chips;
  s.comparison_area_mm2 = scenario.chip_area_m2 ? *scenario.chip_area_m2 * 1e6 * s.chips : s.area_mm2;
  s.power_w = budget.chip.power_w * s.chips;
  s.energy_per_inference_j = energy.total_j / inferences;
  for (std::size_t i = 0; i < energy.components.size(); ++i)
    s.energy_breakdown_j.emplace_back(energy.components[i], energy.components_j[i] / inferences);
  s.average_power_w = record.simulated_s > 0.0 ? energy.total_j / record.simulated_s : 0.0;
  s.programming_energy_j = energy_report(record.programming, costs, machine, s.chips, record.programming_s).total_j;
}

double approximate_rows(const RunRecord& record) {
  double rows = 0.0;
  for (const ModuleStatistic& statistic : record.statistics)
    if (statistic.name == "approximate_rows") rows += statistic.value;
  return rows;
}

}  // namespace

std::optional<double> steady_latency(const std::vector<double>& completions_s) {
  if (completions_s.size() < 2) return std::nullopt;
  const std::size_t before = std::max<std::size_t>(completions_s.size() / 2, 1) - 1;
  return (completions_s.back() - completions_s[before]) / double(completions_s.size() - 1 - before);
}

Summary summarise(const Scenario& scenario, const Workload& workload, const RunRecord& record, const CostModel& costs,
                  const EnergyReport& energy, const std::vector<LayerRow>& rows) {
  Summary s;
  s.scenario = scenario.name;
  s.system = scenario.platform.machine.name;
  s.network = scenario.network;
  s.seed = scenario.seed;
  s.inferences = record.inferences;
  add_accuracy(s, workload, record);
  s.latency_s = record.completions_s.empty() ? 0.0 : record.completions_s.front();
  s.steady_latency_s = steady_latency(record.completions_s);
  if (s.steady_latency_s && *s.steady_latency_s > 0.0) s.throughput_per_s = 1.0 / *s.steady_latency_s;
  add_costs(s, scenario, record, costs, energy);
  add_counts(s, workload, record);
  add_layers(s, rows);
  s.output_mean_abs_error = output_mean_abs_error(workload, record.outputs);
  s.programming_time_s = record.programming_s;
  s.wall_time_s = record.wall_time_s;
  s.compile_time_s = record.compile_time_s;
  s.host_peak_memory_bytes = peak_memory_bytes();
  s.notes = costs.notes();
  if (scenario.trace)
    s.notes.push_back(count_of(workload.graph.nodes.size(), "layer") +
                      " of the network, each by itself on recorded inputs");
  if (workload.synthetic)
    s.notes.push_back("inputs are random codes: counts that depend on data are not those of real inputs");
  if (scenario.platform.approximate_timing.enabled && approximate_rows(record) == 0.0)
    s.notes.push_back("no row was approximately timed: none was selected");
  if (!s.steady_latency_s) s.notes.push_back("one inference has no interval: no throughput");
  return s;
}

}  // namespace mho
