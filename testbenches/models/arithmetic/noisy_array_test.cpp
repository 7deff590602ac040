// SPDX-License-Identifier: Apache-2.0
// Arrays with noise against plain loops over devices and sums that draw the same numbers one by one, and by hand; how
// the numbers are distributed is checked in numpy (testbenches/reference/check_noise.py).
#include "models/arithmetic/noisy_array.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include <catch2/catch.hpp>

#include "models/arithmetic/noisy_kernels.h"
#include "models/arithmetic/programmed_array.h"
#include "testbenches/models/arithmetic/naive.h"

using namespace mho::arithmetic;
using naive::pick;
using naive::Random;

namespace {

using Sums = std::vector<std::int16_t>;

/// Cells, values and what to do with them.
struct Case {
  int rows = 5, columns = 45, stride = 64, cell_bits = 2;
  bool paired = false;
  int slice = 1, count = 3;
  std::vector<int> cycles{0, 5, 8};
  NoiseModel model;
  std::uint64_t seed = 11, first_vector = 1000;
  std::vector<std::uint8_t> levels, values;

  void fill(Random& random) {
    const int top = (1 << cell_bits) - 1;
    for (int i = 0; i < rows * stride; ++i) levels.push_back(std::uint8_t(pick(random, paired ? -top : 0, top)));
    for (std::size_t i = 0; i < std::size_t(count * rows) * cycles.size(); ++i)
      values.push_back(std::uint8_t(pick(random, 0, slice)));
  }
  Levels cells() const { return {levels.data(), rows, columns, stride, cell_bits, paired}; }
  NoisyArray array() const { return {{model, seed}, cells(), slice}; }
  int level(int row, int column) const {
    const auto byte = levels[std::size_t(row * stride + column)];
    return paired ? std::int8_t(byte) : byte;
  }
  const std::uint8_t* of(std::size_t vector, std::size_t cycle) const {
    return values.data() + (vector * cycles.size() + cycle) * std::size_t(rows);
  }
};

/// Levels of one device as drawn, on a grid of `unit`.
double device(const Case& one, int row, int column, int which, float unit) {
  const int level = one.level(row, column), top = (1 << one.cell_bits) - 1;
  double conductance = std::max(which == 0 ? level : -level, 0);
  const std::uint64_t key = mix(one.seed, std::uint64_t(row));
  const auto pair = threefry(mix(key, 2 + std::uint64_t(which)), std::uint32_t(column / 32 * 16 + column % 16));
  const double share = double((column % 32 < 16 ? pair.first : pair.second) >> 1) / 2147483648.0;
  if (share < one.model.stuck_off)
    conductance = 0;
  else if (share < one.model.stuck_off + one.model.stuck_on)
    conductance = top;
  const float normal = draw_normal(mix(key, std::uint64_t(which)), std::uint32_t(column));
  const float spread = float(conductance) * (1.0f + float(one.model.conductance_spread) * normal);
  return double(std::nearbyint(std::max(spread, 0.0f) / unit)) * double(unit);
}

/// One sum by loops.
std::int16_t sum_of(const Case& one, std::size_t vector, std::size_t cycle, int column, float unit) {
  double positive = 0, negative = 0;
  for (int row = 0; row < one.rows; ++row) {
    const double value = one.of(vector, cycle)[row];
    positive += value * device(one, row, column, 0, unit);
    if (one.paired) negative += value * device(one, row, column, 1, unit);
  }
  const std::uint64_t readings = mix(one.seed, ~std::uint64_t{0});
  const std::uint64_t key = mix(mix(readings, one.first_vector + vector), std::uint64_t(one.cycles[cycle]));
  const double deviation =
      std::sqrt(std::pow(one.model.read_noise, 2) + std::pow(one.model.proportional_noise, 2) * (positive + negative));
  const double read = positive - negative + deviation * double(draw_normal(key, std::uint32_t(column)));
  return std::int16_t(std::clamp(std::nearbyint(read), -32768.0, 32767.0));
}

/// How many sums differ from the loops', by 1 at most: a float may round what lies within 1e-5 of a half.
void check_against_loops(const Case& one) {
  const NoisyArray array = one.array();
  REQUIRE(!array.keeps_exact_sums());
  const float unit = array.cells()->unit();
  Sums sums(std::size_t(one.count * one.stride) * one.cycles.size(), 77);
  array.sums(one.values.data(), one.count, one.cycles, one.first_vector, sums.data());
  std::size_t i = 0, differ = 0;
  for (std::size_t v = 0; v < std::size_t(one.count); ++v)
    for (std::size_t c = 0; c < one.cycles.size(); ++c)
      for (int column = 0; column < one.stride; ++column, ++i) {
        if (column >= one.columns) {
          if (sums[i] != 0) FAIL("padding of vector " << v << ", column " << column);
          continue;
        }
        const std::uint64_t vector = one.first_vector + v;
        if (array.sum(one.of(v, c), column, vector, one.cycles[c]) != sums[i]) FAIL("alone: column " << column);
        const int off = sums[i] - sum_of(one, v, c, column, unit);
        if (std::abs(off) > 1) FAIL("vector " << v << ", cycle " << c << ", column " << column << ": off by " << off);
        differ += off != 0;
      }
  REQUIRE(differ * 2000 <= i);
}

Case make(int rows, int columns, int cell_bits, bool paired, int slice, NoiseModel model) {
  Case one;
  one.rows = rows, one.columns = columns, one.stride = (columns + 32) / 32 * 32;
  one.cell_bits = cell_bits, one.paired = paired, one.slice = slice, one.model = model;
  Random random(static_cast<unsigned>(rows * columns));
  one.fill(random);
  return one;
}

/// What a cycle drives for unsigned codes.
std::vector<std::uint8_t> driven(const InputCycle& cycle, const std::vector<std::uint8_t>& codes) {
  std::vector<std::uint8_t> values;
  for (const auto code : codes) values.push_back(std::uint8_t(code >> cycle.shift & ((1 << cycle.width) - 1)));
  return values;
}

/// What the columns give in the cycles that recover cycle `speculated`.
void check_recovered(const ProgrammedArray& array, const NoisyArray& noisy, const Case& one,
                     const std::vector<std::uint8_t>& codes, std::uint64_t vector, int speculated) {
  Sums recovered(8);
  for (int column = 0; column < one.columns; column += 7) {
    array.recovery_sums(codes.data(), vector, column, speculated, recovered.data());
    std::size_t next = 0;
    for (int c = speculated + 1; c < int(array.cycles().size()); ++c) {
      if (array.cycles()[std::size_t(c)].recovers != speculated) continue;
      const auto values = driven(array.cycles()[std::size_t(c)], codes);
      int exact = 0;
      for (int row = 0; row < one.rows; ++row) exact += values[std::size_t(row)] * one.level(row, column);
      const auto want = noisy.keeps_exact_sums() ? noisy.disturbed(exact, column, vector, c)
                                                 : noisy.sum(values.data(), column, vector, c);
      REQUIRE(recovered[next++] == want);
    }
    REQUIRE(next > 0);
  }
}

/// Three columns of a block for each of 15 filters: the first 45 of a case.
EncodedBlock block_of(const Case& one) {
  EncodedBlock block;
  block.rows = one.rows, block.filters = 15, block.cell_bits = one.cell_bits, block.paired = one.paired;
  block.recombination.columns_per_filter = 3;
  block.recombination.coefficient.assign(45, 1);
  block.recombination.unit_coefficient.assign(15, 0);
  block.recombination.digital_unit = one.paired;
  for (int row = 0; row < one.rows; ++row) {
    const auto first = one.levels.begin() + row * one.stride;
    block.levels.insert(block.levels.end(), first, first + 45);
  }
  return block;
}

/// Pairs with a digital sum, or cells with a unit column as column 45: sums of vector 500 in a programmed array are
/// those of a NoisyArray of its levels.
void check_programmed(bool paired, const InputStream& stream, const NoiseModel& model) {
  Case one = make(40, 46, 3, paired, 255, model);
  for (std::size_t row = 0; row < 40; ++row) one.levels[row * 64 + 45] = 1;
  one.columns = paired ? 45 : 46;
  const std::vector<std::uint8_t> codes(one.values.begin(), one.values.begin() + one.rows);
  const ProgrammedArray array(block_of(one), stream, ArrayNoise{model, one.seed}), ideal(block_of(one), stream);
  const bool bits = !stream.speculates() && stream.slicing.widest() == 1;
  const NoisyArray noisy({model, one.seed}, one.cells(), bits ? 1 : 15);
  REQUIRE(array.loss({-32768, 32767}));
  const auto stride = std::size_t(array.sums_stride()), whole = std::size_t(array.cycle_counts().whole);
  Sums sums(2 * whole * stride), exact(whole * stride);
  std::vector<std::uint8_t> two(codes);  // the second of two vectors
  two.insert(two.begin(), 40, 99);
  array.column_sums(two.data(), 2, sums.data(), 499);
  ideal.column_sums(codes.data(), 1, exact.data());
  for (int c = 0; c < int(array.cycles().size()); ++c) {
    const InputCycle& cycle = array.cycles()[std::size_t(c)];
    if (cycle.use == InputCycle::Use::kRecover) continue;
    const auto values = driven(cycle, codes);
    const std::size_t place = std::size_t(cycle.place) * stride;
    const std::int16_t* read = sums.data() + whole * stride + place;
    for (int column = 0; column < one.columns; ++column) {
      const auto want = noisy.keeps_exact_sums() ? noisy.disturbed(exact[place + std::size_t(column)], column, 500, c)
                                                 : noisy.sum(values.data(), column, 500, c);
      if (read[column] != want) FAIL("cycle " << c << ", column " << column);
    }
    if (paired) REQUIRE(read[45] == exact[place + 45]);
    if (cycle.use == InputCycle::Use::kSpeculate) check_recovered(array, noisy, one, codes, 500, c);
  }
}

}  // namespace

