// SPDX-License-Identifier: Apache-2.0
// Values from a scenario are checked as the file's defaults are, and have the kind of the default.
#include "platforms/scenario/layer_table_head.h"

#include <map>
#include <vector>

#include "platforms/config/suggest.h"

namespace mho {

using config::Reader;

/// The network's input: a map, or a sequence.
dnn::Tensor read_input(Reader& root, const LayerScope& scope) {
  const std::vector<int> extents =
      root.get("input", config::list_of(layer_number(scope, 1), 2, 3), config::kRequired,
               "shape of the network's input: channels, height, width; or of a sequence: positions, channels");
  std::uint64_t bytes = 1;
  for (const int extent : extents) bytes *= std::uint64_t(extent);
  if (bytes > dnn::kMaxTensorBytes)
    throw root.error("input", "is too large", "at most " + std::to_string(dnn::kMaxTensorBytes) + " codes");
  const bool sequence = extents.size() == 2;
  const dnn::Shape shape =
      sequence ? dnn::sequence_shape(extents[0], extents[1]) : dnn::Shape{extents[1], extents[2], extents[0]};
  return {"input", shape, dnn::CodeType::kUint8, 1.0, 0, sequence};
}

/// The file's parameters with their defaults, or with the values that `given` has for them.
void read_parameters(Reader& root, const std::string& network, const config::Node& given, LayerScope& scope) {
  const config::ValueType<NetworkParameter> type = network_parameter();
  std::map<std::string, NetworkParameter> parameters;
  std::vector<std::string> names;
  for (const auto& [name, otherwise] :
       root.get("parameters", config::map_of(type), {}, "numbers and switches that scenarios may set, with defaults")) {
    parameters[name] = otherwise;
    names.push_back(name);
  }
  for (const config::Node::Member& member : given.members()) {
    const std::string path = config::join_path("network_parameters", member.key);
    const auto found = parameters.find(member.key);
    if (found == parameters.end()) {
      const std::string meant = config::nearest(member.key, names);
      throw member.key_position.error("`" + path + "`: network " + excerpt(network) + " has no such parameter" +
                                          (meant.empty() ? "" : "; did you mean `" + meant + "`?"),
                                      names.empty() ? "it has none" : config::alternatives(names));
    }
    const NetworkParameter value = type.read(member.value, path);
    if (value.is_switch != found->second.is_switch)
      throw config::type_error(member.value, path, value.is_switch ? "a whole number" : "`true` or `false`");
    found->second = value;
  }
  for (const auto& [name, parameter] : parameters) {
    if (parameter.is_switch) {
      scope.switches[name] = parameter.value != 0;
    } else {
      scope.parameters[name] = parameter.value;
    }
  }
}

}  // namespace mho
