// SPDX-License-Identifier: Apache-2.0
// Program-and-verify worked by hand: steps, cells, rows and time from erased cells and from old levels.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <string>

#include "testbenches/models/pim/pair_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;
using sc_core::SC_NS;
using sc_core::sc_time;

mapping::AdcConfig any_adc() { return {}; }

/// 10 ns before each row, 50 ns a pulse.
mapping::WriterConfig slow_writer() {
  mapping::WriterConfig config;
  config.setup_s = 10e-9;
  config.pulse_s = 50e-9;
  return config;
}

/// Two rows, one filter of four columns on crossbar `first`.
RegionData two_rows(std::vector<std::uint8_t> levels, int first = 0) {
  RegionData region = random_region(1, 2, 1, first, 8);
  region.levels = std::move(levels);
  return region;
}

void check_counts(const observe::Ledger& ledger, int node, std::uint64_t steps, std::uint64_t cells,
                  std::uint64_t rows) {
  CHECK(ledger.of(node)[Action::kCellWriteSteps] == steps);
  CHECK(ledger.of(node)[Action::kCellsWritten] == cells);
  CHECK(ledger.of(node)[Action::kRowsWritten] == rows);
}

TEST_CASE("rows go from erased to their levels with one pulse a step of the longest cell") {
  // Row 0: 3 0 1 2 takes 3 pulses and 6 steps in 3 cells; row 1: 0 0 1 0 takes 1 pulse. 2 * 10 ns + 4 * 50 ns.
  GroupBench bench(any_adc(), slow_writer());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = two_rows({3, 0, 1, 2, 0, 0, 1, 0});
  pim::Pipeline pipeline;
  pipeline.node = 1;
  REQUIRE(bench.program(region, &pipeline) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.programmer.delay == sc_time(220, SC_NS));
  check_counts(bench.programming, 1, 7, 4, 2);
  CHECK(bench.ledger.total()[Action::kCellWriteSteps] == 0);
  for (int i = 0; i < 8; ++i) CHECK(bench.level(std::uint64_t(i / 4 * 8 + i % 4)) == region.levels[std::size_t(i)]);
}

TEST_CASE("from old levels to new ones, SET steps come together, then RESET steps") {
  // Row 0: 3 0 1 2 -> 1 2 1 3: up 2 and 1, down 2: 2 + 2 pulses, 5 steps in 3 cells. Row 1 stays: only its setup.
  GroupBench bench(any_adc(), slow_writer());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData old = two_rows({3, 0, 1, 2, 0, 0, 1, 0}), now = two_rows({1, 2, 1, 3, 0, 0, 1, 0});
  REQUIRE(bench.program(old) == tlm::TLM_OK_RESPONSE);
  bench.programming.resize(4);
  REQUIRE(bench.program(now) == tlm::TLM_OK_RESPONSE);
  check_counts(bench.programming, -1, 5, 3, 2);
  CHECK(bench.programmer.delay == sc_time(220 + 2 * 10 + 4 * 50, SC_NS));  // after the first writing has ended
}

TEST_CASE("crossbars are written at the same time, rows of one crossbar one after the other") {
  // Crossbar 0 holds columns 0 to 7, crossbar 1 the other 4. Row 0 needs 1 pulse on crossbar 0 and 3 on crossbar 1, row
  // 1 needs 2 and 0: 3 pulses on each, 10 + 50 + 10 + 100 ns = 170 ns, and not 3 + 2 pulses in lock step.
  GroupBench bench(any_adc(), slow_writer());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(1, 2, 3, 0, 8);
  region.levels = {1, 1, 1, 1, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.programmer.delay == sc_time(170, SC_NS));
  check_counts(bench.programming, -1, 4 + 3 + 2, 6, 4);
  // A region on other crossbars does not wait for them, but for the time at which it arrives.
  RegionData other = two_rows({1, 0, 0, 0, 0, 0, 0, 0}, 2);
  bench.programmer.delay = sc_time(5, SC_NS);
  REQUIRE(bench.program(other) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.programmer.delay == sc_time(5 + 10 + 50 + 10, SC_NS));
}

