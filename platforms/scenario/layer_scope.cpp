// SPDX-License-Identifier: Apache-2.0
// Values of layer rows are the reader's own types with one more form each.
#include "platforms/scenario/layer_scope.h"

#include "platforms/config/suggest.h"

namespace mho {
namespace {

using config::Node;
using config::ValueType;

std::vector<std::string> keys_of(const std::map<std::string, int>& map) {
  std::vector<std::string> keys;
  for (const auto& entry : map) keys.push_back(entry.first);
  return keys;
}

int parameter(const LayerScope& scope, const Node& node, const std::string& path) {
  const std::string name = node.text().substr(1);
  const auto found = scope.parameters.find(name);
  if (found != scope.parameters.end()) return found->second;
  const std::vector<std::string> known = keys_of(scope.parameters);
  throw node.position().error('`' + path + "`: there is no parameter " + excerpt(name),
                              known.empty() ? "parameters belong to blocks" : config::alternatives(known));
}

}  // namespace

ValueType<int> layer_number(const LayerScope& scope, int min) {
  ValueType<int> type = config::integer(min, kMaxLayerNumber);
  const auto plain = type.read;
  type.read = [plain, &scope, min, allowed = type.allowed](const Node& node, const std::string& path) {
    const bool is_parameter = node.is(Node::Kind::scalar) && !node.quoted() && node.text().front() == '$';
    if (!is_parameter) return plain(node, path);
    const int value = parameter(scope, node, path);
    if (value < min)
      throw node.position().error('`' + path + "`: " + node.text() + " is " + std::to_string(value), allowed);
    return value;
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
