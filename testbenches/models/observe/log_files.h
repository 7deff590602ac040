// SPDX-License-Identifier: Apache-2.0
// Files of transaction logs for tests: names that vanish, bytes in and out, everything a reader saw.
#pragma once

#include <string>
#include <vector>

#include "models/observe/log_reader.h"
#include "models/observe/recorder.h"

namespace mho::observe::testbenches {

/// A name in the folder for temporary files; the file is gone with it.
class TemporaryFile {
 public:
  TemporaryFile();
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }
  std::string bytes() const;
  void write(const std::string& bytes) const;

 private:
  std::string path_;
};

/// An occupation of a converter of `module`, in picoseconds; no node, no parent.
Occupation conversion(const char* module, std::uint64_t id, std::uint64_t begin_ps, std::uint64_t end_ps);

/// What a reader saw of a log.
struct ReadBack {
  LogEnd end;
  std::vector<LoggedOccupation> occupations;
};
ReadBack read_back(const std::string& path);
/// Text of the InputError that reading gives, empty if there is none.
std::string refusal(const std::string& path);

}  // namespace mho::observe::testbenches
