// SPDX-License-Identifier: Apache-2.0
// Draws the bar with the time that is probably left.
#include "platforms/program/progress_bar.h"

#include <algorithm>
#include <string>

namespace mho {
namespace {

using std::chrono::milliseconds;

constexpr int kWidth = 40;
constexpr milliseconds kPatience{1000};
constexpr milliseconds kBetween{100};

}  // namespace

ProgressBar::ProgressBar(std::ostream& out, bool terminal, Clock clock, std::string what)
    : out_(out),
      terminal_(terminal),
      clock_(std::move(clock)),
      what_(std::move(what)),
      start_(clock_()),
      last_(start_) {}

void ProgressBar::update(std::uint64_t done, std::uint64_t all) {
  if (!terminal_ || all == 0) return;
  const auto now = clock_();
  if (now - start_ < kPatience || (drawn_ && now - last_ < kBetween)) return;
  const double share = std::min(1.0, double(done) / double(all));
  const int full = int(share * kWidth);
  const double spent = std::chrono::duration<double>(now - start_).count();
  std::string line = "\r[" + std::string(std::size_t(full), '#') + std::string(std::size_t(kWidth - full), '.') + "] " +
                     std::to_string(done) + " of " + std::to_string(all) + " " + what_;
  if (done > 0) line += ", " + std::to_string(int(spent / share - spent + 0.5)) + " s left";
  out_ << line << "\x1b[K" << std::flush;
  last_ = now;
  drawn_ = true;
}

void ProgressBar::clear() {
  if (drawn_) out_ << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

}  // namespace mho
