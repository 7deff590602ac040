// SPDX-License-Identifier: Apache-2.0
// Programmed arrays against loops over their cells: column sums, what becomes of them through a converter and the
// shift-and-add unit, the exact product, drive counts and the bound that decides between the two ways.
#include "models/arithmetic/programmed_array.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <thread>

#include <catch2/catch.hpp>

#include "testbenches/models/arithmetic/naive.h"

using namespace mho::arithmetic;
using naive::pick;
using naive::Random;

namespace {

using Codes = std::vector<std::uint8_t>;
using Psums = std::vector<std::int32_t>;

Codes random_codes(Random& random, int count) {
  Codes codes;
  while (int(codes.size()) < count) codes.push_back(std::uint8_t(random()));
  return codes;
}

std::vector<std::int32_t> random_weights(Random& random, int bits, int count) {
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  std::vector<std::int32_t> weights;
  while (int(weights.size()) < count) weights.push_back(std::int32_t(pick(random, -half, half - 1)));
  return weights;
}

/// A block of random levels with one column a filter.
EncodedBlock random_block(Random& random, int rows, int columns, int cell_bits) {
  EncodedBlock block{rows, columns, cell_bits, {}, {1, {}, {}}};
  for (int i = 0; i < rows * columns; ++i) block.levels.push_back(std::uint8_t(pick(random, 0, (1 << cell_bits) - 1)));
  block.recombination.coefficient.assign(std::size_t(columns), 1);
  block.recombination.unit_coefficient.assign(std::size_t(columns), 0);
  return block;
}

std::vector<std::int16_t> sums_of(const ProgrammedArray& array, const Codes& codes) {
  const int count = int(codes.size()) / array.rows();
  std::vector<std::int16_t> sums(std::size_t(count * array.stream().slicing.count() * array.sums_stride()), -9);
  array.column_sums(codes.data(), count, sums.data());
  return sums;
}

/// Sums without their padding, which must be zero.
std::vector<std::int64_t> unpadded(const ProgrammedArray& array, const std::vector<std::int16_t>& sums) {
  std::vector<std::int64_t> dense;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const int column = int(i) % array.sums_stride();
    if (column <= array.columns()) dense.push_back(sums[i]);
    if (column > array.columns() && sums[i] != 0) FAIL("padding " << column << " holds " << sums[i]);
  }
  return dense;
}

struct Converted {
  Psums psums;
  std::uint64_t saturations = 0;
};

/// The way of the data through a machine: array, converter, shift-and-add unit.
Converted sliced(const ProgrammedArray& array, const Codes& codes, AdcRange range) {
  const int count = int(codes.size()) / array.rows();
  auto sums = sums_of(array, codes);
  Converted result{Psums(std::size_t(count * array.filters()), -9), 0};
  result.saturations = convert(range, sums.data(), sums.size());
  recombine(array.recombination(), array.filters(), array.stream(), sums.data(), count, array.sums_stride(),
            result.psums.data());
  return result;
}

Psums exact(const ProgrammedArray& array, const Codes& codes) {
  const int count = int(codes.size()) / array.rows();
  Psums psums(std::size_t(count * array.filters()), -9);
  array.product(codes.data(), count, psums.data());
  return psums;
}

Psums wrapped(const std::vector<std::int64_t>& values) {
  Psums psums;
  for (const auto value : values) psums.push_back(std::int32_t(std::uint32_t(std::uint64_t(value))));
  return psums;
}

/// Codes that drive arrays hardest, and some that do not.
std::vector<Codes> adversarial_codes(Random& random, int rows) {
  std::vector<Codes> all;
  for (const int code : {0, 1, 127, 128, 255}) all.push_back(Codes(std::size_t(rows), std::uint8_t(code)));
  Codes one_hot(std::size_t(rows), 0);
  one_hot.back() = 255;
  all.push_back(one_hot);
  Codes alternating(std::size_t(rows), 0x55);
  for (std::size_t i = 0; i < alternating.size(); i += 2) alternating[i] = 0xaa;
  all.push_back(alternating);
  all.push_back(random_codes(random, rows));
  return all;
}

