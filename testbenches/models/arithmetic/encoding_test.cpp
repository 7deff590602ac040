// SPDX-License-Identifier: Apache-2.0
// Weight encodings: levels and coefficients by hand, and the weights read back from them.
#include "models/arithmetic/encoding.h"

#include <stdexcept>

#include <catch2/catch.hpp>

#include "models/arithmetic/stored_weights.h"
#include "testbenches/models/arithmetic/naive.h"

using namespace mho::arithmetic;

namespace {

std::vector<std::int32_t> random_weights(naive::Random& random, int bits, int count) {
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  std::vector<std::int32_t> weights;
  for (int i = 0; i < count; ++i) weights.push_back(std::int32_t(naive::pick(random, -half, half - 1)));
  return weights;
}

/// What the levels and coefficients of a filter say about its weight in a row.
std::int64_t stored_weight(const EncodedBlock& block, int row, int filter) {
  const int per_filter = block.recombination.columns_per_filter;
  std::int64_t weight = block.recombination.unit_coefficient[std::size_t(filter)];
  for (int column = filter * per_filter; column < (filter + 1) * per_filter; ++column)
    weight += std::int64_t{block.recombination.coefficient[std::size_t(column)]} *
              block.levels[std::size_t(row * block.columns() + column)];
  return weight;
}

std::int64_t column_level_sum(const EncodedBlock& block, int column) {
  std::int64_t sum = 0;
  for (int row = 0; row < block.rows; ++row) sum += block.levels[std::size_t(row * block.columns() + column)];
  return sum;
}

}  // namespace

TEST_CASE("biased weights are cut into levels and the bias is left to the unit column") {
  // Four bits: w + 8 is 0, 11 and 15, in 2-bit cells 0 0, 2 3 and 3 3; places 4 and 1, bias 8.
  const auto encoding = make_biased_encoding(Slicing::uniform(4, 2));
  const auto block = encoding->encode({-8, 3, 7}, 3, 1);
  REQUIRE(block.cell_bits == 2);
  REQUIRE(block.columns() == 2);
  REQUIRE(block.levels == std::vector<std::uint8_t>{0, 0, 2, 3, 3, 3});
  REQUIRE(block.recombination.coefficient == std::vector<std::int32_t>{4, 1});
  REQUIRE(block.recombination.unit_coefficient == std::vector<std::int32_t>{-8});
}

TEST_CASE("levels stand row by row and the columns of a filter side by side") {
  // Two rows, two filters, 2-bit weights in 1-bit cells: w + 2 is 0 1 (filter 0) and 2 3 (filter 1).
  const auto block = make_biased_encoding(Slicing::uniform(2, 1))->encode({-2, -1, 0, 1}, 2, 2);
  REQUIRE(block.levels == std::vector<std::uint8_t>{0, 0, 1, 0, 0, 1, 1, 1});
}

TEST_CASE("a column whose levels sum to the threshold stores their complement") {
  // 2-bit weights 1, 1, -2 in one 2-bit cell: w + 2 = 3, 3, 0, sum 6. Flipped: 0, 0, 3, coefficient -1, and the unit
  // column gets 3 * 1 - 2 = 1. For x = (1, 0, 1): -(0 + 3) + 1 * 2 = -1 = 1 * 1 + 0 * 1 - 1 * 2.
  const auto flipped = make_flip_encoding(Slicing({2}), 6)->encode({1, 1, -2}, 3, 1);
  REQUIRE(flipped.levels == std::vector<std::uint8_t>{0, 0, 3});
  REQUIRE(flipped.recombination.coefficient == std::vector<std::int32_t>{-1});
  REQUIRE(flipped.recombination.unit_coefficient == std::vector<std::int32_t>{1});
  const auto kept = make_flip_encoding(Slicing({2}), 7)->encode({1, 1, -2}, 3, 1);
  REQUIRE(kept.levels == std::vector<std::uint8_t>{3, 3, 0});
  REQUIRE(kept.recombination.coefficient == std::vector<std::int32_t>{1});
  REQUIRE(kept.recombination.unit_coefficient == std::vector<std::int32_t>{-2});
  REQUIRE(make_flip_encoding(Slicing({2}), 7)->adc_bits_saved() == 1);
  REQUIRE(make_biased_encoding(Slicing({2}))->adc_bits_saved() == 0);
}

