// SPDX-License-Identifier: Apache-2.0
// Arrays of pairs: column sums for every stream, at once and column by column, with and without noise; products, drive
// counts and what is refused.
#include <stdexcept>

#include <catch2/catch.hpp>

#include "models/arithmetic/centre_offset.h"
#include "models/arithmetic/noisy_array.h"
#include "models/arithmetic/stored_weights.h"
#include "testbenches/models/arithmetic/arrays.h"

using namespace mho::arithmetic;
using namespace arrays;
using naive::pick;
using naive::Random;

namespace {

const Slicing kBits = Slicing::uniform(8, 1);

std::vector<std::int64_t> saturated(std::vector<std::int64_t> sums) {
  naive::clip(sums, -32768, 32767);
  return sums;
}

/// recovery_sums of every column of every vector, as naive::column_sums has them but for the unit column.
std::vector<std::int64_t> recovery_sums_of(const ProgrammedArray& array, const Codes& codes) {
  const auto rows = std::size_t(array.rows()), columns = std::size_t(array.columns());
  const auto recovery = std::size_t(array.cycle_counts().recovery), count = codes.size() / rows;
  std::vector<std::int64_t> sums(count * recovery * columns, -99999);
  for (std::size_t v = 0; v < count; ++v)
    for (std::size_t i = 0; i < array.cycles().size(); ++i) {
      if (array.cycles()[i].use != InputCycle::Use::kSpeculate) continue;
      for (std::size_t c = 0; c < columns; ++c) {
        std::int16_t again[8];
        array.recovery_sums(codes.data() + v * rows, v, int(c), int(i), again);
        std::size_t at = 0;
        for (const InputCycle& cycle : array.cycles())
          if (cycle.recovers == int(i)) sums[(v * recovery + std::size_t(cycle.place)) * columns + c] = again[at++];
      }
    }
  return sums;
}

std::vector<std::int64_t> without_unit(const std::vector<std::int64_t>& sums, int columns) {
  std::vector<std::int64_t> rest;
  for (std::size_t i = 0; i < sums.size(); ++i)
    if (int(i % std::size_t(columns + 1)) != columns) rest.push_back(sums[i]);
  return rest;
}

void check_sums(const EncodedBlock& block, const InputStream& stream, const Codes& codes) {
  const ProgrammedArray array(block, stream);
  if (unpadded(array, sums_of(array, codes)) != saturated(naive::column_sums(block, stream, codes)))
    FAIL("sums: " << name_of(stream) << ", " << block.rows << " rows, " << block.columns() << " columns");
  if (recovery_sums_of(array, codes) !=
      without_unit(saturated(naive::column_sums(block, stream, codes, true)), block.columns()))
    FAIL("recovery: " << name_of(stream) << ", " << block.rows << " rows, " << block.columns() << " columns");
}

}  // namespace

TEST_CASE("column and recovery sums of pairs agree with a loop for every stream") {
  Random random(31);
  for (const auto& stream : all_streams())
    for (const int rows : {1, 7, 16, 100, 128}) {
      const int count = rows == 7 ? 35 : 3;
      check_sums(random_pairs(random, rows, rows == 16 ? 16 : 11, 3, int(pick(random, 1, 7))), stream,
                 random_codes(random, count * rows));
    }
}

TEST_CASE("column and recovery sums of single devices agree with a loop for every stream") {
  Random random(32);
  for (const auto& stream : all_streams())
    for (const int cell_bits : {1, 2, 4, 7, 8}) {
      const int top = largest_slice(stream) * ((1 << cell_bits) - 1), rows = std::min(33, 32767 / top);
      if (rows == 0) continue;
      check_sums(random_block(random, rows, 37, cell_bits), stream, random_codes(random, 4 * rows));
    }
}

TEST_CASE("column sums of pairs agree with a loop for sizes around vectors") {
  Random random(33);
  const InputStream stream{kBits, false, false, {4, 2, 2}};
  for (const int rows : {8, 15, 63, 64, 65, 127, 129, 512})
    for (const int filters : {1, 10, 11, 21, 22, 170})
      check_sums(random_pairs(random, rows, filters, 3, 4), stream, random_codes(random, rows));
}

