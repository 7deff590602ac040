// SPDX-License-Identifier: Apache-2.0
// Power and area of a machine from its component table: parts times counts, level by level. These are the peaks that
// publications print; what a run really draws is in energy_report.h.
#pragma once

#include "models/mapping/machine.h"
#include "platforms/cost/technology.h"

namespace mho {

/// Power and area of one part of a level, everything below it included.
struct Budget {
  double power_w = 0.0;
  double area_m2 = 0.0;
};

struct ChipBudget {
  Budget crossbar_tile, tile, chip;
};

/// Parts of a level on one chip; 0 for what lies outside the chip.
double parts_per_chip(Component::Level level, const mapping::Machine& machine);

ChipBudget chip_budget(const CostModel& costs, const mapping::Machine& machine);

/// Static power of all parts of a component on `chips` chips, or of the one part that lies outside them.
double leakage_w(const CostModel::Costs& component, const mapping::Machine& machine, int chips);

/// Peak operations a second of one chip, one multiply-accumulate being two, with every crossbar busy: rows x filters
/// of a crossbar in the cycles of one vector, those of recovery among them. Where layers have slicings of their own,
/// filters have the fewest slices of any.
double peak_ops_per_s(const mapping::Machine& machine);

}  // namespace mho
