// SPDX-License-Identifier: Apache-2.0
// Keys of `technology` and of its components; figure_reader.cpp reads what is below them.
#include "platforms/cost/technology_reader.h"

#include <utility>

#include "platforms/config/suggest.h"
#include "platforms/cost/figure_reader.h"

namespace mho {
namespace {

using config::Quantity;
using config::Reader;

Figure read_optional(Reader& component, const char* key, Quantity quantity, const char* description) {
  std::optional<Reader> reader = component.find_section(key, description);
  return reader ? read_figure(*reader, config::quantity(quantity)) : Figure{};
}

observe::Action action_called(const std::string& name, const Reader& reader) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < observe::kActions; ++i) names.push_back(observe::describe(observe::Action(i)).name);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return observe::Action(i);
  const std::string meant = config::nearest(name, names);
  throw reader.position().error("`" + reader.path() + "`: there is no action " + excerpt(name) +
                                    (meant.empty() ? "" : "; did you mean `" + meant + "`?"),
                                "`mho list statistics` names them");
}

void read_energies(Reader& component, Component& result) {
  const bool written = component.peek("energy") != nullptr;
  for (const auto& [name, reader] :
       component.named_sections("energy", "energy of one action, by the name of the action (`mho list statistics`)")) {
    Figure figure = read_figure(reader, config::quantity(Quantity::energy));
    if (written)
      result.energy.emplace_back(action_called(name, reader), std::move(figure));  // else keys are being collected
  }
}

Component read_component(const std::string& name, Reader reader) {
  using Level = Component::Level;
  Component component{name};
  component.level = reader.get("level",
                               config::choice<Level>({{"crossbar_tile", Level::kCrossbarTile},
                                                      {"tile", Level::kTile},
                                                      {"chip", Level::kChip},
                                                      {"platform", Level::kPlatform}}),
                               config::kRequired,
                               "part of the machine that power and area are given for; platform: outside the chip");
  component.power = read_optional(reader, "power", Quantity::power, "peak power");
  component.area = read_optional(reader, "area", Quantity::area, "silicon area");
  component.leakage = read_optional(reader, "leakage", Quantity::power, "static power, charged for the whole run");
  read_energies(reader, component);
  return component;
}

}  // namespace

Technology read_technology(Reader& root) {
  Reader reader = root.section("technology", "what actions and components cost");
  Technology technology;
  technology.hold = reader.get("energy_scaling", config::choice<bool>({{"refuse", false}, {"hold", true}}), false,
                               "outside the domain of a figure: refuse the machine, or hold the figure and say so");
  technology.notes =
      reader.get("notes", config::list_of(config::text()), {}, "gaps of the sources, repeated in every report");
  for (const auto& [name, component] : reader.named_sections("components", "parts of the machine that cost something"))
    technology.components.push_back(read_component(name, component));
  return technology;
}

}  // namespace mho
