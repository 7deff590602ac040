// SPDX-License-Identifier: Apache-2.0
// Programmed arrays against loops over their cells: column sums, drive counts, the bound that decides whether a
// converter can lose anything, and what is refused.
#include "models/arithmetic/programmed_array.h"

#include <algorithm>
#include <stdexcept>

#include <catch2/catch.hpp>

#include "testbenches/models/arithmetic/arrays.h"

using namespace mho::arithmetic;
using namespace arrays;
using naive::pick;
using naive::Random;

TEST_CASE("column sums agree with a loop for every number of rows and columns around a vector") {
  Random random(16);
  for (const int rows : {1, 15, 16, 17, 31, 32, 33, 64, 65, 100, 128, 129, 160, 193, 256, 300})
    for (const int columns : {1, 30, 31, 32, 33, 63, 64, 65})
      for (const int cell_bits : {1, 2}) {
        const auto block = random_block(random, rows, columns, cell_bits);
        const InputStream stream{Slicing::uniform(8, 1), rows % 2 == 0};
        const ProgrammedArray array(block, stream);
        const auto codes = random_codes(random, 3 * rows);
        if (unpadded(array, sums_of(array, codes)) != naive::column_sums(block, stream, codes))
          FAIL(rows << " rows, " << columns << " columns, " << cell_bits << " bits");
      }
}

TEST_CASE("column sums of blocks too wide for one pass agree with a loop") {
  Random random(28);
  for (const int columns : {351, 352, 353, 800}) {
    const auto block = random_block(random, 140, columns, 2);
    const InputStream stream{Slicing::uniform(8, 1), true};
    const ProgrammedArray array(block, stream);
    const auto codes = random_codes(random, 2 * 140);
    REQUIRE(unpadded(array, sums_of(array, codes)) == naive::column_sums(block, stream, codes));
  }
}

TEST_CASE("column sums agree with a loop for cells of 1 to 8 bits and many vectors") {
  Random random(17);
  for (int cell_bits = 1; cell_bits <= 8; ++cell_bits)
    for (const int input_bits : {1, 3, 8, 11, 16})
      for (const int count : {1, 16, 17, 40}) {
        const auto block = random_block(random, 48, 400 / (cell_bits + 4), cell_bits);
        const InputStream stream{Slicing::uniform(input_bits, 1), count % 2 == 0};
        const ProgrammedArray array(block, stream);
        const auto codes = random_codes(random, count * 48);
        if (unpadded(array, sums_of(array, codes)) != naive::column_sums(block, stream, codes))
          FAIL(cell_bits << "-bit cells, " << input_bits << " input bits, " << count << " vectors");
      }
}

TEST_CASE("every sum of a full crossbar of highest levels and inputs is its bound") {
  for (const int cell_bits : {1, 2, 3, 4, 5, 8}) {
    auto block = EncodedBlock{128, 40, cell_bits, {}, {1, {}, {}}};
    block.levels.assign(128 * 40, std::uint8_t((1 << cell_bits) - 1));
    block.recombination.coefficient.assign(40, 1);
    block.recombination.unit_coefficient.assign(40, 0);
    const ProgrammedArray array(block, {Slicing::uniform(8, 1), false});
    const auto sums = unpadded(array, sums_of(array, Codes(128, 255)));
    for (std::size_t i = 0; i < sums.size(); ++i)
      REQUIRE(sums[i] == (i % 41 == 40 ? 128 : 128 * ((1 << cell_bits) - 1)));
  }
}

TEST_CASE("the bound on column sums is reached by some input, so that no narrower range would do") {
  Random random(20);
  const std::vector<std::vector<int>> slicings{{1, 1, 1, 1, 1, 1, 1, 1}, {4, 2, 2}, {1, 3, 4}, {2, 2, 8}, {4, 4, 4, 4},
                                               {4, 4, 2, 2, 2, 2}};  // whose 4-bit slices a byte never drives
  for (const auto& widths : slicings)
    for (const bool is_signed : {false, true}) {
      if (is_signed && widths.front() != 1) continue;
      const InputStream stream{Slicing(widths), is_signed};
      const auto block = random_block(random, 30, 12, 2);
      const ProgrammedArray array(block, stream);
      std::int64_t reached = 0;
      for (int code = 0; code < 256; ++code) {
        const auto sums = naive::column_sums(block, stream, Codes(30, std::uint8_t(code)));
        reached = std::max(reached, *std::max_element(sums.begin(), sums.end()));
      }
      REQUIRE(!array.loss({0, std::int32_t(reached)}));
      REQUIRE(array.loss({0, std::int32_t(reached) - 1}));
      REQUIRE(array.loss({1, 32767}));
    }
}

TEST_CASE("the unit column alone can be what does not fit") {
  // Levels all zero, five rows of 2-bit input slices: the unit column reaches 15.
  auto block = EncodedBlock{5, 1, 2, {0, 0, 0, 0, 0}, {1, {1}, {0}}};
  const ProgrammedArray array(block, {Slicing({2, 2}), false});
  REQUIRE(!array.loss({0, 15}));
  REQUIRE(array.loss({0, 14}).value() == "the unit column can sum to 15, the ADC converts 0 to 14");
  // Level 2 in every row of a column outweighs it: 5 * 2 * 3 = 30.
  block.levels.assign(5, 2);
  REQUIRE(ProgrammedArray(block, array.stream()).loss({0, 29}).value() ==
          "column 0 can sum to 30, the ADC converts 0 to 29");
}

