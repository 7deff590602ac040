// SPDX-License-Identifier: Apache-2.0
// Runs the program on string streams and invents its simulation.
#include "testbenches/platforms/program.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "models/dnn/reference.h"

namespace mho::testbenches {
namespace {

using observe::Action;

void invent_counts(RunRecord& record, const dnn::Graph& graph, std::uint64_t inferences) {
  record.ledger.resize(graph.nodes.size());
  record.programming.resize(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    observe::Counts& counts = record.ledger.of(int(i));
    const std::uint64_t conversions = dnn::macs(graph, graph.nodes[i]) / 4 * inferences;
    counts[Action::kConversions] = counts[Action::kRowDrives] = conversions;
    counts[Action::kUnitConversions] = conversions / 128;
    counts[Action::kSaturations] = i == 0 ? 7 : 0;
    counts[Action::kFunctionOutputs] = graph.output_of(graph.nodes[i]).shape.bytes() * inferences;
  }
  record.ledger.of(-1)[Action::kMemoryBytesRead] = 1000 * inferences;
  record.programming.of(0)[Action::kCellWriteSteps] = 1000;
}

/// Every row of a node takes as many intervals as its busiest replica has windows.
void invent_times(RunRecord& record, const dnn::Graph& graph) {
  record.nodes.resize(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    int replicas = 1;
    for (const mapping::LayerPlan& layer : record.program.layers)
      if (layer.node == int(i)) replicas = layer.replicas;
    const dnn::Shape& output = graph.output_of(graph.nodes[i]).shape;
    NodeTiming& node = record.nodes[i];
    node.interval_s = 800e-9;
    node.rows = std::uint64_t(output.height) * record.inferences;
    node.busy_s = double(node.rows) * ((output.width + replicas - 1) / replicas) * node.interval_s;
    node.limited_by = "platform.pim0.tile_0.group_0.crossbars";
  }
}

}  // namespace

RunRecord invented_run(const PlatformConfig& config, const dnn::Graph& graph,
                       const std::vector<std::vector<std::vector<std::uint8_t>>>& inputs, const Progress& progress,
                       observe::Recorder*) {
  RunRecord record;
  record.program = mapping::compile(graph, config.machine);
  record.inferences = inputs.size();
  record.outputs.resize(graph.outputs.size());
  const dnn::Reference reference(graph);
  for (std::size_t n = 0; n < inputs.size(); ++n) {
    const auto tensors = reference.run(inputs[n]);
    for (std::size_t i = 0; i < graph.outputs.size(); ++i)
      record.outputs[i].push_back(tensors[std::size_t(graph.outputs[i])]);
    record.completions_s.push_back(50e-6 + double(n) * 20e-6);
    if (progress) progress(n + 1, inputs.size());
  }
  invent_counts(record, graph, inputs.size());
  invent_times(record, graph);
  record.programming_s = 1e-3;
  record.simulated_s = record.completions_s.back();
  return record;
}

ProgramResult run_program(const std::vector<std::string>& arguments, const Simulate& simulate) {
  std::ostringstream out, err;
  Surroundings surroundings{{scenarios_folder()}, &out, &err, false, simulate, {}, {}};
  std::vector<const char*> argv{"mho"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  const int exit_code = run_main(int(argv.size()), argv.data(), surroundings);
  return {exit_code, out.str(), err.str()};
}

std::string scenarios_folder() { return std::string(MHO_SOURCE_DIR) + "/scenarios"; }

ScenarioFiles project_files() { return ScenarioFiles({scenarios_folder()}); }

std::string complaint(const std::vector<std::string>& arguments, const Simulate& simulate) {
  const ProgramResult result = run_program(arguments, simulate);
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  return result.err;
}

Scenario scenario_with(const std::vector<std::string>& overrides, const std::string& system) {
  ScenarioRequest request;
  request.options = {{"system", system}, {"network", "resnet20_shapes"}};
  request.overrides = overrides;
  return load_scenario(request, project_files());
}

std::string refusal_of(const std::vector<std::string>& overrides) {
  try {
    scenario_with(overrides);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "mho-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& text) const {
  std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
  std::ofstream(path(name), std::ios::binary) << text;
  return path(name);
}

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace mho::testbenches
