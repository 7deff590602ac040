// SPDX-License-Identifier: Apache-2.0
// RAELLA's crossbars, converters and shift-and-add units: pairs of devices, speculation and recovery, in both timing
// modes, against naive loops and examples worked by hand.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "testbenches/models/pim/pair_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;
using observe::Kind;

double in_ns(const sc_core::sc_time& time) { return time.to_seconds() * 1e9; }

/// One column that counts, over two rows; the others of the filter hold nothing.
RegionData one_column(std::vector<int> levels, int coefficient, int offset) {
  RegionData region = pair_region(1, int(levels.size()), 1, 0, 12, pair_stream(true));
  for (std::size_t row = 0; row < levels.size(); ++row)
    for (std::size_t column = 0; column < 3; ++column)
      region.levels[row * 3 + column] = std::uint8_t(column == 1 ? levels[row] : 0);
  region.setup.recombination.coefficient = {0, coefficient, 0};
  region.setup.recombination.unit_coefficient = {offset};
  return region;
}

TEST_CASE("a column that fails is read again bit by bit, worked by hand in both timing modes") {
  // Levels 2 and -1, codes 165 = 10|1|1 and 60 = 3|3|0 in slices of 4, 2 and 2 bits; 5 bits convert -16 .. 15.
  // 10*2 - 3 = 17 has failed; its bits 1010 and 0011 give 2, 0, 2 - 1 and -1, so 2*8 + 0*4 + 1*2 - 1 = 17 after all.
  // 1*2 - 3 = -1 and 1*2 - 0 = 2 count. 17*16 - 1*4 + 2 = 270 = 2*165 - 60, times 4; and 3 times the inputs, 3*225.
  PairChain chain("chain", signed_adc(5));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = one_column({2, -1}, 4, 3);
  chain.program(region);
  CHECK(chain.call(region, {165, 60}) == std::vector<std::int32_t>{4 * 270 + 675});
  chain.send(region, {165, 60});
  CHECK(chain.psums == std::vector<std::int32_t>{4 * 270 + 675});
  for (const int node : {1, 2}) {
    const observe::Counts& counts = chain.ledger.of(node);
    CHECK(counts[Action::kConversions] == 3 * 3 + 4);
    CHECK(counts[Action::kSpeculations] == 3 * 3);
    CHECK(counts[Action::kSpeculationFailures] == 1);
    CHECK(counts[Action::kRecoveryConversions] == 4);
    CHECK(counts[Action::kSaturations] == 0);
    CHECK(counts[Action::kOutOfRange] == 1);
    CHECK(counts[Action::kShiftAdds] == 3 * 3 - 1 + 4);
    CHECK(counts[Action::kOffsetCorrections] == 1);
    CHECK(counts[Action::kUnitConversions] == 0);
    CHECK(counts[Action::kArrayCycles] == 11);
    CHECK(counts[Action::kColumnReads] == 11 * 3);
    CHECK(counts[Action::kInputCodesRead] == 2 * 2);
  }
}

TEST_CASE("a sum that is exactly a bound has failed although nothing was clipped; what is read again may saturate") {
  // 5 bits. Code 15*16: the slice of 4 bits times level 1 gives 15, the highest code: failed, within the range. Its
  // bits give 1 four times. Code 16: the slice is 1, times -15 - 1 (two rows) the lowest code: failed as well; bit 4
  // gives -16, within the range. Two rows of -15: bit 4 gives -30, clipped to -16, a saturation: psum -16*16.
  struct Case {
    std::vector<int> levels;
    std::vector<std::uint8_t> codes;
    int psum, out_of_range, saturations;
  };
  PairChain chain("chain", signed_adc(5));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  for (const Case& each : {Case{{1, 0}, {240, 0}, 240, 0, 0}, Case{{-15, -1}, {16, 16}, -256, 0, 0},
                           Case{{-15, -15}, {16, 16}, -256, 1, 1}}) {
    chain.ledger.resize(4);
    chain.psums.clear();
    RegionData region = one_column(each.levels, 1, 0);
    chain.program(region);
    chain.send(region, each.codes);
    CHECK(chain.psums == std::vector<std::int32_t>{each.psum});
    const observe::Counts counts = chain.ledger.total();
    CHECK(counts[Action::kSpeculationFailures] == 1);
    CHECK(int(counts[Action::kOutOfRange]) == each.out_of_range);
    CHECK(int(counts[Action::kSaturations]) == each.saturations);
    CHECK(counts[Action::kOffsetCorrections] == 0);  // the filter's offset is 0
  }
}

