// SPDX-License-Identifier: Apache-2.0
// What stands before the rows of a layer table: the network's parameters and its input.
#pragma once

#include <string>

#include "models/dnn/graph.h"
#include "platforms/config/reader.h"
#include "platforms/scenario/layer_scope.h"

namespace mho {

/// The key `input`: a map, or a sequence. Throws mho::InputError.
dnn::Tensor read_input(config::Reader& root, const LayerScope& scope);

/// The key `parameters`: numbers and switches of `network` with their defaults, or with the values that the mapping
/// `given` has for them. Puts them into `scope`. Throws mho::InputError at names and values in either.
void read_parameters(config::Reader& root, const std::string& network, const config::Node& given, LayerScope& scope);

}  // namespace mho
