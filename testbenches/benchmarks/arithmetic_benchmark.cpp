// SPDX-License-Identifier: Apache-2.0
// Rates of the arithmetic layer on one core, in multiply-accumulates of the DNN (8 bit x 8 bit) a second; the first
// one, oneDNN on a large matrix, is what the others are measured against. Compare medians of several repetitions.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "models/arithmetic/centre_offset.h"
#include "models/arithmetic/centre_search.h"
#include "models/arithmetic/int8_matmul.h"
#include "models/arithmetic/integer_product.h"
#include "models/arithmetic/programmed_array.h"
#include "models/arithmetic/success_flags.h"

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
    recombine(array.recombination(), kFilters, array.stream(), sums.data(), nullptr, count, array.sums_stride(),
              psums.data());
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

/// RAELLA: 512 x 510 pairs in slices of 4-2-2 bits, speculation on 4-2-2 bits. Weights are spread like a trained
/// layer's, and codes like its activations, so that about two conversions in a hundred fail.
struct PairMachine {
  static constexpr int kPairRows = 512, kPairFilters = 170;
  explicit PairMachine(int vectors)
      : count(vectors),
        array(encoded(), {Slicing::uniform(8, 1), false, false, {4, 2, 2}}),
        codes(spread_codes(std::size_t(count * kPairRows))),
        sums(std::size_t(count * array.cycle_counts().whole * array.sums_stride())),
        recovered(std::size_t(count * array.cycle_counts().recovery * array.sums_stride())),
        failed(std::size_t(array.columns())),
        psums(std::size_t(count * kPairFilters)) {}

  static EncodedBlock encoded() {
    std::mt19937_64 random(2);
    std::normal_distribution<double> normal(0.0, 14.0);
    std::vector<std::int32_t> weights(kPairRows * kPairFilters);
    for (auto& weight : weights) weight = std::int32_t(std::clamp(std::rint(normal(random)), -128.0, 127.0));
    return make_centre_offset_encoding(Slicing({4, 2, 2}))->encode(weights, kPairRows, kPairFilters);
  }
  static std::vector<std::uint8_t> spread_codes(std::size_t size) {
    std::mt19937_64 random(3);
    std::normal_distribution<double> normal(-12.0, 20.0);
    std::vector<std::uint8_t> all(size);
    for (auto& code : all) code = std::uint8_t(std::clamp(std::rint(normal(random)), 0.0, 255.0));
    return all;
  }

  void sum() { array.column_sums(codes.data(), count, sums.data()); }
  void convert_and_recover() {
    for (int v = 0; v < count; ++v)
      for (std::size_t i = 0; i < array.cycles().size(); ++i)
        if (array.cycles()[i].use == InputCycle::Use::kSpeculate) convert_cycle(v, i);
  }
  void convert_cycle(int v, std::size_t index) {
    const auto stride = std::size_t(array.sums_stride());
    const CycleCounts cycles = array.cycle_counts();
    std::int16_t* of_cycle = sums.data() + std::size_t(v * cycles.whole + array.cycles()[index].place) * stride;
    const auto codes_done = convert_speculating(range, of_cycle, failed.size(), failed.data());
    failures += codes_done.failures;
    conversions += failed.size();
    for (std::size_t f = 0; f < codes_done.failures; ++f) {
      std::int16_t again[8];
      array.recovery_sums(codes.data() + std::size_t(v * kPairRows), std::uint64_t(v), failed[f], int(index), again);
      std::int16_t* to = recovered.data() + std::size_t(v * cycles.recovery) * stride + std::size_t(failed[f]);
      for (std::size_t r = index + 1, at = 0; r < array.cycles().size(); ++r)
        if (array.cycles()[r].recovers == int(index)) {
          convert(range, again + at, 1);
          to[std::size_t(array.cycles()[r].place) * stride] = again[at++];
        }
    }
  }
  void add() {
    recombine(array.recombination(), kPairFilters, array.stream(), sums.data(), recovered.data(), count,
              array.sums_stride(), psums.data());
  }
  double macs() const { return double(count) * kPairRows * kPairFilters; }

  AdcRange range = AdcRange::of(7, true);
  int count;
  ProgrammedArray array;
  std::vector<std::uint8_t> codes;
  std::vector<std::int16_t> sums, recovered;
  std::vector<std::int32_t> failed, psums;
  std::uint64_t failures = 0, conversions = 0;
};

