// SPDX-License-Identifier: Apache-2.0
// Writing a row: level steps up and down.
#include "models/arithmetic/write_pulses.h"

#include <algorithm>
#include <vector>

#include <catch2/catch.hpp>

#include "testbenches/models/arithmetic/naive.h"

using mho::arithmetic::count_steps;

TEST_CASE("a row takes one step for every level that a cell moves") {
  // 0 -> 2: two up. 3 -> 0: three down. 1 -> 1: none. 2 -> 1: one down.
  const std::vector<std::uint8_t> before{0, 3, 1, 2}, after{2, 0, 1, 1};
  const auto steps = count_steps(before.data(), after.data(), 4);
  REQUIRE(steps.up == 2);
  REQUIRE(steps.down == 4);
  REQUIRE(steps.cells_changed == 3);
  REQUIRE(steps.longest_up == 2);
  REQUIRE(steps.longest_down == 3);
}

TEST_CASE("a row that stays as it is takes no step") {
  const std::vector<std::uint8_t> levels{3, 0, 255};
  const auto steps = count_steps(levels.data(), levels.data(), 3);
  REQUIRE(steps.up + steps.down + steps.cells_changed == 0);
  REQUIRE(steps.longest_up + steps.longest_down == 0);
  REQUIRE(count_steps(nullptr, nullptr, 0).up == 0);
}

TEST_CASE("steps of long rows agree with a loop") {
  naive::Random random(4);
  for (const std::size_t cells : {1, 15, 16, 17, 100, 1024, 5000}) {
    std::vector<std::uint8_t> before, after;
    std::uint64_t up = 0, down = 0, changed = 0;
    int longest_up = 0, longest_down = 0;
    for (std::size_t i = 0; i < cells; ++i) {
      before.push_back(std::uint8_t(random()));
      after.push_back(random() % 4 == 0 ? before.back() : std::uint8_t(random()));
      const int step = after.back() - before.back();
      if (step > 0) up += std::uint64_t(step);
      if (step < 0) down += std::uint64_t(-step);
      if (step != 0) ++changed;
      longest_up = std::max(longest_up, step);
      longest_down = std::max(longest_down, -step);
    }
    const auto steps = count_steps(before.data(), after.data(), cells);
    REQUIRE(steps.up == up);
    REQUIRE(steps.down == down);
    REQUIRE(steps.cells_changed == changed);
    REQUIRE(steps.longest_up == longest_up);
    REQUIRE(steps.longest_down == longest_down);
  }
}

TEST_CASE("a pair of devices takes the steps of both, and as many pulses as the longest of either") {
  // 3 -> -2: the positive device down 3, the negative one up 2. -4 -> -1: down 3. 0 -> -15: up 15. 5 -> 7: up 2.
  // -1 -> -1: nothing. Six steps down, nineteen up, in five devices.
  const std::vector<std::int8_t> before{3, -4, 0, 5, -1}, after{-2, -1, -15, 7, -1};
  const auto bytes = [](const std::vector<std::int8_t>& levels) {
    return reinterpret_cast<const std::uint8_t*>(levels.data());
  };
  const auto steps = count_steps(bytes(before), bytes(after), 5, true);
  CHECK(steps.up == 19);
  CHECK(steps.down == 6);
  CHECK(steps.cells_changed == 5);
  CHECK(steps.longest_up == 15);
  CHECK(steps.longest_down == 3);
}

TEST_CASE("steps of long rows of pairs agree with a loop") {
  naive::Random random(4);
  for (const int cells : {1, 511, 512, 513, 2000}) {
    std::vector<std::uint8_t> before, after;
    std::uint64_t up = 0, down = 0, changed = 0;
    int longest_up = 0, longest_down = 0;
    for (int i = 0; i < cells; ++i) {
      const int from = int(naive::pick(random, -127, 127)), to = int(naive::pick(random, -127, 127));
      before.push_back(std::uint8_t(from));
      after.push_back(std::uint8_t(to));
      for (const int sign : {1, -1}) {
        const int step = std::max(sign * to, 0) - std::max(sign * from, 0);
        up += std::uint64_t(std::max(step, 0));
        down += std::uint64_t(std::max(-step, 0));
        changed += step != 0;
        longest_up = std::max(longest_up, step);
        longest_down = std::max(longest_down, -step);
      }
    }
    const auto steps = count_steps(before.data(), after.data(), before.size(), true);
    CHECK(steps.up == up);
    CHECK(steps.down == down);
    CHECK(steps.cells_changed == changed);
    CHECK(steps.longest_up == longest_up);
    CHECK(steps.longest_down == longest_down);
  }
}
