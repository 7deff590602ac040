// SPDX-License-Identifier: Apache-2.0
// What the rows of a layer table see: the names of tensors they may read and the values of parameters, the network's
// and their block's; and the types of keys whose values may be such a parameter (`$filters`).
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "platforms/config/value_type.h"

namespace mho {

/// A parameter of a network, which scenarios may set: a whole number, or a switch that rows depend on.
struct NetworkParameter {
  int value = 0;
  bool is_switch = false;
};

/// Names that are valid where a row stands: at the top of the file, or in one use of a block.
struct LayerScope {
  std::string prefix;                     ///< of layer names: "layer1.0."
  std::map<std::string, int> tensors;     ///< by the name that `from` gives
  std::map<std::string, int> parameters;  ///< numbers by name, without `$`
  std::map<std::string, bool> switches;   ///< the network's alone
  int previous = 0;                       ///< output of the row before
};

/// Largest number in a layer table.
inline constexpr int kMaxLayerNumber = 1 << 16;

/// A whole number from `min` to `max`, or a parameter. The scope must outlive the type.
config::ValueType<int> layer_number(const LayerScope& scope, int min, int max = kMaxLayerNumber);
/// The same, or a list of two: vertical and horizontal.
config::ValueType<std::pair<int, int>> layer_extent(const LayerScope& scope, int min);
/// One name or a list of names.
config::ValueType<std::vector<std::string>> layer_names();
/// A switch of the network, `$NAME`.
config::ValueType<bool> layer_switch(const LayerScope& scope);
/// A whole number, `true` or `false`.
config::ValueType<NetworkParameter> network_parameter();

}  // namespace mho
