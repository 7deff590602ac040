// SPDX-License-Identifier: Apache-2.0
// What one run of a platform left behind: outputs, times and counts. Reports are written from this and from the
// technology tables alone; nothing here is a joule.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/mapping/program.h"
#include "models/observe/ledger.h"
#include "platforms/observe/module_statistics.h"

namespace mho {

/// One node of the network in time. Seconds since the doorbell of the run.
struct NodeTiming {
  double first_start_s = 0.0;
  double last_end_s = 0.0;
  double busy_s = 0.0;          ///< windows issued times their interval, summed over rows
  double input_stall_s = 0.0;   ///< ready but waiting for input rows
  double buffer_stall_s = 0.0;  ///< ready but waiting for space in a consumer's row buffer
  std::uint64_t rows = 0;
  double interval_s = 0.0;  ///< longest interval between two windows
  std::string limited_by;   ///< module whose service time set that interval
};

struct RunRecord {
  mapping::Program program;  ///< blocks emptied of levels once placed
  std::uint64_t inferences = 0;
  double programming_s = 0.0;
  std::vector<double> completions_s;  ///< one an inference: output complete, since the doorbell
  std::vector<NodeTiming> nodes;      ///< one a node of the network
  observe::Ledger ledger;             ///< of the run
  observe::Ledger programming;        ///< of writing the weights before it
  /// outputs[i][inference]: codes [height][width][channels] of graph output i.
  std::vector<std::vector<std::vector<std::uint8_t>>> outputs;
  std::vector<ModuleStatistic> statistics;  ///< of all modules, over programming and run
  double simulated_s = 0.0;                 ///< doorbell to interrupt
  double wall_time_s = 0.0;
  double compile_time_s = 0.0;  ///< processor time of mapping and encoding; within wall_time_s, beside other work
};

}  // namespace mho
