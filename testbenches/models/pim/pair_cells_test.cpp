// SPDX-License-Identifier: Apache-2.0
// A crossbar_tile of 2T2R cells alone: its cells as a memory of levels with a sign, what it refuses, what it counts.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>

#include "testbenches/models/pim/pair_bench.h"
#include "testbenches/models/tlm/conformance.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;

TEST_CASE("pairs are a memory of levels with a sign; what lies beyond the device's range is stored as its end") {
  TileBench bench(pair_crossbars());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = pair_region(1, 16, 4, 0, 12, pair_stream(true));
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  const std::vector<int> given = {15, 16, 127, -15, -16, -128, -1, 0}, stored = {15, 15, 15, -15, -15, -15, -1, 0};
  for (const int crossbar : {0, 3}) {  // with a region in it and without
    std::vector<std::uint8_t> levels(given.begin(), given.end()), read(8);
    bench.cells.send(tlm::TLM_WRITE_COMMAND, bench.cell_address(crossbar, 2, 0), levels.data(), 8);
    bench.cells.send(tlm::TLM_READ_COMMAND, bench.cell_address(crossbar, 2, 0), read.data(), 8);
    for (std::size_t i = 0; i < 8; ++i) CHECK(int(std::int8_t(read[i])) == stored[i]);
  }
}

TEST_CASE("levels that are programmed at once are limited as those that are written row by row") {
  TileBench bench(pair_crossbars());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = pair_region(1, 2, 1, 0, 12, pair_stream(true));
  for (std::size_t i = 0; i < 6; ++i) region.levels[i] = std::uint8_t(std::vector<int>{40, -40, 3, -3, 15, -16}[i]);
  region.setup.at_once = true;
  REQUIRE(bench.setup.send(0, region.levels, &region.setup) == tlm::TLM_OK_RESPONSE);
  CHECK(region.setup.stored);
  std::uint8_t read[6];
  for (int row = 0; row < 2; ++row)
    bench.cells.send(tlm::TLM_READ_COMMAND, bench.cell_address(0, row, 0), read + 3 * row, 3);
  for (std::size_t i = 0; i < 6; ++i) CHECK(int(std::int8_t(read[i])) == std::vector<int>{15, -15, 3, -3, 15, -15}[i]);
}

/// Without complaints about contents: of 256 bytes the suite writes, -128 is none that a pair of devices can hold.
std::vector<std::string> violated(TestInitiator<>& cells, const TargetDescription& description) {
  std::vector<std::string> rules = violated_rules(cells.target(), description);
  const auto about_contents = [](const std::string& rule) { return rule.find("wrong contents") != std::string::npos; };
  rules.erase(std::remove_if(rules.begin(), rules.end(), about_contents), rules.end());
  return rules;
}

TEST_CASE("cells of pairs keep the rules of a memory and every level, with and without a region in them") {
  mapping::CrossbarTileConfig config = pair_crossbars(4, 16, 8);
  config.cell_bits = 7;
  TileBench bench(config);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  TargetDescription description;
  description.ranges = {{0, 4 * 16 * 8, true, true, true, {}, false}};
  RegionData region = pair_region(1, 13, 2, 1, 3, pair_stream(true));
  for (const bool programmed : {false, true}) {
    if (programmed) REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
    CHECK(violated(bench.cells, description) == std::vector<std::string>{});
    std::vector<std::uint8_t> levels, read(4 * 16 * 8);
    for (int i = 0; i < 4 * 16 * 8; ++i) levels.push_back(std::uint8_t(i % 255 - 127));
    bench.cells.send(tlm::TLM_WRITE_COMMAND, 0, levels.data(), unsigned(levels.size()));
    bench.cells.send(tlm::TLM_READ_COMMAND, 0, read.data(), unsigned(read.size()));
    CHECK(read == levels);
  }
}

