// SPDX-License-Identifier: Apache-2.0
// How fast whole machines are simulated - values, time and counts of every module - against what this processor can do
// at best for the products that the fidelity needs: oneDNN's int8 matrix product for `exact`, the bare bit-plane kernel
// for `sliced`. Layers have the sizes of ResNet-18; each run is a process of its own, as SystemC demands.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <vector>

#include "models/arithmetic/int8_matmul.h"
#include "models/arithmetic/programmed_array.h"
#include "models/dnn/synthetic/graph_builder.h"
#include "platforms/platform.h"

namespace {

using namespace mho;

struct Layer {
  const char* name;
  int size, channels, filters, kernel, stride;
};
constexpr Layer kLayers[] = {{"conv1    7x7/2   3-64  112x112", 224, 3, 64, 7, 2},
                             {"conv2_x  3x3    64-64   56x56", 56, 64, 64, 3, 1},
                             {"conv3_x  3x3  128-128   28x28", 28, 128, 128, 3, 1},
                             {"conv4_x  3x3  256-256   14x14", 14, 256, 256, 3, 1},
                             {"conv5_x  3x3  512-512     7x7", 7, 512, 512, 3, 1}};
constexpr int kRepetitions = 5;

/// Processor time, so that other work on the machine matters less; everything here runs on one thread.
double seconds(const std::function<void()>& work) {
  const std::clock_t begin = std::clock();
  work();
  return double(std::clock() - begin) / CLOCKS_PER_SEC;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class T>
std::vector<T> random_values(std::size_t count, int lowest, int span) {
  std::mt19937_64 random(1);
  std::vector<T> values(count);
  for (T& value : values) value = T(lowest + int(random() % std::uint64_t(span)));
  return values;
}

/// MAC/s of oneDNN's u8 x s8 product of 1024^3 on this thread.
double matrix_product_rate() {
  constexpr int kSize = 1024;
  const auto weights = random_values<std::int8_t>(kSize * kSize, -64, 128);
  const auto codes = random_values<std::uint8_t>(kSize * kSize, 0, 256);
  std::vector<std::int32_t> sums(kSize * kSize);
  const arithmetic::Int8Matmul product(weights.data(), kSize, kSize);
  std::vector<double> times;
  for (int i = 0; i < 2 * kRepetitions; ++i)
    times.push_back(seconds([&] { product.run(codes.data(), kSize, sums.data()); }));
  return double(kSize) * kSize * kSize / median(times);
}

/// MAC/s of the bit-plane kernel alone: 8 one-bit input slices against four 2-bit cells, 128 rows.
double bit_plane_rate() {
  constexpr int kRows = 128, kFilters = 256, kWindows = 32, kCalls = 40;
  const auto encoding = arithmetic::make_flip_encoding(arithmetic::Slicing::uniform(8, 2), 256);
  const arithmetic::ProgrammedArray array(
      encoding->encode(random_values<std::int32_t>(kRows * kFilters, -128, 256), kRows, kFilters), {});
  const auto codes = random_values<std::uint8_t>(kWindows * kRows, 0, 256);
  std::vector<std::int16_t> sums(std::size_t(kWindows) * 8 * std::size_t(array.sums_stride()));
  std::vector<double> times;
  for (int i = 0; i < 2 * kRepetitions; ++i)
    times.push_back(seconds([&] {
      for (int call = 0; call < kCalls; ++call) array.column_sums(codes.data(), kWindows, sums.data());
    }));
  return double(kCalls) * kWindows * kRows * kFilters / median(times);
}

dnn::Graph layer_graph(const Layer& layer) {
  dnn::GraphBuilder builder(layer.name);
  const int input = builder.input({layer.size, layer.size, layer.channels});
  builder.convolution(input, layer.filters, dnn::square_window(layer.kernel, layer.stride, layer.kernel / 2));
  return builder.build();
}

/// Processor time of a run of `inferences` in a child process, compilation and programming included.
double run_seconds(const dnn::Graph& graph, const PlatformConfig& config, int inferences) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    const auto codes = random_values<std::uint8_t>(graph.tensors[std::size_t(graph.inputs[0])].shape.bytes(), 0, 256);
    const std::vector<std::vector<std::vector<std::uint8_t>>> inputs(std::size_t(inferences), {codes});
    const double time = seconds([&] { run_platform(config, graph, inputs); });
    const bool told = write(pipe_ends[1], &time, sizeof time) == sizeof time;
    _exit(told ? 0 : 1);
  }
  double time = 0.0;
  const bool heard = child > 0 && read(pipe_ends[0], &time, sizeof time) == sizeof time;
  int status = 1;
  waitpid(child, &status, 0);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  if (!heard || status != 0) {
    std::fprintf(stderr, "a run of %s failed\n", graph.name.c_str());
    std::exit(1);
  }
  return time;
}

/// MAC/s of the simulated machine: the slope between short and long runs, so that compiling and programming drop out.
double machine_rate(const Layer& layer, mapping::Fidelity fidelity) {
  const dnn::Graph graph = layer_graph(layer);
  PlatformConfig config;
  config.machine.data_bits = 8;
  config.machine.weight_slicing = {2, 2, 2, 2};
  config.machine.fidelity = fidelity;
  const int few = 2, many = fidelity == mapping::Fidelity::kExact ? 42 : 12;
  std::vector<double> slopes;
  for (int i = 0; i < kRepetitions; ++i)
    slopes.push_back((run_seconds(graph, config, many) - run_seconds(graph, config, few)) / (many - few));
  return double(dnn::macs(graph)) / median(slopes);
}

}  // namespace

int sc_main(int, char**) { return 0; }

int main() {
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
  const double exact_limit = matrix_product_rate(), sliced_limit = bit_plane_rate();
  std::printf("limits of this processor, one thread: matrix product %.1f GMAC/s, bit planes %.1f GMAC/s\n\n",
              exact_limit * 1e-9, sliced_limit * 1e-9);
  std::printf("%-31s %14s %10s %15s %10s\n", "layer of ResNet-18 on isaac_8b", "exact GMAC/s", "of limit",
              "sliced GMAC/s", "of limit");
  for (const Layer& layer : kLayers) {
    const double exact = machine_rate(layer, mapping::Fidelity::kExact);
    const double sliced = machine_rate(layer, mapping::Fidelity::kSliced);
    std::printf("%-31s %14.1f %10.2f %15.1f %10.2f\n", layer.name, exact * 1e-9, exact / exact_limit, sliced * 1e-9,
                sliced / sliced_limit);
  }
  return 0;
}
