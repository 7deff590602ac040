// SPDX-License-Identifier: Apache-2.0
// What the modules of a tree have gathered, and what they can show: values when a run has ended, and the reference of
// names, units and meanings by kind of module.
#pragma once

#include <string>
#include <string_view>
#include <systemc>
#include <vector>

namespace mho {

/// A statistic of one module when it was read. The texts are the module's own and live as long as it does: machines of
/// thousands of tiles have a hundred thousand of these.
struct ModuleStatistic {
  std::string_view module;  ///< hierarchical name
  std::string_view name, description, unit;
  double value = 0.0;
};

/// Statistics of all modules at and below `root`, sorted by module, in the order in which each states them.
std::vector<ModuleStatistic> statistics_of(const sc_core::sc_object& root);

/// What all modules of one kind show.
struct ModuleKind {
  struct Entry {
    std::string name, unit, description;
  };
  std::string path;  ///< below the root, with a star for every instance number: `pim0.core.tile_*.bus`
  std::vector<Entry> statistics, waves;
};

/// The kinds of module at and below `root`, sorted by path. Entries that only differ in an instance number are one.
std::vector<ModuleKind> module_kinds(const sc_core::sc_object& root);

}  // namespace mho
