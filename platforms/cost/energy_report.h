// SPDX-License-Identifier: Apache-2.0
// Energy of a run: counts times energy per action plus static power times time, by component and by node. Made from
// recorded counts, so that one run can be costed with many technologies.
#pragma once

#include <string>
#include <vector>

#include "models/mapping/machine.h"
#include "models/observe/ledger.h"
#include "platforms/cost/technology.h"

namespace mho {

/// Energy of some counts, one number a component in the order of the technology, in joules.
std::vector<double> energy_of(const observe::Counts& counts, const CostModel& costs);

/// The same over all components.
double total_energy_of(const observe::Counts& counts, const CostModel& costs);

/// Energies of a whole run in joules.
struct EnergyReport {
  std::vector<std::string> components;
  std::vector<std::vector<double>> nodes;  ///< [node][component]
  std::vector<double> machine;             ///< [component]: what no node caused, and all static energy
  std::vector<double> components_j;        ///< [component]: the sum of both
  double total_j = 0.0;                    ///< the sum over all of them
};

/// `time_s` is the duration of the run and `chips` the chips that were powered.
EnergyReport energy_report(const observe::Ledger& ledger, const CostModel& costs, const mapping::Machine& machine,
                           int chips, double time_s);

}  // namespace mho
