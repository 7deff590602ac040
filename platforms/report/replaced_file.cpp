// SPDX-License-Identifier: Apache-2.0
// Temporary file in the same folder, then rename.
#include "platforms/report/replaced_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "models/input_error.h"

namespace mho {
namespace {

namespace fs = std::filesystem;

const char* const kRemedy = "a file in a folder that can be written, with room for it";

}  // namespace

ReplacedFile::ReplacedFile(std::string option, std::string path)
    : option_(std::move(option)), path_(std::move(path)), temporary_(path_ + ".partial-" + std::to_string(getpid())) {
  std::error_code error;
  const fs::file_type type = fs::status(path_, error).type();
  if (path_.empty() || (type != fs::file_type::not_found && type != fs::file_type::regular))
    throw InputError(option_ + ' ' + path_, 0, 0, path_.empty() ? "an empty name" : "exists and is no file", kRemedy);
  out_.open(temporary_, std::ios::binary | std::ios::trunc);
  if (!out_)
    throw InputError(option_ + ' ' + path_, 0, 0, std::string("cannot be written: ") + std::strerror(errno), kRemedy);
}

ReplacedFile::~ReplacedFile() {
  std::error_code error;
  if (!committed_) fs::remove(temporary_, error);
}

void ReplacedFile::close() {
  errno = 0;
  out_.close();
  if (out_) return;
  const std::string reason = errno != 0 ? std::string(": ") + std::strerror(errno) : "";
  throw InputError(option_ + ' ' + path_, 0, 0, "cannot be written" + reason, kRemedy);
}

void ReplacedFile::commit() {
  std::error_code error;
  fs::rename(temporary_, path_, error);
  if (error) throw InputError(option_ + ' ' + path_, 0, 0, "cannot be written: " + error.message(), kRemedy);
  committed_ = true;
}

}  // namespace mho
