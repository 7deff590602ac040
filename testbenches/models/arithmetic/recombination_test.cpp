// SPDX-License-Identifier: Apache-2.0
// Shift-and-add and the sums of activities, which know nothing of arrays.
#include <catch2/catch.hpp>

#include "testbenches/models/arithmetic/arrays.h"

using namespace mho::arithmetic;
using namespace arrays;
using naive::pick;
using naive::Random;

TEST_CASE("shift-and-add agrees with a loop for any codes, columns a filter and strides") {
  Random random(22);
  for (int per_filter = 1; per_filter <= 17; ++per_filter)
    for (const int filters : {1, 2, 9, 40})
      for (const int slices : {1, 2, 7, 8, 9, 15, 16})
        for (const bool wide : {false, true}) {
          const InputStream stream{Slicing::uniform(slices, 1), filters % 2 == 0};
          const int columns = filters * per_filter, stride = columns + 1 + int(pick(random, 0, 3)), count = 2;
          EncodedBlock block{1, filters, 1, {}, {per_filter, {}, {}}};
          const std::int64_t reach = wide ? 16777215 : 32767;  // wide ones do not fit 16 bits
          for (int c = 0; c < columns; ++c)
            block.recombination.coefficient.push_back(std::int32_t(pick(random, -reach - 1, reach)));
          for (int f = 0; f < filters; ++f)
            block.recombination.unit_coefficient.push_back(std::int32_t(pick(random, -16777216, 16777215)));
          std::vector<std::int16_t> padded(std::size_t(count * slices * stride));
          std::vector<std::int64_t> dense;
          for (std::size_t i = 0; i < padded.size(); ++i) {
            padded[i] = std::int16_t(random() % 3 == 0 ? -32768 : std::int64_t(random()));
            if (int(i) % stride <= columns) dense.push_back(padded[i]);
          }
          Psums psums(std::size_t(count * filters));
          recombine(block.recombination, filters, stream, padded.data(), nullptr, count, stride, psums.data());
          if (psums != wrapped(naive::recombine(block, stream, dense)))
            FAIL(per_filter << " columns a filter, " << filters << " filters, " << slices << " slices");
        }
}

TEST_CASE("activities add up") {
  Activity sum;
  for (int i = 0; i < 2; ++i) sum += Activity{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  REQUIRE(sum.vectors == 2);
  REQUIRE(sum.array_cycles == 4);
  REQUIRE(sum.row_drives == 6);
  REQUIRE(sum.row_pulses == 8);
  REQUIRE(sum.current_level_pulses == 10);
  REQUIRE(sum.cell_pulses == 12);
  REQUIRE(sum.spare_cell_pulses == 14);
  REQUIRE(sum.spare_level_pulses == 16);
  REQUIRE(sum.conversions == 18);
  REQUIRE(sum.unit_conversions == 20);
  REQUIRE(sum.saturations == 22);
  REQUIRE(sum.shift_adds == 24);
}