TEST_CASE("sums of pairs beyond 16 bits saturate, single ones as well as all at once") {
  // 400 rows * 15 * 127 = 762 000.
  for (const int level : {127, -127}) {
    EncodedBlock block{400, 1, 7, Codes(400, std::uint8_t(level)), {1, {1}, {0}, true}, true};
    const ProgrammedArray array(block, {Slicing({2, 2, 4}), false, false, {4, 4}});
    const Codes codes(400, 255);
    const std::int64_t end = level > 0 ? 32767 : -32768;
    REQUIRE(unpadded(array, sums_of(array, codes)) == std::vector<std::int64_t>{end, 6000, end, 6000});
    std::int16_t again[2] = {};
    array.recovery_sums(codes.data(), 0, 0, 0, again);
    REQUIRE(again[0] == end);
    REQUIRE(array.loss(AdcRange::of(16, true)));
    REQUIRE(array.loss(AdcRange::of(30, true)));
  }
}

TEST_CASE("products of pairs are what lossless conversion gives") {
  Random random(36);
  for (const auto& stream : all_streams())
    for (const int per_filter : {1, 3, 4, 5, 8}) {
      const auto block = random_pairs(random, 20, 9, per_filter, 2);
      const ProgrammedArray array(block, stream);
      const auto range = AdcRange::of(15, true);
      const auto codes = random_codes(random, 5 * 20);
      REQUIRE(!array.loss(range));
      REQUIRE(sliced(array, codes, range).psums == exact(array, codes));
    }
}

TEST_CASE("drive counts of pairs agree with a loop over cells for every stream, spare cells apart") {
  Random random(38);
  for (const auto& stream : all_streams())
    for (const bool spare : {false, true})
      for (const bool paired : {false, true}) {
        auto block = paired ? random_pairs(random, 21, 6, 3, 4) : random_block(random, 21, 18, 1);
        for (int row = 0; spare && row < block.rows; ++row) {
          const auto first = pick(random, 0, block.filters);
          block.weighted.push_back({std::int32_t(first), std::int32_t(pick(random, 0, block.filters - first))});
        }
        const auto codes = random_codes(random, 4 * 21);
        for (const int crossbar_columns : {5, 64}) {
          const auto expected = naive::drive(block, stream, codes, crossbar_columns);
          const auto activity = ProgrammedArray(block, stream).drive(codes.data(), 4, crossbar_columns);
          INFO(name_of(stream));
          REQUIRE(activity.vectors == expected.vectors);
          REQUIRE(activity.array_cycles == expected.array_cycles);
          REQUIRE(activity.row_drives == expected.row_drives);
          REQUIRE(activity.row_pulses == expected.row_pulses);
          REQUIRE(activity.current_level_pulses == expected.current_level_pulses);
          REQUIRE(activity.cell_pulses == expected.cell_pulses);
          REQUIRE(activity.spare_level_pulses == expected.spare_level_pulses);
          REQUIRE(activity.spare_cell_pulses == expected.spare_cell_pulses);
        }
      }
}

TEST_CASE("an array of pairs gives its levels and block back") {
  Random random(39);
  for (int cell_bits = 1; cell_bits <= 7; ++cell_bits) {
    auto block = random_pairs(random, 37, 15, 3, cell_bits);
    for (int row = 0; row < 37; ++row) block.weighted.push_back({row % 7, row % 8});
    const ProgrammedArray array(block, {kBits, false});
    REQUIRE(array.paired());
    const auto back = array.block();
    REQUIRE(back.levels == block.levels);
    REQUIRE(back.paired);
    REQUIRE(back.weighted == block.weighted);
    REQUIRE(back.cell_bits == cell_bits);
    REQUIRE(back.recombination.digital_unit);
    for (int row = 0; row < 37; ++row)
      for (int column = 0; column < 45; ++column)
        if (array.level(row, column) != std::int8_t(block.levels[std::size_t(row * 45 + column)]))
          FAIL(row << ", " << column);
  }
}