TEST_CASE("a narrow most significant slice flips with its own width") {
  // 3-bit weight 3 in 2-bit cells: w + 4 = 7 = 1, 3. Both columns flip at 1: 0, 0; coefficients -4, -1; unit column
  // -4 + 1 * 4 + 3 * 1 = 3.
  const auto block = make_flip_encoding(Slicing::uniform(3, 2), 1)->encode({3}, 1, 1);
  REQUIRE(block.levels == std::vector<std::uint8_t>{0, 0});
  REQUIRE(block.recombination.coefficient == std::vector<std::int32_t>{-4, -1});
  REQUIRE(block.recombination.unit_coefficient == std::vector<std::int32_t>{3});
}

TEST_CASE("levels and coefficients give every weight back, flipped or not") {
  naive::Random random(1);
  for (int bits = 1; bits <= 16; ++bits)
    for (int width = 1; width <= 8; ++width) {
      const int rows = 37, filters = 6;
      const auto weights = random_weights(random, bits, rows * filters);
      const auto slicing = Slicing::uniform(bits, width);
      for (const std::int64_t flip_at : {0, 1, 20, 100}) {
        const auto encoding = flip_at == 0 ? make_biased_encoding(slicing) : make_flip_encoding(slicing, flip_at);
        const auto block = encoding->encode(weights, rows, filters);
        for (int filter = 0; filter < filters; ++filter)
          for (int row = 0; row < rows; ++row)
            if (stored_weight(block, row, filter) != weights[std::size_t(filter * rows + row)])
              FAIL(bits << " bits in cells of " << width << ": row " << row << " of filter " << filter);
      }
    }
}

TEST_CASE("flip encoding keeps every column of a 128-row ISAAC crossbar within 8 bits") {
  // At most 128 * 3 = 384, nine bits; from 256 on flipped to 384 - sum <= 128.
  naive::Random random(2);
  const auto encoding = make_flip_encoding(Slicing::uniform(8, 2), 256);
  for (const int kind : {0, 1, 2, 3}) {
    auto weights = random_weights(random, 8, 128 * 16);
    for (auto& weight : weights)
      weight = kind == 0 ? weight : kind == 1 ? 127 : kind == 2 ? -128 : std::abs(weight) / 2;
    const auto block = encoding->encode(weights, 128, 16);
    for (int column = 0; column < block.columns(); ++column) REQUIRE(column_level_sum(block, column) <= 255);
  }
}

TEST_CASE("a weight that does not fit is refused and named") {
  const auto encoding = make_biased_encoding(Slicing::uniform(4, 2));
  REQUIRE_NOTHROW(encoding->encode({-8, 7}, 2, 1));
  REQUIRE_THROWS_WITH(encoding->encode({0, 8}, 2, 1), "weight 8 of filter 0, row 1, offset by 8, does not fit 4 bits");
  REQUIRE_THROWS_WITH(encoding->encode({0, 0, -9, 0}, 2, 2),
                      "weight -9 of filter 1, row 0, offset by 8, does not fit 4 bits");
  REQUIRE_THROWS_AS(encoding->encode({0, 0, 0}, 2, 2), std::invalid_argument);
  REQUIRE_THROWS_AS(encoding->encode({}, 0, 1), std::invalid_argument);
  REQUIRE_THROWS_AS(make_flip_encoding(Slicing({2}), 0), std::invalid_argument);
}

TEST_CASE("every filter may have an offset of its own") {
  // 4-bit cells of 2 bits: filter 0 holds -2 and 5 above -2: 0 and 7 = 0 0, 1 3; filter 1 holds 4 and 7 above 4: 0 and
  // 3 = 0 0, 0 3. The unit column puts -2 and 4 back.
  const auto block = encode_offset({-2, 5, 4, 7}, 2, 2, Slicing::uniform(4, 2), {2, -4});
  REQUIRE(block.levels == std::vector<std::uint8_t>{0, 0, 0, 0, 1, 3, 0, 3});
  REQUIRE(block.recombination.coefficient == std::vector<std::int32_t>{4, 1, 4, 1});
  REQUIRE(block.recombination.unit_coefficient == std::vector<std::int32_t>{-2, 4});
  REQUIRE(stored_weights(block) == std::vector<std::int32_t>{-2, 5, 4, 7});
  REQUIRE_NOTHROW(encode_offset({-8, 7}, 1, 2, Slicing::uniform(4, 2), {8, 8}));
  REQUIRE_THROWS_WITH(encode_offset({0, -2}, 1, 2, Slicing::uniform(4, 2), {8, 1}),
                      "weight -2 of filter 1, row 0, offset by 1, does not fit 4 bits");
  REQUIRE_THROWS_WITH(encode_offset({0, 14}, 1, 2, Slicing::uniform(4, 2), {8, 2}),
                      "weight 14 of filter 1, row 0, offset by 2, does not fit 4 bits");
  REQUIRE_THROWS_WITH(encode_offset({1, 2}, 1, 2, Slicing::uniform(4, 2), {0}),
                      "a block of 1 rows and 2 filters given 2 weights and 1 offsets");
}

