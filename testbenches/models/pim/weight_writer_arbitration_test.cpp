// SPDX-License-Identifier: Apache-2.0
// Rows that compete for drivers, worked by hand for each rule of arbitration.
#include <catch2/catch.hpp>
#include <utility>
#include <vector>

#include "testbenches/models/pim/writer_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using mapping::Arbitration;

TEST_CASE("two crossbars on one driver take turns, and by fixed priority the first is written first") {
  // Two benches at once: the driver does 60 (crossbar 0), 160 (1), 110 (0), 10 (1) in turn; 60, 110, 160, 10 else.
  WriterBench turns("turns", slow_writer(1)), fixed("fixed", slow_writer(1, Arbitration::kFixedPriority));
  for (WriterBench* bench : {&turns, &fixed}) bench->programmer.submissions.emplace_back(two_crossbars(), 0);
  sc_core::sc_start();
  CHECK(turns.rows_in_ns() == std::vector<std::pair<int, int>>{{0, 60}, {60, 220}, {220, 330}, {330, 340}});
  CHECK(fixed.rows_in_ns() == std::vector<std::pair<int, int>>{{0, 60}, {60, 170}, {170, 330}, {330, 340}});
  for (WriterBench* bench : {&turns, &fixed}) {
    CHECK(bench->programmer.submissions[0].verified == ns(340));
    CHECK(bench->settled());
    for (const observe::Occupation& row : bench->recorder.records) CHECK(row.lane == 0);
  }
}

/// Rows of 60 ns, two a crossbar: crossbar 2 comes at 0, 1 at 10 ns, 0 at 20 ns, all on one driver. When it is free at
/// 60 ns, crossbar 2 waits since 60, 1 since 10 and 0 since 20 ns.
std::vector<int> ends_of_three(WriterBench& bench) {
  bench.programmer.submissions.emplace_back(rows_of({1, 1}, 2), 0);
  bench.programmer.submissions.emplace_back(rows_of({1, 1}, 1), 10);
  bench.programmer.submissions.emplace_back(rows_of({1, 1}, 0), 20);
  sc_core::sc_start();
  CHECK((bench.settled() || bench.programmer.blocking));
  std::vector<int> ends;
  for (const Submission& submission : bench.programmer.submissions) ends.push_back(int(submission.verified / ns(1)));
  return ends;
}

TEST_CASE("round robin: 2 0 1 2 0 1") {
  WriterBench bench("bench", slow_writer(1));
  CHECK(ends_of_three(bench) == std::vector<int>{240, 360, 300});
}

TEST_CASE("fixed priority: 2 0 0 1 1 2") {
  WriterBench bench("bench", slow_writer(1, Arbitration::kFixedPriority));
  CHECK(ends_of_three(bench) == std::vector<int>{360, 300, 180});
}

TEST_CASE("first come: 2 1 0 2 1 0") {
  WriterBench bench("bench", slow_writer(1, Arbitration::kFirstCome));
  CHECK(ends_of_three(bench) == std::vector<int>{240, 300, 360});
}

TEST_CASE("blocking transport deals whole crossbars: 2 2 1 1 0 0") {
  WriterBench bench("bench", slow_writer(1));
  bench.programmer.blocking = true;
  CHECK(ends_of_three(bench) == std::vector<int>{120, 240, 360});
}

TEST_CASE("four crossbars on two drivers go to the driver that is free first") {
  // Rows of 160, 60, 60 and 110 ns: 0 on driver 0, 1 on driver 1, which is free at 60 for 2 and at 120 ns for 3. With
  // one row a crossbar both modes are the same.
  RegionData region = random_region(1, 1, 8, 0, 8);
  region.levels.assign(32, 0);
  region.levels[0] = 3, region.levels[8] = region.levels[16] = 1, region.levels[24] = 2;
  WriterBench blocking("blocking", slow_writer(2)), phases("phases", slow_writer(2));
  blocking.programmer.blocking = true;
  for (WriterBench* bench : {&blocking, &phases}) bench->programmer.submissions.emplace_back(region, 0);
  sc_core::sc_start();
  for (WriterBench* bench : {&blocking, &phases}) {
    CHECK(bench->programmer.submissions[0].verified == ns(230));
    CHECK(bench->statistic("busy") == Approx(390e-9));
    std::vector<int> ends(2);
    for (const observe::Occupation& row : bench->recorder.records)
      ends[std::size_t(row.lane)] += int(row.service / ns(1));
    CHECK(ends == std::vector<int>{160, 230});
  }
  CHECK(phases.rows_in_ns() == std::vector<std::pair<int, int>>{{0, 60}, {60, 120}, {0, 160}, {120, 230}});
}

TEST_CASE("regions sent at one moment compete before a driver is given away") {
  // Crossbar 0 is sent last, either in the call that accepts the one before or by a thread a delta cycle later.
  const bool hasty = true;
  WriterBench first("first", slow_writer(1, Arbitration::kFixedPriority));
  WriterBench second("second", slow_writer(1, Arbitration::kFixedPriority));
  first.programmer.hasty = hasty;
  for (WriterBench* bench : {&first, &second})
    for (const int crossbar : {3, 1, 0}) bench->programmer.submissions.emplace_back(rows_of({1}, crossbar), 0);
  sc_core::sc_start();
  for (WriterBench* bench : {&first, &second}) {
    const std::vector<Submission>& sent = bench->programmer.submissions;
    CHECK(sent[2].verified == ns(60));
    CHECK(sent[1].verified == ns(120));
    CHECK(sent[0].verified == ns(180));
    CHECK(bench->settled());
  }
}

TEST_CASE("a region that comes when a driver becomes free competes for it") {
  // Blocking transport leaves the driver busy until 160 ns. Crossbar 1 waits since 10 ns, crossbar 0 comes at 160 ns.
  WriterBench bench("bench", slow_writer(1, Arbitration::kFixedPriority));
  bench.programmer.submissions.emplace_back(rows_of({1}, 1), 10);
  bench.programmer.submissions.emplace_back(rows_of({1}, 0), 160);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  bench.block(rows_of({3}, 2));
  sc_core::sc_start();
  CHECK(bench.programmer.submissions[1].verified == ns(220));
  CHECK(bench.programmer.submissions[0].verified == ns(280));
}

TEST_CASE("a region waits for a driver since its crossbar was free, not since it was sent or a driver was free") {
  // Blocking: driver 0 writes crossbar 0 until 160 ns; driver 1 crossbar 3 until 60, then crossbar 2 until 120 ns. So
  // crossbar 3 waits since 60, crossbar 1 since 100 ns; they get driver 1 at 120 and driver 0 at 160 ns.
  WriterBench bench("bench", slow_writer(2, Arbitration::kFirstCome));
  bench.programmer.submissions.emplace_back(rows_of({1}, 3), 10);
  bench.programmer.submissions.emplace_back(rows_of({1}, 1), 100);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  bench.block(rows_of({3}, 0));
  bench.block(rows_of({1}, 3));
  CHECK(bench.block(rows_of({1}, 2)).second == ns(120));
  sc_core::sc_start();
  CHECK(bench.programmer.submissions[0].verified == ns(130));  // level 1 is there already: 10 ns
  CHECK(bench.programmer.submissions[1].verified == ns(190));
}

}  // namespace
}  // namespace mho::testbenches