TEST_CASE("pairs that make no sense are refused") {
  Random random(40);
  const InputStream stream{kBits, false};
  const auto block = random_pairs(random, 4, 4, 1, 2);
  const auto refused = [&stream](const EncodedBlock& wrong) {
    REQUIRE_THROWS_AS(ProgrammedArray(wrong, stream), std::invalid_argument);
  };
  for (const int level : {4, -4, -128, 127}) {
    auto wrong = block;
    wrong.levels[3] = std::uint8_t(level);
    refused(wrong);
  }
  auto wrong = block;
  wrong.cell_bits = 8;
  refused(wrong);
  wrong = block;
  wrong.weighted.assign(3, {0, 4});
  refused(wrong);
  for (const FilterRange range : {FilterRange{0, 5}, FilterRange{-1, 2}, FilterRange{4, 1}, FilterRange{1, -1}}) {
    wrong = block;
    wrong.weighted.assign(4, {0, 4});
    wrong.weighted[2] = range;
    refused(wrong);
  }
  wrong = block;
  wrong.weighted.assign(4, {4, 0});
  REQUIRE_NOTHROW(ProgrammedArray(wrong, stream));
  // The digital sum of the inputs is 16 bits wide: 2184 rows of 15 are 32 760, 2185 are 32 775.
  const InputStream wide{kBits, false, false, {4, 4}};
  REQUIRE_NOTHROW(ProgrammedArray(random_pairs(random, 2184, 1, 1, 1), wide));
  REQUIRE_THROWS_AS(ProgrammedArray(random_pairs(random, 2185, 1, 1, 1), wide), std::invalid_argument);
}

TEST_CASE("weights of pairs are read back from levels of both signs") {
  Random random(41);
  for (const auto& widths : {std::vector<int>{4, 2, 2}, std::vector<int>{4, 4}, std::vector<int>{1, 2, 1, 4}}) {
    const auto weights = random_weights(random, 8, 60 * 7);
    auto block = make_centre_offset_encoding(Slicing(widths))->encode(weights, 60, 7);
    REQUIRE(stored_weights(block) == weights);
    REQUIRE(stores(block, weights));
    auto& level = block.levels[std::size_t(pick(random, 0, std::int64_t(block.levels.size()) - 1))];
    level = std::uint8_t(0u - level - (level == 0));  // the other device of the pair
    REQUIRE(stored_weights(block) != weights);
    REQUIRE(!stores(block, weights));
  }
}

TEST_CASE("weights are within their bits or not, whatever the row and filter of the one that is not") {
  Random random(43);
  const Slicing slicing({4, 2, 2});
  for (const auto& [weight, bits, within] :
       {std::make_tuple(127, 8, true), std::make_tuple(-128, 8, true), std::make_tuple(64, 7, false),
        std::make_tuple(-65, 7, false), std::make_tuple(-64, 7, true), std::make_tuple(63, 7, true)}) {
    std::vector<std::int32_t> weights(60 * 7);
    weights[std::size_t(pick(random, 0, 60 * 7 - 1))] = weight;
    REQUIRE(weights_within(make_centre_offset_encoding(slicing)->encode(weights, 60, 7), bits) == within);
  }
  // A centre further away moves a whole filter out: 127 + 1, and -128 - 1.
  auto block = make_zero_offset_encoding(slicing)->encode({127, -128}, 1, 2);
  REQUIRE(weights_within(block, 8));
  for (const int wrong : {0, 1}) {
    auto moved = block;
    moved.recombination.unit_coefficient[std::size_t(wrong)] += wrong == 0 ? 1 : -1;
    REQUIRE(!weights_within(moved, 8));
  }
}

