// SPDX-License-Identifier: Apache-2.0
// Reads a transaction log (format: transaction_log.h) entry by entry, without SystemC and without keeping what it has
// read. Any bytes may be in the file: what is no log is refused, what was cut off is read up to there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mho::observe {

/// A kind of occupation and the unit of its work.
struct LoggedKind {
  std::string name, work_unit;
};

/// One server of a module; indices into LogTables.
struct LoggedServer {
  std::size_t module = 0;
  int lane = 0;
  std::size_t kind = 0;
};

/// What a log has defined so far.
struct LogTables {
  int exponent = 0;  ///< times are multiples of 10^exponent s
  std::vector<LoggedKind> kinds;
  std::vector<std::string> modules;
  std::vector<LoggedServer> servers;
};

/// As Occupation (recorder.h); times in the unit of the log.
struct LoggedOccupation {
  std::size_t server = 0;  ///< index into LogTables::servers
  std::uint64_t id = 0, parent = 0, operation = 0;
  int node = -1;
  std::uint64_t items = 1, work = 0;
  std::uint64_t begin = 0, end = 0, interval = 0, service = 0;
};

/// How a log ended.
struct LogEnd {
  bool complete = false;  ///< false: the log was cut off, as by a killed run
  std::uint64_t records = 0;
  LogTables tables;
};

using LogVisitor = std::function<void(const LogTables&, const LoggedOccupation&)>;

/// Calls `visit` for every occupation in the order of the file. Throws mho::InputError where the file cannot be read,
/// is no log, is of another version or is damaged; what comes before the damage has been visited by then.
LogEnd read_log(const std::string& path, const LogVisitor& visit);

}  // namespace mho::observe
