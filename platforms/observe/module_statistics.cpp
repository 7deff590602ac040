// SPDX-License-Identifier: Apache-2.0
// Walking the tree of modules when a run has ended, or to describe them.
#include "platforms/observe/module_statistics.h"

#include <algorithm>

#include "models/observe/instrument.h"
#include "platforms/observe/path_pattern.h"

namespace mho {
namespace {

void add_once(std::vector<ModuleKind::Entry>& entries, ModuleKind::Entry entry) {
  const auto same = [&](const ModuleKind::Entry& other) { return other.name == entry.name; };
  if (std::none_of(entries.begin(), entries.end(), same)) entries.push_back(std::move(entry));
}

/// The description, with the names of the states behind it.
std::string meaning_of(const observe::Wave& wave) {
  std::string text = wave.description;
  for (std::size_t i = 0; i < wave.states.size(); ++i) text += (i == 0 ? ": " : ", ") + std::string(wave.states[i]);
  return text;
}

std::string below(const sc_core::sc_object& root, const std::string& name) {
  const std::size_t length = std::string(root.name()).size();
  return name.size() > length ? name.substr(length + 1) : "";
}

}  // namespace

std::vector<ModuleStatistic> statistics_of(const sc_core::sc_object& root) {
  std::vector<ModuleStatistic> all;
  observe::for_each_instrument(&root, [&](const sc_core::sc_object& module, const observe::Instrument& instrument) {
    for (const observe::Statistic& each : instrument.statistics())
      all.push_back({module.name(), each.name, each.description, each.unit, each.value});
  });
  return all;
}

std::vector<ModuleKind> module_kinds(const sc_core::sc_object& root) {
  std::vector<ModuleKind> kinds;
  observe::for_each_instrument(&root, [&](const sc_core::sc_object& module, const observe::Instrument& instrument) {
    const std::string path = kind_of(below(root, module.name()));
    auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const ModuleKind& each) { return each.path == path; });
    if (kind == kinds.end()) kind = kinds.insert(kinds.end(), {path, {}, {}});
    for (const observe::Statistic& each : instrument.statistics())
      add_once(kind->statistics, {kind_of(each.name), each.unit, each.description});
    for (const observe::Wave& each : instrument.waves())
      add_once(kind->waves, {kind_of(each.name), each.unit, meaning_of(each)});
  });
  return kinds;
}

}  // namespace mho
