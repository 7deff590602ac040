// SPDX-License-Identifier: Apache-2.0
// Numbers and texts from a buffer that is filled as the reader goes on. Nothing that a length promises is believed
// before the bytes are there.
#include "models/observe/log_bytes.h"

#include <cerrno>
#include <cstring>
#include <limits>

namespace mho::observe {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 16;

}  // namespace

LogBytes::LogBytes(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "rb"), &std::fclose) {
  if (file_ == nullptr) throw error(std::string("cannot be read: ") + std::strerror(errno));
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);
  buffer_.resize(kBufferBytes);
}

std::uint64_t LogBytes::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t next = byte();
    if (shift == 63 && next > 1) break;
    value |= std::uint64_t(next & 0x7fu) << shift;
    if (next < 0x80) return value;
  }
  throw damaged("a number of more than 64 bits");
}

int LogBytes::small_number(std::uint64_t base) {
  const auto value = static_cast<std::int64_t>(base + difference());
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    throw damaged("a number of more than 32 bits");
  return int(value);
}

std::string LogBytes::text() {
  const std::uint64_t length = number();
  if (length > log_format::kLongestText) throw damaged("a name of " + std::to_string(length) + " bytes");
  std::string characters;
  for (std::uint64_t i = 0; i < length; ++i) characters += char(byte());
  return characters;
}

std::uint32_t LogBytes::checksum() {
  checksum_.add(buffer_.data() + summed_, at_ - summed_);
  summed_ = at_;
  return checksum_.value();
}

InputError LogBytes::error(const std::string& problem) const {
  return InputError(path_, 0, 0, problem, "a log written by `mho run --log`");
}

InputError LogBytes::damaged(const std::string& what) const {
  return error("damaged before byte " + std::to_string(passed_ + at_) + ": " + what);
}

bool LogBytes::refill() {
  checksum();
  passed_ += filled_;
  at_ = summed_ = 0;
  filled_ = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
  if (filled_ == 0 && std::ferror(file_.get()) != 0)
    throw error(std::string("cannot be read: ") + std::strerror(errno));
  return filled_ != 0;
}

}  // namespace mho::observe