TEST_CASE("sums of changed cells are those of loops that draw device by device") {
  for (const NoiseModel& model :
       {NoiseModel{0.1, 0, 0, 0, 0}, NoiseModel{0, 0, 0, 0.1, 0.2}, NoiseModel{0.6, 0, 0, 0, 0.1},
        NoiseModel{0.05, 0.7, 0, 0, 0}, NoiseModel{0.05, 0.3, 0.3, 0.01, 0.01}}) {
    check_against_loops(make(37, 45, 2, false, 1, model));
    check_against_loops(make(64, 33, 1, false, 3, model));
    check_against_loops(make(37, 45, 4, true, 15, model));
    check_against_loops(make(70, 64, 2, true, 1, model));
  }
  check_against_loops(make(20, 40, 3, true, 7, {0, 0.5, 0.3, 0, 0.3}));  // both devices of pairs are on
  check_against_loops(make(20, 40, 3, true, 7, {0, 0, 0.12, 0, 0}));     // ideal pairs, read by both currents
}

TEST_CASE("more vectors than one pass takes are read as they are one by one") {
  Case one = make(9, 40, 2, true, 3, {0.1, 0.5, 0.1, 0.01, 0.01});
  one.count = 50;  // 150 rows of values, 64 a pass
  one.values.clear(), one.levels.clear();
  Random random(2);
  one.fill(random);
  check_against_loops(one);
}

