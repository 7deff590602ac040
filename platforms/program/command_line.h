// SPDX-License-Identifier: Apache-2.0
// What a command line asks for. Options are described once, here; their values are checked where they are used, as if
// they stood in a scenario.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "platforms/scenario/scenario.h"

namespace mho {

struct Command {
  enum class Verb { kHelp, kRun, kCheck, kExport, kLog, kList };
  Verb verb = Verb::kHelp;
  std::string topic;         ///< kHelp: the command asked about, or empty; kList: what to list, or empty
  ScenarioRequest scenario;  ///< kRun, kCheck; kExport: `file` is the network
  std::string out;           ///< folder for results, or empty
  std::string log;           ///< kLog: path of the log
  std::string perfetto;      ///< kLog: path of the JSON to write, or empty
  std::string csv;           ///< kLog: path of the table to write, or empty
  bool json = false;         ///< the summary on stdout in place of text
  bool report = false;       ///< a table of all layers (kCheck: of all placements) as well
};

/// Parses the arguments behind the program's name. Throws mho::InputError with one line that names the option.
Command parse_command_line(const std::vector<std::string>& arguments);

/// Text of `mho --help` (empty topic) or `mho TOPIC --help`.
void write_help(std::ostream& out, const std::string& topic);

}  // namespace mho
