// SPDX-License-Identifier: Apache-2.0
// Which waves of the tree of modules are followed. A pattern that names nothing is a mistake of the user's, and so is
// one that names more than a simulation can afford: the simulator compares every variable at every step of time.
#pragma once

#include <systemc>
#include <vector>

#include "models/observe/instrument.h"
#include "platforms/observe/observe_config.h"

namespace mho {

/// Most variables of one waveform.
constexpr std::size_t kMostWaves = 4096;

struct SelectedWave {
  std::string module;  ///< hierarchical name
  observe::Wave wave;
  std::string path() const { return module + '.' + wave.name; }
};

/// Waves at and below `root` that any pattern names, sorted by path, each once. Paths begin below `root`, but may be
/// written with its name in front. Throws mho::InputError at the first pattern that names no wave, with the nearest
/// names, and at the one with which there are more than kMostWaves.
std::vector<SelectedWave> select_waves(const sc_core::sc_object& root, const std::vector<WavePattern>& patterns);

}  // namespace mho
