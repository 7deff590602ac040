// SPDX-License-Identifier: Apache-2.0
// Temporary files and readers of logs.
#include "testbenches/models/observe/log_files.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "models/input_error.h"

namespace mho::observe::testbenches {

TemporaryFile::TemporaryFile() : path_((std::filesystem::temp_directory_path() / "mho-log-XXXXXX").string()) {
  const int descriptor = mkstemp(path_.data());
  if (descriptor < 0) throw std::runtime_error("no temporary file");
  close(descriptor);
}

TemporaryFile::~TemporaryFile() {
  std::error_code error;
  std::filesystem::remove(path_, error);
}

std::string TemporaryFile::bytes() const {
  std::ifstream in(path_, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void TemporaryFile::write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

Occupation conversion(const char* module, std::uint64_t id, std::uint64_t begin_ps, std::uint64_t end_ps) {
  Occupation occupation;
  occupation.module = module;
  occupation.kind = Kind::kConversion;
  occupation.id = id;
  occupation.begin = sc_core::sc_time::from_value(begin_ps);
  occupation.end = sc_core::sc_time::from_value(end_ps);
  occupation.service = occupation.end - occupation.begin;
  return occupation;
}

ReadBack read_back(const std::string& path) {
  ReadBack result;
  result.end = read_log(
      path, [&](const LogTables&, const LoggedOccupation& occupation) { result.occupations.push_back(occupation); });
  return result;
}

std::string refusal(const std::string& path) {
  try {
    read_back(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace mho::observe::testbenches
