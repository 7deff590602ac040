// SPDX-License-Identifier: Apache-2.0
// The commands behind the command line, one function each. They throw mho::InputError on bad input and write results
// to the stream of results only.
#pragma once

#include "platforms/program/command_line.h"
#include "platforms/program/run_main.h"
#include "platforms/scenario/scenario_files.h"

namespace mho {

/// Simulates a scenario and reports it.
void run_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings);
/// Reads and compiles a scenario and says how it fits.
void check_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings);
/// Runs several machines on several networks and tabulates their ratios.
void compare_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings);
/// Runs a scenario and keeps what went into its layers.
void trace_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings);
/// Reads an ONNX model, quantises it where it is float, and says what it is and how good it is.
void import_command(const Command& command, const Surroundings& surroundings);
/// Writes a network with its weights and inputs in ONNX's formats.
void export_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings);
/// Sums up a transaction log, or writes it in another format.
void log_command(const Command& command, const Surroundings& surroundings);
/// Lists names, keys or statistics.
void list_command(const Command& command, const ScenarioFiles& files, const Surroundings& surroundings);

}  // namespace mho
