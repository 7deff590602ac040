// SPDX-License-Identifier: Apache-2.0
// A recorder that writes every occupation to a file while the run goes on, in about ten bytes each; memory does not
// grow with their number. Whoever reads the file needs no SystemC: log_reader.h, or the description below.
//
// A log is      magic, version, exponent, kinds, entries, footer
//   u           unsigned 64-bit number, LEB128: seven bits a byte, lowest first, bit 7 set where more bytes follow
//   s           signed number d as the u (d << 1) ^ (d >> 63): 0, -1, 1, -2 are 0, 1, 2, 3
//   text        u length (at most 4096), then so many bytes of UTF-8
//   magic       8 bytes: 89 6d 68 6f 6c 6f 67 0a
//   version     u: 1
//   exponent    s: times are multiples of 10^exponent s (-12: picoseconds)
//   kinds       u count, then for each a text, its name ("conversion"), and a text, the unit of its work
//               ("conversions"); kinds are numbered from 0
// Entries, told apart by their first u:
//   1           defines a module: text, the hierarchical name; modules are numbered from 0
//   2           defines a server: u module, s lane, u kind; servers are numbered from 0
//   3 + server  an occupation: one byte of flags, then
//               s begin, minus that of the previous occupation
//               flag   1: s id, minus (that of the previous occupation + 1); absent: 0
//               flag   2: s parent, minus that of the previous occupation; absent: 0
//               flag   4: s operation, minus that of the previous occupation; absent: 0
//               flag   8: s node, minus that of the previous occupation; absent: 0
//               flag  16: u items; absent: as in the server's previous occupation
//               flag  32: u work; absent: likewise
//               flag  64: u interval; absent: likewise
//               flag 128: u service; absent: likewise
//               s end, minus (begin + (items - 1) * interval): the latency of one item
// Before the first occupation begin, id, parent and operation are 0 and node is -1; before the first of a server items
// is 1, and work, interval and service are 0. All arithmetic is modulo 2^64. The fields mean what recorder.h says.
//   footer      u 0, u number of occupations, 4 bytes (lowest first): Adler-32 (RFC 1950) of all bytes of the file
//               before these 4. Nothing follows.
// A log without a footer was cut off: the run was killed. Everything up to its last complete entry counts.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "models/observe/log_format.h"
#include "models/observe/recorder.h"

namespace mho::observe {

class TransactionLog : public Recorder {
 public:
  /// Replaces the file. Throws mho::InputError where it cannot be opened for writing.
  explicit TransactionLog(std::string path);
  /// Closes the log; what goes wrong then is only seen by those who call `close` themselves.
  ~TransactionLog() override;
  TransactionLog(const TransactionLog&) = delete;
  TransactionLog& operator=(const TransactionLog&) = delete;

  /// Throws mho::InputError once, where the disk refuses; nothing is recorded after that or after `close`.
  void record(const Occupation& occupation) override;
  /// Writes the footer. Throws mho::InputError where the log on disk is not complete.
  void close();
  std::uint64_t records() const { return records_; }
  /// True where the disk refused.
  bool failed() const { return !failure_.empty(); }

 private:
  /// A server as its module names it; the address of a name stands for the name.
  struct Caller {
    const char* module;
    int lane;
    Kind kind;
    bool operator==(const Caller& other) const {
      return module == other.module && lane == other.lane && kind == other.kind;
    }
  };
  struct CallerHash {
    std::size_t operator()(const Caller& caller) const;
  };
  struct Server {
    std::size_t module;
    log_format::LastOfServer last;
  };

  std::size_t server_of(const Occupation& occupation);
  std::size_t find_or_define(const Occupation& occupation);
  std::size_t module_called(const std::string& name);
  void encode(const Occupation& occupation, Server& server);
  void write_header();
  void put(std::uint64_t value);
  void put(const std::string& text);
  /// The buffer takes so many bytes more.
  void make_room(std::size_t bytes);
  void flush();
  [[noreturn]] void fail();

  std::string path_, failure_;
  std::FILE* file_;
  std::vector<std::uint8_t> buffer_;
  std::size_t used_ = 0;  ///< of the buffer
  log_format::Checksum checksum_;
  std::uint64_t records_ = 0;
  log_format::LastInLog last_;
  std::vector<Server> servers_;
  std::vector<std::string> modules_;
  std::unordered_map<std::string, std::size_t> module_numbers_;
  std::map<std::tuple<std::size_t, int, Kind>, std::size_t> server_numbers_;  ///< module, lane, kind
  std::unordered_map<Caller, std::size_t, CallerHash> known_callers_;         ///< the same, faster
};

}  // namespace mho::observe