TEST_CASE("drive counts by hand") {
  // Rows of levels (1 2 0) and (3 0 1) in crossbars of two columns: two crossbars. Inputs 3 and 4 in slices 2-1-1,
  // whose values are 0 1 1 and 1 0 0: two pulses and one. Cell current: 2 * (1 + 2 + 0) + 1 * (3 + 0 + 1) = 10.
  const EncodedBlock block{2, 3, 2, {1, 2, 0, 3, 0, 1}, {1, {1, 1, 1}, {0, 0, 0}}};
  const ProgrammedArray array(block, {Slicing({2, 1, 1}), false});
  const Codes codes{3, 4};
  const auto activity = array.drive(codes.data(), 1, 2);
  REQUIRE(activity.vectors == 1);
  REQUIRE(activity.array_cycles == 6);  // three slices, two crossbars
  REQUIRE(activity.row_drives == 12);   // of two rows each
  REQUIRE(activity.row_pulses == 6);    // three pulses, in both crossbars
  REQUIRE(activity.current_level_pulses == 10);
  REQUIRE(activity.conversions + activity.unit_conversions + activity.saturations + activity.shift_adds == 0);
  // Input 8 = 10 0 0: the 2-bit slice drives two pulses' worth.
  const Codes eight{8, 0};
  REQUIRE(array.drive(eight.data(), 1, 3).row_pulses == 2);
  REQUIRE(array.drive(eight.data(), 1, 3).current_level_pulses == 6);
}

TEST_CASE("drive counts agree with a loop over cells for every kind of stream") {
  Random random(21);
  const std::vector<std::vector<int>> slicings{
      {1, 1, 1, 1, 1, 1, 1, 1}, std::vector<int>(16, 1), {1, 1, 1, 1, 1}, {4, 2, 2}, {1, 7, 8}, {1, 3, 4}, {1}, {1, 2}};
  for (const auto& widths : slicings)
    for (const bool is_signed : {false, true})
      for (const int crossbar_columns : {7, 30, 64}) {
        if (is_signed && widths.front() != 1) continue;
        const InputStream stream{Slicing(widths), is_signed};
        const auto block = random_block(random, 33, 30, 1);
        const auto codes = random_codes(random, 37 * 33);
        const auto expected = naive::drive(block, stream, codes, crossbar_columns);
        const auto activity = ProgrammedArray(block, stream).drive(codes.data(), 37, crossbar_columns);
        REQUIRE(activity.vectors == expected.vectors);
        REQUIRE(activity.array_cycles == expected.array_cycles);
        REQUIRE(activity.row_drives == expected.row_drives);
        REQUIRE(activity.row_pulses == expected.row_pulses);
        REQUIRE(activity.current_level_pulses == expected.current_level_pulses);
      }
}

TEST_CASE("drive counts of all-ones codes do not overflow their bytes") {
  const EncodedBlock block{1, 1, 1, {1}, {1, {1}, {0}}};
  const ProgrammedArray array(block, {Slicing::uniform(16, 1), true});
  const Codes codes(1000, 255);
  REQUIRE(array.drive(codes.data(), 1000, 128).row_pulses == 16000);
}

TEST_CASE("an array gives its levels and block back") {
  Random random(23);
  for (int cell_bits = 1; cell_bits <= 8; ++cell_bits) {
    const auto block = random_block(random, 37, 45, cell_bits);
    const ProgrammedArray array(block, {Slicing({1}), false});
    REQUIRE(array.rows() == 37);
    REQUIRE(array.columns() == 45);
    REQUIRE(array.filters() == 45);
    REQUIRE(array.cell_bits() == cell_bits);
    REQUIRE(array.block().levels == block.levels);
    REQUIRE(array.block().recombination.coefficient == block.recombination.coefficient);
    REQUIRE(array.recombination().unit_coefficient == block.recombination.unit_coefficient);
    for (int row = 0; row < 37; ++row)
      for (int column = 0; column < 45; ++column)
        if (array.level(row, column) != block.levels[std::size_t(row * 45 + column)]) FAIL(row << ", " << column);
  }
}

TEST_CASE("blocks whose sums could leave 16 bits are refused, those that just fit are not") {
  // 723 rows * 15 * 3 = 32 535 fits, 729 rows make 32 805.
  Random random(25);
  const InputStream stream{Slicing::uniform(8, 4), false};
  REQUIRE_NOTHROW(ProgrammedArray(random_block(random, 723, 1, 2), stream));
  REQUIRE_THROWS_AS(ProgrammedArray(random_block(random, 729, 1, 2), stream), std::invalid_argument);
}

TEST_CASE("blocks and streams that make no sense are refused") {
  Random random(26);
  const auto block = random_block(random, 4, 4, 2);
  const InputStream stream{Slicing::uniform(8, 1), false};
  const auto refused = [&stream](EncodedBlock wrong) {
    REQUIRE_THROWS_AS(ProgrammedArray(std::move(wrong), stream), std::invalid_argument);
  };
  REQUIRE_THROWS_AS(ProgrammedArray(block, {Slicing({2, 2}), true}), std::invalid_argument);
  auto wrong = block;
  wrong.levels[5] = 4;
  refused(wrong);
  wrong = block;
  wrong.levels.pop_back();
  refused(wrong);
  wrong = block;
  wrong.recombination.coefficient.push_back(1);
  refused(wrong);
  wrong = block;
  wrong.recombination.unit_coefficient.pop_back();
  refused(wrong);
  wrong = block;
  wrong.cell_bits = 9;
  refused(wrong);
  refused({0, 0, 2, {}, {1, {}, {}}});
}

TEST_CASE("no vectors drive nothing") {
  Random random(27);
  for (const int width : {1, 2}) {
    const ProgrammedArray array(random_block(random, 8, 8, 2), {Slicing::uniform(8, width), false});
    array.column_sums(nullptr, 0, nullptr);
    array.product(nullptr, 0, nullptr);
    REQUIRE(array.drive(nullptr, 0, 128).row_drives == 0);
  }
}
