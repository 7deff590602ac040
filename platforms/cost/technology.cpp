// SPDX-License-Identifier: Apache-2.0
// Scales figures to a machine: the product of one factor a parameter, each by its own law.
#include "platforms/cost/technology.h"

#include <algorithm>
#include <cmath>

#include "models/input_error.h"
#include "platforms/cost/machine_parameters.h"

namespace mho {
namespace {

std::string domain(const Dependence& dependence) {
  const MachineParameter& parameter = *find_parameter(dependence.key);
  if (dependence.law != Dependence::Law::kTable) return "stated at " + format_parameter(parameter, dependence.at);
  std::string text;
  for (const auto& entry : dependence.table)
    text += (text.empty() ? "stated at " : ", ") + format_parameter(parameter, entry.first);
  return text;
}

/// The entry nearest to `value`; the lower of two equally near.
double nearest_entry(const std::map<double, double>& table, double value) {
  auto best = table.begin();
  for (auto entry = table.begin(); entry != table.end(); ++entry)
    if (std::abs(entry->first - value) < std::abs(best->first - value)) best = entry;
  return best->second;
}

}  // namespace

const char* name_of(Component::Level level) {
  switch (level) {
    case Component::Level::kCrossbarTile:
      return "crossbar_tile";
    case Component::Level::kTile:
      return "tile";
    case Component::Level::kChip:
      return "chip";
    case Component::Level::kPlatform:
      return "platform";
  }
  return "unknown";
}

CostModel::CostModel(const Technology& technology, const mapping::Machine& machine, const Where& where)
    : hold_(technology.hold), where_(where), notes_(technology.notes) {
  for (const Component& component : technology.components) {
    Costs costs{component.name,
                component.level,
                scaled(component.power, machine),
                scaled(component.area, machine),
                scaled(component.leakage, machine),
                {}};
    for (const auto& [action, figure] : component.energy) costs.energy_j.emplace_back(action, scaled(figure, machine));
    components_.push_back(std::move(costs));
  }
}

double CostModel::scaled(const Figure& figure, const mapping::Machine& machine) {
  double value = figure.value;
  for (const Dependence& dependence : figure.dependences)
    value *= factor(figure, dependence, find_parameter(dependence.key)->value(machine));
  return value;
}

double CostModel::factor(const Figure& figure, const Dependence& dependence, double value) {
  const auto entry = dependence.table.find(value);
  switch (dependence.law) {
    case Dependence::Law::kConstant:
      return 1.0;
    case Dependence::Law::kLinear:
      return value / dependence.at;
    case Dependence::Law::kInverse:
      return dependence.at / value;
    case Dependence::Law::kOnly:
      if (value == dependence.at) return 1.0;
      break;
    case Dependence::Law::kTable:
      if (entry != dependence.table.end()) return entry->second / dependence.table.at(dependence.at);
      break;
  }
  const std::string what = dependence.key + " = " + format_parameter(*find_parameter(dependence.key), value);
  if (!hold_)
    throw(where_ ? where_(dependence.key) : figure.position)
        .error(what + " lies outside the domain of `" + figure.path + "`",
               domain(dependence) + "; `technology.energy_scaling: hold` uses it all the same");
  notes_.push_back(figure.path + " is held at " + what + " (" + domain(dependence) + ")");
  if (dependence.law == Dependence::Law::kOnly) return 1.0;
  return nearest_entry(dependence.table, value) / dependence.table.at(dependence.at);
}

}  // namespace mho
