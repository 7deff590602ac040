// SPDX-License-Identifier: Apache-2.0
// One resource at a time is made so slow that it must set the pace, and the pace is worked by hand. 16-bit machine
// unless said otherwise: 1600 ns in the crossbars, 8 lines of 1.5625 ns and 256 B / 20.48 GB/s = 12.5 ns a row block.
#include <catch2/catch.hpp>

#include "testbenches/models/pim/timing_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

struct Pace {
  double interval_ns = 0.0;
  std::string limited_by;  ///< without the machine's name
};

/// Several variants of a machine run the same network side by side.
class Variants {
 public:
  explicit Variants(dnn::Graph graph) : graph_(std::move(graph)) {}
  TimedMachine& add(const mapping::Machine& machine, const TimedMemory& memory = {}) {
    const std::string name = "m" + std::to_string(machines_.size());
    machines_.push_back(std::make_unique<TimedMachine>(name, graph_, machine, memory));
    return *machines_.back();
  }
  void run(std::uint64_t inferences = 1) {
    std::vector<TimedMachine*> all;
    for (const auto& machine : machines_) all.push_back(machine.get());
    TimedMachine::run_all(all, inferences);
  }
  Pace pace(std::size_t index, int node = 0) const {
    const pim::NodeProgress& progress = machines_[index]->node(node);
    return {ns(progress.interval), progress.limited_by.substr(progress.limited_by.find(".core.") + 6)};
  }

 private:
  const dnn::Graph graph_;
  std::vector<std::unique_ptr<TimedMachine>> machines_;
};

mapping::Machine with(void (*change)(mapping::Machine&), int tiles = 4) {
  mapping::Machine machine = isaac_16b(tiles);
  change(machine);
  return machine;
}

TEST_CASE("a converter at half the rate takes two cycles a slice") {
  // 128 columns at 0.64 GS/s are 200 ns: a window every 16 x 200 = 3200 ns. The first code is ready 200 ns after its
  // sample at the end of cycle 2, the last 15 x 200 later, so the converters end 3200 ns after they began.
  TimedMachine machine("m", one_layer(1, 4, 128, 16), with([](mapping::Machine& m) { m.adc.rate_hz = 0.64e9; }));
  machine.run(1);
  CHECK(ns(machine.node(0).interval) == Approx(3200));
  CHECK(machine.node(0).limited_by == std::string("m.core.tile_0.group_0.adc"));
  const Occupied crossbars = machine.records("tile_0.group_0.crossbars").front();
  const Occupied adc = machine.records("tile_0.group_0.adc").front();
  const Occupied adding = machine.records("tile_0.group_0.shift_add").front();
  CHECK(adc.begin_ns == Approx(crossbars.begin_ns + 100));
  CHECK(adc.end_ns == Approx(adc.begin_ns + 4 * 3200.0));
  CHECK(adding.end_ns == Approx(adc.end_ns + 100));
  CHECK(ns(machine.node(0).busy) == Approx(4 * 3200.0));
}

TEST_CASE("a converter shared by n crossbars makes the interval n times as long") {
  // 8 row blocks x 16 filters: 8 batches of one crossbar each. 8, 4, 2, 1 converters: 1, 2, 4, 8 crossbars each. Three
  // converters serve 3, 3 and 2 crossbars: 4800 ns.
  Variants variants(one_layer(1, 3, 1024, 16));
  const int converters[] = {8, 4, 2, 1, 3};
  const double expected[] = {1600, 3200, 6400, 12800, 4800};
  for (const int count : converters) {
    mapping::Machine machine = isaac_16b();
    machine.adc.converters = count;
    variants.add(machine);
  }
  variants.run();
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(variants.pace(i).interval_ns == Approx(expected[i]));
    CHECK(variants.pace(i).limited_by == (i == 0 ? "tile_0.group_0.crossbars" : "tile_0.group_0.adc"));
  }
}

TEST_CASE("a converter shared by the crossbars of one row block makes the interval longer as well") {
  // 1 row block x 128 filters: one batch of 8 crossbars.
  Variants variants(one_layer(1, 3, 128, 128));
  for (const int count : {8, 4, 2, 1}) {
    mapping::Machine machine = isaac_16b();
    machine.adc.converters = count;
    variants.add(machine);
  }
  variants.run();
  for (std::size_t i = 0; i < 4; ++i) CHECK(variants.pace(i).interval_ns == Approx(1600.0 * double(1 << i)));
}

TEST_CASE("a bus with a latency before each transfer becomes the bottleneck of a full tile") {
  // 4 crossbars in each of 12 crossbar_tiles, a row block each: 48 transfers of 12.5 ns = 600 ns. With 25 ns before
  // each: 48 x 37.5 = 12 x 150 = 1800 ns > 1600.
  Variants variants(one_layer(1, 3, 48 * 128, 16));
  variants.add(with([](mapping::Machine& m) { m.crossbar.crossbars = m.adc.converters = 4; }));
  variants.add(with([](mapping::Machine& m) {
    m.crossbar.crossbars = m.adc.converters = 4;
    m.bus.latency_s = 25e-9;
  }));
  variants.run();
  CHECK(variants.pace(0).interval_ns == Approx(1600));
  CHECK(variants.pace(1).interval_ns == Approx(1800));
  CHECK(variants.pace(1).limited_by == "tile_0.bus");
}

