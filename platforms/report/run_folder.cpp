// SPDX-License-Identifier: Apache-2.0
// Temporary folder, then rename. Two runs into the same folder at once do not mix: the later one wins as a whole.
#include "platforms/report/run_folder.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "models/input_error.h"

namespace mho {
namespace {

namespace fs = std::filesystem;

InputError out_error(const std::string& path, const std::string& problem, const std::string& allowed) {
  return InputError("--out " + path, 0, 0, problem, allowed);
}

/// Path without a slash at its end, so that its parent and its last name are what they seem.
std::string trimmed(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

/// True for what a run writes; anything else in a folder belongs to somebody.
bool written_by_run(const std::string& name) {
  return name == "summary.json" || name == "layers.csv" || name == "effective.yaml" || name == "outputs" ||
         name.rfind("trace", 0) == 0 || name == "transactions.bin" || name == "statistics.csv" || name == "wave.vcd" ||
         name == "wave.gtkw" || name.rfind("wave_states_", 0) == 0;
}

/// Name of an entry that no run writes, empty if there is none.
std::string foreign_entry(const std::string& folder) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (std::string name = entry.path().filename().string(); !written_by_run(name)) return name;
  return "";
}

void check_target(const std::string& path) {
  if (path.empty()) throw out_error(path, "an empty name", "a folder");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found && !fs::is_symlink(path, error)) return;
  if (status.type() == fs::file_type::none)
    throw out_error(path, "cannot be made: " + error.message(), "a folder that can be written");
  if (status.type() != fs::file_type::directory)
    throw out_error(path, "exists and is no folder", "a new folder or that of an earlier run");
  if (const std::string name = foreign_entry(path); !name.empty())
    throw out_error(path, "holds " + excerpt(name) + ", which no run wrote", "a new folder or that of an earlier run");
}

}  // namespace

std::string file_name_of(const std::string& name) {
  std::string file;
  for (const char c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    file += plain ? c : '_';
  }
  return file.empty() || file.front() == '.' ? "_" + file : file;
}

void require_new_folder(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error) && !fs::is_empty(path, error))
    throw out_error(path, "is a folder with files in it", "a new folder");
}

RunFolder::RunFolder(std::string path) : path_(trimmed(std::move(path))) {
  check_target(path_);
  temporary_ = path_ + ".partial-" + std::to_string(getpid());
  std::error_code error;
  fs::create_directories(temporary_, error);
  if (error) throw out_error(path_, "cannot be made: " + error.message(), "a folder that can be written");
}

RunFolder::~RunFolder() {
  std::error_code error;
  if (!committed_) fs::remove_all(temporary_, error);
}

std::string RunFolder::file(const std::string& name) const {
  const fs::path path = fs::path(temporary_) / name;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) throw out_error(path_, "cannot be made: " + error.message(), "a folder that can be written, with room");
  return path.string();
}

void RunFolder::write(const std::string& name, const std::string& content) const {
  std::ofstream out(file(name), std::ios::binary);
  out << content;
  out.close();
  if (!out) throw out_error(path_, "cannot be written: " + excerpt(name), "a folder that can be written, with room");
}

void RunFolder::commit() {
  check_target(path_);  // somebody may have put something there since the run began
  const std::string old = path_ + ".replaced-" + std::to_string(getpid());
  std::error_code error;
  const bool replaces = fs::exists(path_, error);
  if (replaces && !error) fs::rename(path_, old, error);
  if (!error) fs::rename(temporary_, path_, error);
  if (error) {
    const std::string reason = error.message();
    if (!fs::exists(path_, error)) fs::rename(old, path_, error);
    throw out_error(path_, "cannot be made: " + reason, "a folder that can be written");
  }
  committed_ = true;
  if (replaces) fs::remove_all(old, error);
}

std::string RunFolder::keep_failed() {
  committed_ = true;
  const std::string place = path_ + ".failed";
  std::error_code error;
  const fs::file_type type = fs::symlink_status(place, error).type();
  const bool is_ours = type == fs::file_type::directory && foreign_entry(place).empty();
  if (is_ours) fs::remove_all(place, error);
  if (type != fs::file_type::not_found && !is_ours) return temporary_;
  fs::rename(temporary_, place, error);
  return error ? temporary_ : place;
}

}  // namespace mho
