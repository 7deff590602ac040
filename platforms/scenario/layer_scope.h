// SPDX-License-Identifier: Apache-2.0
// What the rows of a layer table see: the names of tensors they may read and the values of their block's parameters;
// and the types of keys whose values may be such a parameter (`$filters`).
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "platforms/config/value_type.h"

namespace mho {

/// Names that are valid where a row stands: at the top of the file, or in one use of a block.
struct LayerScope {
  std::string prefix;                     ///< of layer names: "layer1.0."
  std::map<std::string, int> tensors;     ///< by the name that `from` gives
  std::map<std::string, int> parameters;  ///< by name, without `$`
  int previous = 0;                       ///< output of the row before
};

/// Largest number in a layer table.
inline constexpr int kMaxLayerNumber = 1 << 16;

/// A whole number or a parameter. The scope must outlive the type.
config::ValueType<int> layer_number(const LayerScope& scope, int min);
/// The same, or a list of two: vertical and horizontal.
config::ValueType<std::pair<int, int>> layer_extent(const LayerScope& scope, int min);
/// One name or a list of names.
config::ValueType<std::vector<std::string>> layer_names();

}  // namespace mho
