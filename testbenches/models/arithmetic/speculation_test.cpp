// SPDX-License-Identifier: Apache-2.0
// The cycles that drive an array: speculation and recovery, two passes of signed codes, and when a converter can lose
// something in them. Against loops over cells, and by hand.
#include <stdexcept>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "testbenches/models/arithmetic/arrays.h"

using namespace mho::arithmetic;
using namespace arrays;
using naive::pick;
using naive::Random;

namespace {

const Slicing kBits = Slicing::uniform(8, 1);

void check_conversion(const EncodedBlock& block, const InputStream& stream, const Codes& codes, AdcRange range) {
  const ProgrammedArray array(block, stream);
  const auto expected = naive::converted(block, stream, codes, range.lowest, range.highest);
  const auto converted = sliced(array, codes, range);
  INFO(name_of(stream) << ", " << range.lowest << " to " << range.highest);
  REQUIRE(converted.psums == wrapped(expected.psums));
  REQUIRE(converted.failures == expected.failures);
  REQUIRE(converted.repeated == expected.repeated);
  REQUIRE(converted.saturations == expected.saturations);
}

}  // namespace

TEST_CASE("speculation on 4-2-2 over bits is eleven cycles, twice that in two passes") {
  const InputStream stream{kBits, false, false, {4, 2, 2}};
  std::string order;
  for (const auto& cycle : stream.cycles())
    order += (cycle.use == InputCycle::Use::kSpeculate ? "S" : "R") + std::to_string(cycle.width) + "@" +
             std::to_string(cycle.shift) + " ";
  REQUIRE(order == "S4@4 R1@7 R1@6 R1@5 R1@4 S2@2 R1@3 R1@2 S2@0 R1@1 R1@0 ");
  REQUIRE(count_cycles(stream).whole == 3);
  REQUIRE(count_cycles(stream).recovery == 8);
  REQUIRE(largest_slice(stream) == 15);
  const InputStream passes{kBits, true, true, {4, 2, 2}};
  REQUIRE(count_cycles(passes).whole == 6);
  REQUIRE(count_cycles(passes).recovery == 16);
  const auto cycles = passes.cycles();
  REQUIRE(cycles.size() == 22);
  for (std::size_t i = 0; i < 22; ++i) {
    REQUIRE(cycles[i].negative == (i >= 11));
    REQUIRE(cycles[i].weight == (i >= 11 ? -1 : 1) * (1 << cycles[i].shift));
  }
  REQUIRE(cycles[11].place == 3);
  REQUIRE(cycles[12].recovers == 11);
  REQUIRE(cycles[12].place == 8);
  REQUIRE(count_cycles({kBits, true, true}).all() == 16);
  REQUIRE_THROWS_AS((InputStream{kBits, true, false, {4, 4}}).cycles(), std::invalid_argument);
  REQUIRE_THROWS_AS((InputStream{Slicing({4, 4}), false, false, {2, 2, 4}}).cycles(), std::invalid_argument);
  REQUIRE_THROWS_AS((InputStream{kBits, false, false, {4, 2}}).cycles(), std::invalid_argument);
}

TEST_CASE("a failed speculation by hand") {
  // Two rows, one filter of one column: levels 3 and -1, coefficient 2, unit coefficient -5. Codes 13 = 11 01 and
  // 6 = 01 10 in slices 2-2 over bits; the ADC converts -4 to 3.
  // S: 3 * 3 - 1 * 1 = 8 fails. R: bits 1 0 -> 3; bits 1 1 -> 2: 8 * 3 + 4 * 2 = 32.
  // S: 1 * 3 - 2 * 1 = 1 counts: 1. Inputs: 4 * (3 + 1) + 1 * (1 + 2) = 19. psum = 2 * 33 - 5 * 19 = -29.
  const EncodedBlock block{2, 1, 2, {3, 255}, {1, {2}, {-5}, true}, true};
  const ProgrammedArray array(block, {Slicing({1, 1, 1, 1}), false, false, {2, 2}});
  const Codes codes{13, 6};
  REQUIRE(unpadded(array, sums_of(array, codes)) == std::vector<std::int64_t>{8, 4, 1, 3});
  std::int16_t again[2] = {};
  array.recovery_sums(codes.data(), 0, 0, 0, again);
  REQUIRE(again[0] == 3);
  REQUIRE(again[1] == 2);
  const auto converted = sliced(array, codes, {-4, 3});
  REQUIRE(converted.psums == Psums{-29});
  REQUIRE(converted.failures == 1);
  REQUIRE(converted.repeated == 2);
  REQUIRE(converted.saturations == 0);
  REQUIRE(exact(array, codes) == Psums{2 * (3 * 13 - 6) - 5 * 19});  // which is the same: nothing was clipped
  // An ADC of -2 to 1 fails twice - 1 is its end - and clips 3 and 2 to 1, and bit 0 -> 3 - 0, bit 1 -> -1:
  // S 1: bits (0 1): -1, (1 0): 3 -> 1. 8 + 4 - 2 + 1 = 11. psum = 2 * 11 - 95.
  const auto lossy = sliced(array, codes, {-2, 1});
  REQUIRE(lossy.psums == Psums{22 - 95});
  REQUIRE(lossy.failures == 2);
  REQUIRE(lossy.repeated == 4);
  REQUIRE(lossy.saturations == 3);
  REQUIRE(array.loss({-4, 3}));
}

