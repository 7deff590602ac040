// SPDX-License-Identifier: Apache-2.0
// The bytes of a log as the numbers and texts they stand for. What does not stand for any is an error with its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "models/input_error.h"
#include "models/observe/log_format.h"

namespace mho::observe {

/// The file ends where more was to come.
struct CutOff {};

/// Reads forward only. Everything throws CutOff at the end of the file and mho::InputError where the file is damaged.
class LogBytes {
 public:
  explicit LogBytes(const std::string& path);

  std::uint8_t byte() {
    if (at_ == filled_ && !refill()) throw CutOff();
    return buffer_[at_++];
  }
  bool at_end() { return at_ == filled_ && !refill(); }
  std::uint64_t number();
  std::uint64_t difference() { return log_format::from_zigzag(number()); }
  /// A signed number of 32 bits: `base` and the difference in the file.
  int small_number(std::uint64_t base);
  std::string text();
  /// Adler-32 of all bytes read so far.
  std::uint32_t checksum();

  InputError error(const std::string& problem) const;
  InputError damaged(const std::string& what) const;

 private:
  bool refill();

  const std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::vector<std::uint8_t> buffer_;
  std::size_t at_ = 0, filled_ = 0, summed_ = 0;
  std::uint64_t passed_ = 0;  ///< bytes of earlier buffers
  log_format::Checksum checksum_;
};

}  // namespace mho::observe
