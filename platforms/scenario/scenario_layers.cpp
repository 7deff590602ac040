// SPDX-License-Identifier: Apache-2.0
// Puts the layers of a scenario over each other: system file, scenario file, options, overrides. Types and meanings are
// the business of scenario.cpp.
#include <filesystem>

#include "platforms/config/document.h"
#include "platforms/config/overrides.h"
#include "platforms/scenario/scenario.h"

namespace mho {
namespace {

using config::Node;
using config::Position;

Node scenario_file(const ScenarioRequest& request, const ScenarioFiles& files) {
  if (request.file.empty()) return Node::mapping(Position("the command line"));
  // What stands in the working folder wins over a scenario of that name, as with any program.
  const Node written = Node::scalar(request.file, true, Position("--"));
  std::error_code error;
  const bool here = std::filesystem::exists(request.file, error);
  std::string path = request.file;
  if (!here) {
    try {
      path = files.find("scenario", written);
    } catch (const InputError& missing) {
      throw InputError(request.file, 0, 0, missing.problem(), missing.allowed());
    }
  }
  Node tree = config::load_with_base(path, "scenario", files.resolver());
  if (tree.find("name") == nullptr)
    tree.set("name", Node::scalar(std::filesystem::path(path).stem().string(), true, tree.position()));
  return tree;
}

void apply_options(Node& tree, const ScenarioRequest& request) {
  for (const auto& [key, value] : request.options) {
    const Position where("--" + key);
    tree.set(key, Node::scalar(value, false, where), where);
  }
  if (request.inputs.empty()) return;
  const Position where("--inputs");
  Node list = Node::sequence(where);
  for (const std::string& input : request.inputs) list.append(Node::scalar(input, true, where));
  tree.set("inputs", std::move(list), where);
}

/// Patterns of the command line come after those of the files.
void add_waves(Node& tree, const std::vector<std::string>& patterns) {
  if (patterns.empty()) return;
  const Position where("--waves");
  const auto below = [&where](Node& node, const char* key, const Node& empty) -> Node& {
    Node* const found = node.find(key);
    const bool none =
        found == nullptr || found->is(Node::Kind::null) || (empty.is(Node::Kind::sequence) && found->text() == "none");
    if (none) return node.set(key, empty, where);
    if (found->kind() == empty.kind()) return *found;
    throw found->position().error(std::string("`") + key + "` is " + found->describe(), empty.describe());
  };
  Node& waves = below(below(tree, "observe", Node::mapping(where)), "waves", Node::sequence(where));
  for (const std::string& pattern : patterns) waves.append(Node::scalar(pattern, true, where));
}

}  // namespace

Node layered_tree(const ScenarioRequest& request, const ScenarioFiles& files) {
  Node scenario = scenario_file(request, files);
  apply_options(scenario, request);
  for (const std::string& override : request.overrides)
    if (override.compare(0, 7, "system=") == 0) config::apply_override(scenario, override);
  Node tree = Node::mapping(scenario.position());
  if (const Node* system = scenario.find("system"); system != nullptr)
    tree.merge(config::load_with_base(files.find("system", *system), "system", files.resolver()));
  tree.merge(scenario);
  config::apply_overrides(tree, request.overrides);
  add_waves(tree, request.waves);
  tree.erase({"system"});
  return tree;
}

Scenario load_scenario(const ScenarioRequest& request, const ScenarioFiles& files) {
  return read_scenario(layered_tree(request, files), files);
}

}  // namespace mho