TEST_CASE("two crossbar_tiles on one slow bus need twice the time of one") {
  // 256 B at 2.048 GB/s are 125 ns: 8 row blocks in one crossbar_tile 1000 ns, 16 in two 2000 ns.
  const mapping::Machine slow = with([](mapping::Machine& m) { m.bus.bytes_per_s = 2.048e9; });
  TimedMachine two("two", one_layer(1, 3, 2048, 16), slow), one("one", one_layer(1, 3, 1024, 16), slow);
  TimedMachine::run_all({&two, &one}, 1);
  CHECK(ns(two.node(0).interval) == Approx(2000));
  CHECK(ns(one.node(0).interval) == Approx(1600));
}

TEST_CASE("a slow line of the buffer counts reads and writes of a window") {
  // 8 row blocks x 8 lines and one line written, 25 ns each: 65 x 25 = 1625 ns.
  TimedMachine machine("m", one_layer(1, 3, 1024, 16), with([](mapping::Machine& m) { m.edram.line_s = 25e-9; }));
  machine.run(1);
  CHECK(ns(machine.node(0).interval) == Approx(1625));
  CHECK(machine.node(0).limited_by == std::string("m.core.tile_0.buffer"));
}

TEST_CASE("a slow router limits a layer whose psums come from another tile") {
  // 13 crossbar_tiles: the 13th lies in tile 1 and forwards 16 x 4 B a window, at 32 MB/s in 2000 ns.
  TimedMachine machine("m", one_layer(1, 2, 13 * 1024, 16),
                       with([](mapping::Machine& m) { m.router.bytes_per_s = 32e6; }, 2));
  machine.run(1);
  CHECK(ns(machine.node(0).interval) == Approx(2000));
  CHECK(machine.node(0).limited_by == std::string("m.core.network.router_0"));
}

TEST_CASE("a slow function unit limits the layer") {
  // 16 values at 8 MS/s are 2000 ns, and the first window's result comes 2000 ns later instead of 100.
  TimedMachine machine("m", one_layer(1, 3, 128, 16),
                       with([](mapping::Machine& m) { m.function.outputs_per_s = 8e6; }));
  machine.run(1);
  CHECK(ns(machine.node(0).interval) == Approx(2000));
  CHECK(machine.node(0).limited_by == std::string("m.core.tile_0.function"));
  const Occupied function = machine.records("tile_0.function", 0).front();
  CHECK(function.end_ns - function.begin_ns == Approx(2000 + 2 * 2000.0));
}

TEST_CASE("a slow main memory sets the pace of inputs and outputs together") {
  // 10 MB/s: a row in takes 100 + 12 800 + one hop 0.833 + 128 B / 4.8 GB/s 26.667; a row out 100 + 16 B 1600. One DMA
  // does both in turn: 14 627.5 ns a row, 16 rows an inference. Layer: 1600 ns.
  TimedMachine machine("m", one_layer(16, 1, 128, 16), isaac_16b(), {10e6, 100e-9});
  machine.run(6);
  CHECK(machine.steady_ns() == Approx(16 * 14627.5).margin(0.1));
  // Every row but the last few waits for its input.
  CHECK(ns(machine.node(0).input_stall) > 60 * (14627.5 - 1600.0));
}

TEST_CASE("a slow main memory latency is paid by every row") {
  // 5 us before the first byte, then 128 B / 25.6 GB/s = 5 ns: 5005 + 27.5 in and 5000 + 0.625 out.
  TimedMachine machine("m", one_layer(16, 1, 128, 16), isaac_16b(), {25.6e9, 5e-6});
  machine.run(6);
  CHECK(machine.steady_ns() == Approx(16 * (5005.0 + 27.5 + 5000.625)).margin(0.1));
}

/// 8x8 windows, then 4x4: balanced replication gives the first layer four copies.
dnn::Graph two_sizes() {
  dnn::GraphBuilder net("two_sizes");
  const int first = net.convolution(net.input({8, 8, 8}), 16, dnn::square_window(3, 1, 1));
  net.convolution(first, 16, dnn::square_window(2, 2));
  return net.build();
}

