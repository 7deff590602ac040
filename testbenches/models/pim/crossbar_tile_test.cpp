// SPDX-License-Identifier: Apache-2.0
// A crossbar_tile alone: what it computes, what it counts, what it refuses, and its cells as a memory of levels.
#include <catch2/catch.hpp>
#include <cstring>

#include "testbenches/models/pim/region_bench.h"
#include "testbenches/models/tlm/conformance.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;
using pim::Batch;
using sc_core::SC_NS;
using sc_core::sc_time;

std::int16_t sum_at(const BatchOfCodes& codes, int stride, int window, int slice, int column) {
  std::int16_t sum = 0;
  std::memcpy(&sum,
              codes.bytes.data() + codes.batch.sums_at + std::size_t(((window * 8 + slice) * stride + column) * 2),
              sizeof sum);
  return sum;
}

TEST_CASE("column sums of a batch are bit times level added up, slice by slice, the unit column last") {
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(1, 16, 3, 1, 8);  // 12 columns on crossbars 1 and 2
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  const std::vector<std::uint8_t> codes = random_codes(2, 5, 16);
  BatchOfCodes batch(region, codes, false);
  REQUIRE(bench.input.send(1, batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
  CHECK(batch.batch.form == Batch::Form::kSums);
  CHECK_FALSE(batch.batch.lossless);
  CHECK(bench.sink.address == 1);
  CHECK(batch.batch.crossbars == 2);
  const int stride = pim::sums_stride(12);
  for (int window = 0; window < 5; ++window)
    for (int slice = 0; slice < 8; ++slice)
      for (int column = 0; column <= 12; ++column)
        CHECK(sum_at(batch, stride, window, slice, column) ==
              column_sum(region, codes.data() + window * 16, column, slice));
}

TEST_CASE("sums and psums of two rows, worked by hand") {
  // Weights 5 and -3 are stored as 133 = 2|0|1|1 and 125 = 1|3|3|1 in cells of 2 bits; codes are 3 and 1. The last
  // slice drives both rows: 3, 3, 4, 2 and 2 on the unit column; the one before only the first: 2, 0, 1, 1 and 1.
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(1, 2, 1, 0, 8);
  region.levels = {2, 0, 1, 1, 1, 3, 3, 1};
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  BatchOfCodes sliced(region, {3, 1}, false), exact(region, {3, 1}, true);
  bench.input.send(0, sliced.bytes, &sliced.batch);
  const int stride = pim::sums_stride(4);
  const std::vector<int> last = {3, 3, 4, 2, 2}, before = {2, 0, 1, 1, 1};
  for (int column = 0; column <= 4; ++column) {
    CHECK(sum_at(sliced, stride, 0, 7, column) == last[std::size_t(column)]);
    CHECK(sum_at(sliced, stride, 0, 6, column) == before[std::size_t(column)]);
    CHECK(sum_at(sliced, stride, 0, 5, column) == 0);
  }
  bench.input.send(0, exact.bytes, &exact.batch);
  CHECK(exact.batch.form == Batch::Form::kPsums);
  CHECK(exact.batch.lossless);
  CHECK(exact.psum(0, 0) == 12);  // 3 * 5 - 1 * 3
}

TEST_CASE("exact psums are the dot products of unsigned and of signed codes") {
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  for (const bool is_signed : {false, true}) {
    RegionData region = random_region(3, 13, 5, 0, 8);
    region.setup.stream.is_signed = is_signed;
    REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
    const std::vector<std::uint8_t> codes = random_codes(4, 7, 13);
    BatchOfCodes batch(region, codes, true);
    REQUIRE(bench.input.send(0, batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
    for (int window = 0; window < 7; ++window)
      for (int filter = 0; filter < 5; ++filter)
        CHECK(batch.psum(window, filter) == dot(region, codes.data() + window * 13, filter));
  }
}

TEST_CASE("driving is counted for the node: vectors, cycles, drives, pulses and cell current") {
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(5, 10, 3, 0, 8);  // 12 columns on 2 crossbars
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  const std::vector<std::uint8_t> codes = random_codes(6, 3, 10);
  std::uint64_t pulses = 0, current = 0;
  for (int i = 0; i < 30; ++i)
    for (int bit = 0; bit < 8; ++bit)
      if ((codes[std::size_t(i)] >> bit & 1) != 0) {
        ++pulses;
        for (int column = 0; column < 12; ++column) current += region.level(i % 10, column);
      }
  for (const bool exact : {false, true}) {
    bench.ledger.resize(4);
    BatchOfCodes batch(region, codes, exact);
    pim::Pipeline pipeline;
    pipeline.node = 2;
    REQUIRE(bench.input.send(0, batch.bytes, &batch.batch, &pipeline) == tlm::TLM_OK_RESPONSE);
    const observe::Counts& counts = bench.ledger.of(2);
    CHECK(counts[Action::kVectors] == 3);
    CHECK(counts[Action::kArrayCycles] == 3 * 8 * 2);
    CHECK(counts[Action::kRowDrives] == 3 * 8 * 2 * 10);
    CHECK(counts[Action::kRowPulses] == pulses * 2);
    CHECK(counts[Action::kCurrentLevelPulses] == current);
    CHECK(bench.ledger.total()[Action::kVectors] == 3);
  }
}

/// Sends the batch after `spoil` and expects a refusal that reaches no converter and changes no byte.
template <typename Spoil>
void check_refused(TileBench& bench, const RegionData& region, std::uint64_t address, tlm::tlm_response_status expected,
                   Spoil spoil) {
  BatchOfCodes batch(region, random_codes(9, 2, region.rows), false);
  bench.input.length = batch.bytes.size();
  spoil(batch);
  const std::vector<std::uint8_t> before = batch.bytes;
  const int calls = bench.sink.calls;
  CHECK(bench.input.send(address, batch.bytes, &batch.batch) == expected);
  CHECK(bench.sink.calls == calls);
  CHECK(batch.bytes == before);
  CHECK(bench.ledger.total()[Action::kVectors] == 0);
  bench.input.length = 0;
}

TEST_CASE("a batch that does not fit its region is refused and moves nothing") {
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(1, 16, 3, 1, 8);
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  const auto refused = tlm::TLM_COMMAND_ERROR_RESPONSE;
  const auto nothing = [](BatchOfCodes&) {};
  for (const Batch::Form form : {Batch::Form::kEmpty, Batch::Form::kSums, Batch::Form::kConverted, Batch::Form::kPsums})
    check_refused(bench, region, 1, refused, [&](BatchOfCodes& b) { b.batch.form = form; });
  check_refused(bench, region, 1, refused, [](BatchOfCodes& b) { b.batch.rows = 15; });
  check_refused(bench, region, 1, refused, [](BatchOfCodes& b) { b.batch.filters = 4; });
  check_refused(bench, region, 1, refused, [](BatchOfCodes& b) { b.batch.count = 0; });
  check_refused(bench, region, 1, refused, [](BatchOfCodes& b) { b.batch.count = -1; });
  for (const std::uint64_t address : {0ull, 2ull, 4ull, 1ull << 32, ~0ull})  // no region begins there
    check_refused(bench, region, address, refused, nothing);
  const auto too_small = tlm::TLM_BURST_ERROR_RESPONSE;
  check_refused(bench, region, 1, too_small, [&](BatchOfCodes&) { --bench.input.length; });
  check_refused(bench, region, 1, too_small, [](BatchOfCodes& b) { b.batch.count = 3; });
  check_refused(bench, region, 1, too_small, [](BatchOfCodes& b) { b.batch.codes_at += 64; });
  check_refused(bench, region, 1, too_small, [](BatchOfCodes& b) { b.batch.sums_at += 64; });
  std::vector<std::uint8_t> bytes(4096);
  CHECK(bench.input.send(1, bytes, static_cast<Batch*>(nullptr)) == refused);
  BatchOfCodes good(region, random_codes(9, 2, 16), false);
  CHECK(bench.input.send(1, good.bytes, &good.batch) == tlm::TLM_OK_RESPONSE);
}

TEST_CASE("the answer of what comes behind the crossbars goes back to the sender") {
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(1, 16, 1, 0, 8);
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  bench.sink.answer = tlm::TLM_GENERIC_ERROR_RESPONSE;
  BatchOfCodes batch(region, random_codes(9, 2, 16), false);
  CHECK(bench.input.send(0, batch.bytes, &batch.batch) == tlm::TLM_GENERIC_ERROR_RESPONSE);
}

TEST_CASE("a batch starts at the next edge of the crossbars' clock and takes a cycle a slice") {
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(1, 16, 1, 0, 8);
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  BatchOfCodes batch(region, random_codes(9, 2, 16), false);
  bench.input.delay = sc_time(30, SC_NS);
  bench.input.send(0, batch.bytes, &batch.batch);
  CHECK(bench.sink.arrived == sc_time(100 + 8 * 100, SC_NS));
  RegionData other = random_region(1, 16, 1, 1, 8);
  REQUIRE(bench.program(other) == tlm::TLM_OK_RESPONSE);
  BatchOfCodes on_the_edge(other, random_codes(9, 2, 16), false);
  bench.input.delay = sc_time(200, SC_NS);
  bench.input.send(1, on_the_edge.bytes, &on_the_edge.batch);
  CHECK(bench.sink.arrived == sc_time(200 + 8 * 100, SC_NS));
}

TEST_CASE("crossbars without a cycle time answer at once") {
  mapping::CrossbarTileConfig config = small_crossbars();
  config.cycle_s = 0.0;
  TileBench bench(config);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(1, 16, 1, 0, 8);
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  BatchOfCodes batch(region, random_codes(9, 2, 16), false);
  bench.input.delay = sc_time(30, SC_NS);
  CHECK(bench.input.send(0, batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.sink.arrived == sc_time(30, SC_NS));
}

TEST_CASE("a region that does not fit the crossbars is refused and leaves the others") {
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData good = random_region(1, 16, 3, 1, 8);
  REQUIRE(bench.program(good) == tlm::TLM_OK_RESPONSE);
  const auto refused = [&](const std::function<void(pim::RegionSetup&)>& spoil) {
    RegionData region = random_region(1, 16, 3, 1, 8);
    spoil(region.setup);
    std::vector<std::uint8_t> none(1);
    CHECK(bench.setup.send(0, none, &region.setup) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  };
  using Setup = pim::RegionSetup;
  refused([](Setup& s) { s.first_crossbar = 3; });  // 3 + 2 crossbars > 4
  refused([](Setup& s) { s.first_crossbar = -1; });
  refused([](Setup& s) { s.crossbars = 1; });  // 12 columns > 8
  refused([](Setup& s) { s.crossbars = INT32_MAX; });
  refused([](Setup& s) { s.rows = 17; });
  refused([](Setup& s) { s.rows = 0; });
  refused([](Setup& s) { s.filters = 4; });  // coefficients are for 3
  refused([](Setup& s) { s.cell_bits = 3; });
  refused([](Setup& s) { s.columns_per_crossbar = 9; });
  refused([](Setup& s) { s.columns_per_crossbar = 3; });
  refused([](Setup& s) { s.recombination.columns_per_filter = 0; });
  refused([](Setup& s) { s.recombination.unit_coefficient.pop_back(); });
  refused([](Setup& s) {  // the sign bit shares a slice
    s.stream.slicing = arithmetic::Slicing({2, 2, 2, 2});
    s.stream.is_signed = true;
  });
  std::vector<std::uint8_t> none(1);
  CHECK(bench.setup.send(0, none, static_cast<Setup*>(nullptr)) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  BatchOfCodes batch(good, random_codes(9, 2, 16), false);
  CHECK(bench.input.send(1, batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
}

TEST_CASE("a region whose sums could leave 16 bits is refused") {
  // 16 rows * slice 255 * level 15 = 61200 > 32767.
  mapping::CrossbarTileConfig config = small_crossbars();
  config.cell_bits = 4;
  TileBench bench(config);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(1, 16, 1, 0, 8);
  region.setup.cell_bits = 4;
  region.setup.stream.slicing = arithmetic::Slicing({8});
  std::vector<std::uint8_t> none(1);
  CHECK(bench.setup.send(0, none, &region.setup) == tlm::TLM_COMMAND_ERROR_RESPONSE);
}

TEST_CASE("cells are a memory of levels that keeps every rule, with and without a region in them") {
  mapping::CrossbarTileConfig config = small_crossbars();
  config.cell_bits = 8;
  TileBench bench(config);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  TargetDescription description;
  description.ranges = {{0, 4 * 16 * 8, true, true, true, {}, false}};
  CHECK(violated_rules(bench.cells.target(), description) == std::vector<std::string>{});
  RegionData region = random_region(1, 13, 2, 1, 5);  // 8 columns, 5 a crossbar: 5 on crossbar 1 and 3 on crossbar 2
  region.setup.cell_bits = 8;
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  CHECK(violated_rules(bench.cells.target(), description) == std::vector<std::string>{});
}

TEST_CASE("a level above the highest is stored as the highest") {
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(1, 16, 1, 0, 8);
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  std::uint8_t levels[2] = {2, 200}, read[2] = {};
  bench.cells.send(tlm::TLM_WRITE_COMMAND, 0, levels, 2);
  bench.cells.send(tlm::TLM_READ_COMMAND, 0, read, 2);
  CHECK(int(read[0]) == 2);
  CHECK(int(read[1]) == 3);
}

TEST_CASE("cells keep their levels until they are rewritten, whatever regions come and go") {
  // Four filters on crossbars 0 and 1, then one filter of 9 rows on crossbar 0 alone, then four filters again.
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData large = random_region(1, 16, 4, 0, 8), small = random_region(2, 9, 1, 0, 8);
  REQUIRE(bench.program(large) == tlm::TLM_OK_RESPONSE);
  REQUIRE(bench.program(small) == tlm::TLM_OK_RESPONSE);
  std::vector<std::uint8_t> none(1);
  const auto expect = [&](const char* when) {
    INFO(when);
    for (int crossbar = 0; crossbar < 2; ++crossbar)
      for (int row = 0; row < 16; ++row)
        for (int column = 0; column < 8; ++column) {
          std::uint8_t level = 9;
          bench.cells.debug(tlm::TLM_READ_COMMAND, bench.cell_address(crossbar, row, column), &level, 1);
          const bool rewritten = crossbar == 0 && row < 9 && column < 4;
          CHECK(int(level) == int(rewritten ? small.level(row, column) : large.level(row, 8 * crossbar + column)));
        }
  };
  expect("after the small region");
  REQUIRE(bench.setup.send(0, none, &large.setup) == tlm::TLM_OK_RESPONSE);
  expect("after the large region is prepared again, before it is written");
}

TEST_CASE("a region ends when another one is prepared on one of its crossbars") {
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData first = random_region(1, 16, 4, 1, 8), second = random_region(2, 16, 4, 2, 8);
  REQUIRE(bench.program(first) == tlm::TLM_OK_RESPONSE);
  REQUIRE(bench.program(second) == tlm::TLM_OK_RESPONSE);
  const std::vector<std::uint8_t> codes = random_codes(9, 2, 16);
  BatchOfCodes gone(first, codes, true), there(second, codes, true);
  CHECK(bench.input.send(1, gone.bytes, &gone.batch) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  CHECK(bench.input.send(2, there.bytes, &there.batch) == tlm::TLM_OK_RESPONSE);
  CHECK(there.psum(1, 3) == dot(second, codes.data() + 16, 3));
}

TEST_CASE("one altered cell changes exact and sliced outputs alike, and of one replica only") {
  // Two regions with the same weights share their storage. Cell (row 3, filter 1, slice 1) of the second replica goes
  // from l to l': each psum of filter 1 changes by (l' - l) * 16 * code of row 3.
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData first = random_region(1, 16, 2, 0, 8), second = random_region(1, 16, 2, 2, 8);
  REQUIRE(bench.program(first) == tlm::TLM_OK_RESPONSE);
  REQUIRE(bench.program(second) == tlm::TLM_OK_RESPONSE);
  const std::vector<std::uint8_t> codes = random_codes(9, 4, 16);
  for (const std::uint64_t address : {0, 2}) {  // programming ends with the first batch
    BatchOfCodes batch(first, codes, true);
    bench.input.send(address, batch.bytes, &batch.batch);
  }
  CHECK(bench.store.size() == 1);
  const std::uint8_t before = second.level(3, 4 + 1);
  std::uint8_t after = before == 0 ? 3 : 0;
  CHECK(bench.cells.debug(tlm::TLM_WRITE_COMMAND, bench.cell_address(2, 3, 5), &after, 1) == 1);
  BatchOfCodes untouched(first, codes, true), exact(second, codes, true), sliced(second, codes, false);
  bench.input.send(0, untouched.bytes, &untouched.batch);
  bench.input.send(2, exact.bytes, &exact.batch);
  bench.input.send(2, sliced.bytes, &sliced.batch);
  RegionData altered = second;
  altered.levels[std::size_t(3 * altered.columns() + 5)] = after;
  for (int window = 0; window < 4; ++window) {
    const std::uint8_t* const vector = codes.data() + window * 16;
    const int change = (int(after) - int(before)) * 16 * vector[3];
    for (int filter = 0; filter < 2; ++filter) {
      CHECK(untouched.psum(window, filter) == dot(second, vector, filter));
      CHECK(exact.psum(window, filter) == dot(second, vector, filter) + (filter == 1 ? change : 0));
    }
    for (int slice = 0; slice < 8; ++slice)
      for (int column = 0; column <= 8; ++column)
        CHECK(sum_at(sliced, pim::sums_stride(8), window, slice, column) == column_sum(altered, vector, column, slice));
  }
  std::uint8_t restored = before;
  bench.cells.debug(tlm::TLM_WRITE_COMMAND, bench.cell_address(2, 3, 5), &restored, 1);
  BatchOfCodes again(second, codes, true);
  bench.input.send(2, again.bytes, &again.batch);
  for (int window = 0; window < 4; ++window)
    for (int filter = 0; filter < 2; ++filter)
      CHECK(again.psum(window, filter) == dot(second, codes.data() + window * 16, filter));
}

}  // namespace
}  // namespace mho::testbenches
