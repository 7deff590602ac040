// SPDX-License-Identifier: Apache-2.0
// How a run is timed: the key `timing`, and the section `approximately_timed`, which says what part of a run is
// simulated slice by slice. Layers are names until the network is read.
#pragma once

#include <string>
#include <vector>

#include "models/dnn/graph.h"
#include "platforms/config/reader.h"
#include "platforms/platform.h"

namespace mho {

/// A layer as it was written, and where.
struct LayerName {
  std::string name;
  config::Position at;
};

/// Takes the keys; fills everything of `platform.approximate_timing` but the nodes. Throws mho::InputError, also where
/// the section is written and the run is loosely timed.
/// @return the layers to time approximately; none: all.
std::vector<LayerName> read_timing(config::Reader& root, PlatformConfig& platform);

/// Indices of the nodes with these names, rising, each once; `key` names the list in messages. Throws mho::InputError
/// with the nearest names where the network has none of that name.
std::vector<int> nodes_named(const std::vector<LayerName>& layers, const dnn::Graph& graph,
                             const std::string& key = "approximately_timed.layers");

}  // namespace mho
