// SPDX-License-Identifier: Apache-2.0
// Reads the files of a workload and checks them against each other.
#include "platforms/scenario/workload.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/synthetic/synthetic_network.h"
#include "platforms/scenario/labels.h"
#include "platforms/scenario/layer_table_reader.h"
#include "platforms/scenario/layer_trace.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

using Codes = std::vector<std::uint8_t>;

constexpr std::uint64_t kFirstCalibration = std::uint64_t{1} << 40;  ///< number of an image that no run comes to

/// The file of graph input `index`, by name where the scenario gives names, else by place.
const InputFile& file_of(const Scenario& scenario, const dnn::Graph& graph, std::size_t index) {
  const std::string& name = graph.tensors[std::size_t(graph.inputs[index])].name;
  if (scenario.inputs.front().input.empty()) return scenario.inputs[index];
  for (const InputFile& file : scenario.inputs)
    if (file.input == name) return file;
  throw scenario.inputs_at.error("inputs: no file for graph input " + excerpt(name), "one file for each graph input");
}

void check_number_of_files(const Scenario& scenario, const dnn::Graph& graph) {
  if (scenario.inputs.size() != graph.inputs.size())
    throw scenario.inputs_at.error(
        "inputs: " + count_of(scenario.inputs.size(), "file") + " for " + count_of(graph.inputs.size(), "graph input"),
        "one file for each; inferences are counted along a file's leading axis");
}

void check_number_of_inferences(const Scenario& scenario, std::size_t held) {
  if (scenario.inferences && std::int64_t(held) < *scenario.inferences)
    throw scenario.inferences_at.error("inferences: " + std::to_string(*scenario.inferences) +
                                           " are asked for, the files hold " + std::to_string(held),
                                       "1 to " + std::to_string(held) + ", or all");
}

/// At most `limit` inferences where limit > 0.
std::vector<std::vector<Codes>> read_files(const Scenario& scenario, const dnn::Graph& graph, std::int64_t limit) {
  check_number_of_files(scenario, graph);
  std::vector<std::vector<Codes>> inputs;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const InputFile& file = file_of(scenario, graph, i);
    const dnn::Tensor& tensor = graph.tensors[std::size_t(graph.inputs[i])];
    std::vector<Codes> codes = dnn::to_codes(dnn::read_tensor(file.path), tensor, limit, file.path);
    if (i == 0) inputs.resize(codes.size());
    if (codes.size() != inputs.size())
      throw InputError(file.path, 0, 0,
                       std::to_string(codes.size()) + " inferences, another input has " + std::to_string(inputs.size()),
                       "as many in every file");
    for (std::size_t n = 0; n < codes.size(); ++n) inputs[n].push_back(std::move(codes[n]));
  }
  if (inputs.empty()) throw InputError(scenario.inputs.front().path, 0, 0, "no inference in it", "one or more");
  return inputs;
}

/// Inputs that main memory could not hold are refused before they are drawn.
void check_size(const Scenario& scenario, const dnn::Graph& graph) {
  std::uint64_t bytes = 0;
  for (const int index : graph.inputs) bytes += graph.tensors[std::size_t(index)].shape.bytes();
  const std::uint64_t most = scenario.platform.memory.bytes / std::max<std::uint64_t>(bytes, 1);
  if (std::uint64_t(scenario.inferences.value_or(1)) > most)
    throw scenario.inferences_at.error("inferences: main memory holds the inputs of " + std::to_string(most),
                                       "fewer, or a larger `platform.memory.size`");
}

bool is_layer_list(const Scenario& scenario) { return std::filesystem::path(scenario.model).extension() != ".onnx"; }

/// Images for a network of layers alone, whose tensors are all synthetic. For a model that knows what its inputs mean,
/// codes drawn evenly from the type's range; the engine's bits are used as they come, so every library draws the same.
/// `first` is the number of the first image.
std::vector<std::vector<Codes>> draw_inputs(const Scenario& scenario, const dnn::Graph& graph, std::uint64_t first,
                                            std::uint64_t count) {
  if (is_layer_list(scenario)) {
    std::vector<std::vector<Codes>> images;
    for (std::uint64_t i = 0; i < count; ++i) images.push_back(dnn::synthetic_inputs(graph, scenario.seed, first + i));
    return images;
  }
  std::mt19937_64 engine(scenario.seed + first);
  std::vector<std::vector<Codes>> inputs(count);
  for (auto& inference : inputs)
    for (const int index : graph.inputs) {
      Codes codes(graph.tensors[std::size_t(index)].shape.bytes());
      for (std::uint8_t& code : codes) code = std::uint8_t(engine() >> 56);
      inference.push_back(std::move(codes));
    }
  return inputs;
}

