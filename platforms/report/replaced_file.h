// SPDX-License-Identifier: Apache-2.0
// A file that is there as a whole or not at all: it is written beside its place and takes its name at the end.
#pragma once

#include <fstream>
#include <string>

namespace mho {

class ReplacedFile {
 public:
  /// `option` names the path in messages (`--csv`). Throws mho::InputError where nothing can be written there, and
  /// where `path` is something else than a file.
  ReplacedFile(std::string option, std::string path);
  /// Leaves what was there before, unless `commit` was called.
  ~ReplacedFile();
  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;

  std::ostream& stream() { return out_; }
  /// Everything is written. Throws mho::InputError where the disk has refused any of it.
  void close();
  /// Gives the file its name; `close` comes first.
  void commit();

 private:
  std::string option_, path_, temporary_;
  std::ofstream out_;
  bool committed_ = false;
};

}  // namespace mho
