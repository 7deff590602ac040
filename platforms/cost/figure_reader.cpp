// SPDX-License-Identifier: Apache-2.0
// Keys of one figure. Parameters are written by their keys (`at: {crossbar.rows: 128, crossbar.cycle: 100 ns}`), so the
// types here look up each parameter's own unit.
#include "platforms/cost/figure_reader.h"

#include <map>
#include <utility>

#include "platforms/config/suggest.h"
#include "platforms/cost/machine_parameters.h"

namespace mho {
namespace {

using config::Node;
using config::Reader;
using config::ValueType;

using Stated = std::vector<std::pair<std::string, double>>;                    ///< parameter -> value
using Tables = std::vector<std::pair<std::string, std::map<double, double>>>;  ///< parameter -> (value -> figure)

std::vector<std::string> parameter_keys() {
  std::vector<std::string> keys;
  for (const MachineParameter& parameter : machine_parameters()) keys.push_back(parameter.key);
  return keys;
}

/// Words that stand for 1, 2, ...
ValueType<double> word_type(const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, double>> values;
  for (const std::string& word : words) values.emplace_back(word, double(values.size() + 1));
  return config::choice<double>(values);
}

ValueType<double> type_of(const MachineParameter& parameter) {
  if (!parameter.words.empty()) return word_type(parameter.words);
  return parameter.quantity ? config::quantity(*parameter.quantity, config::kPositive)
                            : config::real(config::kPositive);
}

const MachineParameter& parameter_called(const std::string& key, const config::Position& where) {
  if (const MachineParameter* parameter = find_parameter(key)) return *parameter;
  const std::string meant = config::nearest(key, parameter_keys());
  throw where.error(
      "no figure can depend on " + excerpt(key) + (meant.empty() ? "" : "; did you mean `" + meant + "`?"),
      config::alternatives(parameter_keys()));
}

const Node& mapping_at(const Node& node, const std::string& path) {
  if (!node.is(Node::Kind::mapping)) throw config::type_error(node, path, "a mapping of parameters");
  return node;
}

ValueType<Stated> stated_type() {
  ValueType<Stated> type;
  type.type = "values by key";
  type.allowed = "keys of the machine that figures can follow";
  type.read = [](const Node& node, const std::string& path) {
    Stated stated;
    for (const Node::Member& m : mapping_at(node, path).members())
      stated.emplace_back(
          m.key, type_of(parameter_called(m.key, m.key_position)).read(m.value, config::join_path(path, m.key)));
    return stated;
  };
  type.write = [](const Stated& stated) {
    Node node = Node::mapping();
    for (const auto& [key, value] : stated) node.set(key, type_of(*find_parameter(key)).write(value));
    return node;
  };
  return type;
}

ValueType<Tables> tables_type(const ValueType<double>& figure) {
  ValueType<Tables> type;
  type.type = "tables by key";
  type.unit = figure.unit;
  type.allowed = "keys of `at`";
  type.read = [figure](const Node& node, const std::string& path) {
    Tables tables;
    for (const Node::Member& m : mapping_at(node, path).members()) {
      const ValueType<double> key_type = type_of(parameter_called(m.key, m.key_position));
      const std::string below = config::join_path(path, m.key);
      tables.emplace_back(m.key, std::map<double, double>{});
      for (const Node::Member& entry : mapping_at(m.value, below).members()) {
        const Node key = Node::scalar(entry.key, false, entry.key_position);
        tables.back().second[key_type.read(key, below)] = figure.read(entry.value, config::join_path(below, entry.key));
      }
    }
    return tables;
  };
  type.write = [figure](const Tables& tables) {
    Node node = Node::mapping();
    for (const auto& [key, table] : tables) {
      Node below = Node::mapping();
      for (const auto& [at, value] : table) below.set(format_parameter(*find_parameter(key), at), figure.write(value));
      node.set(key, std::move(below));
    }
    return node;
  };
  return type;
}

/// The place in `figure` of the parameter `key`, which must not have a law yet.
Dependence& lawless(Figure& figure, const Reader& reader, const char* section, const std::string& key) {
  for (Dependence& dependence : figure.dependences) {
    if (dependence.key != key) continue;
    if (dependence.law != Dependence::Law::kOnly)
      throw reader.error(section, "gives `" + key + "` a second law", "one law a parameter");
    return dependence;
  }
  throw reader.error(section, "names `" + key + "`, but the value is not stated at one", "an entry in `at`");
}

void read_scaling(Reader& reader, Figure& figure) {
  Reader scaling = reader.section("scaling", "how the value follows parameters; those without a law are its domain");
  const auto keys = config::list_of(config::text("a key of `at`"));
  const std::pair<const char*, std::pair<Dependence::Law, const char*>> laws[] = {
      {"linear", {Dependence::Law::kLinear, "in proportion to each of these"}},
      {"inverse", {Dependence::Law::kInverse, "in inverse proportion to each of these"}},
      {"constant", {Dependence::Law::kConstant, "known not to follow these"}}};
  for (const auto& [word, law] : laws)
    for (const std::string& key : scaling.find(word, keys, law.second).value_or(std::vector<std::string>{}))
      lawless(figure, scaling, word, key).law = law.first;
}

void read_tables(Reader& reader, Figure& figure, const ValueType<double>& type) {
  const auto tables =
      reader.find("table", tables_type(type), "values of a parameter and the figure there; only ratios count");
  if (!tables) return;
  for (const auto& [key, table] : *tables) {
    Dependence& dependence = lawless(figure, reader, "table", key);
    const auto own = table.find(dependence.at);
    if (own == table.end() || !(own->second > 0.0))
      throw reader.error("table", "has no entry above zero for `" + key + "` where the value is stated",
                         format_parameter(*find_parameter(key), dependence.at));
    dependence.law = Dependence::Law::kTable;
    dependence.table = table;
  }
}

}  // namespace

Figure read_figure(Reader reader, const ValueType<double>& type) {
  Figure figure;
  figure.path = reader.path();
  figure.position = reader.position();
  figure.value = reader.get("value", type, config::kRequired, "at the stated configuration");
  for (const auto& [key, at] :
       reader.find("at", stated_type(), "configuration for which the value is stated").value_or(Stated{}))
    figure.dependences.push_back({key, at, Dependence::Law::kOnly, {}});
  read_scaling(reader, figure);
  read_tables(reader, figure, type);
  figure.source = reader.get("source", config::text("a publication or a derivation"), config::kRequired,
                             "where the value comes from");
  return figure;
}

}  // namespace mho
