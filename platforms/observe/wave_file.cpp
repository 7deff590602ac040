// SPDX-License-Identifier: Apache-2.0
// A trace file of SystemC, opened quietly and closed always.
#include "platforms/observe/wave_file.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "platforms/observe/gtkwave_files.h"

namespace mho {
namespace {

constexpr char kExtension[] = ".vcd";

/// SystemC appends the extension itself.
std::string without_extension(const std::string& path) {
  const std::size_t length = sizeof kExtension - 1;
  if (path.size() <= length || path.compare(path.size() - length, length, kExtension) != 0)
    throw std::invalid_argument("a waveform is written to a file *.vcd, not to " + path);
  return path.substr(0, path.size() - length);
}

/// While it lives, SystemC does not announce the unit of time of a trace file on the terminal.
class QuietUnit {
 public:
  QuietUnit() : before_(sc_core::sc_report_handler::set_actions(kMessage, sc_core::SC_INFO, sc_core::SC_DO_NOTHING)) {}
  ~QuietUnit() { sc_core::sc_report_handler::set_actions(kMessage, sc_core::SC_INFO, before_); }
  QuietUnit(const QuietUnit&) = delete;
  QuietUnit& operator=(const QuietUnit&) = delete;

 private:
  static constexpr char kMessage[] = "tracing timescale unit set";
  const sc_core::sc_actions before_;
};

/// The last line of a whole file is the time of its end.
bool ends_with_time(const std::string& path) {
  constexpr std::streamoff kLine = 32;
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  std::string end(std::size_t(std::clamp<std::streamoff>(in.tellg(), 0, kLine)), '\0');
  in.seekg(-std::streamoff(end.size()), std::ios::end);
  in.read(end.data(), std::streamsize(end.size()));
  const std::size_t mark = end.find_last_of('#');
  return mark != std::string::npos && mark + 2 < end.size() && end.back() == '\n' &&
         end.find_first_not_of("0123456789", mark + 1) == end.size() - 1;
}

}  // namespace

WaveFile::WaveFile(std::string path, const std::vector<SelectedWave>& waves) : path_(std::move(path)) {
  const std::string name = without_extension(path_);
  write_gtkwave_files(path_, waves);
  if (!std::ofstream(path_, std::ios::binary)) throw std::runtime_error("cannot write " + path_);
  const QuietUnit quiet;
  file_ = sc_core::sc_create_vcd_trace_file(name.c_str());
  const sc_core::sc_time step = sc_core::sc_get_time_resolution();
  // A power of ten of seconds, as a number and a unit that SystemC knows.
  double number = step / sc_core::sc_time(1, sc_core::SC_PS);
  file_->set_time_unit(number < 1.0 ? step / sc_core::sc_time(1, sc_core::SC_FS) : number,
                       number < 1.0 ? sc_core::SC_FS : sc_core::SC_PS);
  for (const SelectedWave& each : waves) observe::trace(file_, each.wave, each.path());
}

WaveFile::~WaveFile() {
  if (file_ != nullptr) finish();
}

void WaveFile::finish() {
  sc_core::sc_close_vcd_trace_file(file_);
  file_ = nullptr;
  std::ofstream(without_extension(path_) + ".gtkw", std::ios::binary | std::ios::app)
      << zoom_line(sc_core::sc_time_stamp() / sc_core::sc_get_time_resolution());
}

void WaveFile::close() {
  finish();
  if (!ends_with_time(path_)) throw std::runtime_error("cannot write " + path_ + " to its end: is the disk full?");
}

}  // namespace mho
