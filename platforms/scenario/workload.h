// SPDX-License-Identifier: Apache-2.0
// What a scenario runs, read from its files: the network, the inputs of every inference as codes, the labels, and the
// measures that need only them (accuracy, deviation from the integer reference).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/dnn/graph.h"
#include "platforms/scenario/expected_outputs.h"
#include "platforms/scenario/scenario.h"

namespace mho {

struct Workload {
  dnn::Graph graph;
  std::vector<std::vector<std::vector<std::uint8_t>>>
      inputs;                        ///< [inference][graph input]: codes [height][width][channels]
  std::vector<std::int64_t> labels;  ///< one an inference, or none
  std::vector<int> timed_nodes;      ///< of the graph: layers that the scenario names for approximate timing
  bool synthetic = false;            ///< the inputs are random codes
  /// Begun early by who wants the deviation of a run soon after it; the workload must then stay where it is.
  std::unique_ptr<ExpectedOutputs> expected{};
};

/// Reads the model alone. Throws mho::InputError.
dnn::Graph load_network(const Scenario& scenario);

/// Reads model, inputs and labels. Throws mho::InputError where files do not fit the network, hold fewer inferences
/// than asked for, or name classes that the network does not have, or where the scenario names layers that it does not
/// have.
Workload load_workload(const Scenario& scenario);

/// Inferences on which a search may calibrate: the first `count` of the scenario's files (all where they hold fewer),
/// whatever part of them the run takes; else synthetic ones that no run draws.
std::vector<std::vector<std::vector<std::uint8_t>>> calibration_inputs(const Scenario& scenario,
                                                                       const dnn::Graph& graph, int count);

/// Share of inferences whose label is among the `k` highest codes of the output; of equal codes the first counts.
double accuracy(const std::vector<std::vector<std::uint8_t>>& output, dnn::CodeType type,
                const std::vector<std::int64_t>& labels, std::size_t k);

/// Mean |difference| in codes between outputs and the integer reference over all inferences and outputs.
double output_mean_abs_error(const Workload& workload, const Outputs& outputs);

}  // namespace mho
