// SPDX-License-Identifier: Apache-2.0
// wave.vcd: values of chosen waves over simulated time, for GTKWave and every other viewer of IEEE 1364 value change
// dumps. Beside it lie files that make GTKWave show it well (gtkwave_files.h).
#pragma once

#include <string>
#include <systemc>
#include <vector>

#include "platforms/observe/wave_selection.h"

namespace mho {

class WaveFile {
 public:
  /// Opens `path`, which ends in `.vcd`, and has the simulator follow `waves`: after elaboration, before simulation.
  /// Times are in units of the simulator's resolution. Throws std::runtime_error where the folder cannot be written to.
  WaveFile(std::string path, const std::vector<SelectedWave>& waves);
  /// Closes the file, so that what is there can be read also when the simulation has failed.
  ~WaveFile();
  WaveFile(const WaveFile&) = delete;
  WaveFile& operator=(const WaveFile&) = delete;

  /// Closes the file. Throws std::runtime_error where not all of it could be written.
  void close();

 private:
  /// Closes the file and adds to the save file how much time there is to show.
  void finish();

  const std::string path_;
  sc_core::sc_trace_file* file_ = nullptr;
};

}  // namespace mho
