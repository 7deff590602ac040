// SPDX-License-Identifier: Apache-2.0
// A bar on a terminal for runs that take longer than a second; silent otherwise. It rewrites one line and removes it
// when it is done, so that nothing of it stays between other lines.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

namespace mho {

class ProgressBar {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  /// Draws on `out` if `terminal`; another clock serves tests. `what` is counted.
  ProgressBar(std::ostream& out, bool terminal, Clock clock = std::chrono::steady_clock::now,
              std::string what = "inferences");
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `done` of `all` are complete. Draws at most ten times a second.
  void update(std::uint64_t done, std::uint64_t all);
  /// Removes the bar.
  void clear();

 private:
  std::ostream& out_;
  bool terminal_;
  Clock clock_;
  std::string what_;
  std::chrono::steady_clock::time_point start_, last_;
  bool drawn_ = false;
};

}  // namespace mho
