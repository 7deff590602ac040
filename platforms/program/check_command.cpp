// SPDX-License-Identifier: Apache-2.0
// `mho check`: all that can go wrong before a simulation, and the placement that would be simulated.
#include <ostream>

#include "platforms/config/quantity.h"
#include "platforms/cost/chip_budget.h"
#include "platforms/program/commands.h"
#include "platforms/program/slicing_progress.h"
#include "platforms/report/layer_rows.h"
#include "platforms/scenario/workload.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

using config::Quantity;

void write_layers(std::ostream& out, const mapping::Program& program, const dnn::Graph& graph, bool noisy) {
  TextTable table({Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                   Align::kRight, Align::kLeft});
  table.add({"layer", "windows", "at once", "slices", "row blocks", "replicas", "crossbars", "arithmetic"});
  for (const mapping::LayerPlan& plan : program.layers) {
    const dnn::Node& node = graph.nodes[std::size_t(plan.node)];
    const dnn::Shape& shape = graph.output_of(node).shape;
    std::uint64_t crossbars = 0;
    for (const mapping::Placement& placement : plan.placements) crossbars += std::uint64_t(placement.crossbars);
    table.add({printable(node.name, 40), grouped(std::uint64_t(shape.height) * std::uint64_t(shape.width)),
               std::to_string(plan.expansion), slicing_text(plan.weight_slicing.widths()), grouped(plan.blocks.size()),
               grouped(std::uint64_t(plan.replicas)), grouped(crossbars),
               noisy           ? "noisy"
               : plan.lossless ? "exact"
                               : "sliced: " + printable(plan.loss, 120)});
  }
  table.write(out);
}

void write_fit(std::ostream& out, const Scenario& scenario, const Workload& workload, const mapping::Program& program,
               const ChipBudget& chip) {
  const double chips = program.chips;
  TextTable table({Align::kLeft, Align::kLeft});
  table.add({"network", count_of(workload.graph.nodes.size(), "node") + ", " +
                            count_of(dnn::macs(workload.graph), "multiply-accumulate") + " an inference"});
  table.add({"inputs", (workload.synthetic ? "synthetic, " : "") + count_of(workload.inputs.size(), "inference") +
                           (workload.labels.empty() ? ", no labels" : ", labelled")});
  table.add({"machine", count_of(std::uint64_t(program.chips), "chip") + ", " +
                            config::format_engineering(chips * chip.chip.area_m2, Quantity::area) + ", " +
                            config::format_engineering(chips * chip.chip.power_w, Quantity::power) + ", peak " +
                            config::format_real(
                                std::int64_t(chips * peak_ops_per_s(scenario.platform.machine) * 1e-10 + 0.5) / 100.0) +
                            " TOPS"});
  table.add(
      {"crossbars", grouped(program.crossbars_used) + " of " + grouped(program.crossbars_total) + " hold weights"});
  table.write(out);
}

}  // namespace

void check_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings) {
  std::ostream& out = *surroundings.out;
  Scenario scenario = load_scenario(command.scenario, files);
  const Workload workload = load_workload(scenario);
  settle_weight_slicing(scenario, workload, surroundings);
  const mapping::Machine& machine = scenario.platform.machine;
  const CostModel costs(scenario.technology, machine);
  // Levels are only looked at, layer by layer.
  const mapping::Program program = mapping::encode(mapping::plan(workload.graph, machine), workload.graph, machine,
                                                   [](const mapping::Program&, const mapping::LayerPlan&) {});
  const std::string what = scenario.network + " on " + machine.name;
  if (scenario.name != what) out << printable(scenario.name, 200) << ": ";
  out << printable(what, 400) << "\n\n";
  write_fit(out, scenario, workload, program, chip_budget(costs, machine));
  out << "\nPlacement\n";
  write_layers(out, program, workload.graph, machine.fidelity == mapping::Fidelity::kNoisy);
  if (!costs.notes().empty()) out << "\nNotes\n";
  for (const std::string& note : costs.notes()) out << "  - " << printable(note, 1000) << '\n';
  if (command.report) mapping::print(out << '\n', program, machine);
}

}  // namespace mho