struct Choice {
  bool speculates, is_signed;
  int bits, rows, filters;
};
const std::vector<Choice> kChoices = {{true, false, 7, 16, 7},  {true, true, 7, 16, 7},  {false, false, 5, 16, 7},
                                      {false, true, 5, 13, 3},  {true, false, 9, 5, 16}, {true, true, 4, 3, 1},
                                      {true, false, 11, 16, 12}};

TEST_CASE("psums and counts of random pairs are those of naive loops, in both timing modes") {
  std::vector<std::unique_ptr<PairChain>> chains;
  for (std::size_t i = 0; i < kChoices.size(); ++i)
    chains.push_back(std::make_unique<PairChain>(("chain_" + std::to_string(i)).c_str(), signed_adc(kChoices[i].bits)));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  for (std::size_t i = 0; i < kChoices.size(); ++i) {
    const Choice& choice = kChoices[i];
    INFO(choice.bits << " bits, " << choice.rows << " rows, speculates " << choice.speculates);
    PairChain& chain = *chains[i];
    RegionData region = pair_region(unsigned(i) + 1, choice.rows, choice.filters, 0, 12,
                                    pair_stream(choice.speculates, choice.is_signed));
    chain.program(region);
    const std::vector<std::uint8_t> codes = random_codes(5, 6, choice.rows);
    const int half = 1 << (choice.bits - 1);
    const NaiveConversion expected = convert_naively(region, codes, -half, half - 1);
    CHECK(chain.call(region, codes) == expected.psums);
    chain.send(region, codes);
    CHECK(chain.psums == expected.psums);
    check_counts(chain.ledger.of(1), expected);
    check_counts(chain.ledger.of(2), expected);
    CHECK(chain.ledger.of(1).values == chain.ledger.of(2).values);
    CHECK(expected.out_of_range > 0);
    CHECK((expected.failures > 0) == choice.speculates);
  }
}

TEST_CASE("one vector occupies the array for eleven cycles, two passes for twenty-two, without speculation for eight") {
  // 4 filters fill a crossbar: 12 columns, at 1.2 GS/s 10 ns. The converter works in every cycle that speculates, and
  // in each of the cycles that recover for as many columns as have failed, one cycle after the array.
  mapping::AdcConfig adc = signed_adc(7);
  adc.rate_hz = 1.2e9;
  PairChain one("one", adc), two("two", adc), plain("plain", adc);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const auto run = [&](PairChain& chain, const arithmetic::InputStream& stream, std::size_t cycles) {
    RegionData region = pair_region(3, 5, 4, 0, 12, stream);
    chain.program(region);
    const std::vector<std::uint8_t> codes = random_codes(8, 1, 5);
    const double start = in_ns(sc_core::sc_time_stamp());
    chain.send(region, codes);
    const NaiveConversion expected = convert_naively(region, codes, -64, 63);
    const auto reads = chain.of(Kind::kArray), additions = chain.of(Kind::kShiftAdd);
    REQUIRE(reads.size() == cycles);
    REQUIRE(additions.size() == cycles);
    const auto conversions = chain.of(Kind::kConversion);
    std::size_t converted = 0;
    for (std::size_t c = 0; c < cycles; ++c) {
      INFO("cycle " << c);
      CHECK(in_ns(reads[c].begin) == Approx(start + 100.0 * double(c)));
      CHECK(in_ns(reads[c].end) == Approx(start + 100.0 * double(c + 1)));
      CHECK(in_ns(additions[c].begin) == Approx(start + 100.0 * double(c + 2)));
      // S4 R R R R S2 R R S2 R R: which of the cycles that convert everything is this, or does it follow?
      std::uint64_t work = 12;
      if (stream.speculates()) {
        const std::size_t pass = c / 11, in_pass = c % 11;
        const std::size_t whole = pass * 3 + (in_pass < 5 ? 0 : in_pass < 8 ? 1 : 2);
        const bool speculates = in_pass == 0 || in_pass == 5 || in_pass == 8;
        const std::uint64_t failed = expected.failed[whole].size();
        CHECK(additions[c].work == (speculates ? 12 - failed : failed));
        work = speculates ? 12 : failed;
      }
      if (work == 0) continue;
      REQUIRE(converted < conversions.size());
      const observe::Occupation& conversion = conversions[converted++];
      CHECK(conversion.work == work);
      CHECK(in_ns(conversion.begin) == Approx(start + 100.0 * double(c + 1)));
      CHECK(in_ns(conversion.end - conversion.begin) == Approx(double(work) / 1.2).margin(0.002));
    }
    CHECK(converted == conversions.size());
  };
  run(one, pair_stream(true), 11);
  run(two, pair_stream(true, true), 22);
  run(plain, pair_stream(false), 8);
}

