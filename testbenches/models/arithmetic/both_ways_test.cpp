// SPDX-License-Identifier: Apache-2.0
// The two ways from codes to psums - slices, converter and shift-and-add, or one product - against dot products of the
// weights: equal bit for bit wherever the bound on column sums says so, and different as a loop has it elsewhere.
#include <stdexcept>
#include <thread>

#include <catch2/catch.hpp>

#include "testbenches/models/arithmetic/arrays.h"

using namespace mho::arithmetic;
using namespace arrays;
using naive::pick;
using naive::Random;

namespace {

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
    const auto expected =
        wrapped(naive::dot_products(weights, rows, filters, codes, stream.slicing.bits(), stream.is_signed));
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
        if (rows * ((1 << stream.slicing.widest()) - 1) * ((1 << Slicing(weight_widths).widest()) - 1) > 32767)
          continue;
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
      check_both_ways(random, weights, rows, filters, *make_biased_encoding(Slicing(widths)),
                      {Slicing({1, 2, 3}), false});
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
