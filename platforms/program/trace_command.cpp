// SPDX-License-Identifier: Apache-2.0
// `mho trace`: runs a scenario and keeps what went into chosen layers, as a folder that a scenario's `trace` replays.
// The inputs of these layers become outputs of the network, so the machine itself puts them into main memory; times of
// such a run are not those of the scenario and are not reported.
#include <algorithm>
#include <ostream>
#include <set>
#include <stdexcept>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/input_error.h"
#include "platforms/config/writer.h"
#include "platforms/observe/column_sum_histograms.h"
#include "platforms/program/commands.h"
#include "platforms/program/progress_bar.h"
#include "platforms/program/slicing_progress.h"
#include "platforms/report/run_folder.h"
#include "platforms/scenario/layer_trace.h"
#include "platforms/scenario/workload.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

constexpr std::size_t kLongestName = 100;  ///< of a file, extension and number apart

/// What a converter would see exists only where every slice is computed.
void refuse_histograms_without_sums(const Command& command, const Scenario& scenario) {
  const mapping::Fidelity fidelity = scenario.platform.machine.fidelity;
  if (!command.histograms || fidelity == mapping::Fidelity::kSliced || fidelity == mapping::Fidelity::kNoisy) return;
  throw InputError("mho trace --histograms", 0, 0,
                   "an exact layer is computed by integer products, no column sums reach its converters",
                   "`--set fidelity=sliced`, which gives the same outputs");
}

std::vector<int> chosen_layers(const Command& command, const dnn::Graph& graph) {
  std::vector<LayerName> names;
  for (const std::string& layer : command.layers) names.push_back({layer, config::Position("--layers")});
  const std::vector<int> nodes = names.empty() ? weighted_layers(graph) : weighted_layers(names, graph, "layers");
  if (nodes.empty()) throw InputError(graph.name, 0, 0, "has no layers with weights", "a network with convolutions");
  return nodes;
}

RunRecord simulate(const PlatformConfig& config, const Workload& workload, const Surroundings& surroundings) {
  ProgressBar bar(*surroundings.err, surroundings.err_is_terminal);
  const Progress progress = [&bar](std::uint64_t done, std::uint64_t all) { bar.update(done, all); };
  const Simulate& run = surroundings.simulate ? surroundings.simulate : run_platform;
  return run(config, workload.graph, workload.inputs, progress, nullptr);
}

/// Codes of a graph input or graph output in all inferences.
std::vector<std::vector<std::uint8_t>> codes_of(int tensor, const Workload& workload, const RunRecord& record) {
  const auto place_in = [tensor](const std::vector<int>& list) {
    return std::size_t(std::find(list.begin(), list.end(), tensor) - list.begin());
  };
  const std::size_t output = place_in(workload.graph.outputs), input = place_in(workload.graph.inputs);
  std::vector<std::vector<std::uint8_t>> codes;
  if (output < workload.graph.outputs.size())
    codes = record.outputs.at(output);
  else
    for (const auto& inputs : workload.inputs) codes.push_back(inputs.at(input));
  if (codes.size() != workload.inputs.size()) throw std::runtime_error("the platform's record lacks inferences");
  return codes;
}

/// Files of one folder have different names, and none of them is too long.
std::string unique_file(const std::string& layer, const std::string& extension, std::set<std::string>& taken) {
  const std::string stem = file_name_of(layer).substr(0, kLongestName);
  std::string name = stem + extension;
  for (int i = 2; !taken.insert(name).second; ++i) name = stem + '-' + std::to_string(i) + extension;
  return name;
}

TraceFile finished_file(const RunFolder& folder, const std::string& name) {
  const std::optional<std::uint32_t> crc32 = crc32_of(folder.file(name));
  if (!crc32) throw std::runtime_error("cannot read " + folder.file(name) + ", which was just written");
  return {name, *crc32};
}

/// Writes what belongs to one layer.
TracedLayer write_layer(const RunFolder& folder, const Workload& workload, const RunRecord& record, int index,
                        const LayerSums* sums, std::set<std::string>& taken) {
  const dnn::Node& node = workload.graph.nodes[std::size_t(index)];
  const dnn::Tensor& input = workload.graph.input_of(node);
  TracedLayer layer;
  layer.name = layer.node = node.name;
  layer.op = dnn::is_fully_connected(workload.graph, node) ? "fully_connected" : dnn::name_of(node.op);
  const dnn::OnnxTensor tensor = dnn::from_codes(codes_of(node.inputs.front(), workload, record), input);
  const std::string file = unique_file(node.name, ".pb", taken);
  dnn::write_tensor(folder.file(file), tensor);
  layer.tensor = finished_file(folder, file);
  layer.dims = tensor.dims;
  layer.type = input.type == dnn::CodeType::kUint8 ? "uint8" : "int8";
  layer.scale = input.scale;
  layer.zero_point = input.zero_point;
  if (sums == nullptr) return layer;
  const std::string table = unique_file(node.name, ".sums.csv", taken);
  folder.write(table, to_csv(*sums));
  layer.sums = finished_file(folder, table);
  return layer;
}

std::string shape_text(const TracedLayer& layer) {
  std::string text = layer.type + " [";
  for (const std::int64_t extent : layer.dims) text += (text.back() == '[' ? "" : ", ") + std::to_string(extent);
  return text + "]";
}

void write_text(std::ostream& out, const TraceIndex& index, const Command& command) {
  TextTable table({Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft});
  table.add({"layer", "", "inputs", "file"});
  for (const TracedLayer& layer : index.layers)
    table.add({printable(layer.name, 40), layer.op, shape_text(layer), layer.tensor.name});
  table.write(out);
  out << count_of(index.layers.size(), "layer") << " of " << printable(index.network, 200) << ", "
      << count_of(std::uint64_t(index.inferences), "inference") << ", are in " << command.out
      << ". A scenario replays them with `trace: " << printable(command.out, 200) << "`.\n";
}

}  // namespace

void trace_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings) {
  Scenario scenario = load_scenario(command.scenario, files);
  refuse_histograms_without_sums(command, scenario);
  Workload workload = load_workload(scenario);
  settle_weight_slicing(scenario, workload, surroundings);
  const std::vector<int> nodes = chosen_layers(command, workload.graph);
  require_new_folder(command.out);
  RunFolder folder(command.out);
  add_inputs_to_outputs(workload.graph, nodes);
  ColumnSumHistograms histograms({nodes.begin(), nodes.end()});
  scenario.platform.approximate_timing.nodes = workload.timed_nodes;
  scenario.platform.observe = {};  // a trace is all that is kept
  if (command.histograms) scenario.platform.observe.column_sums = &histograms;
  const RunRecord record = simulate(scenario.platform, workload, surroundings);
  TraceIndex index;
  index.network = scenario.network;
  index.seed = scenario.seed;
  index.inferences = std::int64_t(workload.inputs.size());
  std::set<std::string> taken;
  for (const int node : nodes)
    index.layers.push_back(write_layer(folder, workload, record, node, histograms.of(node), taken));
  folder.write(kTraceIndex, to_yaml(index));
  folder.write("effective.yaml", config::write_yaml(scenario.effective));
  folder.commit();
  write_text(*surroundings.out, index, command);
}

}  // namespace mho