/// Both ways give the dot products of the weights wherever the bound says that nothing is lost.
void check_both_ways(Random& random, const std::vector<std::int32_t>& weights, int rows, int filters,
                     const WeightEncoding& encoding, const InputStream& stream) {
  const auto block = encoding.encode(weights, rows, filters);
  const ProgrammedArray array(block, stream);
  const auto range = AdcRange::of(15, false);
  REQUIRE(!array.loss(range));
  for (const auto& codes : adversarial_codes(random, rows)) {
    const auto expected = wrapped(
        naive::dot_products(weights, rows, filters, codes, stream.slicing.bits(), stream.is_signed));
    if (exact(array, codes) != expected) FAIL("exact: " << stream.slicing.bits() << " input bits");
    const auto converted = sliced(array, codes, range);
    if (converted.psums != expected) FAIL("sliced: " << stream.slicing.bits() << " input bits");
    if (converted.saturations != 0) FAIL("saturations without loss");
  }
}

}  // namespace

TEST_CASE("column sums, codes and psums by hand") {
  // Two rows, one filter of 2-bit weights -2 and 1 in one 2-bit cell: levels 0 and 3, unit coefficient -2. Inputs 1
  // and 2 in two 1-bit slices: high bits 0 1, sums 3 and unit 1; low bits 1 0, sums 0 and unit 1.
  // psum = 2 * (3 - 2 * 1) + 1 * (0 - 2 * 1) = 0 = 1 * -2 + 2 * 1.
  const ProgrammedArray array(make_biased_encoding(Slicing({2}))->encode({-2, 1}, 2, 1), {Slicing({1, 1}), false});
  const Codes codes{1, 2};
  REQUIRE(unpadded(array, sums_of(array, codes)) == std::vector<std::int64_t>{3, 1, 0, 1});
  REQUIRE(sliced(array, codes, AdcRange::of(8, false)).psums == Psums{0});
  REQUIRE(exact(array, codes) == Psums{0});
  // A 1-bit ADC turns the 3 into 1 and counts it: 2 * (1 - 2) - 2 = -4.
  const auto lossy = sliced(array, codes, AdcRange::of(1, false));
  REQUIRE(lossy.psums == Psums{-4});
  REQUIRE(lossy.saturations == 1);
}

TEST_CASE("both ways agree for every input slicing of up to 7 bits and every weight slicing of up to 6") {
  Random random(11);
  const int rows = 19, filters = 3;
  for (int input_bits = 1; input_bits <= 7; ++input_bits)
    for (const auto& input_widths : naive::compositions(input_bits, 7))
      for (const bool is_signed : {false, true}) {
        if (is_signed && input_widths.front() != 1) continue;
        const int weight_bits = int(pick(random, 1, 6));
        const auto all = naive::compositions(weight_bits, 6);
        const auto& weight_widths = all[std::size_t(pick(random, 0, std::int64_t(all.size()) - 1))];
        const auto weights = random_weights(random, weight_bits, rows * filters);
        const InputStream stream{Slicing(input_widths), is_signed};
        if (rows * ((1 << stream.slicing.widest()) - 1) * ((1 << Slicing(weight_widths).widest()) - 1) > 32767) continue;
        check_both_ways(random, weights, rows, filters, *make_biased_encoding(Slicing(weight_widths)), stream);
        check_both_ways(random, weights, rows, filters, *make_flip_encoding(Slicing(weight_widths), 20), stream);
      }
}

TEST_CASE("both ways agree for every weight slicing of up to 7 bits") {
  Random random(12);
  const int rows = 20, filters = 2;
  for (int bits = 1; bits <= 7; ++bits)
    for (const auto& widths : naive::compositions(bits, 7)) {
      const auto weights = random_weights(random, bits, rows * filters);
      check_both_ways(random, weights, rows, filters, *make_biased_encoding(Slicing(widths)), {Slicing({1, 2, 3}), false});
      check_both_ways(random, weights, rows, filters, *make_flip_encoding(Slicing(widths), 17),
                      {Slicing::uniform(8, 1), true});
    }
}