TEST_CASE("cells outside a small region are found as they were when a large one is written again") {
  GroupBench bench(any_adc(), slow_writer());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData large = random_region(1, 16, 4, 0, 8), small = two_rows({3, 3, 3, 3, 3, 3, 3, 3});
  REQUIRE(bench.program(large) == tlm::TLM_OK_RESPONSE);
  REQUIRE(bench.program(small) == tlm::TLM_OK_RESPONSE);
  std::uint64_t steps = 0;
  for (int row = 0; row < 2; ++row)
    for (int column = 0; column < 4; ++column) steps += 3u - large.level(row, column);
  bench.programming.resize(4);
  REQUIRE(bench.program(large) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.programming.total()[Action::kCellWriteSteps] == steps);
}

TEST_CASE("pairs are written device by device: steps of both, pulses of the longest") {
  // Erased -> 3 -1 0: steps 3 + 1 in 2 devices, 3 pulses of SET. 3 -1 0 -> -2 -4 15: down 3; up 2, 3 and 15; in 4
  // devices: 15 + 3 pulses. Both rows alike, 10 ns and 50 ns a pulse.
  GroupBench bench(any_adc(), slow_writer(), pair_crossbars());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = pair_region(1, 2, 1, 0, 12, pair_stream(true));
  const auto store = [&](const std::vector<int>& row) {
    region.levels.clear();
    for (int i = 0; i < 2; ++i) region.levels.insert(region.levels.end(), row.begin(), row.end());
    bench.programming.resize(4);
    REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
    for (std::size_t i = 0; i < 6; ++i) CHECK(bench.level(i / 3 * 12 + i % 3) == region.levels[i]);
  };
  store({3, -1, 0});
  check_counts(bench.programming, -1, 2 * 4, 2 * 2, 2);
  CHECK(bench.programmer.delay == sc_time(2 * (10 + 150), SC_NS));
  store({-2, -4, 15});
  check_counts(bench.programming, -1, 2 * 23, 2 * 4, 2);
  CHECK(bench.programmer.delay == sc_time(2 * (10 + 150) + 2 * (10 + 900), SC_NS));
}

TEST_CASE("pairs that are written at once count what row by row they would") {
  GroupBench bench(any_adc(), slow_writer(), pair_crossbars());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData first = pair_region(5, 3, 4, 0, 12, pair_stream(true)),
             second = pair_region(5, 3, 4, 1, 12, pair_stream(true));
  first.setup.common = std::make_shared<pim::RegionContent>();
  REQUIRE(bench.program(first) == tlm::TLM_OK_RESPONSE);
  const observe::Counts at_once = bench.programming.total();
  bench.programming.resize(4);
  REQUIRE(bench.program(second) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.programming.total().values == at_once.values);
  std::uint64_t steps = 0;
  for (const std::uint8_t level : first.levels) steps += std::uint64_t(std::abs(int(std::int8_t(level))));
  CHECK(at_once[Action::kCellWriteSteps] == steps);
}

/// Two replicas of a region, whose content is common or not.
void check_replicas(bool shared) {
  // Twelve columns on two crossbars, three rows; a second pair of crossbars takes the replica.
  GroupBench alone(any_adc(), slow_writer());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData first = random_region(5, 3, 3, 0, 8), second = random_region(5, 3, 3, 2, 8);
  const auto counts = [](const observe::Ledger& ledger) {
    const observe::Counts all = ledger.total();
    return std::vector<std::uint64_t>{all[Action::kCellWriteSteps], all[Action::kCellsWritten],
                                      all[Action::kRowsWritten]};
  };
  const auto common = shared ? std::make_shared<pim::RegionContent>() : nullptr;
  first.setup.common = second.setup.common = common;
  // By hand: steps are all levels, cells those above 0, every row of both crossbars is written.
  std::uint64_t steps = 0, cells = 0;
  for (const std::uint8_t level : first.levels) steps += level, cells += level > 0 ? 1 : 0;
  double slowest = 0.0;
  for (const int column : {0, 8}) {
    double seconds = 0.0;
    for (int row = 0; row < 3; ++row) {
      const auto begin = first.levels.begin() + row * 12 + column;
      seconds += 10e-9 + 50e-9 * *std::max_element(begin, begin + (column == 0 ? 8 : 4));
    }
    slowest = std::max(slowest, seconds);
  }
  REQUIRE(alone.program(first) == tlm::TLM_OK_RESPONSE);
  CHECK(counts(alone.programming) == std::vector<std::uint64_t>{steps, cells, 6});
  CHECK(alone.programmer.delay == sc_time(slowest, sc_core::SC_SEC));
  CHECK(first.setup.stored == shared);
  alone.programmer.delay = sc_core::SC_ZERO_TIME;
  REQUIRE(alone.program(second) == tlm::TLM_OK_RESPONSE);
  CHECK(counts(alone.programming) == std::vector<std::uint64_t>{2 * steps, 2 * cells, 12});
  CHECK(alone.programmer.delay == sc_time(slowest, sc_core::SC_SEC));
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 12; ++column)
      for (const int crossbar : {0, 2}) {
        const int cell = ((crossbar + column / 8) * 16 + row) * 8 + column % 8;
        CHECK(alone.level(std::uint64_t(cell)) == first.level(row, column));
      }
  for (const observe::Statistic& statistic : alone.writer.statistics()) {
    if (statistic.name == std::string("rows")) CHECK(statistic.value == 12.0);
    if (statistic.name == std::string("steps")) CHECK(statistic.value == double(2 * steps));
  }
  // A cell of one replica is its own.
  alone.set_level(0, std::uint8_t(3 - first.level(0, 0)));
  CHECK(alone.level(2 * 16 * 8) == first.level(0, 0));
  CHECK(alone.level(0) == 3 - first.level(0, 0));
}

