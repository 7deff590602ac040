// SPDX-License-Identifier: Apache-2.0
// `mho list`: names found in the folders, keys from the code that reads them, statistics and waves from the modules
// that have them, registers from the table of the model.
#include <filesystem>
#include <ostream>

#include "models/pim/accelerator_registers.h"
#include "models/tlm/registers_export.h"
#include "platforms/config/document.h"
#include "platforms/config/quantity.h"
#include "platforms/config/suggest.h"
#include "platforms/platform_modules.h"
#include "platforms/program/commands.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

using config::Node;

const std::vector<std::string> kTopics{"systems",    "networks", "scenarios", "keys",   "policies",
                                       "statistics", "waves",    "registers", "header", "svd"};

/// The key `description` of a file, or why there is none; a broken file does not break the list.
std::string description_of(const std::string& path) try {
  if (std::filesystem::path(path).extension() != ".yaml") return "";
  const config::Node tree = config::load_file(path);
  const Node* description = tree.find("description");
  return description == nullptr ? "" : printable(description->text(), 200);
} catch (const InputError& error) {
  return "cannot be read: " + error.problem();
}

void list_names(std::ostream& out, const ScenarioFiles& files, const std::string& kind) {
  TextTable table({Align::kLeft, Align::kLeft});
  for (const std::string& name : files.names(kind))
    table.add({printable(name, 80), description_of(files.find(kind, Node::scalar(name, true)))});
  table.write(out);
}

void list_keys(std::ostream& out, const ScenarioFiles& files) {
  for (const config::KeyReference& key : scenario_keys(files)) {
    if (key.type == "section" || key.type == "sections by name") {
      out << key.path << "\n    " << key.description << '\n';
      continue;
    }
    out << key.path << "  [" << key.type << (key.unit.empty() ? "" : ", in " + key.unit) << "; default "
        << key.default_value << "]\n    " << key.description << '\n';
    if (!key.allowed.empty()) out << "    allowed: " << key.allowed << '\n';
  }
}

/// The policies of one kind under the key that chooses among them.
template <class Made>
void list_policies(std::ostream& out, const char* key, const std::vector<mapping::Policy<Made>>& policies) {
  out << key << '\n';
  TextTable table({Align::kLeft, Align::kLeft});
  for (const mapping::Policy<Made>& policy : policies) {
    table.add({policy.name, policy.description});
    for (const mapping::PolicyParameter& p : policy.parameters)
      table.add({"  " + p.name, p.description + " (" + config::format_real(p.lowest) + " to " +
                                    config::format_real(p.highest) + "; default " + config::format_real(p.otherwise) +
                                    ")"});
  }
  table.write(out);
}

/// What every kind of module shows; `entries` picks statistics or waves.
void list_modules(std::ostream& out, std::vector<ModuleKind::Entry> ModuleKind::*entries) {
  for (const ModuleKind& kind : platform_module_kinds()) {
    if ((kind.*entries).empty()) continue;
    out << (kind.path.empty() ? "(the platform)" : kind.path) << '\n';
    TextTable table({Align::kLeft, Align::kLeft, Align::kLeft});
    for (const ModuleKind::Entry& entry : kind.*entries) table.add({entry.name, entry.unit, entry.description});
    table.write(out);
  }
}

void list_statistics(std::ostream& out) {
  out << "(actions, by node of the network and in all)\n";
  TextTable table({Align::kLeft, Align::kLeft, Align::kLeft});
  for (std::size_t i = 0; i < observe::kActions; ++i) {
    const observe::ActionDescription& action = observe::describe(observe::Action(i));
    table.add({action.name, action.unit, action.description});
  }
  table.write(out);
  list_modules(out, &ModuleKind::statistics);
}

}  // namespace

void list_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings) {
  std::ostream& out = *surroundings.out;
  const std::string& topic = command.topic;
  if (topic == "systems" || topic == "networks" || topic == "scenarios")
    return list_names(out, files, topic.substr(0, topic.size() - 1));
  if (topic == "keys") return list_keys(out, files);
  if (topic == "policies") return list_policies(out, "encoding", files.policies().all<arithmetic::WeightEncoding>());
  if (topic == "statistics") return list_statistics(out);
  if (topic == "waves") return list_modules(out, &ModuleKind::waves);
  if (topic == "registers") return void(out << tlm_kit::markdown_table(pim::accelerator_registers()));
  if (topic == "header") return void(out << tlm_kit::c_header(pim::accelerator_registers(), "MHO_PIM"));
  if (topic == "svd")
    return void(out << tlm_kit::svd(pim::accelerator_registers(), {"mho_pim", "1.0", "ReRAM accelerator", 0}));
  if (!topic.empty()) {
    const std::string meant = config::nearest(topic, kTopics);
    throw InputError("mho list", 0, 0,
                     "no list of " + excerpt(topic) + (meant.empty() ? "" : "; did you mean `" + meant + "`?"),
                     config::alternatives(kTopics));
  }
  for (const char* kind : {"system", "network", "scenario"}) {
    out << kind << "s\n";
    list_names(out, files, kind);
  }
}

}  // namespace mho
