// SPDX-License-Identifier: Apache-2.0
// Regions by non-blocking transport: phases, queue, responses, refusals, and what blocking transport has to do with
// them. Who gets a driver first is weight_writer_arbitration_test.cpp's.
#include <catch2/catch.hpp>
#include <utility>
#include <vector>

#include "testbenches/models/pim/writer_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using mapping::Arbitration;
using observe::Action;
using sc_core::SC_NS;
using sc_core::SC_PS;
using sc_core::sc_time;

TEST_CASE("a region is accepted at once, its rows change one by one, and the response comes after the last") {
  // Row 0 needs 3 pulses: 10 + 150 ns. Row 1 needs one: 60 ns more.
  WriterBench bench("bench", slow_writer(9));  // more drivers than crossbars are as many
  bench.programmer.submissions.emplace_back(rows_of({3, 1}, 2), 5);
  bench.programmer.submissions[0].pipeline.node = 1;
  bench.programmer.submissions[0].pipeline.command = 77;
  const Submission& submission = bench.programmer.submissions[0];
  sc_core::sc_start(sc_time(164'999, SC_PS));
  CHECK(submission.accepted == ns(5));
  CHECK(bench.level(2, 0, 0) == 0);
  CHECK(bench.wave("busy") == 1);
  CHECK(bench.wave("queue") == 1);
  sc_core::sc_start(sc_time(2, SC_PS));
  CHECK(bench.level(2, 0, 0) == 3);
  CHECK(bench.level(2, 1, 0) == 0);
  CHECK(bench.wave("queue") == 0);
  CHECK(submission.verified == sc_core::sc_max_time());
  sc_core::sc_start();
  CHECK(submission.verified == ns(5 + 160 + 60));
  CHECK(submission.response == tlm::TLM_OK_RESPONSE);
  CHECK(bench.level(2, 1, 0) == 1);
  CHECK(bench.wave("busy") == 0);
  CHECK(bench.settled());
  CHECK(bench.programming.of(1)[Action::kCellWriteSteps] == 4);
  CHECK(bench.programming.of(1)[Action::kCellsWritten] == 2);
  CHECK(bench.programming.of(1)[Action::kRowsWritten] == 2);
  CHECK(bench.statistic("busy") == Approx(220e-9));
  CHECK(bench.statistic("rows") == 2);
  CHECK(bench.statistic("steps") == 4);
  REQUIRE(bench.recorder.records.size() == 2);
  const observe::Occupation& row = bench.recorder.records[1];
  CHECK(std::string(row.module) == "bench.writer");
  CHECK(row.lane == 2);
  CHECK(row.kind == observe::Kind::kProgram);
  CHECK(row.id != bench.recorder.records[0].id);
  CHECK(row.parent == 77);
  CHECK(row.node == 1);
  CHECK(row.items == 1);
  CHECK(row.work == 1);
  CHECK(row.begin == ns(165));
  CHECK(row.end == ns(225));
  CHECK(row.service == ns(60));
}

TEST_CASE("blocking transport records and counts a crossbar at a time") {
  WriterBench bench("bench", slow_writer());
  bench.programmer.blocking = true;
  bench.programmer.submissions.emplace_back(two_crossbars(), 0);
  bench.programmer.submissions[0].pipeline.operation = 5;
  sc_core::sc_start();
  CHECK(bench.programmer.submissions[0].verified == ns(170));
  CHECK(bench.rows_in_ns() == std::vector<std::pair<int, int>>{{0, 170}, {0, 170}});
  REQUIRE(bench.recorder.records.size() == 2);
  CHECK(bench.recorder.records[0].lane == 0);
  CHECK(bench.recorder.records[1].lane == 1);
  CHECK(bench.recorder.records[1].work == 2);
  CHECK(bench.recorder.records[1].items == 1);
  CHECK(bench.recorder.records[1].service == ns(170));
  CHECK(bench.recorder.records[1].operation == 5);
  CHECK(bench.statistic("busy") == Approx(340e-9));
  CHECK(bench.statistic("rows") == 4);
  CHECK(bench.statistic("steps") == 9);
}

TEST_CASE("as many regions are queued as there are crossbars, the next is accepted when one is verified") {
  WriterBench bench("bench", slow_writer());
  for (int i = 0; i < 6; ++i) bench.programmer.submissions.emplace_back(rows_of({i % 2 == 0 ? 1 : 0}, 0), 0);
  sc_core::sc_start(ns(30));
  CHECK(bench.wave("queue") == 3);
  sc_core::sc_start();
  // The level goes up and down in turn: 60 ns each, one crossbar.
  for (int i = 0; i < 6; ++i) {
    CHECK(bench.programmer.submissions[std::size_t(i)].accepted == ns(i < 4 ? 0 : 60 * (i - 3)));
    CHECK(bench.programmer.submissions[std::size_t(i)].verified == ns(60 * (i + 1)));
  }
  CHECK(bench.statistic("steps") == 6);
  CHECK(bench.settled());
}

TEST_CASE("a request is heard when its annotated delay is over") {
  WriterBench bench("bench", slow_writer());
  bench.programmer.submissions.emplace_back(rows_of({1}, 0), 3);
  bench.programmer.submissions[0].delay = ns(4);
  sc_core::sc_start();
  CHECK(bench.programmer.submissions[0].accepted == ns(7));
  CHECK(bench.programmer.submissions[0].verified == ns(67));
  CHECK(bench.settled());
}

TEST_CASE("rows that need no pulse and no setup take no time") {
  // In turn: row 0 of both, row 1 of crossbar 0 until 100, row 1 of crossbar 1 until 200 ns, all others then.
  mapping::WriterConfig config;
  config.pulse_s = 50e-9;
  config.drivers = 1;
  WriterBench bench("bench", config);
  for (int i = 0; i < 2; ++i) bench.programmer.submissions.emplace_back(rows_of({0, 2, 0, 0}, i), 0);
  sc_core::sc_start();
  CHECK(bench.programmer.submissions[0].verified == ns(200));
  CHECK(bench.programmer.submissions[1].verified == ns(200));
  CHECK(bench.recorder.records.size() == 8);
  CHECK(bench.recorder.records[2].end == ns(100));
  CHECK(bench.statistic("rows") == 8);
  CHECK(bench.settled());
}

TEST_CASE("a response waits until the one before it has ended") {
  WriterBench late("late", slow_writer()), returned("returned", slow_writer());
  late.programmer.answer = tlm::TLM_ACCEPTED;
  late.programmer.thinks = ns(1000);
  returned.programmer.answer = tlm::TLM_UPDATED;
  for (WriterBench* bench : {&late, &returned})
    for (int i = 0; i < 3; ++i) bench->programmer.submissions.emplace_back(rows_of({1}, i), 0);
  sc_core::sc_start();
  for (int i = 0; i < 3; ++i) {
    CHECK(late.programmer.submissions[std::size_t(i)].verified == ns(60 + 1000 * i));
    CHECK(returned.programmer.submissions[std::size_t(i)].verified == ns(60));
  }
  CHECK(late.settled());
  CHECK(returned.settled());
}

TEST_CASE("a refused region changes nothing and delays nobody") {
  WriterBench bench("bench", slow_writer());
  std::vector<Submission>& sent = bench.programmer.submissions;
  for (int i = 0; i < 9; ++i) sent.emplace_back(rows_of({2, 2}, 1), i);
  sent[0].has_setup = false;
  sent[1].region.levels.pop_back();
  sent[2].region.setup.first_crossbar = 4;
  sent[3].region.setup.first_crossbar = -1;
  sent[4].region.setup.rows = -2;
  sent[5].region.setup.columns_per_crossbar = 0;
  sent[6].region.setup.crossbars = -1;
  sent[7].region.setup.cell_bits = 3;  // the crossbar_tile refuses this one
  sc_core::sc_start();
  for (std::size_t i = 0; i < 8; ++i) {
    CAPTURE(i);
    CHECK(sent[i].response == tlm::TLM_COMMAND_ERROR_RESPONSE);
    CHECK(sent[i].verified == ns(int(i)));
  }
  CHECK(sent[8].response == tlm::TLM_OK_RESPONSE);
  CHECK(sent[8].verified == ns(8 + 2 * 110));
  CHECK(bench.programming.total()[Action::kRowsWritten] == 2);
  CHECK(bench.recorder.records.size() == 2);
  CHECK(bench.settled());
}

TEST_CASE("blocking transport is refused while regions are under way, from request to response") {
  WriterBench bench("bench", slow_writer());
  bench.programmer.submissions.emplace_back(rows_of({1, 1}, 0), 0);
  bench.programmer.submissions.emplace_back(rows_of({1}, 2), 300);
  bench.programmer.submissions[1].delay = ns(50);
  const std::pair<tlm::tlm_response_status, sc_time> refused(tlm::TLM_GENERIC_ERROR_RESPONSE, sc_time());
  sc_core::sc_start(ns(20));
  CHECK(bench.block(rows_of({3}, 1)) == refused);
  CHECK(bench.level(1, 0, 0) == 0);
  sc_core::sc_start(ns(180));
  REQUIRE(bench.settled());
  // From 200 to 360 ns.
  CHECK(bench.block(rows_of({3}, 1)) == std::make_pair(tlm::TLM_OK_RESPONSE, ns(160)));
  sc_core::sc_start(ns(130));  // a request has been sent and is not heard yet
  CHECK(bench.block(rows_of({0}, 1)) == refused);
  CHECK(bench.level(1, 0, 0) == 3);
}

TEST_CASE("a region begins when all its crossbars are free of what blocking transport left") {
  // Crossbar 1 is written until 160 ns. Then crossbar 0 takes 60 + 110, crossbar 1, which holds its levels already, 10
  // + 10 ns.
  WriterBench bench("bench", slow_writer());
  bench.programmer.submissions.emplace_back(two_crossbars(), 10);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  CHECK(bench.block(rows_of({3}, 1)) == std::make_pair(tlm::TLM_OK_RESPONSE, ns(160)));
  sc_core::sc_start();
  CHECK(bench.programmer.submissions[0].accepted == ns(10));
  CHECK(bench.programmer.submissions[0].verified == ns(330));
  CHECK(bench.rows_in_ns() ==
        std::vector<std::pair<int, int>>{{0, 160}, {160, 170}, {170, 180}, {160, 220}, {220, 330}});
  CHECK(bench.settled());
}

TEST_CASE("a crossbar of a region without columns of it is free for others") {
  WriterBench blocking("blocking", slow_writer()), phases("phases", slow_writer());
  blocking.programmer.blocking = true;
  for (WriterBench* bench : {&blocking, &phases}) {
    Submission wide(rows_of({3, 1}, 0), 0);
    wide.region.setup.crossbars = 2;
    bench->programmer.submissions = {wide, Submission(rows_of({1}, 1), 20)};
  }
  sc_core::sc_start();
  for (WriterBench* bench : {&blocking, &phases}) {
    CHECK(bench->programmer.submissions[0].verified == ns(220));
    CHECK(bench->programmer.submissions[1].verified == ns(80));
    CHECK(bench->programming.total()[Action::kRowsWritten] == 3);
  }
  CHECK(phases.settled());
}

/// Crossbar 0 reads and writes at 0, 60, 60 and 170 ns, crossbar 1 at 0, 160, 160 and 170 ns; equal times in this
/// order. One access is refused; then the region after it on the same crossbars, whose rows all stay as they are, is
/// written.
void check_refused_access(int access, int verified_ns, std::uint64_t rows, int next_ns) {
  WriterBench bench("bench", slow_writer());
  bench.cells.refuse = access;
  bench.programmer.submissions.emplace_back(two_crossbars(), 0);
  bench.programmer.submissions.emplace_back(two_crossbars(), 0);
  sc_core::sc_start(ns(verified_ns) + sc_time(1, SC_PS));
  const std::vector<Submission>& sent = bench.programmer.submissions;
  CHECK(sent[0].response == tlm::TLM_GENERIC_ERROR_RESPONSE);
  CHECK(sent[0].verified == ns(verified_ns));
  CHECK(bench.programming.total()[Action::kRowsWritten] == rows);
  sc_core::sc_start();
  CHECK(sent[1].response == tlm::TLM_OK_RESPONSE);
  CHECK(sent[1].verified == ns(next_ns));
  CHECK(bench.settled());
  CHECK(bench.wave("queue") == 0);
}

TEST_CASE("a first row that cannot be read ends the region before anything is written") {
  // The next region finds erased cells: 170 ns.
  check_refused_access(0, 0, 0, 170);
}

TEST_CASE("a row that cannot be read ends the region when the rows at drivers are written") {
  // The read of crossbar 0's second row at 60 ns; crossbar 1's first row ends at 160 ns. Left for the next region: 10 +
  // 110 ns on crossbar 0, 10 + 10 ns on crossbar 1.
  check_refused_access(3, 160, 2, 280);
}

TEST_CASE("a row that cannot be written ends the region likewise") {
  // The write of crossbar 0's first row at 60 ns. Left: 60 + 110 ns on crossbar 0.
  check_refused_access(2, 160, 1, 330);
}

TEST_CASE("blocking transport answers with an error where the cells refuse") {
  WriterBench bench("bench", slow_writer());
  bench.programmer.blocking = true;
  bench.cells.refuse = 3;
  bench.programmer.submissions.emplace_back(two_crossbars(), 0);
  sc_core::sc_start();
  CHECK(bench.programmer.submissions[0].response == tlm::TLM_GENERIC_ERROR_RESPONSE);
  CHECK(bench.programming.total()[Action::kRowsWritten] == 1);
}

}  // namespace
}  // namespace mho::testbenches