TEST_CASE("replicas take the pulses and the time of all their rows") { check_replicas(false); }

TEST_CASE("replicas with common content take the same pulses and time") { check_replicas(true); }

/// Cells hold `old` levels because a region stands there, or because somebody wrote them.
void check_moved_cells(bool region_stands_there) {
  // 3 0 1 2 -> 1 2 1 3 as above; the cells are not erased, so nothing is stored at once.
  GroupBench bench(any_adc(), slow_writer());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData old = two_rows({3, 0, 1, 2, 0, 0, 1, 0}), now = two_rows({1, 2, 1, 3, 0, 0, 1, 0});
  if (region_stands_there)
    REQUIRE(bench.program(old) == tlm::TLM_OK_RESPONSE);
  else
    for (int i = 0; i < 8; ++i) bench.set_level(std::uint64_t(i / 4 * 8 + i % 4), old.levels[std::size_t(i)]);
  bench.programming.resize(4);
  now.setup.common = std::make_shared<pim::RegionContent>();
  now.setup.common->from_erased.resize(1);  // of no use here
  REQUIRE(bench.program(now) == tlm::TLM_OK_RESPONSE);
  CHECK_FALSE(now.setup.stored);
  check_counts(bench.programming, -1, 5, 3, 2);
  for (int i = 0; i < 8; ++i) CHECK(bench.level(std::uint64_t(i / 4 * 8 + i % 4)) == now.levels[std::size_t(i)]);
}

TEST_CASE("common content is moved from an older region's levels") { check_moved_cells(true); }

TEST_CASE("common content is moved from levels that somebody wrote") { check_moved_cells(false); }

TEST_CASE("a level above the highest is stored as the highest, common content or not") {
  GroupBench bench(any_adc(), slow_writer());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData alone = two_rows({7, 0, 1, 2, 0, 0, 1, 0}, 0), shared = two_rows({7, 0, 1, 2, 0, 0, 1, 0}, 1);
  shared.setup.common = std::make_shared<pim::RegionContent>();
  REQUIRE(bench.program(alone) == tlm::TLM_OK_RESPONSE);
  REQUIRE(bench.program(shared) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.level(0) == 3);
  CHECK(bench.level(16 * 8) == 3);
}

TEST_CASE("what is not a region's levels is refused without a pulse") {
  GroupBench bench(any_adc(), slow_writer());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const auto refused = [&](RegionData region, pim::RegionSetup* setup) {
    CHECK(bench.programmer.send(0, region.levels, setup) == tlm::TLM_COMMAND_ERROR_RESPONSE);
    CHECK(bench.programmer.delay == sc_core::SC_ZERO_TIME);
    CHECK(bench.programming.total()[Action::kRowsWritten] == 0);
  };
  RegionData short_of_one = two_rows({3, 0, 1, 2, 0, 0, 1}), one_more = two_rows({3, 0, 1, 2, 0, 0, 1, 0, 0});
  refused(short_of_one, &short_of_one.setup);
  refused(one_more, &one_more.setup);
  RegionData region = two_rows({3, 0, 1, 2, 0, 0, 1, 0});
  refused(region, nullptr);
  pim::RegionSetup outside = region.setup;
  outside.first_crossbar = 4;
  refused(region, &outside);
  pim::RegionSetup negative = region.setup;
  negative.rows = -2;
  refused(region, &negative);
}

}  // namespace
}  // namespace mho::testbenches