TEST_CASE("noise on exact sums follows from seed, vector, cycle and column alone") {
  Case one = make(8, 45, 2, false, 1, {0, 1.5, 0.2, 0, 0});
  const NoisyArray array = one.array();
  REQUIRE(array.keeps_exact_sums());
  Sums exact(std::size_t(one.count * one.stride) * one.cycles.size());
  Random random(3);
  for (auto& sum : exact) sum = std::int16_t(pick(random, 0, 300));
  Sums all = exact;
  array.disturb(all.data(), one.count, one.cycles, one.first_vector);
  const std::uint64_t readings = mix(one.seed, ~std::uint64_t{0});
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto stride = std::size_t(one.stride), column = i % stride;
    const int cycle = one.cycles[i / stride % 3];
    const std::uint64_t vector = one.first_vector + i / stride / 3;
    if (column >= 45) {
      REQUIRE(all[i] == exact[i]);
      continue;
    }
    const double normal = draw_normal(mix(mix(readings, vector), std::uint64_t(cycle)), std::uint32_t(column));
    const double read = exact[i] + std::sqrt(1.5 * 1.5 + 0.2 * 0.2 * exact[i]) * normal;
    REQUIRE(std::abs(all[i] - read) < 0.5001);
    REQUIRE(array.disturbed(exact[i], int(column), vector, cycle) == all[i]);
  }
  Sums last(exact.end() - one.stride * 3, exact.end());
  array.disturb(last.data(), 1, one.cycles, one.first_vector + 2);
  REQUIRE(std::equal(last.begin(), last.end(), all.end() - one.stride * 3));
}

