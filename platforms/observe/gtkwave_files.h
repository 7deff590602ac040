// SPDX-License-Identifier: Apache-2.0
// What GTKWave needs to show a waveform well: a save file, which chooses signals, their order and their formats, and
// for every type of state a translate filter file from numbers to names. Paths are relative: the folder may be moved.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "platforms/observe/wave_selection.h"

namespace mho {

/// Names of states, one file a type: `wave_states_host.txt` -> {"load", ...}.
using StateFiles = std::map<std::string, std::vector<std::string>>;

/// The type of every wave with states, named after the first module that has it; `states_file` finds it again.
StateFiles state_files(const std::vector<SelectedWave>& waves);

/// Text of a translate filter file: a line `value name` for each state.
std::string filter_text(const std::vector<std::string>& states);

/// Text of the save file: scopes are groups, states are translated, real numbers and counts that only grow are drawn.
std::string save_file_text(const std::string& vcd_name, const std::vector<SelectedWave>& waves);

/// The line of a save file that shows `steps` of time at once, in a window of the size that the save file asks for.
std::string zoom_line(double steps);

/// Writes all of them beside `vcd_path`: wave.gtkw for wave.vcd. Throws std::runtime_error where the disk refuses.
void write_gtkwave_files(const std::string& vcd_path, const std::vector<SelectedWave>& waves);

}  // namespace mho