TEST_CASE("r replicas divide the interval by r until a bus limits them") {
  // Alone 64 x 1600 = 102.4 us. Four copies: 16 windows each, 25.6 us. On a bus with 500 ns before each transfer the
  // four take turns: 4 x (500 + 144 B / 20.48 GB/s = 7.03) = 2028.1 ns for four windows; 8 rows of 2 x 2028.1.
  Variants variants(two_sizes());
  TimedMachine& alone = variants.add(isaac_16b());
  TimedMachine& copied =
      variants.add(with([](mapping::Machine& m) { m.replication = mapping::Replication::kBalanced; }));
  TimedMachine& held = variants.add(with([](mapping::Machine& m) {
    m.replication = mapping::Replication::kBalanced;
    m.bus.latency_s = 500e-9;
  }));
  variants.run(12);
  REQUIRE(copied.program().layers[0].replicas == 4);
  CHECK(alone.steady_ns() == Approx(102400).epsilon(0.001));
  CHECK(copied.steady_ns() == Approx(25600).epsilon(0.001));
  CHECK(variants.pace(2).interval_ns >= 2028.1);
  CHECK(variants.pace(2).limited_by == "tile_0.bus");
  // The second layer's 16 x 507 ns come on top of 64 x 507 on the same bus: 80 transfers, (64 x 507.03 + 16 x 506.25).
  CHECK(held.steady_ns() >= 64 * 507.03 + 16 * 506.25 - 0.1);
  CHECK(held.steady_ns() < 1.1 * (64 * 507.03 + 16 * 506.25));
}

/// Two layers of 8 rows of 4 windows, 16 channels each, both in tile 0.
dnn::Graph two_equal() {
  dnn::GraphBuilder net("two_equal");
  const int first = net.convolution(net.input({8, 4, 16}), 16, dnn::square_window(1));
  net.convolution(first, 16, dnn::square_window(1));
  return net.build();
}

TEST_CASE("two layers that share one resource together keep it busy") {
  // 32 windows a layer and an inference. Each alone would take 1600 ns a window, 51.2 us an inference; together they
  // need 2 x 1000 ns of the shared resource a pair of windows: 64 us. An operation is issued as a whole row and items
  // are not interleaved one by one, so a few per cent are lost when rows of both meet.
  Variants variants(two_equal());
  TimedMachine& bus = variants.add(with([](mapping::Machine& m) { m.bus.latency_s = 1000e-9 - 32 / 20.48e9; }));
  TimedMachine& function = variants.add(with([](mapping::Machine& m) { m.function.outputs_per_s = 16e6; }));
  // Two lines read and one written a pair (the second layer's output leaves by the router), 2000 ns; and an input row
  // of 4 x 16 values is 4 lines, 2666.7 ns for four pairs: 64 + 8 x 2.667 = 85.33 us.
  TimedMachine& buffer = variants.add(with([](mapping::Machine& m) { m.edram.line_s = 666.6667e-9; }));
  variants.run(12);
  const auto keeps_busy = [](TimedMachine& machine, double expected) {
    INFO(machine.node(0).limited_by << " " << machine.node(1).limited_by);
    CHECK(machine.steady_ns() >= expected - 1.0);
    CHECK(machine.steady_ns() <= expected * 1.1);
  };
  keeps_busy(bus, 64000);
  keeps_busy(function, 64000);
  keeps_busy(buffer, 85333.3);
}

TEST_CASE("attention, and maps that a vector multiplies, stream at the rate of the crossbars") {
  // Every product with weights takes 8 slices of 100 ns a pixel. An encoder layer of 64 positions (4 rows of 16): 51.2
  // us. Keys and values of the next inference come while those of this one are read, or it would be twice that.
  dnn::GraphBuilder encoder("encoder"), squeeze("squeeze");
  dnn::ConvolutionOptions with_sign;
  with_sign.relu = false;
  const auto project = [&](int x) { return encoder.convolution(x, 32, dnn::square_window(1), with_sign); };
  const int x = encoder.sequence(64, 32);
  const int values = project(x), keys = project(x);
  const int context = project(encoder.attention(project(x), keys, values, 4));
  const int sum = encoder.layer_norm(encoder.add(context, x, false));
  const int wide =
      encoder.function(encoder.convolution(sum, 64, dnn::square_window(1), with_sign), dnn::Function::kGelu);
  encoder.output(encoder.layer_norm(encoder.add(project(wide), sum, false)));
  // Squeeze and excitation on 16 x 16 pixels: 204.8 us; the two products of vectors take hardly any time.
  const int map = squeeze.convolution(squeeze.input({16, 16, 8}), 8, dnn::square_window(3, 1, 1));
  const int factors = squeeze.fully_connected(squeeze.fully_connected(squeeze.global_average_pool(map), 4), 8);
  squeeze.output(squeeze.convolution(squeeze.multiply(map, squeeze.function(factors, dnn::Function::kSigmoid)), 8,
                                     dnn::square_window(1)));
  TimedMachine attention("attention", encoder.build(), isaac_8b());
  TimedMachine excitation("excitation", squeeze.build(), isaac_8b());
  TimedMachine::run_all({&attention, &excitation}, 8);
  CHECK(attention.steady_ns() == Approx(64 * 800).epsilon(0.05));
  CHECK(excitation.steady_ns() == Approx(256 * 800).epsilon(0.05));
}

}  // namespace
}  // namespace mho::testbenches
