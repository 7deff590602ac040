// SPDX-License-Identifier: Apache-2.0
// Rates of arrays with noise on one core, in multiply-accumulates of the DNN (8 bit x 8 bit) a second: column sums of
// one ISAAC crossbar (128 x 128, bit-serial) and of one of RAELLA (512 x 510 pairs, slices 4-2-2) for a batch of 56
// vectors. `library_alone` of the same program (arithmetic_benchmark.cpp) is the limit of int8 products.
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "models/arithmetic/programmed_array.h"

namespace {

using namespace mho::arithmetic;

constexpr int kVectors = 56;

/// What is wrong with the cells or with their readings.
NoiseModel model_of(std::int64_t number) {
  switch (number) {
    case 0:
      return {};
    case 1:
      return {0.0, 1.0, 0.0, 0.0, 0.0};
    case 2:
      return {0.0, 0.0, 0.08, 0.0, 0.0};
    case 3:
      return {0.05, 0.0, 0.0, 0.001, 0.001};
    default:
      return {0.05, 1.0, 0.08, 0.001, 0.001};
  }
}

/// Random levels, an equal number of columns a filter.
EncodedBlock block_of(int rows, int filters, int per_filter, int cell_bits, bool paired) {
  std::mt19937_64 random(1);
  EncodedBlock block;
  block.rows = rows, block.filters = filters, block.cell_bits = cell_bits, block.paired = paired;
  const int columns = filters * per_filter, top = (1 << cell_bits) - 1, lowest = paired ? -top : 0;
  for (int i = 0; i < rows * columns; ++i)
    block.levels.push_back(std::uint8_t(lowest + int(random() % std::uint64_t(top - lowest + 1))));
  block.recombination.columns_per_filter = per_filter;
  block.recombination.coefficient.assign(std::size_t(columns), 1);
  block.recombination.unit_coefficient.assign(std::size_t(filters), 0);
  block.recombination.digital_unit = paired;
  return block;
}

void read(benchmark::State& state, const EncodedBlock& block, const InputStream& stream) {
  const ProgrammedArray array(block, stream, ArrayNoise{model_of(state.range(0)), 1});
  std::mt19937_64 random(2);
  std::vector<std::uint8_t> codes(std::size_t(kVectors * block.rows));
  for (auto& code : codes) code = std::uint8_t(random());
  std::vector<std::int16_t> sums(std::size_t(kVectors * array.cycle_counts().whole * array.sums_stride()));
  for (auto _ : state) array.column_sums(codes.data(), kVectors, sums.data());
  const double macs = double(kVectors) * block.rows * block.filters;
  state.counters["MAC/s"] = benchmark::Counter(macs * double(state.iterations()), benchmark::Counter::kIsRate);
}

/// Argument of all: 0 no noise, 1 read noise, 2 proportional noise, 3 spread and stuck cells, 4 all of it.
void noisy_isaac(benchmark::State& state) {
  read(state, block_of(128, 32, 4, 2, false), {Slicing::uniform(8, 1), false});
}
BENCHMARK(noisy_isaac)->ArgName("noise")->DenseRange(0, 4);

void noisy_raella(benchmark::State& state) { read(state, block_of(512, 170, 3, 4, true), {Slicing({4, 2, 2}), false}); }
BENCHMARK(noisy_raella)->ArgName("noise")->DenseRange(0, 4);

/// Drawing and packing the devices of one array of RAELLA, for all effects.
void noisy_programming(benchmark::State& state) {
  const EncodedBlock block = block_of(512, 170, 3, 4, true);
  for (auto _ : state) {
    const ProgrammedArray array(block, {Slicing({4, 2, 2}), false}, ArrayNoise{model_of(4), 1});
    benchmark::DoNotOptimize(array.rows());
  }
  state.counters["cells/s"] =
      benchmark::Counter(double(block.levels.size()) * double(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(noisy_programming)->Unit(benchmark::kMillisecond);

}  // namespace