std::vector<std::int64_t> labels_of(const Scenario& scenario, const dnn::Graph& graph, std::size_t inferences) {
  if (scenario.labels.empty()) return {};
  const std::size_t classes = graph.tensors[std::size_t(graph.outputs.front())].shape.bytes();
  return load_labels(scenario.labels, inferences, "an inference", classes);
}

/// Layers of the network alone, on what was recorded.
Workload load_trace(const Scenario& scenario) {
  const std::optional<std::uint64_t> seed =
      is_layer_list(scenario) ? std::optional<std::uint64_t>(scenario.seed) : std::nullopt;
  LayerTrace trace = read_layer_trace(*scenario.trace, load_network(scenario), seed, scenario.inferences.value_or(0));
  Workload workload;
  workload.graph = std::move(trace.graph);
  workload.inputs = std::move(trace.inputs);
  check_number_of_inferences(scenario, workload.inputs.size());
  workload.timed_nodes = nodes_named(scenario.timed_layers, workload.graph);
  return workload;
}

/// A code as a number that orders as the real value does.
int ordered(std::uint8_t code, dnn::CodeType type) {
  return type == dnn::CodeType::kInt8 ? int(std::int8_t(code)) : int(code);
}

}  // namespace

dnn::Graph load_network(const Scenario& scenario) {
  if (is_layer_list(scenario))
    return dnn::synthetic_network(read_layer_table(scenario.model, scenario.network_parameters), scenario.seed);
  return dnn::read_onnx(scenario.model);
}

Workload load_workload(const Scenario& scenario) {
  if (scenario.trace) return load_trace(scenario);
  Workload workload;
  workload.graph = load_network(scenario);
  workload.timed_nodes = nodes_named(scenario.timed_layers, workload.graph);
  workload.synthetic = scenario.inputs.empty();
  if (workload.synthetic) {
    check_size(scenario, workload.graph);
    workload.inputs = draw_inputs(scenario, workload.graph, 0, std::uint64_t(scenario.inferences.value_or(1)));
  } else {
    workload.inputs = read_files(scenario, workload.graph, scenario.inferences.value_or(0));
    check_number_of_inferences(scenario, workload.inputs.size());
  }
  workload.labels = labels_of(scenario, workload.graph, workload.inputs.size());
  return workload;
}

std::vector<std::vector<Codes>> calibration_inputs(const Scenario& scenario, const dnn::Graph& graph, int count) {
  if (!scenario.inputs.empty()) return read_files(scenario, graph, count);
  return draw_inputs(scenario, graph, kFirstCalibration, std::uint64_t(count));
}

double accuracy(const std::vector<Codes>& output, dnn::CodeType type, const std::vector<std::int64_t>& labels,
                std::size_t k) {
  std::size_t right = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const Codes& codes = output[n];
    const std::size_t label = std::size_t(labels[n]);
    std::size_t above = 0;  // codes that rank before the label's
    for (std::size_t c = 0; c < codes.size(); ++c) {
      const int difference = ordered(codes[c], type) - ordered(codes[label], type);
      above += difference > 0 || (difference == 0 && c < label) ? 1 : 0;
    }
    right += above < k ? 1 : 0;
  }
  return double(right) / double(labels.size());
}

double output_mean_abs_error(const Workload& workload, const Outputs& outputs) {
  std::unique_ptr<ExpectedOutputs> late;
  if (workload.expected == nullptr) late = std::make_unique<ExpectedOutputs>(workload.graph, workload.inputs);
  const Outputs& expected = (late != nullptr ? *late : *workload.expected).get();
  std::uint64_t difference = 0, codes = 0;
  for (std::size_t n = 0; n < workload.inputs.size(); ++n) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const int tensor = workload.graph.outputs[i];
      const dnn::CodeType type = workload.graph.tensors[std::size_t(tensor)].type;
      const Codes& want = expected[i][n];
      for (std::size_t c = 0; c < want.size(); ++c)
        difference += std::uint64_t(std::abs(ordered(outputs[i][n].at(c), type) - ordered(want[c], type)));
      codes += want.size();
    }
  }
  return codes == 0 ? 0.0 : double(difference) / double(codes);
}

}  // namespace mho
