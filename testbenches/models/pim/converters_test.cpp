// SPDX-License-Identifier: Apache-2.0
// Shared converters and the shift-and-add unit behind an unmodified crossbar_tile: clipping and what is counted,
// recombination against naive dot products, and what each of them refuses when it stands alone.
#include <algorithm>
#include <catch2/catch.hpp>

#include "testbenches/models/pim/region_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;
using pim::Batch;

mapping::AdcConfig adc(int bits, int converters = 4) {
  mapping::AdcConfig config;
  config.bits = bits;
  config.converters = converters;
  return config;
}

TEST_CASE("with an ADC that loses nothing, sliced psums and exact ones are the dot products") {
  GroupBench bench(adc(8));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  for (const bool is_signed : {false, true}) {
    RegionData region = random_region(1, 16, 5, 0, 8);
    region.setup.stream.is_signed = is_signed;
    REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
    const std::vector<std::uint8_t> codes = random_codes(2, 6, 16);
    for (const bool exact : {false, true}) {
      BatchOfCodes batch(region, codes, exact);
      REQUIRE(bench.input.send(0, batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
      CHECK(batch.batch.form == Batch::Form::kPsums);
      for (int window = 0; window < 6; ++window)
        for (int filter = 0; filter < 5; ++filter)
          CHECK(batch.psum(window, filter) == dot(region, codes.data() + window * 16, filter));
    }
  }
  CHECK(bench.ledger.total()[Action::kSaturations] == 0);
}

TEST_CASE("conversions, unit conversions and additions are counted alike for exact and for sliced batches") {
  // 5 filters of 4 columns on 3 crossbars of 8: 6 windows * 8 slices * 20 columns, and 3 unit columns a slice.
  GroupBench bench(adc(8));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(1, 16, 5, 0, 8);
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  for (const bool exact : {false, true}) {
    bench.ledger.resize(4);
    pim::Pipeline pipeline;
    pipeline.node = 3;
    BatchOfCodes batch(region, random_codes(2, 6, 16), exact);
    REQUIRE(bench.input.send(0, batch.bytes, &batch.batch, &pipeline) == tlm::TLM_OK_RESPONSE);
    const observe::Counts& counts = bench.ledger.of(3);
    CHECK(counts[Action::kConversions] == 6 * 8 * 20);
    CHECK(counts[Action::kUnitConversions] == 6 * 8 * 3);
    CHECK(counts[Action::kShiftAdds] == 6 * 8 * (20 + 3));
    CHECK(counts[Action::kSaturations] == 0);
  }
}

/// Clipped at `highest`, recombined by hand; counts what was clipped.
std::int32_t clipped_dot(const RegionData& region, const std::uint8_t* codes, int filter, int highest) {
  std::int32_t psum = 0;
  for (int slice = 0; slice < 8; ++slice) {
    const int places[] = {64, 16, 4, 1};
    std::int32_t of_slice = -128 * std::min(highest, column_sum(region, codes, region.columns(), slice));
    for (int k = 0; k < 4; ++k)
      of_slice += places[k] * std::min(highest, column_sum(region, codes, filter * 4 + k, slice));
    psum += of_slice * (1 << (7 - slice));
  }
  return psum;
}

TEST_CASE("an ADC with too few bits clips in place, counts each clipped sum and changes the psums") {
  // Sums of 16 rows of 2-bit cells reach 48 and the unit column 16; 4 bits end at 15.
  GroupBench bench(adc(4));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(7, 16, 3, 1, 8);
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  std::vector<std::uint8_t> codes = random_codes(2, 6, 16);
  std::fill_n(codes.begin(), 16, std::uint8_t{255});  // the unit column sums to 16
  BatchOfCodes batch(region, codes, false);
  REQUIRE(bench.input.send(1, batch.bytes, &batch.batch) == tlm::TLM_OK_RESPONSE);
  std::uint64_t saturations = 0, unit_saturations = 0;
  bool changed = false;
  for (int window = 0; window < 6; ++window) {
    const std::uint8_t* const vector = codes.data() + window * 16;
    for (int filter = 0; filter < 3; ++filter) {
      CHECK(batch.psum(window, filter) == clipped_dot(region, vector, filter, 15));
      changed = changed || batch.psum(window, filter) != dot(region, vector, filter);
    }
    for (int slice = 0; slice < 8; ++slice)
      for (int column = 0; column <= 12; ++column) {
        const bool outside = column_sum(region, vector, column, slice) > 15;
        saturations += outside;
        unit_saturations += outside && column == 12;
      }
  }
  CHECK(changed);
  CHECK(unit_saturations > 0);
  CHECK(bench.ledger.total()[Action::kSaturations] == saturations);
  CHECK(bench.ledger.total()[Action::kOutOfRange] == saturations - unit_saturations);
}

TEST_CASE("exact psums that the ADC could have changed are refused and reach nobody") {
  GroupBench bench(adc(5));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(7, 16, 3, 0, 8);
  for (int row = 0; row < 16; ++row) region.levels[std::size_t(row * 12)] = 2;  // column 0 can sum to 32 > 31
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  BatchOfCodes exact(region, std::vector<std::uint8_t>(16, 0), true);  // although these codes would sum to nothing
  CHECK(bench.input.send(0, exact.bytes, &exact.batch) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  CHECK(bench.sink.calls == 0);
  CHECK(bench.ledger.total()[Action::kConversions] == 0);
  BatchOfCodes sliced(region, std::vector<std::uint8_t>(16, 0), false);
  CHECK(bench.input.send(0, sliced.bytes, &sliced.batch) == tlm::TLM_OK_RESPONSE);
}

TEST_CASE("the proof that an ADC loses nothing is not carried over to altered cells") {
  // Column 0 sums to 31 at most, as much as 5 bits convert; every cell that is then raised makes it 32 or more, and
  // the array is made anew, possibly where the old one lay in host memory.
  GroupBench bench(adc(5));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(7, 16, 1, 0, 8);
  for (std::size_t i = 0; i < region.levels.size(); ++i) region.levels[i] = i % 4 == 0 && i > 0 ? 2 : 1;
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  for (int i = 0; i < 20; ++i) {
    BatchOfCodes good(region, random_codes(9, 1, 16), true), bad(region, random_codes(9, 1, 16), true);
    bench.set_level(0, 1);
    CHECK(bench.input.send(0, good.bytes, &good.batch) == tlm::TLM_OK_RESPONSE);
    bench.set_level(0, 2);
    CHECK(bench.input.send(0, bad.bytes, &bad.batch) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  }
}

arithmetic::ProgrammedArray array_of(const RegionData& region) {
  return {{region.rows, region.filters, 2, region.levels, region.setup.recombination}, region.setup.stream};
}

TEST_CASE("slices of a payload lie as far apart as the arrays lay them, whatever the number of columns") {
  for (int filters = 1; filters < 70; ++filters) {
    const RegionData region = random_region(1, 2, filters, 0, 8);
    CHECK(pim::sums_stride(4 * filters) == array_of(region).sums_stride());
  }
}

/// Converter and shift-and-add unit without crossbars.
struct Alone {
  Alone()
      : converter("converter", adc(8), 4, ledger),
        unit("unit", 4, ledger),
        to_adc("to_adc"),
        to_unit("to_unit"),
        behind_adc("behind_adc"),
        behind_unit("behind_unit") {
    to_adc.out.bind(converter.sums);
    converter.codes.bind(behind_adc.in);
    to_unit.out.bind(unit.codes);
    unit.psums.bind(behind_unit.in);
  }
  observe::Ledger ledger;
  pim::SharedAdc converter;
  pim::ShiftAddUnit unit;
  BatchSource to_adc, to_unit;
  BatchSink behind_adc, behind_unit;
};

TEST_CASE("converter and shift-and-add unit refuse what is not their form, address or size") {
  Alone bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const RegionData region = random_region(1, 16, 2, 0, 8);
  const arithmetic::ProgrammedArray array = array_of(region);
  const auto refused = [&](BatchSource& source, Batch::Form right, const BatchSink& sink) {
    BatchOfCodes codes(region, random_codes(2, 3, 16), false);
    codes.batch.array = &array;
    codes.batch.crossbars = 1;
    codes.batch.columns_per_crossbar = 8;
    const auto expect = [&](tlm::tlm_response_status response, std::uint64_t address, const Batch& wanted) {
      Batch batch = wanted;
      const int calls = sink.calls;
      CHECK(source.send(address, codes.bytes, &batch) == response);
      CHECK(sink.calls == calls + (response == tlm::TLM_OK_RESPONSE ? 1 : 0));
    };
    codes.batch.form = right;
    expect(tlm::TLM_OK_RESPONSE, 0, codes.batch);
    expect(tlm::TLM_OK_RESPONSE, 3, codes.batch);
    for (const std::uint64_t address : {4ull, 1ull << 31, 1ull << 32, ~0ull})
      expect(tlm::TLM_COMMAND_ERROR_RESPONSE, address, codes.batch);
    for (const Batch::Form form :
         {Batch::Form::kEmpty, Batch::Form::kCodes, Batch::Form::kSums, Batch::Form::kConverted, Batch::Form::kPsums}) {
      Batch other = codes.batch;
      other.form = form;
      if (form != right) expect(tlm::TLM_COMMAND_ERROR_RESPONSE, 0, other);
    }
    Batch without_array = codes.batch, too_many = codes.batch, past_the_end = codes.batch;
    without_array.array = nullptr;
    too_many.count = 4;
    past_the_end.sums_at += 128;
    expect(tlm::TLM_COMMAND_ERROR_RESPONSE, 0, without_array);
    expect(tlm::TLM_COMMAND_ERROR_RESPONSE, 0, too_many);
    expect(tlm::TLM_COMMAND_ERROR_RESPONSE, 0, past_the_end);
    CHECK(source.send(0, codes.bytes, static_cast<Batch*>(nullptr)) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  };
  refused(bench.to_adc, Batch::Form::kSums, bench.behind_adc);
  refused(bench.to_unit, Batch::Form::kConverted, bench.behind_unit);
}

TEST_CASE("crossbars never get more converters than there are") {
  // 4 crossbars and 3 converters at 80 MS/s: 2 crossbars share one, so 16 columns take 16 / 80 MHz = 200 ns a slice.
  mapping::AdcConfig config = adc(8, 3);
  config.rate_hz = 80e6;
  GroupBench bench(config);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(1, 16, 4, 0, 8);
  REQUIRE(bench.program(region) == tlm::TLM_OK_RESPONSE);
  BatchOfCodes batch(region, random_codes(2, 3, 16), false);
  pim::Pipeline pipeline;
  pipeline.count = 3;
  REQUIRE(bench.input.send(0, batch.bytes, &batch.batch, &pipeline) == tlm::TLM_OK_RESPONSE);
  CHECK(pipeline.interval == sc_core::sc_time(8 * 200, sc_core::SC_NS));
}

}  // namespace
}  // namespace mho::testbenches