TEST_CASE("regions of pairs are refused where cells, inputs or noise do not allow them") {
  TileBench bench(pair_crossbars(4, 16, 12));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  using Setup = pim::RegionSetup;
  const auto answer = [&](const std::function<void(Setup&)>& spoil) {
    RegionData region = pair_region(1, 16, 4, 1, 12, pair_stream(true, true));
    spoil(region.setup);
    std::vector<std::uint8_t> none(1);
    return bench.setup.send(0, none, &region.setup);
  };
  const auto refused = [&](const std::function<void(Setup&)>& spoil) {
    CHECK(answer(spoil) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  };
  CHECK(answer([](Setup&) {}) == tlm::TLM_OK_RESPONSE);
  CHECK(answer([](Setup& s) { s.weighted.assign(16, {1, 3}); }) == tlm::TLM_OK_RESPONSE);
  CHECK(answer([](Setup& s) { s.paired = false; }) == tlm::TLM_OK_RESPONSE);  // levels without a sign fit pairs as well
  refused([](Setup& s) { s.recombination.digital_unit = false; });
  refused([](Setup& s) { s.cell_bits = 5; });
  refused([](Setup& s) { s.weighted.assign(15, {1, 3}); });
  refused([](Setup& s) { s.weighted.assign(16, {2, 3}); });
  refused([](Setup& s) { s.weighted.assign(16, {-1, 3}); });
  refused([](Setup& s) { s.weighted.assign(16, {INT32_MAX, 1}); });
  refused([](Setup& s) {
    s.stream.speculation = {4, 3, 1};
    s.stream.slicing = arithmetic::Slicing({2, 2, 2, 2});
  });
  refused([](Setup& s) { s.stream.speculation = {4, 2}; });
  refused([](Setup& s) { s.stream.two_passes = false; });  // the sign bit shares a slice
  refused([](Setup& s) { s.noise = arithmetic::ArrayNoise{{2.0}, 1}; });
  RegionData region = pair_region(1, 16, 4, 1, 12, pair_stream(true, true));
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  // 16 rows of 15 * 255 leave 16 bits, which only pairs may.
  const auto wide = [](Setup& s) { s.stream = {arithmetic::Slicing({8})}; };
  CHECK(answer(wide) == tlm::TLM_OK_RESPONSE);
  refused([&](Setup& s) { wide(s), s.paired = false; });
}

TEST_CASE("crossbars of single devices take no pairs, and need room for the levels of their highest device") {
  mapping::CrossbarTileConfig config = pair_crossbars();
  config.cell = mapping::CellKind::k1T1R;
  TileBench bench(config);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = pair_region(1, 16, 4, 0, 12, pair_stream(true));
  std::vector<std::uint8_t> none(1);
  CHECK(bench.setup.send(0, none, &region.setup) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  region.setup.paired = false;
  CHECK(bench.setup.send(0, none, &region.setup) == tlm::TLM_OK_RESPONSE);
  // 16 rows, a slice of 8 bits, levels up to 7 fit 16 bits, those up to 15 do not: where devices may be stuck on, the
  // region is refused, else a cell that is raised stays at 7.
  region.setup.stream = {arithmetic::Slicing({8})};
  region.setup.cell_bits = 3;
  region.setup.noise = arithmetic::ArrayNoise{};
  region.setup.noise->model.stuck_on = 0.1;
  CHECK(bench.setup.send(0, none, &region.setup) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  region.setup.noise = std::nullopt;
  CHECK(bench.setup.send(0, none, &region.setup) == tlm::TLM_OK_RESPONSE);
  std::uint8_t levels[2] = {6, 12}, read[2];
  bench.cells.send(tlm::TLM_WRITE_COMMAND, 0, levels, 2);
  bench.cells.send(tlm::TLM_READ_COMMAND, 0, read, 2);
  CHECK(int(read[0]) == 6);
  CHECK(int(read[1]) == 7);
}

TEST_CASE("a cell that is raised above what its region's weights need gives the current of its level") {
  // Slices of weights take levels 0 and 1, devices have 4 bits.
  TileBench bench(pair_crossbars());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  for (const bool paired : {true, false}) {
    RegionData region = pair_region(1, 2, 1, 0, 12, pair_stream(false));
    region.levels = {1, 1, 1, 1, 1, 1};
    region.setup.cell_bits = 1;
    region.setup.paired = paired;
    REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
    std::uint8_t high = 9;
    bench.cells.send(tlm::TLM_WRITE_COMMAND, bench.cell_address(0, 1, 0), &high, 1);
    BatchOfCodes batch(region, {3, 4}, true);
    REQUIRE(bench.input.send(0, batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
    const std::int32_t centre = region.setup.recombination.unit_coefficient[0];
    CHECK(batch.psum(0, 0) == 7 * centre + 3 * 21 + 4 * (9 * 16 + 5));
  }
}

TEST_CASE("devices that are stuck on are at their own highest level, whatever the weights need") {
  // Weights in levels 0 and 1, devices of 4 bits: both rows give 15 a pulse, 15 * (3 + 4) in each column.
  mapping::CrossbarTileConfig config = pair_crossbars();
  config.cell = mapping::CellKind::k1T1R;
  TileBench bench(config);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = pair_region(1, 2, 1, 0, 12, {arithmetic::Slicing({4, 4})});
  region.levels = {0, 1, 0, 1, 1, 0};
  region.setup.cell_bits = 1;
  region.setup.paired = false;
  region.setup.noise = arithmetic::ArrayNoise{};
  region.setup.noise->model.stuck_on = 1.0;
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  BatchOfCodes batch(region, {3, 4}, false);
  REQUIRE(bench.input.send(0, batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
  const auto* const sums = reinterpret_cast<const std::int16_t*>(batch.bytes.data() + batch.batch.sums_at);
  for (int column = 0; column < 3; ++column) CHECK(sums[pim::sums_stride(3) + column] == 15 * 7);
}

TEST_CASE("what pairs do is counted: devices on driven rows, columns that are read, codes that drive them") {
  // Passes of positive and negative parts drive 11 cycles each; a cycle puts a slice of a code on the row as pulses.
  TileBench bench(pair_crossbars());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = pair_region(1, 10, 5, 0, 12, pair_stream(true, true));  // 15 columns on two crossbars
  // Row r has weights of filters r % 3 and up to two after it.
  for (int row = 0; row < 10; ++row) region.setup.weighted.push_back({row % 3, 3});
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  const std::vector<std::uint8_t> codes = random_codes(6, 3, 10);
  std::uint64_t row_pulses = 0, pulses = 0, spare_pulses = 0, current = 0, spare_current = 0;
  for (int i = 0; i < 30; ++i) {
    const int magnitude = std::abs(int(std::int8_t(codes[std::size_t(i)])));
    // Speculated as slices of 4, 2 and 2 bits, then bit by bit.
    int driven = magnitude / 16 + magnitude / 4 % 4 + magnitude % 4;
    for (int bit = 0; bit < 8; ++bit) driven += magnitude >> bit & 1;
    row_pulses += std::uint64_t(driven);
    for (int column = 0; column < 15; ++column) {
      const int row = i % 10, filter = column / 3;
      const bool weighted = filter >= row % 3 && filter < row % 3 + 3;
      const auto level = std::uint64_t(std::abs(int(std::int8_t(region.level(row, column)))));
      (weighted ? pulses : spare_pulses) += 2u * std::uint64_t(driven);
      (weighted ? current : spare_current) += level * std::uint64_t(driven);
    }
  }
  for (const bool exact : {false, true}) {
    bench.ledger.resize(4);
    BatchOfCodes batch(region, codes, exact);
    pim::Pipeline pipeline;
    pipeline.node = 2;
    REQUIRE(bench.input.send(0, batch.bytes, &batch.batch, &pipeline) == tlm::TLM_OK_RESPONSE);
    const observe::Counts& counts = bench.ledger.of(2);
    CHECK(counts[Action::kVectors] == 3);
    CHECK(counts[Action::kArrayCycles] == 3 * 22 * 2);
    CHECK(counts[Action::kRowDrives] == 3 * 22 * 2 * 10);
    CHECK(counts[Action::kRowPulses] == 2 * row_pulses);
    CHECK(counts[Action::kCellPulses] == pulses);
    CHECK(counts[Action::kSpareCellPulses] == spare_pulses);
    CHECK(counts[Action::kCurrentLevelPulses] == current);
    CHECK(counts[Action::kSpareLevelPulses] == spare_current);
    CHECK(counts[Action::kColumnReads] == 3 * 22 * 15);
    CHECK(counts[Action::kInputCodesRead] == 3 * 10 * 2 * 2);
  }
}

TEST_CASE("columns of single devices are read with the unit column of each crossbar, codes once a vector") {
  TileBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(5, 10, 3, 0, 8);  // 12 columns on 2 crossbars
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  BatchOfCodes batch(region, random_codes(6, 3, 10), false);
  REQUIRE(bench.input.send(0, batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.ledger.total()[Action::kColumnReads] == 3 * 8 * (12 + 2));
  CHECK(bench.ledger.total()[Action::kInputCodesRead] == 3 * 10);
}

TEST_CASE("regions with common content that are noisy neither take the common array nor give theirs") {
  TileBench bench(pair_crossbars());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const std::vector<std::uint8_t> codes = random_codes(6, 2, 16);
  for (const bool noisy_first : {true, false}) {
    const auto common = std::make_shared<pim::RegionContent>();
    const pim::RegionContent* const content = common.get();
    for (const bool noisy : {noisy_first, !noisy_first}) {
      const int crossbar = (noisy_first ? 0 : 2) + (noisy ? 1 : 0);
      RegionData region = pair_region(1, 16, 4, crossbar, 12, pair_stream(true));
      region.setup.common = common;
      region.setup.at_once = true;
      if (noisy) region.setup.noise = arithmetic::ArrayNoise{{0.1}, 1};
      REQUIRE(bench.setup.send(0, region.levels, &region.setup) == tlm::TLM_OK_RESPONSE);
      REQUIRE(region.setup.stored);
      BatchOfCodes batch(region, codes, false);
      REQUIRE(bench.input.send(std::uint64_t(crossbar), batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
      CHECK((batch.batch.array == content->array.get()) == !noisy);
    }
  }
}

TEST_CASE("regions whose noise changes no cell share an array where the noise is the same, at once and row by row") {
  TileBench bench(pair_crossbars());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  arithmetic::NoiseModel reading, cells;
  reading.proportional_noise = 0.1;
  cells.conductance_spread = 0.1;
  const std::vector<std::uint8_t> codes = random_codes(6, 2, 16);
  for (const bool at_once : {true, false}) {
    const auto common = std::make_shared<pim::RegionContent>();
    const auto array_of = [&](int crossbar, const std::optional<arithmetic::ArrayNoise>& noise) {
      RegionData region = pair_region(1, 16, 4, crossbar, 12, pair_stream(true));
      if (at_once) region.setup.common = common;
      region.setup.at_once = at_once;
      region.setup.noise = noise;
      REQUIRE((at_once ? bench.setup.send(0, region.levels, &region.setup) : bench.program(region)) ==
              tlm::TLM_OK_RESPONSE);
      BatchOfCodes batch(region, codes, false);
      REQUIRE(bench.input.send(std::uint64_t(crossbar), batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
      return batch.batch.array;
    };
    const auto* const first = array_of(0, arithmetic::ArrayNoise{reading, 1});
    const auto* const second = array_of(1, arithmetic::ArrayNoise{reading, 1});
    CHECK(second == first);
    const auto* const other = array_of(2, arithmetic::ArrayNoise{reading, 2});
    CHECK(other != first);
    CHECK(array_of(3, arithmetic::ArrayNoise{reading, 2}) == other);
    const auto* const own = array_of(3, arithmetic::ArrayNoise{cells, 5});
    CHECK(own != first);
    // Of the same content and noise, but with conductances of its own.
    CHECK(array_of(2, arithmetic::ArrayNoise{cells, 5}) != own);
  }
}

TEST_CASE("a replica with an altered cell keeps its coefficients and which of its cells hold weights") {
  TileBench bench(pair_crossbars());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const std::vector<std::uint8_t> codes = random_codes(6, 3, 16);
  const auto common = std::make_shared<pim::RegionContent>();
  RegionData first = pair_region(1, 16, 4, 0, 12, pair_stream(false)),
             second = pair_region(1, 16, 4, 1, 12, pair_stream(false));
  for (RegionData* const region : {&first, &second}) {
    region->setup.common = common;
    region->setup.at_once = true;
    region->setup.weighted.assign(16, {1, 2});
    REQUIRE(bench.setup.send(0, region->levels, &region->setup) == tlm::TLM_OK_RESPONSE);
  }
  // Of filter 2, the coefficient of the first slice is 16.
  std::uint8_t& level = second.levels[5 * 12 + 2 * 3];
  const int before = std::int8_t(level), after = before > 0 ? before - 1 : before + 1;
  level = std::uint8_t(after);
  bench.cells.send(tlm::TLM_WRITE_COMMAND, bench.cell_address(1, 5, 6), &level, 1);
  std::vector<std::uint64_t> spare;
  BatchOfCodes whole(first, codes, true), altered(second, codes, true);
  for (BatchOfCodes* const batch : {&whole, &altered}) {
    bench.ledger.resize(4);
    const std::uint64_t crossbar = batch == &whole ? 0 : 1;
    REQUIRE(bench.input.send(crossbar, batch->bytes, &batch->batch) == tlm::TLM_OK_RESPONSE);
    spare.push_back(bench.ledger.total()[Action::kSpareCellPulses]);
  }
  CHECK(spare[0] > 0);
  CHECK(spare[1] == spare[0]);
  for (int window = 0; window < 3; ++window)
    for (int filter = 0; filter < 4; ++filter)
      CHECK(altered.psum(window, filter) - whole.psum(window, filter) ==
            (filter == 2 ? (after - before) * 16 * codes[std::size_t(window * 16 + 5)] : 0));
}

TEST_CASE("sums of whole cycles and of those that recover lie apart, in the order of their cycles") {
  RegionData region = pair_region(1, 16, 4, 0, 12, pair_stream(true, true));
  BatchOfCodes codes(region, random_codes(6, 1, 16), false);
  arithmetic::EncodedBlock block{16, 4, 4, region.levels, region.setup.recombination, true};
  const arithmetic::ProgrammedArray array(std::move(block), region.setup.stream);
  codes.batch.array = &array;
  const std::size_t cycle = std::size_t(pim::sums_stride(12)) * 2;
  std::size_t whole = codes.batch.sums_at, again = codes.batch.recovered_at;
  CHECK(again == whole + 6 * cycle);
  for (int i = 0; i < 22; ++i) {
    const int in_pass = i % 11;
    const bool recovers = in_pass != 0 && in_pass != 5 && in_pass != 8;
    std::size_t& next = recovers ? again : whole;
    CHECK(pim::sums_at(codes.batch, array.cycles()[std::size_t(i)]) == next);
    next += cycle;
  }
}

TEST_CASE("replicas share one array only where everything about them is equal") {
  TileBench bench(pair_crossbars());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const std::vector<std::uint8_t> codes = random_codes(6, 2, 2);
  const auto psum_of = [&](int crossbar, const std::function<void(RegionData&)>& change) {
    RegionData region = pair_region(1, 2, 1, crossbar, 12, pair_stream(false));
    region.levels = {1, 0, 2, 3, 1, 0};  // the same bytes in pairs and in single devices
    change(region);
    REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
    BatchOfCodes batch(region, codes, true);
    REQUIRE(bench.input.send(std::uint64_t(crossbar), batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
    return batch.batch.array;
  };
  const auto* const first = psum_of(0, [](RegionData&) {});
  CHECK(psum_of(1, [](RegionData&) {}) == first);
  CHECK(psum_of(2, [](RegionData& r) { r.setup.paired = false; }) != first);
  CHECK(psum_of(2, [](RegionData& r) { r.setup.weighted.assign(2, {0, 0}); }) != first);
  CHECK(psum_of(2, [](RegionData& r) { r.setup.stream.speculation = {4, 2, 2}; }) != first);
  CHECK(psum_of(2, [](RegionData& r) { r.setup.paired = r.setup.recombination.digital_unit = false; }) != first);
  CHECK(psum_of(2, [](RegionData&) {}) == first);
}

}  // namespace
}  // namespace mho::testbenches
