// SPDX-License-Identifier: Apache-2.0
// Gathers the rows from program, timing, counts and energy.
#include "platforms/report/layer_rows.h"

#include <algorithm>

#include "models/mapping/block_layout.h"
#include "platforms/report/summary.h"

namespace mho {
namespace {

void add_energy(LayerRow& row, const std::vector<double>& of_run, double inferences) {
  for (const double joules : of_run) {
    row.energy_j.push_back(joules / inferences);
    row.total_energy_j += row.energy_j.back();
  }
}

/// What a layer recovers depends on its data, so the share of recoveries is that of the run.
double full_rows(const LayerRow& row, const mapping::LayerPlan& plan, const mapping::Machine& machine) {
  using observe::Action;
  const double recovered = double(row.counts[Action::kRecoveryConversions]);
  const double whole = double(row.counts[Action::kConversions]) - recovered;
  const double again = whole > 0.0 ? recovered / whole : 0.0;
  return plan.weight_slicing.count() * arithmetic::count_cycles(plan.stream).whole * (1.0 + again) /
         machine.crossbar.rows;
}

/// Placement of a weighted layer. Groups are packed block-diagonally, so the cells that hold weights are the layer's
/// weights times their slices, whatever the blocks look like.
void add_plan(LayerRow& row, const mapping::LayerPlan& plan, const Workload& workload,
              const mapping::Machine& machine) {
  const dnn::Node& node = workload.graph.nodes[std::size_t(plan.node)];
  row.replicas = plan.replicas;
  for (const mapping::Placement& placement : plan.placements) row.crossbars += std::uint64_t(placement.crossbars);
  const double weights = double(dnn::dot_length(workload.graph, node)) * dnn::filters_of(workload.graph, node);
  const double cells = double(row.crossbars) * machine.crossbar.rows * machine.crossbar.columns;
  const double copies = double(plan.replicas) * plan.expansion;
  row.cell_utilisation = cells > 0.0 ? weights * plan.weight_slicing.count() * copies / cells : 0.0;
  row.fidelity = plan.lossless ? "exact" : machine.fidelity == mapping::Fidelity::kNoisy ? "noisy" : "sliced";
  row.slicing = slicing_text(plan.weight_slicing.widths());
  row.expansion = plan.expansion;
  row.conversions_per_mac_full_rows = full_rows(row, plan, machine);
}

LayerRow node_row(const Workload& workload, std::size_t index, const RunRecord& record) {
  const dnn::Node& node = workload.graph.nodes[index];
  const dnn::Shape& output = workload.graph.output_of(node).shape;
  LayerRow row;
  row.name = node.name;
  row.op = dnn::is_fully_connected(workload.graph, node) ? "fully_connected" : dnn::name_of(node.op);
  row.windows = std::uint64_t(output.height) * std::uint64_t(output.width);
  row.macs = dnn::macs(workload.graph, node);
  row.digital_macs = dnn::digital_macs(workload.graph, node);
  row.fidelity = "digital";
  row.counts = record.ledger.of(int(index));
  if (index < record.nodes.size()) row.timing = record.nodes[index];
  return row;
}

}  // namespace

std::string slicing_text(const std::vector<int>& widths) {
  std::string text;
  for (const int width : widths) text += (text.empty() ? "" : "-") + std::to_string(width);
  return text;
}

double busy_per_inference(double busy_s, std::uint64_t inferences, int replicas, int vectors) {
  const double share = double(std::min(replicas, vectors)) / std::max(replicas, 1);
  return busy_s * share / double(std::max<std::uint64_t>(inferences, 1));
}

std::vector<LayerRow> layer_rows(const Scenario& scenario, const Workload& workload, const RunRecord& record,
                                 const EnergyReport& energy) {
  const double inferences = double(std::max<std::uint64_t>(record.inferences, 1));
  const double interval = steady_latency(record.completions_s).value_or(record.simulated_s / inferences);
  std::vector<LayerRow> rows;
  for (std::size_t i = 0; i < workload.graph.nodes.size(); ++i) {
    rows.push_back(node_row(workload, i, record));
    LayerRow& row = rows.back();
    for (const mapping::LayerPlan& plan : record.program.layers)
      if (plan.node == int(i)) add_plan(row, plan, workload, scenario.platform.machine);
    const int width = workload.graph.output_of(workload.graph.nodes[i]).shape.width;
    row.time_per_inference_s = busy_per_inference(row.timing.busy_s, record.inferences, row.replicas,
                                                  mapping::vectors_of_row(width, row.expansion));
    row.utilisation = interval > 0.0 ? row.time_per_inference_s / interval : 0.0;
    if (i < energy.nodes.size()) add_energy(row, energy.nodes[i], inferences);
  }
  LayerRow machine;
  machine.name = "(machine)";
  machine.op = "none";
  machine.fidelity = "digital";
  machine.counts = record.ledger.of(-1);
  add_energy(machine, energy.machine, inferences);
  rows.push_back(std::move(machine));
  return rows;
}

}  // namespace mho
