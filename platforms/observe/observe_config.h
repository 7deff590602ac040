// SPDX-License-Identifier: Apache-2.0
// What a scenario asks to be recorded while it runs, and what that needs from outside of the simulation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/observe/column_sums.h"
#include "models/observe/ledger.h"
#include "platforms/config/node.h"

namespace mho {

/// Waves by their path, see path_pattern.h, and where the pattern was written.
struct WavePattern {
  std::string text;
  config::Position at;
};

/// What is recorded while the platform runs.
struct ObserveConfig {
  bool log = false;                ///< transactions.bin in the folder of results
  std::vector<WavePattern> waves;  ///< what wave.vcd follows; none: no waveform
  double power_window_s = 1e-6;    ///< over which power is averaged for the waveform
  std::string wave_path;           ///< where wave.vcd is written, in the folder of results; empty: no waveform
  /// Joules of some counts; empty: the platform has no wave of power.
  std::function<double(const observe::Counts&)> energy_j;
  observe::ColumnSumRecorder* column_sums = nullptr;  ///< is told what converters sample; null: nobody
};

}  // namespace mho