void sums_of_pairs(benchmark::State& state) {
  PairMachine machine(int(state.range(0)));
  for (auto _ : state) machine.sum();
  count_macs(state, machine.macs());
}
BENCHMARK(sums_of_pairs)->ArgName("vectors")->Arg(8)->Arg(56);

void recombination_of_pairs(benchmark::State& state) {
  PairMachine machine(int(state.range(0)));
  machine.sum();
  machine.convert_and_recover();
  for (auto _ : state) machine.add();
  count_macs(state, machine.macs());
}
BENCHMARK(recombination_of_pairs)->ArgName("vectors")->Arg(56);

/// One column read again: the four cycles of the widest slice.
void recovery_of_a_column(benchmark::State& state) {
  PairMachine machine(1);
  std::int16_t again[8];
  int column = 0;
  for (auto _ : state) {
    machine.array.recovery_sums(machine.codes.data(), 0, column, 0, again);
    benchmark::DoNotOptimize(again);
    column = (column + 17) % machine.array.columns();
  }
}
BENCHMARK(recovery_of_a_column);

/// The whole way of RAELLA's data, drivers included.
void speculation(benchmark::State& state) {
  PairMachine machine(int(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(machine.array.drive(machine.codes.data(), machine.count, 512));
    machine.sum();
    machine.convert_and_recover();
    machine.add();
  }
  count_macs(state, machine.macs());
  state.counters["failures"] = double(machine.failures) / double(machine.conversions);
}
BENCHMARK(speculation)->ArgName("vectors")->Arg(1)->Arg(7)->Arg(8)->Arg(14)->Arg(28)->Arg(56)->Arg(112);

/// Cells of pairs made ready for sums.
void programming_of_pairs(benchmark::State& state) {
  const EncodedBlock block = PairMachine::encoded();
  const PairMachine machine(1);
  std::vector<std::int16_t> sums(machine.sums.size());
  for (auto _ : state) {
    const ProgrammedArray array(block, machine.array.stream());
    array.column_sums(machine.codes.data(), 1, sums.data());
  }
  state.counters["cells/s"] =
      benchmark::Counter(double(block.levels.size()) * double(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(programming_of_pairs)->Unit(benchmark::kMicrosecond);

/// What the library alone takes for the products that speculation needs: three slices of inputs times three columns.
void nine_products(benchmark::State& state) {
  const int rows = PairMachine::kPairRows, columns = 3 * PairMachine::kPairFilters;
  const int count = 3 * int(state.range(0));
  const auto weights = random_values<std::int8_t>(std::size_t(rows * columns), -15, 31);
  const auto x = random_values<std::uint8_t>(std::size_t(count * rows), 0, 16);
  std::vector<std::int32_t> y(std::size_t(count * columns));
  const Int8Matmul matmul(weights.data(), rows, columns);
  for (auto _ : state) matmul.run(x.data(), count, y.data());
  count_macs(state, double(state.range(0)) * rows * PairMachine::kPairFilters);
}
BENCHMARK(nine_products)->ArgName("vectors")->Arg(8)->Arg(56);

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

/// 512 rows x 100 filters in slices of 4-2-2 bits; all filters of ResNet-18's row blocks are about 25 000.
constexpr int kCentredRows = 512, kCentredFilters = 100;

void count_filters(benchmark::State& state) {
  state.counters["filters/s"] =
      benchmark::Counter(double(kCentredFilters) * double(state.iterations()), benchmark::Counter::kIsRate);
}

void centres(benchmark::State& state) {
  const auto weights = random_values<std::int32_t>(kCentredRows * kCentredFilters, -128, 256);
  const Slicing slicing({4, 2, 2});
  for (auto _ : state)
    for (int f = 0; f < kCentredFilters; ++f)
      benchmark::DoNotOptimize(CentreSearch(weights.data() + f * kCentredRows, kCentredRows).centre(slicing));
  count_filters(state);
}
BENCHMARK(centres)->Unit(benchmark::kMicrosecond);

/// The same with the levels.
void centred_encoding(benchmark::State& state) {
  const auto weights = random_values<std::int32_t>(kCentredRows * kCentredFilters, -128, 256);
  const auto encoding = make_centre_offset_encoding(Slicing({4, 2, 2}));
  for (auto _ : state) benchmark::DoNotOptimize(encoding->encode(weights, kCentredRows, kCentredFilters));
  count_filters(state);
}
BENCHMARK(centred_encoding)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