TEST_CASE("a block holds the weights it was made from, and no others") {
  naive::Random random(3);
  for (const int rows : {1, 2, 37, 128})
    for (const int bits : {8, 16}) {
      const int filters = 9;
      const auto weights = random_weights(random, bits, rows * filters);
      const auto block = make_flip_encoding(Slicing::uniform(bits, 2), rows)->encode(weights, rows, filters);
      REQUIRE(stored_weights(block) == weights);
      REQUIRE(stores(block, weights));
      for (std::size_t i = 0; i < weights.size(); i += 7) {
        auto other = weights;
        ++other[i];
        REQUIRE_FALSE(stores(block, other));
        if (i % std::size_t(rows) == 0) continue;
        --other[i - 1];  // the sum of the filter stays
        REQUIRE_FALSE(stores(block, other));
      }
      auto wrong = block;
      wrong.recombination.unit_coefficient[8] += 1;
      REQUIRE_FALSE(stores(wrong, weights));
      REQUIRE(stored_weights(wrong)[std::size_t(8 * rows)] == weights[std::size_t(8 * rows)] + 1);
      wrong = block;
      wrong.recombination.coefficient.back() *= -1;
      REQUIRE(stores(wrong, stored_weights(wrong)));
    }
}

TEST_CASE("errors in a straight line, or with a sum of zero, do not cancel each other") {
  // +1, -2, +1 on rows at equal distances would cancel under factors that grow evenly.
  const std::vector<std::int32_t> weights(64, 5);
  const auto block = make_biased_encoding(Slicing::uniform(8, 2))->encode(weights, 64, 1);
  for (const std::size_t step : {1, 2, 4})
    for (std::size_t i = 0; i + 2 * step < weights.size(); ++i) {
      auto other = weights;
      ++other[i], other[i + step] -= 2, ++other[i + 2 * step];
      REQUIRE_FALSE(stores(block, other));
    }
}

TEST_CASE("lossless ADC bits follow ISAAC's rule") {
  REQUIRE(lossless_adc_bits(128, 1, 2) == 9);   // 7 + 1 + 2 - 1
  REQUIRE(lossless_adc_bits(128, 2, 2) == 11);  // 7 + 2 + 2
  REQUIRE(lossless_adc_bits(128, 2, 1) == 9);
  REQUIRE(lossless_adc_bits(128, 1, 1) == 8);
  REQUIRE(lossless_adc_bits(100, 1, 2) == 9);  // as 128 rows
  REQUIRE(lossless_adc_bits(129, 1, 2) == 10);
  REQUIRE(lossless_adc_bits(1, 1, 1) == 1);
  REQUIRE_THROWS_AS(lossless_adc_bits(0, 1, 1), std::invalid_argument);
}

TEST_CASE("lossless ADC bits hold the largest sum and one bit less does not") {
  for (const int rows : {2, 4, 64, 128, 512})
    for (int dac_bits = 1; dac_bits <= 4; ++dac_bits)
      for (int cell_bits = 1; cell_bits <= 4; ++cell_bits) {
        const std::int64_t largest = std::int64_t{rows} * ((1 << dac_bits) - 1) * ((1 << cell_bits) - 1);
        const int bits = lossless_adc_bits(rows, dac_bits, cell_bits);
        REQUIRE(largest <= (std::int64_t{1} << bits) - 1);
        REQUIRE(largest > (std::int64_t{1} << (bits - 1)) - 1);
      }
}
