// SPDX-License-Identifier: Apache-2.0
// Sums over the component table.
#include "platforms/cost/chip_budget.h"

#include <algorithm>

#include "models/arithmetic/input_stream.h"

namespace mho {

using Level = Component::Level;

double parts_per_chip(Level level, const mapping::Machine& machine) {
  switch (level) {
    case Level::kCrossbarTile:
      return double(machine.tiles_per_chip) * machine.crossbar_tiles_per_tile;
    case Level::kTile:
      return machine.tiles_per_chip;
    case Level::kChip:
      return 1.0;
    case Level::kPlatform:
      return 0.0;
  }
  return 0.0;
}

ChipBudget chip_budget(const CostModel& costs, const mapping::Machine& machine) {
  ChipBudget budget;
  const double per_chip = parts_per_chip(Level::kCrossbarTile, machine);
  for (const CostModel::Costs& component : costs.components()) {
    const auto add = [&](Budget& to, double parts) {
      to.power_w += parts * component.power_w;
      to.area_m2 += parts * component.area_m2;
    };
    const bool in_crossbar_tile = component.level == Level::kCrossbarTile;
    if (in_crossbar_tile) add(budget.crossbar_tile, 1.0);
    if (in_crossbar_tile) add(budget.tile, machine.crossbar_tiles_per_tile);
    if (component.level == Level::kTile) add(budget.tile, 1.0);
    add(budget.chip, in_crossbar_tile ? per_chip : parts_per_chip(component.level, machine));
  }
  return budget;
}

double leakage_w(const CostModel::Costs& component, const mapping::Machine& machine, int chips) {
  if (component.level == Level::kPlatform) return component.leakage_w;
  return component.leakage_w * parts_per_chip(component.level, machine) * chips;
}

double peak_ops_per_s(const mapping::Machine& machine) {
  arithmetic::InputStream stream;
  stream.slicing = machine.input_slicing.empty() ? arithmetic::Slicing::uniform(machine.data_bits, machine.dac_bits)
                                                 : arithmetic::Slicing(machine.input_slicing);
  stream.speculation = machine.speculation;
  std::size_t slices = machine.weight_slicing.size();
  for (const auto& [layer, widths] : machine.layer_slicings)
    slices = layer == machine.layer_slicings.begin()->first ? widths.size() : std::min(slices, widths.size());
  const double operations = 2.0 * machine.crossbar.rows * machine.filters_per_crossbar(int(slices));
  return operations * machine.crossbars_per_chip() /
         (arithmetic::count_cycles(stream).all() * machine.crossbar.cycle_s);
}

}  // namespace mho
