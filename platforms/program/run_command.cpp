// SPDX-License-Identifier: Apache-2.0
// `mho run`: scenario to simulation to reports. The folder for results is made before the simulation starts.
#include <memory>
#include <ostream>
#include <stdexcept>

#include "models/dnn/onnx/onnx_reader.h"
#include "platforms/config/writer.h"
#include "platforms/program/commands.h"
#include "platforms/program/progress_bar.h"
#include "platforms/report/pace_report.h"
#include "platforms/report/run_folder.h"
#include "platforms/report/text_report.h"

namespace mho {
namespace {

/// A name of a tensor as the name of a file.
std::string file_name(const std::string& tensor) {
  std::string name;
  for (const char c : tensor) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    name += plain ? c : '_';
  }
  return name.empty() || name.front() == '.' ? "_" + name : name;
}

void write_outputs(const RunFolder& folder, const Workload& workload, const RunRecord& record) {
  for (std::size_t i = 0; i < record.outputs.size(); ++i) {
    const dnn::Tensor& tensor = workload.graph.tensors[std::size_t(workload.graph.outputs[i])];
    dnn::write_tensor(folder.file("outputs/" + file_name(tensor.name) + ".pb"),
                      dnn::from_codes(record.outputs[i], tensor));
  }
}

RunRecord simulate(const Scenario& scenario, const Workload& workload, const Surroundings& surroundings) {
  ProgressBar bar(*surroundings.err, surroundings.err_is_terminal);
  const Progress progress = [&bar](std::uint64_t done, std::uint64_t all) { bar.update(done, all); };
  if (surroundings.simulate) return surroundings.simulate(scenario.platform, workload.graph, workload.inputs, progress);
  return run_platform(scenario.platform, workload.graph, workload.inputs, progress);
}

/// A record that the reports below may index without looking.
void check_record(const RunRecord& record, const Workload& workload) {
  if (record.inferences != workload.inputs.size() || record.completions_s.size() != workload.inputs.size() ||
      record.outputs.size() != workload.graph.outputs.size() || record.nodes.size() != workload.graph.nodes.size() ||
      record.ledger.nodes() != workload.graph.nodes.size())
    throw std::runtime_error("the platform's record does not fit the network");
  for (std::size_t i = 0; i < record.outputs.size(); ++i) {
    const std::size_t bytes = workload.graph.tensors[std::size_t(workload.graph.outputs[i])].shape.bytes();
    if (record.outputs[i].size() != workload.inputs.size())
      throw std::runtime_error("the platform's record lacks outputs");
    for (const auto& codes : record.outputs[i])
      if (codes.size() != bytes) throw std::runtime_error("an output of the platform has the wrong size");
  }
}

}  // namespace

void run_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings) {
  const Scenario scenario = load_scenario(command.scenario, files);
  const Workload workload = load_workload(scenario);
  const mapping::Machine& machine = scenario.platform.machine;
  const CostModel costs(scenario.technology, machine);
  const auto folder = command.out.empty() ? nullptr : std::make_unique<RunFolder>(command.out);
  const RunRecord record = simulate(scenario, workload, surroundings);
  check_record(record, workload);
  const EnergyReport energy = energy_report(record.ledger, costs, machine, record.program.chips, record.simulated_s);
  const Summary summary = summarise(scenario, workload, record, costs, energy);
  const std::vector<LayerRow> rows = layer_rows(scenario, workload, record, energy);
  if (folder) {
    folder->write("summary.json", to_json(summary));
    folder->write("layers.csv", to_csv(rows, energy.components));
    folder->write("effective.yaml", config::write_yaml(scenario.effective));
    write_outputs(*folder, workload, record);
    folder->commit();
  }
  if (command.json) {
    *surroundings.out << to_json(summary);
    return;
  }
  write_text_report(*surroundings.out, summary, rows, record.simulated_s);
  if (command.report) write_layer_table(*surroundings.out, rows);
  if (folder) *surroundings.out << "Results are in " << command.out << ".\n";
}

}  // namespace mho