TEST_CASE("two passes by hand") {
  // Levels 1 and -2, inputs -128 and 5: positive pass 0 5, negative 128 0. -2 * 5 - 1 * 128 = -138, inputs -123.
  const EncodedBlock block{2, 1, 2, {1, 254}, {1, {1}, {10}, true}, true};
  const ProgrammedArray array(block, {Slicing({4, 4}), true, true});
  const Codes codes{128, 5};
  REQUIRE(unpadded(array, sums_of(array, codes)) == std::vector<std::int64_t>{0, 0, -10, 5, 8, 8, 0, 0});
  REQUIRE(sliced(array, codes, AdcRange::of(7, true)).psums == Psums{-138 - 1230});
  REQUIRE(exact(array, codes) == Psums{-138 - 1230});
  const auto activity = array.drive(codes.data(), 1, 128);
  REQUIRE(activity.array_cycles == 4);
  REQUIRE(activity.row_pulses == 13);
  REQUIRE(activity.current_level_pulses == 1 * 8 + 2 * 5);
  REQUIRE(activity.cell_pulses == 2 * 13);
}

TEST_CASE("conversion, recovery and shift-and-add agree with a loop for every stream and converter") {
  Random random(34);
  for (const auto& stream : all_streams())
    for (const int per_filter : {1, 2, 3, 8})
      for (const int bits : {3, 7, 11})
        check_conversion(random_pairs(random, 60, 7, per_filter, 3), stream, random_codes(random, 3 * 60),
                         AdcRange::of(bits, true));
}

TEST_CASE("speculation works for single devices with and without a unit column") {
  Random random(35);
  for (const bool digital : {false, true}) {
    auto block = random_block(random, 40, 12, 2);
    block.recombination.digital_unit = digital;
    block.recombination.unit_coefficient.assign(12, -3);
    for (const auto& stream : all_streams()) check_conversion(block, stream, random_codes(random, 2 * 40), {-1, 200});
  }
}

TEST_CASE("the bounds on column sums of pairs are reached, and speculation must stay within them") {
  Random random(37);
  for (const auto& stream : all_streams()) {
    const auto block = random_pairs(random, 25, 4, 2, 2);
    const ProgrammedArray array(block, stream);
    // Inputs that drive the rows of positive or of negative levels of one column, all with the same code.
    std::int64_t highest = 0, lowest = 0, speculated_highest = 0, speculated_lowest = 0;
    for (int column = 0; column < block.columns(); ++column)
      for (int code = 0; code < 256; ++code)
        for (const bool positive : {false, true}) {
          Codes codes;
          for (int row = 0; row < 25; ++row)
            codes.push_back((array.level(row, column) > 0) == positive ? std::uint8_t(code) : std::uint8_t(0));
          const auto sums = naive::column_sums(block, stream, codes);
          auto sum = sums.begin();
          for (const auto& cycle : naive::cycles(stream)) {
            if (cycle.recovers) continue;
            for (int c = 0; c < block.columns(); ++c, ++sum) {
              highest = std::max(highest, *sum);
              lowest = std::min(lowest, *sum);
              if (cycle.speculation < 0 || array.cycle_counts().recovery == 0) continue;
              speculated_highest = std::max(speculated_highest, *sum);
              speculated_lowest = std::min(speculated_lowest, *sum);
            }
            ++sum;
          }
        }
    INFO(name_of(stream));
    const bool speculates = array.cycle_counts().recovery > 0;
    const auto top = std::int32_t(std::max(highest, speculates ? speculated_highest + 1 : 0));
    const auto bottom = std::int32_t(std::min(lowest, speculates ? speculated_lowest - 1 : 0));
    REQUIRE(!array.loss({bottom, top}));
    REQUIRE(array.loss({bottom + 1, top}));
    REQUIRE(array.loss({bottom, top - 1}));
  }
}

TEST_CASE("what can be lost is named") {
  // Levels 3 -1 | 2 -3: column 0 reaches 5 and 0 pulses of 1 bit, column 1 0 and -4.
  const EncodedBlock block{2, 2, 2, {3, 255, 2, 253}, {1, {1, 1}, {0, 0}, true}, true};
  const ProgrammedArray bits(block, {kBits, false});
  REQUIRE(!bits.loss({-4, 5}));
  REQUIRE(bits.loss({-3, 5}).value() == "column 1 can sum to -4, the ADC converts -3 to 5");
  REQUIRE(bits.loss({-4, 4}).value() == "column 0 can sum to 5, the ADC converts -4 to 4");
  const ProgrammedArray speculating(block, {kBits, false, false, {2, 2, 2, 2}});
  REQUIRE(!speculating.loss({-13, 16}));
  REQUIRE(speculating.loss({-12, 16}).value() ==
          "column 1 can sum to -12, speculation fails at the ends of the ADC's -12 to 16");
  REQUIRE(speculating.loss({-13, 15}).value() ==
          "column 0 can sum to 15, speculation fails at the ends of the ADC's -13 to 15");
  // Wide slices that are those of the stream anyway cannot fail.
  REQUIRE(!ProgrammedArray(block, {kBits, false, false, std::vector<int>(8, 1)}).loss({-4, 5}));
}

TEST_CASE("several threads may be the first to read columns again") {
  Random random(45);
  const InputStream stream{kBits, false, false, {4, 2, 2}};
  const auto codes = random_codes(random, 3 * 64);
  for (const bool paired : {false, true}) {
    const auto block = paired ? random_pairs(random, 64, 10, 3, 4) : random_block(random, 64, 30, 2);
    for (int round = 0; round < 10; ++round) {
      const ProgrammedArray array(block, stream);
      std::vector<Psums> results(4);
      std::vector<std::thread> threads;
      for (auto& result : results)
        threads.emplace_back([&] { result = sliced(array, codes, AdcRange::of(6, true)).psums; });
      for (auto& thread : threads) thread.join();
      for (const auto& result : results) REQUIRE(result == results.front());
    }
  }
}
