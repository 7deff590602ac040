// SPDX-License-Identifier: Apache-2.0
// Layers of a network by themselves: each chosen convolution or fully connected layer becomes a graph input, the layer,
// and a graph output, so that a machine runs exactly those, driven by what was recorded. The other way round, the
// inputs of layers become outputs of the network, so that a run records them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/dnn/graph.h"
#include "platforms/scenario/trace_index.h"
#include "platforms/scenario/trace_reader.h"

namespace mho {

/// Indices of all layers that hold weights.
std::vector<int> weighted_layers(const dnn::Graph& graph);
/// Indices of the layers with these names, rising, each once. `key` names the list in messages (`trace.layers`).
/// Throws mho::InputError where the network has no such node, or one without weights.
std::vector<int> weighted_layers(const std::vector<LayerName>& names, const dnn::Graph& graph, const std::string& key);

/// The nodes of `network` (rising), without what stands between them; graph inputs and outputs in the same order.
/// Outputs keep their names, a layer's input is called NAME.input.
dnn::Graph layers_alone(dnn::Graph network, const std::vector<int>& nodes);

/// Makes the inputs of these nodes graph outputs, as far as they are not graph inputs.
void add_inputs_to_outputs(dnn::Graph& graph, const std::vector<int>& nodes);

/// Network and inputs of a run.
struct LayerTrace {
  dnn::Graph graph;
  std::vector<std::vector<std::vector<std::uint8_t>>> inputs;  ///< as in Workload
};

/// What `trace` asks for of `network`, the first `inferences` of it (0: all). Throws mho::InputError where the folder
/// does not fit the network: layers, formats, shapes; or is damaged: index, files, checksums. `seed`: the network's
/// weights were drawn from it, or nothing.
LayerTrace read_layer_trace(const TraceRequest& trace, dnn::Graph network, std::optional<std::uint64_t> seed,
                            std::int64_t inferences);

}  // namespace mho
