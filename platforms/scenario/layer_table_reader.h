// SPDX-License-Identifier: Apache-2.0
// Network files that list layers: `parameters` that scenarios may set, `input`, `layers` (a row each) and `blocks`,
// groups of rows with parameters of their own that a row can stand for, once or several times. Shapes follow from row
// to row and are checked here; weights and scales are made elsewhere.
#pragma once

#include <string>

#include "models/dnn/synthetic/layer_table.h"
#include "platforms/config/node.h"

namespace mho {

/// True for the tree of a network file that lists layers.
bool is_layer_table(const config::Node& tree);

/// Reads the file. `parameters` is a mapping with values for some of the file's parameters, in place of their defaults.
/// Throws mho::InputError at the key that is wrong: types, names, windows that do not fit, layers that nobody reads,
/// parameters that a block or the network does not have.
dnn::LayerTable read_layer_table(const std::string& path, const config::Node& parameters = config::Node::mapping());

}  // namespace mho