TEST_CASE("noise on exact sums is that of vector, cycle and column, read at once or again; digital sums have none") {
  Random random(42);
  const InputStream stream{kBits, false, false, {4, 2, 2}};  // whole cycles are 0, 5 and 8
  const ArrayNoise noise{{0.0, 2.5, 0.0, 0.0, 0.0}, 77};
  for (const bool paired : {false, true})
    for (const bool digital : {false, true}) {
      auto block = paired ? random_pairs(random, 90, 5, 3, 3) : random_block(random, 90, 15, 2);
      block.recombination.digital_unit = digital;
      const ProgrammedArray array(block, stream, noise), quiet(block, stream);
      const int cells = 15 + (digital ? 0 : 1);
      const NoisyArray reference(noise, {block.levels.data(), 90, cells, array.sums_stride(), block.cell_bits, false},
                                 15);
      const auto codes = random_codes(random, 20 * 90);
      auto expected = sums_of(quiet, codes);
      reference.disturb(expected.data(), 20, {0, 5, 8}, 1000);
      const auto sums = sums_of(array, codes, 1000);
      REQUIRE(sums == expected);
      REQUIRE(sums != sums_of(quiet, codes));
      REQUIRE(sums != sums_of(array, codes, 1001));
      std::size_t differing = 0;
      for (std::size_t i = 15; i < sums.size(); i += std::size_t(array.sums_stride()))
        differing += sums[i] != sums_of(quiet, codes)[i];
      REQUIRE((differing > 0) == !digital);
      for (int column = 0; column < 15; ++column) {
        std::int16_t again[2], ideal[2];
        array.recovery_sums(codes.data() + 3 * 90, 1003, column, 5, again);
        quiet.recovery_sums(codes.data() + 3 * 90, 1003, column, 5, ideal);
        for (const int i : {0, 1}) REQUIRE(again[i] == reference.disturbed(ideal[i], column, 1003, 6 + i));
      }
      REQUIRE(array.loss(AdcRange::of(15, true)).value() == "its column sums are noisy");
    }
}

TEST_CASE("changed cells are read as they are, at once and again") {
  Random random(43);
  const InputStream stream{kBits, false, false, {4, 4}};  // cycles 0 and 5 are whole
  const ArrayNoise noise{{0.1, 1.0, 0.0, 0.05, 0.05}, 5};
  for (const bool paired : {false, true}) {
    auto block = paired ? random_pairs(random, 70, 5, 3, 3) : random_block(random, 70, 15, 3);
    block.recombination.digital_unit = paired;
    const ProgrammedArray array(block, stream, noise), quiet(block, stream);
    const int stride = array.sums_stride(), cells = paired ? 15 : 16;
    Codes levels(std::size_t(70 * stride), 0);
    for (int row = 0; row < 70; ++row) {
      for (int c = 0; c < 15; ++c) levels[std::size_t(row * stride + c)] = block.levels[std::size_t(row * 15 + c)];
      levels[std::size_t(row * stride + 15)] = 1;
    }
    const NoisyArray reference(noise, {levels.data(), 70, cells, stride, 3, paired}, 15);
    const auto codes = random_codes(random, 33 * 70);
    const auto sums = sums_of(array, codes, 400), ideal = sums_of(quiet, codes);
    for (int v = 0; v < 33; ++v) {
      const auto driven = [&](int shift, int mask) {
        Codes values;
        for (int row = 0; row < 70; ++row)
          values.push_back(std::uint8_t((codes[std::size_t(v * 70 + row)] >> shift) & mask));
        return values;
      };
      for (const int place : {0, 1})
        for (int c = 0; c < cells; ++c)
          REQUIRE(sums[std::size_t((v * 2 + place) * stride + c)] ==
                  reference.sum(driven(4 - 4 * place, 15).data(), c, std::uint64_t(400 + v), 5 * place));
      for (const int place : {0, 1})
        if (paired)
          REQUIRE(sums[std::size_t((v * 2 + place) * stride + 15)] ==
                  ideal[std::size_t((v * 2 + place) * stride + 15)]);
      std::int16_t again[4];
      array.recovery_sums(codes.data() + v * 70, std::uint64_t(400 + v), v % 15, 5, again);
      for (const int i : {0, 1, 2, 3})
        REQUIRE(again[i] == reference.sum(driven(3 - i, 1).data(), v % 15, std::uint64_t(400 + v), 6 + i));
    }
    REQUIRE(sums != ideal);
    REQUIRE(array.loss(AdcRange::of(15, true)));
    REQUIRE(array.block().levels == block.levels);  // what ought to stand there
  }
}

TEST_CASE("a noise model without noise changes nothing and loses nothing") {
  Random random(44);
  const auto block = random_pairs(random, 20, 3, 2, 2);
  const ProgrammedArray array(block, {kBits, false}, ArrayNoise{{}, 9}), quiet(block, {kBits, false});
  const auto codes = random_codes(random, 60);
  REQUIRE(sums_of(array, codes, 7) == sums_of(quiet, codes));
  REQUIRE(!array.loss(AdcRange::of(12, true)));
}
