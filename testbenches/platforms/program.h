// SPDX-License-Identifier: Apache-2.0
// The program mho inside a test: arguments in, exit code and texts out, with a simulation that is invented, so that
// tests of scenarios and reports need no SystemC and know every number they check.
#pragma once

#include <string>
#include <vector>

#include "platforms/program/run_main.h"
#include "platforms/scenario/scenario.h"

namespace mho::testbenches {

/// Outputs of the integer reference; counts, times and stalls made up from simple rules:
/// inference n completes at (50 + 20 n) us; a convolution has macs / 4 conversions and as many row drives, and every
/// node's longest interval is 800 ns, set by its crossbars; programming takes 1 ms and 1000 level steps. Nothing is
/// recorded.
RunRecord invented_run(const PlatformConfig& config, const dnn::Graph& graph,
                       const std::vector<std::vector<std::vector<std::uint8_t>>>& inputs, const Progress& progress,
                       observe::Recorder* recorder = nullptr);

struct ProgramResult {
  int exit_code = 0;
  std::string out, err;
};

/// `mho ARGUMENTS` with the project's scenarios.
ProgramResult run_program(const std::vector<std::string>& arguments, const Simulate& simulate = invented_run);

/// The one line that bad input leaves on the stream of errors.
std::string complaint(const std::vector<std::string>& arguments, const Simulate& simulate = invented_run);

/// The folder of the project's scenarios.
std::string scenarios_folder();
ScenarioFiles project_files();

/// A scenario of system isaac_8b and the trained network with `overrides`.
Scenario scenario_with(const std::vector<std::string>& overrides, const std::string& system = "isaac_8b");

/// What an InputError of `scenario_with` says; empty if there is none.
std::string refusal_of(const std::vector<std::string>& overrides);

/// A folder that is gone when the test is over.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

std::string text_of(const std::string& path);

}  // namespace mho::testbenches
