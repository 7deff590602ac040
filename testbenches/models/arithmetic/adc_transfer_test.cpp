// SPDX-License-Identifier: Apache-2.0
// Converters: codes and counts of saturations, at the edges of ranges and of the blocks the search works in.
#include "models/arithmetic/adc_transfer.h"

#include <limits>
#include <stdexcept>
#include <vector>

#include <catch2/catch.hpp>

#include "testbenches/models/arithmetic/naive.h"

using mho::arithmetic::AdcRange;
using mho::arithmetic::convert;

namespace {

template <class Sum>
void compare_with_naive(AdcRange range, std::vector<Sum> sums) {
  std::vector<std::int64_t> expected(sums.begin(), sums.end());
  const auto saturations = naive::clip(expected, range.lowest, range.highest);
  REQUIRE(convert(range, sums.data(), sums.size()) == saturations);
  REQUIRE(std::vector<std::int64_t>(sums.begin(), sums.end()) == expected);
}

template <class Sum>
std::vector<Sum> random_sums(naive::Random& random, std::size_t count, std::int64_t reach) {
  std::vector<Sum> sums;
  for (std::size_t i = 0; i < count; ++i) sums.push_back(Sum(naive::pick(random, -reach, reach - 1)));
  return sums;
}

}  // namespace

TEST_CASE("a converter's range follows from its bits and sign") {
  REQUIRE(AdcRange::of(8, false).lowest == 0);
  REQUIRE(AdcRange::of(8, false).highest == 255);
  REQUIRE(AdcRange::of(7, true).lowest == -64);
  REQUIRE(AdcRange::of(7, true).highest == 63);
  REQUIRE(AdcRange::of(1, false).highest == 1);
  REQUIRE(AdcRange::of(30, false).highest == 1073741823);
  REQUIRE_THROWS_AS(AdcRange::of(0, false), std::invalid_argument);
  REQUIRE_THROWS_AS(AdcRange::of(31, false), std::invalid_argument);
}

TEST_CASE("sums outside the range become its ends and are counted, sums at the ends are not") {
  // Five bits: 0 .. 31. Outside: -1 and 32 and 384.
  std::vector<std::int16_t> sums{-1, 0, 31, 32, 384, 7};
  REQUIRE(convert(AdcRange::of(5, false), sums.data(), sums.size()) == 3);
  REQUIRE(sums == std::vector<std::int16_t>{0, 0, 31, 31, 31, 7});
}

TEST_CASE("conversion agrees with a loop for every length around a block and every width of range") {
  naive::Random random(3);
  for (const std::size_t count : {0, 1, 31, 32, 511, 512, 513, 1023, 1024, 1025, 1600})
    for (const int bits : {1, 5, 8, 9, 15, 16, 20})
      for (const bool is_signed : {false, true}) {
        compare_with_naive(AdcRange::of(bits, is_signed), random_sums<std::int16_t>(random, count, 32768));
        compare_with_naive(AdcRange::of(bits, is_signed), random_sums<std::int16_t>(random, count, 40));
        compare_with_naive(AdcRange::of(bits, is_signed), random_sums<std::int32_t>(random, count, 1 << 21));
        compare_with_naive(AdcRange::of(bits, is_signed), random_sums<std::int32_t>(random, count, 40));
      }
}

TEST_CASE("one sum out of range is found wherever it stands") {
  for (std::size_t place = 0; place < 1100; ++place)
    for (const std::int16_t sum : {std::int16_t(-1), std::int16_t(256), std::int16_t(-32768), std::int16_t(32767)}) {
      std::vector<std::int16_t> sums(1100, 255);
      sums[place] = sum;
      if (convert(AdcRange::of(8, false), sums.data(), sums.size()) != 1) FAIL("at " << place);
      if (sums[place] != (sum < 0 ? 0 : 255)) FAIL("code at " << place);
    }
}

TEST_CASE("a whole buffer out of range is counted whole") {
  std::vector<std::int16_t> sums(70000, 300);
  REQUIRE(convert(AdcRange::of(8, false), sums.data(), sums.size()) == 70000);
  std::vector<std::int32_t> wide(70000, std::numeric_limits<std::int32_t>::min());
  REQUIRE(convert(AdcRange::of(8, true), wide.data(), wide.size()) == 70000);
}