TEST_CASE("a batch takes eleven cycles a vector, sampling and adding two more, whatever has failed") {
  PairChain one("one", signed_adc(7)), two("two", signed_adc(7));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const auto interval_of = [](PairChain& chain, bool is_signed) {
    RegionData region = pair_region(3, 16, 4, 0, 12, pair_stream(true, is_signed));
    chain.program(region);
    const std::vector<std::uint8_t> codes = random_codes(8, 3, 16);
    chain.call(region, codes);
    const std::vector<observe::Occupation> conversions = chain.of(Kind::kConversion);
    REQUIRE(conversions.size() == 1);
    CHECK(conversions[0].work == convert_naively(region, codes, -64, 63).conversions);
    CHECK(chain.of(Kind::kShiftAdd)[0].work == convert_naively(region, codes, -64, 63).shift_adds);
    CHECK(chain.of(Kind::kArray)[0].work == 3u * (is_signed ? 22 : 11));
    return in_ns(chain.pipeline.interval);
  };
  CHECK(interval_of(one, false) == Approx(1100));
  CHECK(in_ns(one.delay) == Approx(1100 + 100 + 100));
  CHECK(interval_of(two, true) == Approx(2200));
  CHECK(in_ns(two.delay) == Approx(2200 + 100 + 100));
}

TEST_CASE("slow converters hold the crossbars back in cycles that convert everything, not where little has failed") {
  // 3 columns at 15 MS/s take 200 ns. Speculated: 3 * 200 ns; the eight cycles that recover convert one column in 67 ns
  // or nothing, a cycle each: 1400 ns. Eight plain cycles take 1600 ns.
  mapping::AdcConfig adc = signed_adc(5);
  adc.rate_hz = 15e6;
  PairChain speculating("speculating", adc), plain("plain", adc);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  for (PairChain* const chain : {&speculating, &plain}) {
    const double interval = chain == &plain ? 1600 : 1400;
    RegionData region = one_column({2, -1}, 4, 3);
    region.setup.stream = pair_stream(chain == &speculating);
    chain->program(region);
    chain->call(region, {165, 60, 165, 60, 165, 60});
    CHECK(in_ns(chain->pipeline.interval) == Approx(interval));
    CHECK(std::string(chain->pipeline.limited_by) == chain->adc.name());
    const double busy = in_ns(chain->of(Kind::kConversion)[0].service);
    CHECK(busy == Approx(chain == &plain ? 1600 : 600 + 4 * 1000.0 / 15).margin(0.01));
    chain->records.all.clear();
    chain->send(region, {165, 60, 165, 60, 165, 60});
    const std::vector<observe::Occupation> reads = chain->of(Kind::kArray);
    const std::size_t cycles = reads.size() / 3;
    CHECK(in_ns(reads[2 * cycles].begin - reads[cycles].begin) == Approx(interval).margin(0.01));
  }
}

