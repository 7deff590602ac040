// SPDX-License-Identifier: Apache-2.0
// Values of layer rows are the reader's own types with one more form each.
#include "platforms/scenario/layer_scope.h"

#include "platforms/config/suggest.h"

namespace mho {
namespace {

using config::Node;
using config::ValueType;

template <class T>
std::vector<std::string> keys_of(const std::map<std::string, T>& map) {
  std::vector<std::string> keys;
  for (const auto& entry : map) keys.push_back(entry.first);
  return keys;
}

bool is_parameter(const Node& node) {
  return node.is(Node::Kind::scalar) && !node.quoted() && node.text().front() == '$';
}

/// The value of `$NAME` among `values`.
template <class T>
T parameter(const std::map<std::string, T>& values, const char* what, const Node& node, const std::string& path) {
  const std::string name = node.text().substr(1);
  const auto found = values.find(name);
  if (found != values.end()) return found->second;
  const std::vector<std::string> known = keys_of(values);
  throw node.position().error(
      '`' + path + "`: there is no " + what + " " + excerpt(name),
      known.empty() ? "the file lists parameters, and so do blocks" : config::alternatives(known));
}

}  // namespace

ValueType<int> layer_number(const LayerScope& scope, int min, int max) {
  ValueType<int> type = config::integer(min, max);
  const auto plain = type.read;
  type.read = [plain, &scope, min, max, allowed = type.allowed](const Node& node, const std::string& path) {
    if (!is_parameter(node)) return plain(node, path);
    const int value = parameter(scope.parameters, "parameter", node, path);
    if (value < min || value > max)
      throw node.position().error('`' + path + "`: " + node.text() + " is " + std::to_string(value), allowed);
    return value;
  };
  return type;
}

ValueType<bool> layer_switch(const LayerScope& scope) {
  ValueType<bool> type = config::boolean();
  type.type = "parameter";
  type.allowed = "a parameter that is true or false, as `$NAME`";
  type.read = [&scope, allowed = type.allowed](const Node& node, const std::string& path) {
    if (!is_parameter(node)) throw config::type_error(node, path, allowed);
    return parameter(scope.switches, "switch", node, path);
  };
  return type;
}

ValueType<NetworkParameter> network_parameter() {
  const ValueType<int> number = config::integer(0, kMaxLayerNumber);
  const ValueType<bool> boolean = config::boolean();
  ValueType<NetworkParameter> type;
  type.type = "integer or boolean";
  type.allowed = number.allowed + ", `true` or `false`";
  type.read = [number, boolean, allowed = type.allowed](const Node& node, const std::string& path) {
    const bool is_switch = node.text() == "true" || node.text() == "false";
    if (is_switch) return NetworkParameter{boolean.read(node, path) ? 1 : 0, true};
    return NetworkParameter{number.read(node, path), false};
  };
  type.write = [number, boolean](const NetworkParameter& value) {
    return value.is_switch ? boolean.write(value.value != 0) : number.write(value.value);
  };
  return type;
}

ValueType<std::pair<int, int>> layer_extent(const LayerScope& scope, int min) {
  const ValueType<int> number = layer_number(scope, min);
  ValueType<std::pair<int, int>> type;
  type.type = number.type + " or list of two";
  type.allowed = number.allowed + ", or [vertical, horizontal]";
  type.example = {min, min};
  type.read = [number, list = config::list_of(number, 2, 2)](const Node& node, const std::string& path) {
    if (node.is(Node::Kind::sequence)) {
      const std::vector<int> both = list.read(node, path);
      return std::pair<int, int>{both[0], both[1]};
    }
    const int value = number.read(node, path);
    return std::pair<int, int>{value, value};
  };
  type.write = [number](const std::pair<int, int>& value) {
    Node list = Node::sequence();
    list.append(number.write(value.first));
    list.append(number.write(value.second));
    return list;
  };
  return type;
}

ValueType<std::vector<std::string>> layer_names() {
  const ValueType<std::string> name = config::text("the name of a layer");
  ValueType<std::vector<std::string>> type = config::list_of(name, 1);
  const auto list = type.read;
  type.type = "name or list of names";
  type.read = [name, list](const Node& node, const std::string& path) {
    if (node.is(Node::Kind::sequence)) return list(node, path);
    return std::vector<std::string>{name.read(node, path)};
  };
  return type;
}

}  // namespace mho
