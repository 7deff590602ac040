// SPDX-License-Identifier: Apache-2.0
// Slicings: every way to cut a small code, and what is refused.
#include "models/arithmetic/slicing.h"

#include <stdexcept>

#include <catch2/catch.hpp>

#include "testbenches/models/arithmetic/naive.h"

using mho::arithmetic::Slicing;

TEST_CASE("slices of a code are counted from the most significant") {
  // 0xb6 = 1011 01 10: slices 11, 1 and 2, at place values 16, 4 and 1; 11 * 16 + 1 * 4 + 2 = 182.
  const Slicing slicing({4, 2, 2});
  REQUIRE(slicing.count() == 3);
  REQUIRE(slicing.bits() == 8);
  REQUIRE(slicing.widest() == 4);
  REQUIRE(slicing.slice(0xb6, 0) == 11u);
  REQUIRE(slicing.slice(0xb6, 1) == 1u);
  REQUIRE(slicing.slice(0xb6, 2) == 2u);
  REQUIRE(slicing.shift(0) == 4);
  REQUIRE(slicing.shift(1) == 2);
  REQUIRE(slicing.shift(2) == 0);
  REQUIRE(slicing.weight(0, false) == 16);
}

TEST_CASE("the sign bit of a signed code counts negatively") {
  // -3 in four bits is 1101: -8 + 4 + 0 + 1.
  const Slicing slicing = Slicing::uniform(4, 1);
  REQUIRE(slicing.weight(0, true) == -8);
  REQUIRE(slicing.weight(0, false) == 8);
  REQUIRE(slicing.weight(1, true) == 4);
  REQUIRE(slicing.slice(-3, 0) == 1u);
  REQUIRE(slicing.slice(-3, 1) == 1u);
  REQUIRE(slicing.slice(-3, 2) == 0u);
  REQUIRE(slicing.slice(-3, 3) == 1u);
}

TEST_CASE("uniform slicing leaves the most significant slice narrower where widths do not divide") {
  REQUIRE(Slicing::uniform(8, 2).widths() == std::vector<int>{2, 2, 2, 2});
  REQUIRE(Slicing::uniform(8, 3).widths() == std::vector<int>{2, 3, 3});
  REQUIRE(Slicing::uniform(16, 5).widths() == std::vector<int>{1, 5, 5, 5});
  REQUIRE(Slicing::uniform(3, 8).widths() == std::vector<int>{3});
  REQUIRE(Slicing::uniform(16, 8) == Slicing({8, 8}));
}

TEST_CASE("slices times their weights give the code back, for every slicing of up to 9 bits") {
  for (int bits = 1; bits <= 9; ++bits)
    for (const auto& widths : naive::compositions(bits, 8)) {
      const Slicing slicing(widths);
      for (const bool is_signed : {false, true}) {
        if (is_signed && widths.front() != 1) continue;
        const std::int32_t lowest = is_signed ? -(1 << (bits - 1)) : 0;
        for (std::int32_t code = lowest; code < lowest + (1 << bits); ++code) {
          const auto expected = naive::slices_of(code, widths);
          std::int64_t sum = 0;
          for (int s = 0; s < slicing.count(); ++s) {
            if (slicing.slice(code, s) != expected[std::size_t(s)]) FAIL("slice " << s << " of " << code);
            sum += slicing.weight(s, is_signed) * slicing.slice(code, s);
          }
          if (sum != code) FAIL(code << " came back as " << sum);
        }
      }
    }
}

TEST_CASE("a sign bit that shares a slice is refused, whichever slice is asked for") {
  const Slicing slicing({2, 1, 1});
  REQUIRE_THROWS_AS(slicing.weight(0, true), std::invalid_argument);
  REQUIRE_THROWS_AS(slicing.weight(2, true), std::invalid_argument);
  REQUIRE_NOTHROW(slicing.weight(0, false));
}

TEST_CASE("slicings outside 1 to 16 bits or with slices outside 1 to 8 bits are refused") {
  REQUIRE_THROWS_AS(Slicing({}), std::invalid_argument);
  REQUIRE_THROWS_AS(Slicing({0, 4}), std::invalid_argument);
  REQUIRE_THROWS_AS(Slicing({9}), std::invalid_argument);
  REQUIRE_THROWS_AS(Slicing({8, 8, 1}), std::invalid_argument);
  REQUIRE_THROWS_AS(Slicing::uniform(17, 1), std::invalid_argument);
  REQUIRE_THROWS_AS(Slicing::uniform(0, 1), std::invalid_argument);
  REQUIRE_THROWS_AS(Slicing::uniform(8, 0), std::invalid_argument);
  REQUIRE_THROWS_AS(Slicing::uniform(16, 9), std::invalid_argument);
}
