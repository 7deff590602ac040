// SPDX-License-Identifier: Apache-2.0
// The folder a run leaves behind. Files are written into a folder of their own beside it, which takes its name when
// everything is there: whoever finds the folder finds all of it.
#pragma once

#include <string>

namespace mho {

/// A name of a tensor or layer as the name of a file.
std::string file_name_of(const std::string& name);

/// A model or a trace must not take the place of a run's results, whose folder RunFolder would replace. Throws
/// mho::InputError where `path` is a folder with files in it.
void require_new_folder(const std::string& path);

class RunFolder {
 public:
  /// Makes the temporary folder at once, so that a run of hours does not fail at its end. Throws mho::InputError where
  /// it cannot be made, and where `path` exists and holds anything that no run writes.
  explicit RunFolder(std::string path);
  /// Removes the temporary folder unless `commit` was called.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  /// Path, in the temporary folder, of a file that is to be written; `name` may hold a folder, which is made.
  std::string file(const std::string& name) const;
  /// Writes a file. Throws std::runtime_error where the disk refuses.
  void write(const std::string& name, const std::string& content) const;
  /// Gives the folder its name; an earlier run's folder is replaced.
  void commit();
  /// The run has failed and what it recorded is worth a look: names the folder `path`.failed, in place of that of an
  /// earlier failure, and returns where it is. `path` itself stays as it was.
  std::string keep_failed();

 private:
  std::string path_, temporary_;
  bool committed_ = false;
};

}  // namespace mho