TEST_CASE("both ways agree for inputs and weights of 1 to 16 bits in uniform slices") {
  Random random(13);
  const int rows = 21, filters = 2;
  for (int input_bits = 1; input_bits <= 16; ++input_bits)
    for (int weight_bits = 1; weight_bits <= 16; ++weight_bits) {
      const auto weights = random_weights(random, weight_bits, rows * filters);
      const int cell_bits = int(pick(random, 1, 4));
      const auto encoding = make_flip_encoding(Slicing::uniform(weight_bits, cell_bits), 31);
      for (const int width : {1, 2, 5})
        for (const bool is_signed : {false, true}) {
          const auto slicing = Slicing::uniform(input_bits, width);
          if (is_signed && slicing.width(0) != 1) continue;
          check_both_ways(random, weights, rows, filters, *encoding, {slicing, is_signed});
        }
    }
}

TEST_CASE("both ways agree for extreme weights") {
  Random random(14);
  for (const int bits : {1, 2, 7, 8, 16})
    for (const bool highest : {false, true}) {
      const std::int32_t half = 1 << (bits - 1), weight = highest ? half - 1 : -half;
      const std::vector<std::int32_t> weights(128 * 2, weight);
      for (const bool is_signed : {false, true}) {
        const InputStream stream{Slicing::uniform(8, 1), is_signed};
        check_both_ways(random, weights, 128, 2, *make_biased_encoding(Slicing::uniform(bits, 2)), stream);
        check_both_ways(random, weights, 128, 2, *make_flip_encoding(Slicing::uniform(bits, 2), 256), stream);
      }
    }
}

TEST_CASE("ISAAC's 8-bit converter loses nothing after flip encoding, 7 bits do") {
  // 128 rows: every column sum is at most 255 for one-bit inputs, the unit column at most 128.
  Random random(15);
  for (const int bits : {8, 16}) {
    const auto weights = random_weights(random, bits, 128 * 8);
    const auto block = make_flip_encoding(Slicing::uniform(bits, 2), 256)->encode(weights, 128, 8);
    const ProgrammedArray array(block, {Slicing::uniform(bits, 1), true});
    REQUIRE(!array.loss(AdcRange::of(8, false)));
    REQUIRE(array.loss(AdcRange::of(7, false)));
    const auto codes = random_codes(random, 5 * 128);
    REQUIRE(sliced(array, codes, AdcRange::of(8, false)).psums == exact(array, codes));
  }
}

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

TEST_CASE("a converter that is too narrow clips and counts exactly what a loop clips and counts") {
  Random random(18);
  std::uint64_t seen = 0;
  for (const int input_width : {1, 2, 4})
    for (const bool is_signed : {false, true}) {
      const auto slicing = is_signed ? Slicing(input_width == 1 ? std::vector<int>{1, 1, 1, 1, 1, 1, 1, 1}
                                                                : std::vector<int>{1, 3, input_width})
                                     : Slicing::uniform(8, input_width);
      const InputStream stream{slicing, is_signed};
      const auto weights = random_weights(random, 8, 60 * 6);
      const auto block = make_flip_encoding(Slicing({4, 2, 2}), 300)->encode(weights, 60, 6);
      const ProgrammedArray array(block, stream);
      REQUIRE(array.loss(AdcRange::of(5, false)));
      const auto codes = random_codes(random, 7 * 60);
      auto sums = naive::column_sums(block, stream, codes);
      const auto saturations = naive::clip(sums, 0, 31);
      const auto converted = sliced(array, codes, AdcRange::of(5, false));
      REQUIRE(converted.saturations == saturations);
      REQUIRE(converted.psums == wrapped(naive::recombine(block, stream, sums)));
      REQUIRE(converted.psums != exact(array, codes));
      seen += saturations;
    }
  REQUIRE(seen > 1000);
}

