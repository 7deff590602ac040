// SPDX-License-Identifier: Apache-2.0
// What writer and reader of a transaction log have to agree on; the format itself is described in transaction_log.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mho::observe::log_format {

/// The first byte is no text and the last one a line's end, so that transfers which change either are noticed.
constexpr std::uint8_t kMagic[] = {0x89, 'm', 'h', 'o', 'l', 'o', 'g', '\n'};
constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kFooter = 0, kModule = 1, kServer = 2, kFirstServer = 3;

/// Which fields of an occupation are written; the others are as expected.
constexpr unsigned kId = 1, kParent = 2, kOperation = 4, kNode = 8, kItems = 16, kWork = 32, kInterval = 64,
                   kService = 128;

constexpr std::size_t kLongestText = 4096;  ///< bytes of a name
constexpr std::size_t kChecksumBytes = 4;

/// Numbers of small magnitude as small numbers: 0, -1, 1, -2 as 0, 1, 2, 3.
constexpr std::uint64_t zigzag(std::uint64_t value) { return (value << 1) ^ (0 - (value >> 63)); }
constexpr std::uint64_t from_zigzag(std::uint64_t value) { return (value >> 1) ^ (0 - (value & 1)); }

/// Adler-32 (RFC 1950) of all bytes added so far.
class Checksum {
 public:
  void add(const std::uint8_t* bytes, std::size_t count) {
    while (count > 0) {
      const std::size_t some = count < kChunk ? count : kChunk;
      for (std::size_t i = 0; i < some; ++i) {
        sum_ += bytes[i];
        sum_of_sums_ += sum_;
      }
      sum_ %= kPrime;
      sum_of_sums_ %= kPrime;
      bytes += some;
      count -= some;
    }
  }
  std::uint32_t value() const { return (sum_of_sums_ << 16) | sum_; }

 private:
  static constexpr std::uint32_t kPrime = 65521;
  static constexpr std::size_t kChunk = 5552;  // the most that cannot overflow 32 bits

  std::uint32_t sum_ = 1, sum_of_sums_ = 0;
};

/// What fields of the next occupation are compared with: those of the whole log, and those of its server.
struct LastInLog {
  std::uint64_t id = 0, parent = 0, operation = 0, node = std::uint64_t(-1), begin = 0;
};
struct LastOfServer {
  std::uint64_t items = 1, work = 0, interval = 0, service = 0;
};

}  // namespace mho::observe::log_format