TEST_CASE("a model without any noise leaves sums as they are") {
  const Case one = make(8, 45, 2, true, 1, {});
  const NoisyArray array = one.array();
  REQUIRE(array.keeps_exact_sums());
  Sums sums(std::size_t(one.count * one.stride) * one.cycles.size(), -32768);
  array.disturb(sums.data(), one.count, one.cycles, 0);
  REQUIRE(std::count(sums.begin(), sums.end(), -32768) == std::ptrdiff_t(sums.size()));
  REQUIRE(array.disturbed(-300, 3, 4, 5) == -300);
}

TEST_CASE("devices that are all stuck give sums by hand") {
  // Two rows of pairs of two bits, values 1 and 3. All off: 0. All on: 1 * (3 - 3) + 3 * (3 - 3) = 0 of pairs, 1 * 3 +
  // 3 * 3 = 12 without.
  Case one = make(2, 40, 2, true, 3, {0, 0, 0, 0, 1});
  one.values = {1, 3};
  const auto sums = [&one] {
    Sums read(64);
    one.array().sums(one.values.data(), 1, {0}, 0, read.data());
    return read;
  };
  REQUIRE(sums() == Sums(64, 0));
  one.paired = false;
  Sums twelves(64, 12);
  std::fill(twelves.begin() + 40, twelves.end(), std::int16_t{0});
  REQUIRE(sums() == twelves);
  one.model = {0, 0, 0, 1, 0};
  REQUIRE(sums() == Sums(64, 0));
}

TEST_CASE("sums saturate at 16 bits") {
  // 200 rows of level 15 driven by 15: 45 000 of either sign.
  Case one = make(200, 2, 4, true, 15, {0, 1, 0, 0, 1e-9});
  for (std::size_t i = 0; i < one.levels.size(); ++i) one.levels[i] = i % 2 == 0 ? 15 : std::uint8_t(-15);
  one.values.assign(one.values.size(), 15);
  Sums sums(std::size_t(one.stride));
  one.array().sums(one.values.data(), 1, {0}, 0, sums.data());
  REQUIRE((sums[0] == 32767 && sums[1] == -32768));
  REQUIRE(
      (one.array().sum(one.values.data(), 0, 0, 0) == 32767 && one.array().sum(one.values.data(), 1, 0, 0) == -32768));
  one.model = {0, 1000, 0, 0, 0};
  Sums near(std::size_t(one.stride), 32767);
  one.array().disturb(near.data(), 1, {0}, 0);
  REQUIRE((one.array().disturbed(32767, 0, 0, 0) == near[0] && one.array().disturbed(40000, 0, 0, 0) == 32767));
}

TEST_CASE("conductances lie on a grid of 2^-10 that becomes coarser where they would leave 16 bits") {
  // Largest level * (1 + 6.661 spread): 3 * 1.67 * 1024 = 5115. 15 * 2.33 * 1024 = 35 820 leaves 16 bits: 512. Pairs
  // can add up to twice that: 256. Of 255 * 2.33 = 595, 32 go into 32 639, and of pairs 16.
  const auto grid = [](int rows, int cell_bits, bool paired, int slice, double spread) {
    return 1.0f / make(rows, 40, cell_bits, paired, slice, {spread, 0, 0, 0, 0}).array().cells()->unit();
  };
  REQUIRE((grid(4, 2, false, 1, 0.1) == 1024 && grid(4, 4, false, 1, 0.2) == 512 && grid(4, 4, true, 1, 0.2) == 256));
  REQUIRE((grid(4, 8, false, 1, 0.2) == 32 && grid(4, 8, true, 1, 0.2) == 16));
  // 2^31 / (512 rows * 255) = 16 448 units a device: 15 * 1.67 = 25 levels take 512 of them and 1024 too many.
  REQUIRE((grid(512, 4, false, 15, 0.1) == 1024 && grid(512, 4, false, 255, 0.1) == 512));
  REQUIRE(make(4, 40, 4, true, 1, {0, 0, 0, 0.1, 0}).array().cells()->unit() == 1.0f);
}