TEST_CASE("where nearly everything fails, slow converters are held up by what is read again") {
  mapping::AdcConfig adc = signed_adc(7);
  adc.rate_hz = 60e6;  // 12 columns take 200 ns
  PairChain chain("chain", adc);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = pair_region(3, 16, 4, 0, 12, pair_stream(true));
  chain.program(region);
  const std::vector<std::uint8_t> codes = random_codes(8, 3, 16);
  chain.call(region, codes);
  const double again = double(convert_naively(region, codes, -64, 63).recoveries) / 3 / 0.06;
  REQUIRE(again > 800);
  CHECK(in_ns(chain.pipeline.interval) == Approx(3 * 200 + again));
}

TEST_CASE("converters of several crossbars work for the failed columns of their own") {
  // 8 filters on two crossbars; loosely timed, the lanes' work adds up to all conversions, crossbar by crossbar.
  PairChain chain("chain", signed_adc(7));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = pair_region(3, 16, 7, 1, 12, pair_stream(true));
  chain.program(region);
  const std::vector<std::uint8_t> codes = random_codes(8, 1, 16);
  chain.call(region, codes);
  std::uint64_t expected[2] = {3 * 12, 3 * 9};
  const int narrow[] = {4, 2, 2};
  const NaiveConversion naive = convert_naively(region, codes, -64, 63);
  for (int s = 0; s < 3; ++s)
    for (const int column : naive.failed[std::size_t(s)]) expected[column / 12] += std::uint64_t(narrow[s]);
  for (int lane = 0; lane < 2; ++lane) {
    REQUIRE(chain.of(Kind::kConversion, lane + 1).size() == 1);
    CHECK(chain.of(Kind::kConversion, lane + 1)[0].work == expected[lane]);
  }
  chain.records.all.clear();
  chain.send(region, codes);
  for (int lane = 0; lane < 2; ++lane) {
    std::uint64_t work = 0;
    for (const observe::Occupation& conversion : chain.of(Kind::kConversion, lane + 1)) work += conversion.work;
    CHECK(work == expected[lane]);
  }
}

/// Sums that were shown, in the order of vectors and cycles.
struct Shown : observe::ColumnSumRecorder {
  void record(const observe::ColumnSums& sums) override {
    unit_columns = sums.unit_columns;
    for (std::size_t v = 0; v < sums.vectors; ++v)
      for (std::size_t s = 0; s < sums.slices; ++s) {
        const std::int16_t* const first = sums.sums + (v * sums.slices + s) * sums.stride;
        slices.push_back(sums.first_slice + s);
        values.emplace_back(first, first + sums.columns);
      }
  }
  std::size_t unit_columns = 9;
  std::vector<std::size_t> slices;
  std::vector<std::vector<std::int16_t>> values;
};

TEST_CASE("sums are shown before they are converted, of cycles that convert every column only") {
  Shown loosely, approximately;
  PairChain first("first", signed_adc(7), pair_crossbars(), &loosely);
  PairChain second("second", signed_adc(7), pair_crossbars(), &approximately);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = pair_region(3, 16, 4, 0, 12, pair_stream(true, true));
  const std::vector<std::uint8_t> codes = random_codes(8, 2, 16);
  first.program(region);
  first.call(region, codes);
  second.program(region);
  second.send(region, codes);
  CHECK(loosely.unit_columns == 0);
  CHECK(loosely.slices == std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5});
  CHECK(approximately.slices == loosely.slices);
  CHECK(approximately.values == loosely.values);
  std::uint64_t outside = 0;
  for (const auto& sums : loosely.values)
    for (const std::int16_t sum : sums) outside += sum < -64 || sum > 63;
  CHECK(outside > 0);
  CHECK(first.ledger.total()[Action::kOutOfRange] == outside);
}

