// SPDX-License-Identifier: Apache-2.0
// Where the occupations of a log are drawn: which process a module belongs to, and on which track of its server an
// occupation finds room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/observe/log_reader.h"

namespace mho {

/// Process and track of one slice; numbers start at 1.
struct LogTrack {
  std::size_t process = 0, thread = 0;
  bool is_new = false;    ///< nothing has been drawn on it yet
  std::size_t copy = 0;   ///< how many tracks its server had before this one
  std::size_t order = 0;  ///< of the track among all
};

class LogTracks {
 public:
  /// `tables`: all that the log defines; they must outlive this.
  explicit LogTracks(const observe::LogTables& tables);

  /// Names of processes 1, 2, ... in the order in which they should be drawn.
  const std::vector<std::string>& processes() const { return processes_; }
  /// Within its process: `group_0.adc[2]`, with the kind where the module has occupations of several kinds, and with
  /// ` (2)` for the second track of one server.
  std::string name_of(std::size_t server, const LogTrack& track) const;
  /// A track of the server that is free from `begin` on; it is taken until `end`.
  LogTrack place(std::size_t server, std::uint64_t begin, std::uint64_t end);

 private:
  struct Server {
    std::size_t process = 0, rank = 0, tracks = 0;
    std::multimap<std::uint64_t, LogTrack> free_from;  ///< its tracks by the time their last slice ends
  };

  const observe::LogTables& tables_;
  std::size_t shared_ = 0;  ///< bytes of the path that all modules share
  std::vector<std::string> processes_;
  std::vector<Server> servers_;
  std::size_t threads_ = 0;
};

}  // namespace mho
