// SPDX-License-Identifier: Apache-2.0
// What `mho compare` is asked to compare, as runs: every machine on every network, named so that a table can tell them
// apart. Names are checked here, before anything runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platforms/program/command_line.h"
#include "platforms/report/comparison.h"
#include "platforms/scenario/scenario_files.h"

namespace mho {

struct PlannedRun {
  std::string contender, network;       ///< in tables; unique as a pair
  std::vector<std::string> arguments;   ///< of `mho`, without `--out`
  std::optional<ComparedRun> finished;  ///< read from a folder; nothing is to be run
  std::string refusal;                  ///< why it cannot run; empty: it may
};

/// Runs by machine, then network. Throws mho::InputError where a system, scenario, network or folder does not exist,
/// where a machine has no network, and where no run is possible for one and the same reason.
std::vector<PlannedRun> plan_runs(const CompareRequest& request, const ScenarioRequest& options,
                                  const ScenarioFiles& files);

/// `name`, or "name (2)" and so on where `taken` has it.
std::string unique_name(const std::string& name, const std::vector<std::string>& taken);

/// Appends a name that is not there yet.
void add_once(std::vector<std::string>& names, const std::string& name);

}  // namespace mho