TEST_CASE("where no speculation can fail, exact psums are passed and counted as three conversions a column") {
  // 16 rows * 15 * 15 = 3600: 13 bits convert -4096 .. 4095, so no code lies at a bound.
  PairChain wide("wide", signed_adc(13)), narrow("narrow", signed_adc(7));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = pair_region(3, 16, 4, 0, 12, pair_stream(true));
  const std::vector<std::uint8_t> codes = random_codes(8, 5, 16);
  wide.program(region);
  const std::vector<std::int32_t> exact = wide.call(region, codes, true);
  for (int v = 0; v < 5; ++v)
    for (int f = 0; f < 4; ++f) CHECK(exact[std::size_t(v * 4 + f)] == dot(region, codes.data() + v * 16, f));
  check_counts(wide.ledger.total(), convert_naively(region, codes, -4096, 4095));
  const observe::Counts counted = wide.ledger.total();
  wide.ledger.resize(4);
  CHECK(wide.call(region, codes) == exact);
  CHECK(wide.ledger.total().values == counted.values);
  narrow.program(region);
  narrow.call(region, codes, true);
  CHECK(narrow.response == tlm::TLM_COMMAND_ERROR_RESPONSE);
}

TEST_CASE("a unit column does not speculate: it is converted in every whole cycle and clipped") {
  // 2-bit cells in four columns a filter, 16 rows and slices of 4 bits: columns sum to 16*15*3 = 720, the unit column
  // to 240. 8 bits without a sign convert 0 .. 255, so a sum of 0 has failed too.
  mapping::AdcConfig adc;
  adc.bits = 8;
  adc.converters = 4;
  PairChain chain("chain", adc, small_crossbars());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  RegionData region = random_region(4, 16, 3, 0, 8);
  region.setup.stream.speculation = {4, 4};
  chain.program(region);
  std::vector<std::uint8_t> codes = random_codes(8, 2, 16);
  std::fill_n(codes.begin(), 16, std::uint8_t{0x0F});  // the first slice drives nothing: all columns fail at 0
  const std::vector<std::int32_t> psums = chain.call(region, codes);
  for (int v = 0; v < 2; ++v)
    for (int f = 0; f < 3; ++f) CHECK(psums[std::size_t(v * 3 + f)] == dot(region, codes.data() + v * 16, f));
  const observe::Counts counts = chain.ledger.total();
  CHECK(counts[Action::kSpeculations] == 2 * 2 * 12);
  CHECK(counts[Action::kSpeculationFailures] >= 12);
  CHECK(counts[Action::kRecoveryConversions] == 4 * counts[Action::kSpeculationFailures]);
  CHECK(counts[Action::kUnitConversions] == 2 * 2 * 2);
  CHECK(counts[Action::kSaturations] == 0);
  chain.send(region, codes);
  CHECK(chain.psums == psums);
  CHECK(chain.ledger.of(1).values == chain.ledger.of(2).values);
}

TEST_CASE("regions whose devices are noisy have conductances of their own and the same noise in both timing modes") {
  PairChain chain("chain", signed_adc(7)), other("other", signed_adc(7));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const std::vector<std::uint8_t> codes = random_codes(8, 4, 16);
  arithmetic::ArrayNoise noise;
  noise.model.conductance_spread = 0.1;
  noise.model.read_noise = 1.0;
  std::vector<std::vector<std::int32_t>> psums;
  for (const int crossbar : {0, 1, 2}) {
    RegionData region = pair_region(3, 16, 4, crossbar, 12, pair_stream(true));
    noise.seed = arithmetic::mix(1, std::uint64_t(crossbar));
    if (crossbar > 0) region.setup.noise = noise;
    chain.program(region);
    psums.push_back(chain.call(region, codes));
  }
  CHECK(chain.store.size() == 1);  // only the one without noise may be shared
  CHECK(psums[0] != psums[1]);
  CHECK(psums[1] != psums[2]);
  RegionData region = pair_region(3, 16, 4, 1, 12, pair_stream(true));
  noise.seed = arithmetic::mix(1, 1);
  region.setup.noise = noise;
  other.program(region);
  CHECK(other.call(region, codes) == psums[1]);
  const std::vector<std::int32_t> of_vector_0 = {psums[1].begin(), psums[1].begin() + 4};
  other.send(region, {codes.begin(), codes.begin() + 16});  // sent alone, each is vector 0
  CHECK(other.psums == of_vector_0);
}

}  // namespace
}  // namespace mho::testbenches
