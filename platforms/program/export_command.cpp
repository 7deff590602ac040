// SPDX-License-Identifier: Apache-2.0
// `mho export`: a network with all its tensors as an ONNX model, beside the inputs that a run of it would take.
#include <ostream>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/onnx/onnx_writer.h"
#include "platforms/config/overrides.h"
#include "platforms/config/reader.h"
#include "platforms/program/commands.h"
#include "platforms/report/run_folder.h"
#include "platforms/scenario/network_descriptor.h"
#include "platforms/scenario/workload.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

using config::Node;
using config::Position;

constexpr std::int64_t kMostInferences = 1'000'000;

/// The one key of a scenario that `--set` may change here.
Node network_parameters(const Command& command, const NetworkDescriptor& network) {
  Node tree = Node::mapping(Position("--set"));
  config::apply_overrides(tree, command.scenario.overrides);
  config::Reader reader(std::move(tree));
  Node parameters = read_network_parameters(reader, &network);
  reader.finish();
  return parameters;
}

/// A scenario without a machine: what load_workload needs and no more.
Scenario scenario_of(const Command& command, const ScenarioFiles& files) {
  Scenario scenario;
  for (const auto& [key, value] : command.scenario.options) {
    const Node written = Node::scalar(value, false, Position("--" + key));
    if (key == "seed") scenario.seed = config::unsigned_integer().read(written, key);
    if (key == "inferences") scenario.inferences = config::integer64(1, kMostInferences).read(written, key);
  }
  const NetworkDescriptor network =
      read_network(Node::scalar(command.scenario.file, true, Position("--network")), files);
  scenario.network = network.name;
  scenario.model = network.model;
  scenario.inputs = network.inputs;
  scenario.inputs_at = scenario.inferences_at = Position("--inferences");
  scenario.network_parameters = network_parameters(command, network);
  return scenario;
}

}  // namespace

void export_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings) {
  const Scenario scenario = scenario_of(command, files);
  require_new_folder(command.out);
  RunFolder folder(command.out);
  const Workload workload = load_workload(scenario);
  dnn::write_onnx(folder.file("model.onnx"), workload.graph);
  for (std::size_t i = 0; i < workload.graph.inputs.size(); ++i) {
    const dnn::Tensor& tensor = workload.graph.tensors[std::size_t(workload.graph.inputs[i])];
    std::vector<std::vector<std::uint8_t>> inferences;
    for (const auto& inputs : workload.inputs) inferences.push_back(inputs[i]);
    dnn::write_tensor(folder.file("input_" + std::to_string(i) + ".pb"), dnn::from_codes(inferences, tensor));
  }
  folder.commit();
  *surroundings.out << printable(scenario.network, 200) << ": model.onnx and "
                    << count_of(workload.inputs.size(), "inference") << " of inputs are in " << command.out << ".\n";
}

}  // namespace mho
