// SPDX-License-Identifier: Apache-2.0
// The program mho as a function: everything it touches outside of its arguments is handed in, so that a test can run
// it and another program can have the whole command line.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "models/mapping/policies.h"
#include "platforms/platform.h"

namespace mho {

/// Simulates; the signature of run_platform.
using Simulate = std::function<RunRecord(const PlatformConfig&, const dnn::Graph&,
                                         const std::vector<std::vector<std::vector<std::uint8_t>>>&, const Progress&,
                                         observe::Recorder*)>;

/// What became of a command line in a process of its own.
struct ChildResult {
  int exit_code = 0;
  std::string err;  ///< what it wrote to its standard error, of much the end
};
/// Performs `mho ARGUMENTS`; called from several threads.
using RunChild = std::function<ChildResult(const std::vector<std::string>& arguments)>;

/// What the program finds around itself.
struct Surroundings {
  std::vector<std::string> folders;  ///< with systems/, networks/ and scenarios, searched in this order
  std::ostream* out = nullptr;       ///< results
  std::ostream* err = nullptr;       ///< errors and progress
  bool err_is_terminal = false;      ///< progress is drawn
  Simulate simulate;                 ///< empty: run_platform
  mapping::Policies policies;        ///< that scenarios may name
  RunChild run_child;                ///< empty: starts the program's file again, which must come to run_main
};

/// Runs a command line, program name first. Returns 0 on success, 2 on bad input after one line on `err`, 1 on a fault
/// of the program. Throws nothing.
int run_main(int argc, const char* const* argv, const Surroundings& surroundings);

/// The same in the surroundings of an ordinary program: standard streams, and the folders of the environment variable
/// MHO_SCENARIOS, then `scenarios` (where it exists; mho::scenario defines MHO_SCENARIOS_DIR for whoever links it), and
/// ../share/mho/scenarios seen from the program's file. `policies` are those that scenarios may name: a program that
/// registers some of its own has every command with them.
int run_main(int argc, const char* const* argv, const std::string& scenarios = {},
             const mapping::Policies& policies = {});

}  // namespace mho
