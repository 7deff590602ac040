// SPDX-License-Identifier: Apache-2.0
// Centres and offsets: examples by hand, and plain loops over centres, slices and rows beside the search.
#include "models/arithmetic/centre_offset.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <stdexcept>

#include "models/arithmetic/centre_search.h"
#include "testbenches/models/arithmetic/arrays.h"

using namespace mho::arithmetic;

namespace {

using Weights = std::vector<std::int32_t>;

int centre_of(const Weights& weights, const std::vector<int>& slicing) {
  return CentreSearch(weights.data(), int(weights.size())).centre(Slicing(slicing));
}

/// Bits low .. high of |x|, with the sign of x, by division.
std::int64_t digit(std::int64_t x, int high, int low) {
  const std::int64_t bits = std::abs(x) / (std::int64_t{1} << low) % (std::int64_t{1} << (high - low + 1));
  return x < 0 ? -bits : bits;
}

/// The smallest of the cheapest centres, costs in long double: exact below 2^64, which these filters stay under.
int naive_centre(const Weights& weights, const std::vector<int>& slicing) {
  int best = 0;
  long double least = 0;
  for (int phi = 1; phi <= 255; ++phi) {
    long double cost = 0;
    int high = 7;
    for (const int width : slicing) {
      std::int64_t sum = 0;
      for (const std::int32_t weight : weights) sum += digit(weight + 128 - phi, high, high - width + 1);
      cost += (long double)(1 << (high - width + 1)) * sum * sum * sum * sum;
      high -= width;
    }
    if (best == 0 || cost < least) best = phi, least = cost;
  }
  return best;
}

std::int64_t stored(const EncodedBlock& block, int row, int filter) {
  const int per_filter = block.recombination.columns_per_filter;
  std::int64_t weight = block.recombination.unit_coefficient[std::size_t(filter)];
  for (int column = filter * per_filter; column < (filter + 1) * per_filter; ++column)
    weight += std::int64_t{block.recombination.coefficient[std::size_t(column)]} *
              std::int8_t(block.levels[std::size_t(row * block.columns() + column)]);
  return weight;
}

/// Weights of one filter: anywhere, or close to one value.
Weights random_filter(naive::Random& random, int rows, int kind) {
  const std::int64_t middle = naive::pick(random, -128, 127), spread = kind == 0 ? 127 : naive::pick(random, 0, 40);
  Weights weights;
  for (int row = 0; row < rows; ++row)
    weights.push_back(std::int32_t(std::clamp<std::int64_t>(middle + naive::pick(random, -spread, spread), -128, 127)));
  return weights;
}

}  // namespace

TEST_CASE("a slice keeps bits of the offset's magnitude and its sign") {
  // 200 = 1100 10 00: 12, 2, 0. 77 = 0100 11 01: 4, 3, 1.
  CHECK(slice_of_offset(200, 4, 4) == 12);
  CHECK(slice_of_offset(-200, 2, 2) == -2);
  CHECK(slice_of_offset(-200, 0, 2) == 0);
  CHECK(slice_of_offset(-77, 4, 4) == -4);
  CHECK(slice_of_offset(77, 2, 2) == 3);
  CHECK(slice_of_offset(-77, 0, 2) == -1);
}

TEST_CASE("the centre of one weight is its own code, or next to it") {
  CHECK(centre_of({2}, {4, 2, 2}) == 130);
  CHECK(centre_of({127}, {4, 2, 2}) == 255);
  CHECK(centre_of({-128}, {4, 2, 2}) == 1);  // u = 0: offsets -1 (cost 1), -2 (16), -4 (4), -16 (16), ...
}

