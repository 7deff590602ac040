// SPDX-License-Identifier: Apache-2.0
// Encoding of occupations into a buffer that goes to the file when it is full.
#include "models/observe/transaction_log.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <functional>
#include <utility>

#include "models/input_error.h"

namespace mho::observe {

using namespace log_format;

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 16;
constexpr std::size_t kLongestNumber = 10;
constexpr std::size_t kLongestOccupation = 11 * kLongestNumber + 1;
const char* const kRemedy = "a file on a disk with room for it";

/// Seconds a unit of time is, as a power of ten; IEEE 1666 allows no others.
int time_exponent() { return int(std::lround(std::log10(sc_core::sc_get_time_resolution().to_seconds()))); }

}  // namespace

std::size_t TransactionLog::CallerHash::operator()(const Caller& caller) const {
  const std::size_t server = std::size_t(caller.lane) * kKinds + std::size_t(caller.kind);
  return std::hash<const char*>()(caller.module) ^ (server * 0x9e3779b97f4a7c15u);
}

TransactionLog::TransactionLog(std::string path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "wb")) {
  if (file_ == nullptr)
    throw InputError(path_, 0, 0, std::string("cannot be written: ") + std::strerror(errno), kRemedy);
  std::setvbuf(file_, nullptr, _IONBF, 0);
  buffer_.resize(kBufferBytes);
}

TransactionLog::~TransactionLog() {
  try {
    close();
  } catch (...) {
  }
}

void TransactionLog::record(const Occupation& occupation) {
  if (file_ == nullptr) return;
  // The resolution of time is only final when times exist.
  if (records_ == 0) write_header();
  const std::size_t server = server_of(occupation);
  make_room(kLongestOccupation);
  put(kFirstServer + server);
  encode(occupation, servers_[server]);
  ++records_;
}

void TransactionLog::encode(const Occupation& occupation, Server& server) {
  const std::size_t flags_at = used_++;
  put(zigzag(occupation.begin.value() - last_.begin));
  last_.begin = occupation.begin.value();
  unsigned flags = 0;
  const auto put_difference = [&](std::uint64_t& last, std::uint64_t expected, std::uint64_t value, unsigned flag) {
    last = value;
    if (value == expected) return;
    flags |= flag;
    put(zigzag(value - expected));
  };
  put_difference(last_.id, last_.id + 1, occupation.id, kId);
  put_difference(last_.parent, last_.parent, occupation.parent, kParent);
  put_difference(last_.operation, last_.operation, occupation.operation, kOperation);
  put_difference(last_.node, last_.node, std::uint64_t(std::int64_t{occupation.node}), kNode);
  const auto put_changed = [&](std::uint64_t& last, std::uint64_t value, unsigned flag) {
    if (last == value) return;
    last = value;
    flags |= flag;
    put(value);
  };
  LastOfServer& last = server.last;
  put_changed(last.items, occupation.items, kItems);
  put_changed(last.work, occupation.work, kWork);
  put_changed(last.interval, occupation.interval.value(), kInterval);
  put_changed(last.service, occupation.service.value(), kService);
  put(zigzag(occupation.end.value() - last_.begin - (last.items - 1) * last.interval));
  buffer_[flags_at] = std::uint8_t(flags);
}

std::size_t TransactionLog::server_of(const Occupation& occupation) {
  const auto known = known_callers_.find({occupation.module, occupation.lane, occupation.kind});
  // A module may be gone and another one's name stand where its name stood.
  if (known != known_callers_.end() && modules_[servers_[known->second].module] == occupation.module)
    return known->second;
  return find_or_define(occupation);
}

std::size_t TransactionLog::find_or_define(const Occupation& occupation) {
  const std::size_t module = module_called(std::string(occupation.module).substr(0, kLongestText));
  const auto [at, is_new] =
      server_numbers_.emplace(std::make_tuple(module, occupation.lane, occupation.kind), servers_.size());
  known_callers_[{occupation.module, occupation.lane, occupation.kind}] = at->second;
  if (!is_new) return at->second;
  servers_.push_back({module, {}});
  make_room(4 * kLongestNumber);
  put(kServer);
  put(module);
  put(zigzag(std::uint64_t(std::int64_t{occupation.lane})));
  put(std::uint64_t(occupation.kind));
  return at->second;
}

std::size_t TransactionLog::module_called(const std::string& name) {
  const auto [at, is_new] = module_numbers_.emplace(name, modules_.size());
  if (!is_new) return at->second;
  modules_.push_back(name);
  make_room(kLongestText + 2 * kLongestNumber);
  put(kModule);
  put(name);
  return at->second;
}

void TransactionLog::write_header() {
  std::memcpy(buffer_.data(), kMagic, sizeof kMagic);
  used_ = sizeof kMagic;
  put(kVersion);
  put(zigzag(std::uint64_t(std::int64_t{time_exponent()})));
  put(kKinds);
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    put(std::string(describe(Kind(kind)).name));
    put(std::string(describe(Kind(kind)).work_unit));
  }
  flush();  // so that even a run that is killed early leaves a log
}

void TransactionLog::put(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) buffer_[used_++] = std::uint8_t(value | 0x80);
  buffer_[used_++] = std::uint8_t(value);
}

void TransactionLog::put(const std::string& text) {
  put(text.size());
  std::memcpy(buffer_.data() + used_, text.data(), text.size());
  used_ += text.size();
}

void TransactionLog::make_room(std::size_t bytes) {
  if (buffer_.size() - used_ < bytes) flush();
}

void TransactionLog::flush() {
  checksum_.add(buffer_.data(), used_);
  if (std::fwrite(buffer_.data(), 1, used_, file_) != used_) fail();
  used_ = 0;
}

void TransactionLog::fail() {
  failure_ = std::string("cannot be written: ") + std::strerror(errno);
  if (file_ != nullptr) std::fclose(file_);
  file_ = nullptr;
  throw InputError(path_, 0, 0, failure_, kRemedy);
}

void TransactionLog::close() {
  if (failed()) throw InputError(path_, 0, 0, failure_, kRemedy);
  if (file_ == nullptr) return;
  if (records_ == 0) write_header();
  make_room(2 * kLongestNumber + kChecksumBytes);
  put(kFooter);
  put(records_);
  flush();
  for (std::size_t i = 0; i < kChecksumBytes; ++i) buffer_[used_++] = std::uint8_t(checksum_.value() >> (8 * i));
  flush();
  if (std::fclose(std::exchange(file_, nullptr)) != 0) fail();
}

}  // namespace mho::observe
