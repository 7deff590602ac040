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
