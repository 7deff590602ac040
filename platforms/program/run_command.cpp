// SPDX-License-Identifier: Apache-2.0
// `mho run`: scenario to simulation to reports. The folder for results is made before the simulation starts.
#include <filesystem>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <system_error>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/input_error.h"
#include "models/observe/transaction_log.h"
#include "platforms/config/writer.h"
#include "platforms/program/commands.h"
#include "platforms/program/progress_bar.h"
#include "platforms/program/slicing_progress.h"
#include "platforms/report/pace_report.h"
#include "platforms/report/run_folder.h"
#include "platforms/report/statistics_csv.h"
#include "platforms/report/text_report.h"

namespace mho {
namespace {

void write_outputs(const RunFolder& folder, const Workload& workload, const RunRecord& record) {
  for (std::size_t i = 0; i < record.outputs.size(); ++i) {
    const dnn::Tensor& tensor = workload.graph.tensors[std::size_t(workload.graph.outputs[i])];
    dnn::write_tensor(folder.file("outputs/" + file_name_of(tensor.name) + ".pb"),
                      dnn::from_codes(record.outputs[i], tensor));
  }
}

RunRecord simulate(const Scenario& scenario, const Workload& workload, const Surroundings& surroundings,
                   observe::Recorder* recorder) {
  ProgressBar bar(*surroundings.err, surroundings.err_is_terminal);
  const Progress progress = [&bar](std::uint64_t done, std::uint64_t all) { bar.update(done, all); };
  const Simulate& run = surroundings.simulate ? surroundings.simulate : run_platform;
  return run(scenario.platform, workload.graph, workload.inputs, progress, recorder);
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

void refuse_records_without_folder(const ObserveConfig& observe) {
  if (observe.log)
    throw InputError("mho run", 0, 0, "`observe.log` is true and there is no folder for transactions.bin",
                     "`--out DIR`, or `--set observe.log=false`");
  if (!observe.waves.empty())
    throw InputError("mho run", 0, 0, "`observe.waves` names waves and there is no folder for wave.vcd",
                     "`--out DIR`, or `--set observe.waves=none`");
}

/// What a run leaves behind, its recordings among it.
struct Results {
  std::unique_ptr<RunFolder> folder;
  std::unique_ptr<observe::TransactionLog> log;
};

Results open_results(const Command& command, ObserveConfig& observe) {
  Results results;
  if (command.out.empty()) return results;
  results.folder = std::make_unique<RunFolder>(command.out);
  if (!observe.waves.empty()) observe.wave_path = results.folder->file("wave.vcd");
  if (observe.log) results.log = std::make_unique<observe::TransactionLog>(results.folder->file("transactions.bin"));
  return results;
}

/// A run has failed. Returns where its recordings are, empty if there are none.
std::string keep_recordings(Results& results, const ObserveConfig& observe) {
  std::error_code error;
  const bool recorded =
      (results.log && results.log->records() > 0) || std::filesystem::exists(observe.wave_path, error);
  results.log.reset();
  return recorded ? results.folder->keep_failed() : "";
}

void run_and_report(const Command& command, const Scenario& scenario, const Workload& workload, const CostModel& costs,
                    Results& results, const Surroundings& surroundings) {
  const mapping::Machine& machine = scenario.platform.machine;
  const RunRecord record = simulate(scenario, workload, surroundings, results.log.get());
  if (results.log) results.log->close();
  check_record(record, workload);
  const EnergyReport energy = energy_report(record.ledger, costs, machine, record.program.chips, record.simulated_s);
  const std::vector<LayerRow> rows = layer_rows(scenario, workload, record, energy);
  const Summary summary = summarise(scenario, workload, record, costs, energy, rows);
  if (RunFolder* const folder = results.folder.get(); folder != nullptr) {
    folder->write("summary.json", to_json(summary));
    folder->write("layers.csv", to_csv(rows, energy.components));
    folder->write("effective.yaml", config::write_yaml(scenario.effective));
    folder->write("statistics.csv", to_csv(record.statistics));
    write_outputs(*folder, workload, record);
    folder->commit();
  }
  if (command.json) {
    *surroundings.out << to_json(summary);
    return;
  }
  write_text_report(*surroundings.out, summary, rows, record.simulated_s);
  if (command.report) write_layer_table(*surroundings.out, rows);
  if (results.folder) *surroundings.out << "Results are in " << command.out << ".\n";
}

}  // namespace

void run_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings) {
  Scenario scenario = load_scenario(command.scenario, files);
  if (command.out.empty()) refuse_records_without_folder(scenario.platform.observe);
  Workload workload = load_workload(scenario);
  settle_weight_slicing(scenario, workload, surroundings);
  scenario.platform.approximate_timing.nodes = workload.timed_nodes;
  const CostModel costs(scenario.technology, scenario.platform.machine);
  scenario.platform.observe.energy_j = [&costs](const observe::Counts& counts) {
    return total_energy_of(counts, costs);
  };
  Results results = open_results(command, scenario.platform.observe);
  workload.expected = std::make_unique<ExpectedOutputs>(workload.graph, workload.inputs);
  try {
    run_and_report(command, scenario, workload, costs, results, surroundings);
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& error) {
    // The simulation may only have ended because the log's disk is full.
    if (results.log && results.log->failed()) results.log->close();
    const std::string kept = keep_recordings(results, scenario.platform.observe);
    if (kept.empty()) throw;
    throw std::runtime_error(std::string(error.what()) + "; what was recorded until then is in " + kept);
  }
}

}  // namespace mho