TEST_CASE("centres balance columns by their fourth power, equal costs go to the smallest") {
  // u = 128, 132. phi 130: offsets -2, 2, all columns 0. phi 129: -1, 3 in the last slice sum to 2: cost 16.
  CHECK(centre_of({0, 4}, {4, 2, 2}) == 130);
  // u = 127, 128. phi 127: offsets 0, 1, cost 1; phi 128: -1, 0, cost 1.
  CHECK(centre_of({-1, 0}, {4, 2, 2}) == 127);
  // u = 124, 124, 132, all multiples of 4 from phi = 124: offsets 0, 0, 8: middle slice 2, cost 4 * 16 = 64.
  // phi 125: -1, -1, 7 = 01 11: 1 and 3 - 2 = 1: 4 + 1 = 5. phi 126: -2, -2, 6 = 01 10: 1 and 2 - 4 = -2: 4 + 16 = 20.
  // phi 128: -4, -4, 4: -1: 4; phi 127: -3, -3, 5 = 01 01: 1 and 1 - 6 = -5: 4 + 625. From 129 on: -5, -5, 3 = 3 + 1
  // lower: -2 and 3 - 2 = 1: 4 * 16 + 1. phi 116: 8, 8, 16 = 1 00 00: 1 and 4: 16 + 4 * 256. So 128.
  CHECK(centre_of({-4, -4, 4}, {4, 2, 2}) == 128);
  // One slice of two, from the same codes: 0, 0, 8 -> 8^4 = 4096; 125: 7 - 2 = 5 -> 625; 126: 2 -> 16; 127: 5 - 6 = -1
  // -> 1; 128: -4 -> 256.
  CHECK(centre_of({-4, -4, 4}, {4, 4}) == 127);
}

TEST_CASE("the search finds what loops over all centres find, for any slicing") {
  naive::Random random(1);
  const auto slicings = naive::compositions(8, 4);
  REQUIRE(slicings.size() == 108);
  int moved = 0;
  for (int i = 0; i < 48; ++i) {
    const Weights weights = random_filter(random, i % 4 == 0 ? int(naive::pick(random, 1, 512)) : i % 9 + 1, i % 3);
    const auto& slicing = slicings[std::size_t(naive::pick(random, 0, 107))];
    CAPTURE(i, weights.size(), slicing);
    const int centre = centre_of(weights, slicing);
    REQUIRE(centre == naive_centre(weights, slicing));
    moved += centre != 128;
  }
  CHECK(moved > 24);
}

TEST_CASE("column sums of a centre are those of the slices of its offsets") {
  naive::Random random(2);
  const Weights weights = random_filter(random, 200, 0);
  const CentreSearch search(weights.data(), 200);
  for (const auto& widths : {std::vector<int>{4, 2, 2}, {1, 3, 4}, {1, 1, 1, 1, 1, 1, 1, 1}, {8}})
    for (const int phi : {1, 2, 100, 128, 254, 255})
      for (int k = 0, high = 7; k < int(widths.size()); high -= widths[std::size_t(k++)]) {
        std::int64_t sum = 0;
        for (const std::int32_t weight : weights)
          sum += digit(weight + 128 - phi, high, high - widths[std::size_t(k)] + 1);
        REQUIRE(search.column_sum(Slicing(widths), k, phi) == sum);
      }
}

TEST_CASE("costs beyond 32 and 64 bits are compared exactly") {
  // All weights 127: centre 255 costs 0. At 255 - 16 k the highest slice sums to rows * k: with 4096 rows and k = 8 the
  // cost is 2^4 * (2^15)^4 = 2^64, with 65536 rows and k = 1 it is 2^4 * (2^16)^4: both are 0 modulo 2^64.
  CHECK(centre_of(Weights(4096, 127), {4, 2, 2}) == 255);
  CHECK(centre_of(Weights(65536, 127), {4, 2, 2}) == 255);
  CHECK(centre_of(Weights(65536, 127), {4, 4}) == 255);
  // A slice of all 8 bits: 300 rows at 254 below the centre sum to 76200, whose square leaves 32 bits.
  Weights weights(300, 126);
  weights.resize(600, -126);  // u = 254 and 2: balanced at 128
  CHECK(centre_of(weights, {8}) == 128);
}