TEST_CASE("an altered level changes both ways alike") {
  Random random(19);
  const auto weights = random_weights(random, 8, 50 * 5);
  const InputStream stream{Slicing::uniform(8, 1), true};
  for (const auto& widths : {std::vector<int>{2, 2, 2, 2}, std::vector<int>{1, 3, 4}}) {
    const auto intact = make_flip_encoding(Slicing(widths), 60)->encode(weights, 50, 5);
    const auto codes = random_codes(random, 4 * 50);
    const auto before = exact(ProgrammedArray(intact, stream), codes);
    for (int trial = 0; trial < 30; ++trial) {
      auto block = intact;
      auto& level = block.levels[std::size_t(pick(random, 0, std::int64_t(block.levels.size()) - 1))];
      level = std::uint8_t(level ^ pick(random, 1, (1 << block.cell_bits) - 1));
      const ProgrammedArray array(block, stream);
      const auto after = exact(array, codes);
      REQUIRE(after != before);
      REQUIRE(sliced(array, codes, AdcRange::of(15, false)).psums == after);
      REQUIRE(after == wrapped(naive::recombine(block, stream, naive::column_sums(block, stream, codes))));
    }
  }
}

TEST_CASE("a level beyond its slice's width weighs what it weighs, even where that leaves int8") {
  // 3-bit weights in 2-bit cells: the top slice needs one bit, but the cell can be stuck at 3: 3 * 4 + 3 - 4 = 11.
  auto block = make_biased_encoding(Slicing::uniform(3, 2))->encode({3, 0}, 2, 1);
  block.levels[0] = 3;
  const ProgrammedArray array(block, {Slicing::uniform(8, 1), false});
  REQUIRE(exact(array, {10, 0}) == Psums{110});
  REQUIRE(sliced(array, {10, 0}, AdcRange::of(8, false)).psums == Psums{110});
  // 8-bit weights in a cell of 7 and one of 1 bit: stuck at 127, the narrow slice makes 127 * 128 + 127 - 128.
  auto wide = make_biased_encoding(Slicing::uniform(8, 7))->encode({127}, 1, 1);
  wide.levels[0] = 127;
  const ProgrammedArray stuck(wide, {Slicing::uniform(8, 1), false});
  REQUIRE(exact(stuck, {200}) == Psums{200 * 16255});
  REQUIRE(sliced(stuck, {200}, AdcRange::of(8, false)).psums == Psums{200 * 16255});
}

TEST_CASE("the bound on column sums is reached by some input, so that no narrower range would do") {
  Random random(20);
  const std::vector<std::vector<int>> slicings{{1, 1, 1, 1, 1, 1, 1, 1}, {4, 2, 2}, {1, 3, 4}, {2, 2, 8}, {4, 4, 4, 4}};
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
  REQUIRE(activity.array_cycles == 6);   // three slices, two crossbars
  REQUIRE(activity.row_drives == 12);    // of two rows each
  REQUIRE(activity.row_pulses == 6);     // three pulses, in both crossbars
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

TEST_CASE("activities add up") {
  Activity sum;
  for (int i = 0; i < 2; ++i) sum += Activity{1, 2, 3, 4, 5, 6, 7, 8, 9};
  REQUIRE(sum.vectors == 2);
  REQUIRE(sum.array_cycles == 4);
  REQUIRE(sum.row_drives == 6);
  REQUIRE(sum.row_pulses == 8);
  REQUIRE(sum.current_level_pulses == 10);
  REQUIRE(sum.conversions == 12);
  REQUIRE(sum.unit_conversions == 14);
  REQUIRE(sum.saturations == 16);
  REQUIRE(sum.shift_adds == 18);
}

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
          recombine(block.recombination, filters, stream, padded.data(), count, stride, psums.data());
          if (psums != wrapped(naive::recombine(block, stream, dense)))
            FAIL(per_filter << " columns a filter, " << filters << " filters, " << slices << " slices");
        }
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

TEST_CASE("several threads may be the first to use an array") {
  Random random(24);
  const auto block = make_biased_encoding(Slicing::uniform(8, 4))->encode(random_weights(random, 8, 64 * 10), 64, 10);
  const auto codes = random_codes(random, 3 * 64);
  for (int round = 0; round < 20; ++round) {
    const ProgrammedArray array(block, {Slicing::uniform(8, 2), false});
    std::vector<Psums> results(6);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < results.size(); ++i)
      threads.emplace_back([&, i] {
        results[i] = i % 2 == 0 ? exact(array, codes) : sliced(array, codes, AdcRange::of(15, false)).psums;
      });
    for (auto& thread : threads) thread.join();
    for (const auto& result : results) REQUIRE(result == results.front());
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
