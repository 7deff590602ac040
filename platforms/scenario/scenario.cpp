// SPDX-License-Identifier: Apache-2.0
// Keys of a scenario that are not part of the machine: network, inputs, fidelity, timing, platform. Combinations that
// do not exist are refused here, before anything is read or simulated.
#include "platforms/scenario/scenario.h"

#include <filesystem>
#include <utility>

#include "platforms/cost/technology_reader.h"
#include "platforms/scenario/network_descriptor.h"
#include "platforms/scenario/noise_reader.h"
#include "platforms/scenario/observe_reader.h"
#include "platforms/scenario/system_checks.h"
#include "platforms/scenario/system_reader.h"

namespace mho {
namespace {

using config::Node;
using config::Reader;
using mapping::Fidelity;

Fidelity read_fidelity(Reader& root) {
  const std::string word = root.get(
      "fidelity", config::word({"auto", "exact", "sliced", "noisy", "timing"}), "auto",
      "exact: integer products where converters provably lose nothing; sliced: every slice through its converter; "
      "auto: per layer exact where identical, else sliced; noisy: sliced, with cells and column sums as `noise` says; "
      "timing is not available yet");
  if (word == "timing")
    throw root.error("fidelity", "is `timing`, which is not available yet", "`auto`, `exact`, `sliced` or `noisy`");
  if (word == "noisy") return Fidelity::kNoisy;
  return word == "exact" ? Fidelity::kExact : word == "sliced" ? Fidelity::kSliced : Fidelity::kAuto;
}

std::optional<double> read_chip_area(Reader& root) {
  return root.section("chip", "one chip")
      .get("area", config::or_word(config::quantity(config::Quantity::area, config::kPositive), "counted"),
           std::nullopt, "area of a chip where machines are compared per area; counted: that of the component table");
}

MemoryConfig read_memory(Reader& root) {
  using config::Quantity;
  MemoryConfig memory;
  Reader reader = root.section("platform", "what surrounds the accelerator").section("memory", "main memory");
  memory.bytes = reader.get("size", config::byte_count(1 << 20, std::uint64_t{1} << 40), memory.bytes, "capacity");
  memory.bytes_per_s = reader.get("bandwidth", config::quantity(Quantity::bandwidth, config::kPositive),
                                  memory.bytes_per_s, "of reads and writes together");
  memory.latency_s = reader.get("latency", config::quantity(Quantity::time), memory.latency_s, "of one access");
  return memory;
}

void refuse_beside_trace(const Reader& root) {
  for (const char* key : {"inputs", "labels"})
    if (root.peek(key) != nullptr)
      throw root.error(key, "stands beside `trace`, which replays layers on inputs of their own",
                       std::string("one of the two; `--set ") + key + "=~` takes it away");
}

/// Files of the network, those of the scenario first. Labels of a network belong to its own inputs only.
void read_files(Reader& root, const ScenarioFiles& files, Scenario& scenario) {
  root.get("network", config::text("a name or a path"), config::kRequired,
           "name of a network, or path of an ONNX model or of a network file");
  const std::optional<std::vector<InputFile>> inputs = read_inputs(root);
  const std::optional<std::string> labels = read_labels(root);
  scenario.trace = read_trace(root);
  const Node* written = root.peek("network");
  if (written == nullptr) {  // only while the reference of keys is collected
    read_network_parameters(root, nullptr);
    return;
  }
  NetworkDescriptor network = read_network(*written, files);
  scenario.network_parameters = read_network_parameters(root, &network);
  scenario.network = network.name;
  scenario.model = network.model;
  scenario.inputs_at = root.position(inputs ? "inputs" : "network");
  if (scenario.trace) return refuse_beside_trace(root);
  scenario.inputs = inputs ? *inputs : network.inputs;
  scenario.labels = labels ? *labels : inputs ? "" : network.labels;
}

std::string absolute(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

Node inputs_node(const Scenario& scenario) {
  if (scenario.inputs.empty()) return Node::scalar("synthetic", false);
  const bool by_name = !scenario.inputs.front().input.empty();
  Node inputs = by_name ? Node::mapping() : Node::sequence();
  for (const InputFile& file : scenario.inputs) {
    Node path = Node::scalar(absolute(file.path), true);
    if (by_name) {
      inputs.set(file.input, std::move(path));
    } else {
      inputs.append(std::move(path));
    }
  }
  return inputs;
}

/// The tree of all values in force. Paths are absolute: the file may be written anywhere.
Node effective_tree(const Reader& root, const Scenario& scenario) {
  Node tree = Node::mapping();
  tree.set("name", Node::scalar(scenario.name, true));
  const Node& network = *root.peek("network");
  const std::string named = network.text();
  tree.set("network", Node::scalar(is_path(named) ? absolute(path_from(network.position(), named)) : named, true));
  if (scenario.trace)
    tree.set("trace", trace_node(*scenario.trace));
  else
    tree.set("inputs", inputs_node(scenario));
  if (!scenario.labels.empty()) tree.set("labels", Node::scalar(absolute(scenario.labels), true));
  const Node rest = root.effective();
  for (const Node::Member& member : rest.members())
    if (tree.find(member.key) == nullptr) tree.set(member.key, member.value);
  return tree;
}

/// A tree without costs describes no machine: the key that would bring one is missing.
void require_machine(Reader& root) {
  if (root.peek("technology") != nullptr) return;
  root.get("system", config::text("the name or path of a system, see `mho list systems`"), config::kRequired, "");
}

Scenario read_keys(Reader& root, const ScenarioFiles& files) {
  Scenario scenario;
  root.find("system", config::text("a name or a path"), "system file this scenario is laid over");
  root.find("description", config::text("a sentence"), "what `mho list` says about a system or scenario");
  read_files(root, files, scenario);
  PlatformConfig& platform = scenario.platform;
  scenario.inferences =
      root.get("inferences", config::or_word(config::integer64(1, 1'000'000'000), "all"), std::nullopt,
               "inferences of the run, the first of the files; all: as many as there are, one if inputs are synthetic");
  scenario.inferences_at = root.position("inferences");
  scenario.seed = root.get("seed", config::unsigned_integer(), scenario.seed,
                           "of synthetic inputs, and of the weights of a network that is a list of layers");
  const Fidelity fidelity = read_fidelity(root);
  scenario.timed_layers = read_timing(root, platform);
  platform.observe = read_observe(root);
  platform.memory = read_memory(root);
  platform.machine = read_machine(root, files.policies(), scenario.slicing);
  platform.machine.fidelity = fidelity;
  read_noise(root, platform.machine);
  scenario.chip_area_m2 = read_chip_area(root);
  scenario.technology = read_technology(root);
  scenario.name = root.find("name", config::text("a name"), "name of the run in reports; the file's name if absent")
                      .value_or(scenario.network + " on " + platform.machine.name);
  return scenario;
}

}  // namespace

Scenario read_scenario(const Node& tree, const ScenarioFiles& files) {
  Reader root(tree);
  require_machine(root);
  Scenario scenario = read_keys(root, files);
  root.finish();
  const CostModel in_domain(scenario.technology, scenario.platform.machine,
                            [&](const std::string& key) { return position_of(root, key); });
  scenario.effective = effective_tree(root, scenario);
  return scenario;
}

std::vector<config::KeyReference> scenario_keys(const ScenarioFiles& files) {
  Reader root = Reader::for_reference(Node::mapping());
  read_keys(root, files);
  return root.references();
}

}  // namespace mho
