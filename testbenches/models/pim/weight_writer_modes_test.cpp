// SPDX-License-Identifier: Apache-2.0
// The same random regions by blocking and by non-blocking transport: levels and counts agree always, times where every
// crossbar has a driver; shared drivers are never doubly busy, and never idle without need.
#include <catch2/catch.hpp>

#include "testbenches/models/pim/writer_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using mapping::Arbitration;
using sc_core::sc_time;

/// Random regions on 8 crossbars, among them some that lie on the crossbars of others; at most as many as are queued.
std::vector<Submission> random_submissions(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Submission> submissions;
  int at = 0;
  for (int i = 0; i < 8; ++i) {
    at += int(random() % 3) * int(random() % 400);
    const int filters = 1 + int(random() % 6), crossbars = (filters * 4 + 7) / 8;
    submissions.emplace_back(
        random_region(unsigned(random()), 1 + int(random() % 16), filters, int(random() % unsigned(9 - crossbars)), 8),
        at);
    submissions.back().pipeline.node = int(random() % 4);
  }
  return submissions;
}

mapping::CrossbarTileConfig eight_crossbars() {
  mapping::CrossbarTileConfig config = small_crossbars();
  config.crossbars = 8;
  return config;
}

/// Runs the same regions through a bench of each mode.
struct BothModes {
  BothModes(const mapping::WriterConfig& config, unsigned seed)
      : blocking("blocking", config, eight_crossbars()), phases("phases", config, eight_crossbars()) {
    blocking.programmer.blocking = true;
    blocking.programmer.submissions = phases.programmer.submissions = random_submissions(seed);
    sc_core::sc_start();
  }
  WriterBench blocking, phases;
};

void check_same_work(BothModes& modes) {
  CHECK(modes.phases.settled());
  CHECK(modes.phases.levels() == modes.blocking.levels());
  for (int node = -1; node < 4; ++node)
    CHECK(modes.phases.programming.of(node).values == modes.blocking.programming.of(node).values);
  CHECK(modes.phases.statistic("rows") == modes.blocking.statistic("rows"));
  CHECK(modes.phases.statistic("steps") == modes.blocking.statistic("steps"));
  CHECK(modes.phases.statistic("busy") == Approx(modes.blocking.statistic("busy")));
}

/// With a driver for every crossbar.
void check_agreement(unsigned seed, double pulse_s) {
  mapping::WriterConfig config = slow_writer();
  config.pulse_s = pulse_s;
  BothModes modes(config, seed);
  check_same_work(modes);
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(modes.phases.programmer.submissions[i].verified == modes.blocking.programmer.submissions[i].verified);
    CHECK(modes.phases.programmer.submissions[i].accepted == modes.phases.programmer.submissions[i].at);
  }
}

TEST_CASE("with a driver for every crossbar both modes agree in times, levels and counts (1)") {
  check_agreement(1, 50e-9);
}
TEST_CASE("with a driver for every crossbar both modes agree in times, levels and counts (2)") {
  check_agreement(2, 20e-9);
}
TEST_CASE("pulses that are no multiple of the time resolution are rounded alike in both modes") {
  check_agreement(3, 1e-9 / 3.0);
}

/// Drivers shared: the same work, and at no time two rows at one driver.
void check_shared(unsigned seed, int drivers, Arbitration arbitration) {
  BothModes modes(slow_writer(drivers, arbitration), seed);
  check_same_work(modes);
  std::vector<observe::Occupation> rows = modes.phases.recorder.records;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i].lane < drivers);
    int at_once = 0;
    for (const observe::Occupation& other : rows) {
      const bool meets = other.begin <= rows[i].begin && rows[i].begin < other.end;
      at_once += meets ? 1 : 0;
      if (meets && other.id != rows[i].id) CHECK(other.lane != rows[i].lane);
    }
    CHECK(at_once <= drivers);
  }
}

TEST_CASE("drivers that are shared do the same work in both modes (one, round robin)") {
  check_shared(4, 1, Arbitration::kRoundRobin);
}
TEST_CASE("drivers that are shared do the same work in both modes (two, fixed priority)") {
  check_shared(5, 2, Arbitration::kFixedPriority);
}
TEST_CASE("drivers that are shared do the same work in both modes (three, first come)") {
  check_shared(6, 3, Arbitration::kFirstCome);
}

TEST_CASE("one driver is never idle while a row waits, so a backlog ends at the same time in both modes") {
  // All regions come at 0 on crossbars of their own: the driver works without a gap until all rows are written.
  WriterBench blocking("blocking", slow_writer(1)), phases("phases", slow_writer(1));
  blocking.programmer.blocking = true;
  for (WriterBench* bench : {&blocking, &phases})
    for (int i = 0; i < 4; ++i) bench->programmer.submissions.emplace_back(random_region(unsigned(i), 9, 2, i, 8), 0);
  sc_core::sc_start();
  for (WriterBench* bench : {&blocking, &phases}) {
    sc_time last;
    for (const Submission& submission : bench->programmer.submissions) last = std::max(last, submission.verified);
    CHECK(last.to_seconds() == Approx(bench->statistic("busy")));
  }
}

}  // namespace
}  // namespace mho::testbenches