TEST_CASE("weights that are no 8 bits, rows and slicings without end are refused") {
  CHECK_THROWS_WITH(centre_of({0, 128}, {4, 2, 2}), "weight 128 in row 1 does not fit 8 bits");
  CHECK_THROWS_WITH(centre_of({-129}, {4, 2, 2}), "weight -129 in row 0 does not fit 8 bits");
  CHECK_THROWS_WITH(centre_of({}, {4, 2, 2}), "a filter of 0 rows (1 to 65536)");
  CHECK_THROWS_WITH(centre_of(Weights(65537), {4, 2, 2}), "a filter of 65537 rows (1 to 65536)");
  CHECK_THROWS_WITH(centre_of({0}, {4, 2}), "slices of 6 bits in all (centres are those of 8-bit weights)");
  CHECK_THROWS_WITH(
      make_centre_offset_encoding(Slicing::uniform(16, 2)),
      "offsets of 8-bit weights in slices of 16 bits in all, the widest of 2 (8 bits in slices of 1 to 7)");
  CHECK_THROWS_AS(make_zero_offset_encoding(Slicing({8})), std::invalid_argument);
  const auto encoding = make_centre_offset_encoding(Slicing({4, 2, 2}));
  CHECK_THROWS_WITH(encoding->encode({1, 2, 3, 4, 5, 128}, 2, 3), "weight 128 of filter 2, row 1, does not fit 8 bits");
  CHECK_THROWS_WITH(encoding->encode({1, -129}, 2, 1), "weight -129 of filter 0, row 1, does not fit 8 bits");
  CHECK_THROWS_WITH(encoding->encode({1, 2, 3}, 2, 2), "a block of 2 rows and 2 filters given 3 weights");
  CHECK_THROWS_WITH(encode_centred({1, 2}, 1, 2, Slicing({4, 4}), {128}), "a block of 2 filters given 1 centres");
  for (const int centre : {0, 256})
    CHECK_THROWS_WITH(encode_centred({1}, 1, 1, Slicing({4, 4}), {centre}),
                      "a centre of " + std::to_string(centre) + " (1 to 255)");
}

TEST_CASE("offsets are cut into signed levels, and the centre stands beside the digital sum of the inputs") {
  // Filter 0: u = 130, 125, 133 from 130: 0, -5 = -(0 01 01), 3. Filter 1: u = 0, 255, 55 from 255: -255 = -(15 3 3),
  // 0, -200 = -(12 2 0). Negative levels in two's complement.
  const auto block = encode_centred({2, -3, 5, -128, 127, -73}, 3, 2, Slicing({4, 2, 2}), {130, 255});
  CHECK(block.levels == std::vector<std::uint8_t>{0, 0, 0, 241, 253, 253, 0, 255, 255, 0, 0, 0, 0, 0, 3, 244, 254, 0});
  CHECK(block.recombination.coefficient == std::vector<std::int32_t>{16, 4, 1, 16, 4, 1});
  CHECK(block.recombination.unit_coefficient == std::vector<std::int32_t>{2, 127});
  CHECK(block.recombination.columns_per_filter == 3);
  CHECK(block.recombination.digital_unit);
  CHECK(block.paired);
  CHECK(block.cell_bits == 4);
  CHECK((block.rows == 3 && block.filters == 2 && block.weighted.empty()));
}

TEST_CASE("levels and coefficients give every weight back, and centres are those of the search") {
  naive::Random random(3);
  for (const auto& widths : naive::compositions(8, 4)) {
    const int rows = 19, filters = 5;
    Weights weights = arrays::random_weights(random, 8, rows * filters);
    weights[0] = -128, weights[1] = 127;
    for (const bool searched : {true, false}) {
      const auto encoding =
          searched ? make_centre_offset_encoding(Slicing(widths)) : make_zero_offset_encoding(Slicing(widths));
      CHECK(encoding->lossless());
      const auto block = encoding->encode(weights, rows, filters);
      int wrong = 0;
      for (int filter = 0; filter < filters; ++filter) {
        const auto first = weights.begin() + filter * rows;
        const int centre = searched ? centre_of(Weights(first, first + rows), widths) : 128;
        wrong += block.recombination.unit_coefficient[std::size_t(filter)] != centre - 128;
        for (int row = 0; row < rows; ++row) wrong += stored(block, row, filter) != first[row];
      }
      REQUIRE(wrong == 0);
    }
  }
}
