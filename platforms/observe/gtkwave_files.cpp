// SPDX-License-Identifier: Apache-2.0
// Formats of GTKWave 3.3: the save file is not specified anywhere but in its source (analyzer.h has the flags), the
// filter files are described in its manual under "Translate Filter File".
#include "platforms/observe/gtkwave_files.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace mho {
namespace {

// Flags of a trace, hexadecimal in the save file.
constexpr unsigned kDecimal = 0x4, kBinary = 0x8, kRightJustified = 0x20, kBlank = 0x200, kFileFilter = 0x2000,
                   kAnalogStep = 0x8000, kStretch = 0x20000, kFullScale = 0x80000, kGroupBegin = 0x800000,
                   kGroupEnd = 0x1000000;
constexpr double kShownSteps = 3.6;  ///< in the window asked for, at zoom 0; each step of zoom is a factor of two
constexpr int kAnalogRows = 2;       ///< rows of a drawn signal besides its own

std::vector<std::string> states_of(const observe::Wave& wave) { return {wave.states.begin(), wave.states.end()}; }

std::string last_component(const std::string& module) {
  std::string name = module.substr(module.find_last_of('.') + 1);
  const std::size_t end = name.find_last_not_of("0123456789");
  if (end != std::string::npos && name[end] == '_' && end + 1 < name.size()) name.erase(end);
  return name;
}

std::string file_of(const StateFiles& files, const std::vector<std::string>& states) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.second == states; });
  return found == files.end() ? "" : found->first;
}

/// A count that only grows says more as a slope than as a number.
bool is_drawn(const observe::Wave& wave) {
  return std::holds_alternative<const double*>(wave.variable) ||
         std::holds_alternative<const std::uint64_t*>(wave.variable);
}

/// As SystemC writes the name: below a scope of its own, vectors with their range.
std::string signal_name(const SelectedWave& wave) {
  const auto& variable = wave.wave.variable;
  const char* const range = std::holds_alternative<const std::uint32_t*>(variable)   ? "[31:0]"
                            : std::holds_alternative<const std::uint64_t*>(variable) ? "[63:0]"
                                                                                     : "";
  return "SystemC." + wave.path() + range;
}

/// What is shown as one group: a module, or a part of it that has a name of its own.
std::string scope_of(const SelectedWave& wave) {
  const std::string path = wave.path();
  return path.substr(0, path.find_last_of('.'));
}

void write_signal(std::ostream& out, const SelectedWave& each, const StateFiles& files) {
  const std::string filter = each.wave.states.empty() ? "" : file_of(files, states_of(each.wave));
  const bool is_bool = std::holds_alternative<const bool*>(each.wave.variable);
  unsigned flags = kRightJustified | (is_bool ? kBinary : kDecimal);
  if (!filter.empty()) flags |= kFileFilter;
  if (is_drawn(each.wave)) flags |= kAnalogStep | kFullScale;
  out << '@' << std::hex << flags << std::dec << '\n';
  if (!filter.empty()) out << "^1 ./" << filter << '\n';
  out << signal_name(each) << '\n';
  if (!is_drawn(each.wave)) return;
  out << '@' << std::hex << kStretch << std::dec << '\n';
  for (int row = 0; row < kAnalogRows; ++row) out << "-\n";
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

StateFiles state_files(const std::vector<SelectedWave>& waves) {
  StateFiles files;
  for (const SelectedWave& each : waves) {
    std::vector<std::string> states = states_of(each.wave);
    if (states.empty() || !file_of(files, states).empty()) continue;
    const std::string stem = "wave_states_" + last_component(each.module);
    std::string name = stem + ".txt";
    for (int number = 2; files.count(name) != 0; ++number) name = stem + '_' + std::to_string(number) + ".txt";
    files[name] = std::move(states);
  }
  return files;
}

std::string filter_text(const std::vector<std::string>& states) {
  std::string text;
  for (std::size_t value = 0; value < states.size(); ++value)
    text += std::to_string(value) + ' ' + states[value] + '\n';
  return text;
}

std::string save_file_text(const std::string& vcd_name, const std::vector<SelectedWave>& waves) {
  const StateFiles files = state_files(waves);
  std::ostringstream out;
  // With both names GTKWave looks for the one beside the other, else in the folder it was started in.
  const std::string own_name = std::filesystem::path(vcd_name).replace_extension(".gtkw").string();
  out << "[dumpfile] \"" << vcd_name << "\"\n[savefile] \"" << own_name
      << "\"\n[timestart] 0\n[size] 1600 900\n[pos] -1 -1\n";
  for (std::size_t i = 0; i < waves.size(); ++i) {
    const std::string scope = scope_of(waves[i]);
    const bool begins = i == 0 || scope_of(waves[i - 1]) != scope;
    const bool ends = i + 1 == waves.size() || scope_of(waves[i + 1]) != scope;
    if (begins) out << '@' << std::hex << (kGroupBegin | kBlank) << std::dec << "\n-" << scope << '\n';
    write_signal(out, waves[i], files);
    if (ends) out << '@' << std::hex << (kGroupEnd | kBlank) << std::dec << "\n-" << scope << '\n';
  }
  return out.str();
}

std::string zoom_line(double steps) {
  constexpr int kMarkers = 27;
  std::string line = "*-" + std::to_string(std::max(0.0, std::log2(std::max(1.0, steps) / kShownSteps))) + " 0";
  for (int marker = 0; marker < kMarkers; ++marker) line += " -1";
  return line + '\n';
}

void write_gtkwave_files(const std::string& vcd_path, const std::vector<SelectedWave>& waves) {
  const std::filesystem::path vcd(vcd_path);
  std::filesystem::path save = vcd;
  write_text(save.replace_extension(".gtkw"), save_file_text(vcd.filename().string(), waves));
  for (const auto& [name, states] : state_files(waves)) write_text(vcd.parent_path() / name, filter_text(states));
}

}  // namespace mho
