// SPDX-License-Identifier: Apache-2.0
// Rates of the arithmetic layer on one core, in multiply-accumulates of the DNN (8 bit x 8 bit) a second; the first
// one, oneDNN on a large matrix, is what the others are measured against. Compare medians of several repetitions.
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "models/arithmetic/int8_matmul.h"
#include "models/arithmetic/integer_product.h"
#include "models/arithmetic/programmed_array.h"

namespace {

using namespace mho::arithmetic;

constexpr int kRows = 128, kFilters = 256;

template <class T>
std::vector<T> random_values(std::size_t count, int lowest, int span) {
  std::mt19937_64 random(1);
  std::vector<T> values;
  while (values.size() < count) values.push_back(T(lowest + int(random() % std::uint64_t(span))));
  return values;
}

void count_macs(benchmark::State& state, double macs) {
  state.counters["MAC/s"] = benchmark::Counter(macs * double(state.iterations()), benchmark::Counter::kIsRate);
}

void library_alone(benchmark::State& state) {
  const int size = 1024;
  const auto weights = random_values<std::int8_t>(std::size_t(size * size), -64, 128);
  const auto x = random_values<std::uint8_t>(std::size_t(size * size), 0, 256);
  std::vector<std::int32_t> y(std::size_t(size * size));
  const Int8Matmul matmul(weights.data(), size, size);
  for (auto _ : state) matmul.run(x.data(), size, y.data());
  count_macs(state, double(size) * size * size);
}
BENCHMARK(library_alone)->Unit(benchmark::kMillisecond);

/// Arguments: vectors, signed codes, bits of a weight.
void product(benchmark::State& state) {
  const int count = int(state.range(0)), half = 1 << (state.range(2) - 1);
  const auto weights = random_values<std::int32_t>(kRows * kFilters, -half, 2 * half);
  const auto x = random_values<std::uint8_t>(std::size_t(count * kRows), 0, 256);
  std::vector<std::int32_t> y(std::size_t(count * kFilters));
  const IntegerProduct product(weights.data(), kRows, kFilters);
  for (auto _ : state) product.run(x.data(), state.range(1) != 0, count, y.data());
  count_macs(state, double(count) * kRows * kFilters);
}
BENCHMARK(product)
    ->ArgNames({"vectors", "signed", "weight_bits"})
    ->ArgsProduct({{1, 2, 8, 56, 256}, {0}, {8}})
    ->ArgsProduct({{56, 256}, {1}, {8}})
    ->ArgsProduct({{56}, {0, 1}, {16}});

/// A 128 x 256 block of 8-bit weights, a batch of vectors, and the buffers between the passes.
struct Machine {
  Machine(Slicing cells, Slicing inputs, int vectors)
      : count(vectors),
        array(make_flip_encoding(cells, 256)
                  ->encode(random_values<std::int32_t>(kRows * kFilters, -128, 256), kRows, kFilters),
              {std::move(inputs), false}),
        codes(random_values<std::uint8_t>(std::size_t(count * kRows), 0, 256)),
        sums(std::size_t(count * array.stream().slicing.count() * array.sums_stride())),
        psums(std::size_t(count * kFilters)) {}

  void sum() { array.column_sums(codes.data(), count, sums.data()); }
  void clip(AdcRange range) { benchmark::DoNotOptimize(convert(range, sums.data(), sums.size())); }
  void add() {
    recombine(array.recombination(), kFilters, array.stream(), sums.data(), count, array.sums_stride(), psums.data());
  }
  double macs() const { return double(count) * kRows * kFilters; }

  int count;
  ProgrammedArray array;
  std::vector<std::uint8_t> codes;
  std::vector<std::int16_t> sums;
  std::vector<std::int32_t> psums;
};

/// ISAAC: 2-bit cells, 1-bit inputs.
Machine isaac(int vectors) { return {Slicing::uniform(8, 2), Slicing::uniform(8, 1), vectors}; }

void column_sums(benchmark::State& state) {
  Machine machine = isaac(int(state.range(0)));
  for (auto _ : state) machine.sum();
  count_macs(state, machine.macs());
}
BENCHMARK(column_sums)->ArgName("vectors")->Arg(1)->Arg(8)->Arg(56)->Arg(256);

void conversion(benchmark::State& state) {
  Machine machine = isaac(int(state.range(0)));
  machine.sum();
  for (auto _ : state) machine.clip(AdcRange::of(8, false));
  count_macs(state, machine.macs());
}
BENCHMARK(conversion)->ArgName("vectors")->Arg(56);

void recombination(benchmark::State& state) {
  Machine machine = isaac(int(state.range(0)));
  machine.sum();
  for (auto _ : state) machine.add();
  count_macs(state, machine.macs());
}
BENCHMARK(recombination)->ArgName("vectors")->Arg(56);

/// Arguments: vectors, bits of the converter (8 clips nothing, 5 nearly every sum).
void three_passes(benchmark::State& state) {
  Machine machine = isaac(int(state.range(0)));
  const auto range = AdcRange::of(int(state.range(1)), false);
  for (auto _ : state) {
    machine.sum();
    machine.clip(range);
    machine.add();
  }
  count_macs(state, machine.macs());
}
BENCHMARK(three_passes)->ArgNames({"vectors", "adc_bits"})->ArgsProduct({{1, 8, 56, 256}, {8}})->Args({56, 5});

/// Slices of several bits (RAELLA's 4-2-2 against 4-2-2): nine int8 products.
void three_passes_of_wide_slices(benchmark::State& state) {
  Machine machine(Slicing({4, 2, 2}), Slicing({4, 2, 2}), int(state.range(0)));
  for (auto _ : state) {
    machine.sum();
    machine.clip(AdcRange::of(12, false));
    machine.add();
  }
  count_macs(state, machine.macs());
}
BENCHMARK(three_passes_of_wide_slices)->ArgName("vectors")->Arg(8)->Arg(56);

void drive(benchmark::State& state) {
  Machine machine = isaac(int(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(machine.array.drive(machine.codes.data(), machine.count, 128));
  count_macs(state, machine.macs());
}
BENCHMARK(drive)->ArgName("vectors")->Arg(1)->Arg(56);

void programming(benchmark::State& state) {
  const auto weights = random_values<std::int32_t>(kRows * kFilters, -128, 256);
  const auto encoding = make_flip_encoding(Slicing::uniform(8, 2), 256);
  for (auto _ : state) {
    const ProgrammedArray array(encoding->encode(weights, kRows, kFilters), InputStream{});
    benchmark::DoNotOptimize(array.loss(AdcRange::of(8, false)));
  }
  state.counters["cells/s"] =
      benchmark::Counter(4.0 * kRows * kFilters * double(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(programming)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
