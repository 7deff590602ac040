// SPDX-License-Identifier: Apache-2.0
// What a command line asks for. Options are described once, here; their values are checked where they are used, as if
// they stood in a scenario.
#pragma once

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "platforms/scenario/scenario.h"

namespace mho {

/// What `mho import` is asked for.
struct ImportRequest {
  std::string model;                                         ///< path of an ONNX model
  std::vector<std::string> samples;                          ///< FILE or NAME=FILE
  std::string labels;                                        ///< path, or empty
  std::vector<std::pair<std::string, std::string>> options;  ///< range, percentile, calibration, step, in this order
};

/// What `mho compare` is asked to compare.
struct CompareRequest {
  std::vector<std::string> contenders;  ///< systems, scenarios, folders of finished runs; the first is the baseline
  std::vector<std::string> networks;    ///< none: those of the scenarios
  bool equal_area = false;              ///< ratios at the baseline's area as well
  int jobs = 0;                         ///< runs at a time; 0: one a processor
};

struct Command {
  enum class Verb { kHelp, kRun, kCheck, kCompare, kTrace, kImport, kExport, kLog, kList };
  Verb verb = Verb::kHelp;
  std::string topic;         ///< kHelp: the command asked about, or empty; kList: what to list, or empty
  ScenarioRequest scenario;  ///< kRun, kCheck, kTrace; kExport: `file` is the network
  ImportRequest import;      ///< kImport
  CompareRequest compare;    ///< kCompare; `scenario` has the options of its runs
  std::string out;           ///< folder for results, or empty
  std::string log;           ///< kLog: path of the log
  std::string perfetto;      ///< kLog: path of the JSON to write, or empty
  std::string csv;           ///< kLog: path of the table to write, or empty
  bool json = false;         ///< the summary on stdout in place of text
  bool report = false;       ///< a table of all layers (kCheck: of all placements) as well

  std::vector<std::string> layers;  ///< kTrace: names of layers; none: all that hold weights
  bool histograms = false;          ///< kTrace: of column sums as well
};

/// Parses the arguments behind the program's name. Throws mho::InputError with one line that names the option.
Command parse_command_line(const std::vector<std::string>& arguments);

/// Text of `mho --help` (empty topic) or `mho TOPIC --help`.
void write_help(std::ostream& out, const std::string& topic);

}  // namespace mho
