// SPDX-License-Identifier: Apache-2.0
// A transaction log in a few lines: what every module did, how much of it and for how long.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace mho {

/// All occupations of one kind, of one module or of all.
struct LogRow {
  std::string module;  ///< hierarchical name; empty for all modules together
  std::string kind, work_unit;
  std::uint64_t servers = 0;  ///< that were occupied at least once
  std::uint64_t records = 0, items = 0, work = 0;
  double busy_s = 0.0;  ///< items times service, all servers added up
  double share = 0.0;   ///< of the servers' time between the log's first begin and last end
};

struct LogSummary {
  bool complete = false;  ///< false: the run was killed
  std::uint64_t records = 0;
  double begin_s = 0.0, end_s = 0.0;   ///< first begin, last end; 0 where nothing is recorded
  std::vector<LogRow> modules, kinds;  ///< busiest first
};

/// Reads a log once. Throws mho::InputError as observe::read_log does.
LogSummary summarise_log(const std::string& path);

std::string to_json(const LogSummary& summary);
void write_text(std::ostream& out, const LogSummary& summary);

}  // namespace mho