TEST_CASE("wide cells, long columns and large values do not overflow") {
  Case one = make(300, 33, 8, true, 255, {0.3, 0, 0, 0.01, 0.01});
  for (auto& level : one.levels) level = 127;
  one.values.assign(one.values.size(), 255);
  const NoisyArray array = one.array();
  Sums sums(std::size_t(one.count * one.stride) * 3);
  array.sums(one.values.data(), one.count, one.cycles, 0, sums.data());
  for (int column = 0; column < 33; ++column) REQUIRE(sums[std::size_t(column)] == 32767);
}

TEST_CASE("replicas have devices of their own, and the same ones each time") {
  Case one = make(16, 40, 2, false, 1, {0.3, 0, 0, 0, 0});
  const auto conductances = [&one](std::uint64_t seed) {
    one.seed = seed;
    const NoisyArray array = one.array();
    const auto* first = array.cells()->conductances(0);
    return std::vector<std::int16_t>(first, first + 16 * 40);
  };
  REQUIRE(conductances(mix(1, 0)) == conductances(mix(1, 0)));
  REQUIRE(conductances(mix(1, 0)) != conductances(mix(1, 1)));
  REQUIRE(conductances(mix(1, 0)) != conductances(mix(2, 0)));
}

TEST_CASE("threads that read at the same time read what one reads") {
  const Case one = make(37, 45, 2, true, 3, {0.1, 0.5, 0.1, 0.01, 0.01});
  const NoisyArray array = one.array();
  std::vector<Sums> read(5, Sums(std::size_t(one.count * one.stride) * 3));
  std::vector<std::thread> threads;
  for (auto& sums : read)
    threads.emplace_back([&] { array.sums(one.values.data(), one.count, one.cycles, one.first_vector, sums.data()); });
  for (auto& thread : threads) thread.join();
  for (const auto& sums : read) REQUIRE(sums == read.front());
}

TEST_CASE("sums have the same bits on every machine") {
  // FNV-1a of what the first machine gave; changes with any sum.
  const auto hash = [](const Case& one) {
    Sums sums(std::size_t(one.count * one.stride) * 3);
    one.array().sums(one.values.data(), one.count, one.cycles, one.first_vector, sums.data());
    std::uint64_t all = 0xcbf29ce484222325u;
    for (const std::int16_t sum : sums) all = (all ^ std::uint16_t(sum)) * 0x100000001b3u;
    return all;
  };
  REQUIRE(hash(make(512, 300, 4, true, 15, {0.1, 0.5, 0.08, 0.01, 0.01})) == 0x6e724b935ec42a23u);
  REQUIRE(hash(make(128, 130, 2, false, 1, {0.1, 0.5, 0.08, 0.01, 0.01})) == 0xdd7144b8b874c048u);
}

TEST_CASE("a programmed array reads as its cells do, its unit column or digital sum among them") {
  const NoiseModel read{0, 0.7, 0.2, 0, 0}, all{0.1, 0.5, 0.1, 0.02, 0.02};
  check_programmed(false, InputStream{Slicing::uniform(8, 1)}, read);
  check_programmed(false, InputStream{Slicing::uniform(8, 1)}, all);
  check_programmed(false, InputStream{Slicing({4, 2, 2})}, all);
  for (const NoiseModel& model : {read, all, NoiseModel{0, 1, 0, 0, 0}, NoiseModel{0, 0, 0, 0.1, 0}})
    check_programmed(true, InputStream{Slicing::uniform(8, 1), false, false, {4, 2, 2}}, model);
}

TEST_CASE("models out of range make no array") {
  REQUIRE_THROWS_AS(make(4, 40, 2, false, 1, {-0.1, 0, 0, 0, 0}).array(), std::invalid_argument);
}
