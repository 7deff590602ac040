// SPDX-License-Identifier: Apache-2.0
// PipelineStage and SharedStage alone, at time 0: when batches start, what intervals become, how several operations
// share one resource. Every number is worked by hand beside its check.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "models/pim/pipeline_stage.h"
#include "testbenches/strict_reports.h"

namespace mho::pim {
namespace {

using sc_core::SC_NS;
using sc_core::SC_PS;
using sc_core::sc_time;

sc_time nanoseconds(double value) { return {value, SC_NS}; }

Pipeline pipeline(std::uint64_t operation, std::uint64_t count, double interval_ns = 0.0) {
  Pipeline made;
  made.operation = operation;
  made.count = count;
  made.interval = nanoseconds(interval_ns);
  return made;
}

/// One visit that arrives at `arrival_ns`; the delay with which the first item leaves.
template <class Stage>
double visit(Stage& stage, Pipeline& pipeline, double arrival_ns, double latency_ns, double service_ns) {
  sc_time delay = nanoseconds(arrival_ns);
  stage.enter(pipeline, nanoseconds(latency_ns), nanoseconds(service_ns), delay);
  stage.leave(pipeline);
  return delay.to_seconds() * 1e9;
}

struct Log : observe::Recorder {
  void record(const observe::Occupation& occupation) override { entries.push_back(occupation); }
  std::vector<observe::Occupation> entries;
};

TEST_CASE("a stage starts when the batch is there and the batch before has gone") {
  PipelineStage stage("stage", observe::Kind::kArray);
  Log log;
  stage.record_to(&log);
  // Arrives at 30, the first item leaves after 20: 50. Four items every 100: free at 30 + 4 x 100 = 430.
  Pipeline first = pipeline(1, 4);
  CHECK(visit(stage, first, 30, 20, 100) == Approx(50));
  CHECK(first.interval == nanoseconds(100));
  CHECK(std::string(first.limited_by) == "stage");
  CHECK(stage.next_free() == nanoseconds(430));
  // The next arrives at 200, starts at 430, has waited 230.
  Pipeline second = pipeline(2, 1);
  CHECK(visit(stage, second, 200, 20, 100) == Approx(450));
  CHECK(second.waiting == nanoseconds(230));
  // One that arrives when the stage has long been free starts at once: 430 + 1 x 100 = 530 < 600.
  Pipeline third = pipeline(3, 1);
  CHECK(visit(stage, third, 600, 20, 100) == Approx(620));
  CHECK(third.waiting == nanoseconds(0));
  // Records: from the first item's begin to the last item's end, 30 + 3 x 100 + 20 = 350.
  REQUIRE(log.entries.size() == 3);
  CHECK(log.entries[0].begin == nanoseconds(30));
  CHECK(log.entries[0].end == nanoseconds(350));
  CHECK(log.entries[0].items == 4);
  CHECK(log.entries[0].interval == nanoseconds(100));
}

TEST_CASE("a stage is held for the interval that stages behind it raise") {
  PipelineStage stage("stage", observe::Kind::kArray);
  Pipeline batch = pipeline(1, 3, 50);
  sc_time delay;
  stage.enter(batch, nanoseconds(10), nanoseconds(40), delay);
  CHECK(batch.interval == nanoseconds(50));  // 40 is no news
  batch.interval = nanoseconds(70);          // what a later stage would do
  stage.leave(batch);
  CHECK(stage.next_free() == nanoseconds(210));  // 3 x 70
}

TEST_CASE("two batches of one operation take turns on a shared stage") {
  SharedStage stage("bus", observe::Kind::kTransfer);
  // The second waits for the first one's service of 30 and both are served every 30 + 20 = 50.
  Pipeline first = pipeline(1, 8), second = pipeline(1, 8);
  CHECK(visit(stage, first, 0, 30, 30) == Approx(30));
  CHECK(first.interval == nanoseconds(30));
  CHECK(visit(stage, second, 0, 20, 20) == Approx(50));
  CHECK(second.interval == nanoseconds(50));
  CHECK(std::string(second.limited_by) == "bus");
  CHECK(second.waiting == nanoseconds(0));  // a turn is no contention
}

TEST_CASE("an operation gets piece by piece the share of a stage that others leave") {
  SharedStage stage("bus", observe::Kind::kTransfer);
  // Operation 1: 10 items of 75 every 100 from 0 to 1000: a quarter is left until 1000, everything afterwards.
  Pipeline first = pipeline(1, 10, 100);
  visit(stage, first, 0, 75, 75);
  // Operation 2: 20 items of 25 as fast as they go: 1000 x 1/4 = 250 of its 500 by 1000, the other 250 by 1250. So
  // 1250 / 20 = 62.5 an item.
  Pipeline second = pipeline(2, 20);
  CHECK(visit(stage, second, 0, 25, 25) == Approx(25));
  CHECK(second.interval == sc_time(62.5, SC_NS));
  // Operation 3 finds nothing left before 1250: there both leave off.
  Pipeline third = pipeline(3, 1);
  CHECK(visit(stage, third, 500, 10, 10) == Approx(1260).margin(0.1));
  CHECK(third.waiting.to_seconds() * 1e9 == Approx(750).margin(0.1));
}

TEST_CASE("work that waited behind a short burst is caught up on and costs no interval") {
  SharedStage stage("edram", observe::Kind::kTransfer);
  // Operation 1 takes everything from 400 to 500. Operation 2: 10 items of 20 every 100, so a fifth. In the burst 20
  // are put off; afterwards 4/5 are to spare: caught up within 25, long before its last item.
  Pipeline burst = pipeline(1, 10);
  visit(stage, burst, 400, 10, 10);
  Pipeline steady = pipeline(2, 10, 100);
  CHECK(visit(stage, steady, 0, 20, 20) == Approx(20));
  CHECK(steady.interval == nanoseconds(100));
}

TEST_CASE("a burst at the end of a batch delays its last item") {
  SharedStage stage("edram", observe::Kind::kTransfer);
  // Operation 1 takes everything from 900 to 1300. Operation 2 has 100 x 1/5 = 20 of work left at 900 that goes on
  // at 1300 with all of the stage: through at 1320, ten items, 132 each.
  Pipeline burst = pipeline(1, 40);
  visit(stage, burst, 900, 10, 10);
  Pipeline steady = pipeline(2, 10, 100);
  visit(stage, steady, 0, 20, 20);
  CHECK(steady.interval == nanoseconds(132));
}

TEST_CASE("reads at the front and writes at the back of one operation both keep their time") {
  SharedStage stage("edram", observe::Kind::kTransfer);
  // One window: read for 60 at 0, written for 40 at 2000; in between the stage is free but for the interval of 100.
  Pipeline operation = pipeline(1, 1, 100);
  visit(stage, operation, 0, 60, 60);
  visit(stage, operation, 2000, 40, 40);
  double work = 0.0;
  for (const SharedStage::Booking& booking : stage.bookings())
    work += booking.share * (booking.end - booking.begin).to_seconds() * 1e9;
  CHECK(work == Approx(100));
  // Somebody else gets 40 % until 100 and 60 % from 2000 to 2100: 50 of work from 0 on are through at 110.
  Pipeline other = pipeline(2, 1);
  visit(stage, other, 0, 50, 50);
  CHECK(other.interval.to_seconds() * 1e9 == Approx(110).margin(0.01));
}

TEST_CASE("batches of nobody's operation do not run over each other") {
  // DMA transfers carry no operation. 30 each, both at 0: the second starts when the first has gone.
  SharedStage stage("router", observe::Kind::kTransfer);
  Pipeline first = pipeline(0, 1), second = pipeline(0, 1);
  CHECK(visit(stage, first, 0, 30, 30) == Approx(30));
  CHECK(visit(stage, second, 0, 30, 30) == Approx(60));
}

TEST_CASE("sums of shares do not raise an interval by rounding") {
  // Three operations of a third each fill the stage exactly: 1/3 of 100 ns is 33.333 ns, in whole picoseconds.
  SharedStage stage("bus", observe::Kind::kTransfer);
  for (std::uint64_t operation = 1; operation <= 3; ++operation) {
    Pipeline third = pipeline(operation, 997, 100);
    visit(stage, third, 0, 33.333, 33.333);
    CHECK(third.interval == nanoseconds(100));
  }
}

/// Work booked in the time from now to `until`; fails where more than all of the resource is.
double work_until(const SharedStage& stage, const sc_time& until) {
  const sc_time now = sc_core::sc_time_stamp();
  double work = 0.0;
  for (const SharedStage::Booking& piece : stage.bookings()) {
    const sc_time begin = std::max(piece.begin, now), end = std::min(piece.end, until);
    if (end > now && begin < until) work += piece.share * (end - begin).to_seconds() * 1e9;
    CHECK(piece.share <= 1.0 + 1e-9);
  }
  return work;
}

TEST_CASE("a shared stage is never used by more than one at a time and loses no work") {
  // Random operations of up to 4 batches at random times, early and late batches mixed. Shares are doubles, so their
  // sum may exceed 1 by rounding, 1e-9. Catching up ends on a step of the resolution, at most 1 ps late, and half a
  // picosecond of backlog is not served any more: less than 1 ns in all for 75 batches with some catch-ups each.
  for (unsigned seed = 1; seed <= 40; ++seed) {
    std::mt19937 random(seed);
    const auto up_to = [&](unsigned most) { return 1.0 + random() % most; };
    SharedStage stage("stage", observe::Kind::kTransfer);
    double asked = 0.0, served = 0.0;
    for (std::uint64_t operation = 1; operation <= 30; ++operation) {
      const double interval = up_to(200);
      for (unsigned batch = 0, batches = 1 + random() % 4; batch < batches; ++batch) {
        Pipeline each = pipeline(operation, 1 + random() % 20, interval);
        const double service = up_to(50), at = random() % 2 == 0 ? 0.0 : up_to(800);
        asked += service * double(each.count);
        CHECK(visit(stage, each, at, service, service) >= at + service);
        CHECK(each.interval >= nanoseconds(interval));
      }
      const sc_time step = nanoseconds(up_to(700));
      served += work_until(stage, sc_core::sc_time_stamp() + step);
      sc_core::sc_start(step);
    }
    served += work_until(stage, sc_core::sc_max_time());
    INFO("seed " << seed);
    CHECK(std::abs(served - asked) < 1.0);
  }
}

TEST_CASE("what an operation began with is remembered while it is booked later") {
  SharedStage stage("bus", observe::Kind::kTransfer);
  // Operation 1 has all of the stage until 1000. Operation 2 comes at 500, starts at 1000 and takes 1000 as well. At
  // 1500 operation 3 finds nothing before 2000.
  Pipeline first = pipeline(1, 10), second = pipeline(2, 10), third = pipeline(3, 1);
  visit(stage, first, 0, 100, 100);
  sc_core::sc_start(nanoseconds(500));
  visit(stage, second, 0, 100, 100);
  sc_core::sc_start(nanoseconds(1000));
  CHECK(visit(stage, third, 0, 10, 10) == Approx(510));
}

TEST_CASE("an operation that began beside another is caught up on after it") {
  SharedStage stage("bus", observe::Kind::kTransfer);
  // Operation 1 has 90 % until 1000. Operation 2 comes at 500 and wants 40 % for 1000: it gets 10 % until 1000, is 150
  // behind and goes on with all of the stage for 250 - by 1250 all that has come by then is done. It began before the
  // time, 1100, at which operation 3 comes; that one finds nothing before 1250.
  Pipeline first = pipeline(1, 10, 100), second = pipeline(2, 10, 100), third = pipeline(3, 1);
  visit(stage, first, 0, 90, 90);
  sc_core::sc_start(nanoseconds(500));
  visit(stage, second, 0, 40, 40);
  CHECK(second.interval == nanoseconds(100));
  sc_core::sc_start(nanoseconds(600));
  CHECK(visit(stage, third, 0, 10, 10) == Approx(160).margin(0.01));
}

TEST_CASE("a stage forgets what is past") {
  SharedStage stage("bus", observe::Kind::kTransfer);
  Pipeline first = pipeline(1, 10);
  visit(stage, first, 0, 10, 10);  // until 100
  sc_core::sc_start(nanoseconds(100));
  Pipeline second = pipeline(2, 10);
  CHECK(visit(stage, second, 0, 10, 10) == Approx(10));
  CHECK(second.interval == nanoseconds(10));
  for (const SharedStage::Booking& booking : stage.bookings()) CHECK(booking.begin >= nanoseconds(100));
}

}  // namespace
}  // namespace mho::pim
