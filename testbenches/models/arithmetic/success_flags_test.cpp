// SPDX-License-Identifier: Apache-2.0
// Codes of cycles that speculate: which have failed, at the bounds of the range and of the runs the search works in.
#include "models/arithmetic/success_flags.h"

#include <vector>

#include <catch2/catch.hpp>

#include "models/arithmetic/programmed_array.h"
#include "testbenches/models/arithmetic/naive.h"

using namespace mho::arithmetic;

TEST_CASE("a sum at a bound of the range or beyond has failed, all others are their codes") {
  std::vector<std::int16_t> sums{-65, -64, -63, 0, 62, 63, 64, 32767, -32768};
  std::vector<std::int32_t> failed(sums.size(), -1);
  const SpeculativeCodes codes = convert_speculating(AdcRange::of(7, true), sums.data(), sums.size(), failed.data());
  const std::int16_t x = kFailedCode;
  CHECK(sums == std::vector<std::int16_t>{x, x, -63, 0, 62, x, x, x, x});
  CHECK(codes.failures == 6);
  CHECK(codes.out_of_range == 4);
  failed.resize(6);
  CHECK(failed == std::vector<std::int32_t>{0, 1, 5, 6, 7, 8});
}

TEST_CASE("an unsigned converter has failed at 0") {
  std::vector<std::int16_t> sums{0, 1, 254, 255, 256, -1};
  std::vector<std::int32_t> failed(sums.size());
  const SpeculativeCodes codes = convert_speculating(AdcRange::of(8, false), sums.data(), sums.size(), failed.data());
  CHECK(codes.failures == 4);
  CHECK(codes.out_of_range == 2);
}

TEST_CASE("flags of any number of columns, none, few or all of them cleared, agree with a loop") {
  naive::Random random(3);
  const AdcRange range = AdcRange::of(7, true);
  for (const std::size_t columns : {1, 15, 16, 17, 31, 511, 512, 513, 1024, 1500})
    for (const int reach : {60, 66, 100, 20000}) {
      std::vector<std::int16_t> sums, expected;
      std::vector<std::int32_t> indices;
      std::size_t outside = 0;
      for (std::size_t i = 0; i < columns; ++i) {
        const auto sum = std::int16_t(naive::pick(random, -reach, reach));
        const bool fails = sum <= -64 || sum >= 63;
        outside += sum < -64 || sum > 63;
        sums.push_back(sum);
        expected.push_back(fails ? kFailedCode : sum);
        if (fails) indices.push_back(std::int32_t(i));
      }
      INFO(columns << " columns up to " << reach);
      std::vector<std::int32_t> failed(columns + 1, -7), listed(columns + 1, -7);
      const SpeculativeCodes codes = convert_speculating(range, sums.data(), columns, failed.data());
      CHECK(sums == expected);
      CHECK(codes.failures == indices.size());
      CHECK(codes.out_of_range == outside);
      CHECK(count_failed(sums.data(), columns) == indices.size());
      CHECK(list_failed(sums.data(), columns, listed.data()) == indices.size());
      CHECK(failed.back() == -7);
      CHECK(listed.back() == -7);
      failed.resize(indices.size());
      listed.resize(indices.size());
      CHECK(failed == indices);
      CHECK(listed == indices);
    }
}
