// SPDX-License-Identifier: Apache-2.0
// What a `network:` key stands for: an ONNX model by its path, a YAML file that names a model with the inputs and
// labels it comes with, or a YAML file that lists layers. Neither model, layers nor tensors are read here.
#pragma once

#include <string>
#include <vector>

#include "platforms/scenario/scenario.h"
#include "platforms/scenario/scenario_files.h"

namespace mho {

struct NetworkDescriptor {
  std::string name;
  std::string model;              ///< path of an ONNX model or of a file that lists layers
  std::vector<InputFile> inputs;  ///< defaults; may be empty
  std::string labels;             ///< default; may be empty
  std::string description;

  bool lists_layers() const;
};

/// Reads the file that `network` (a scalar) names. Throws mho::InputError at the scalar where there is none, and at
/// the key of the descriptor that is wrong.
NetworkDescriptor read_network(const config::Node& network, const ScenarioFiles& files);

/// The key `inputs` of a scenario or descriptor: a list with one file a graph input, a mapping from graph inputs to
/// files, or `synthetic` (none). Nothing where the key is absent. Refuses files that do not exist.
std::optional<std::vector<InputFile>> read_inputs(config::Reader& reader);

/// The key `network_parameters`: a mapping with values for parameters of a network that lists layers, empty where the
/// key is absent. Refuses it for other networks; names are checked where the layers are read. Null while the reference
/// of keys is collected.
config::Node read_network_parameters(config::Reader& reader, const NetworkDescriptor* network);

/// The key `labels`: a path, or nothing.
std::optional<std::string> read_labels(config::Reader& reader);

}  // namespace mho
