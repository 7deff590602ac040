// SPDX-License-Identifier: Apache-2.0
// One row of a layer table: its keys, and the node it becomes behind the layers there are already.
#pragma once

#include "models/dnn/synthetic/layer_table.h"
#include "platforms/config/reader.h"
#include "platforms/scenario/layer_scope.h"

namespace mho {

/// Most layers of a table.
inline constexpr std::size_t kMaxLayers = 10'000;

/// Appends the layer of `row` to `table` and its name to `scope`. Throws mho::InputError.
void add_layer(config::Reader& row, LayerScope& scope, dnn::LayerTable& table);

/// The name of a row, which no other row of the scope may have.
std::string layer_name(config::Reader& row, const LayerScope& scope);

/// Tensor of the name `name` that stands in key `from` of a row.
int tensor_named(const config::Reader& row, const LayerScope& scope, const std::string& name);

}  // namespace mho
