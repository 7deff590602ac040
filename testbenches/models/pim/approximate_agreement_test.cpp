// SPDX-License-Identifier: Apache-2.0
// Loosely against approximately timed: without contention both give the same latency and interval within 1 %; with
// contention the second is the truth, here against what a small machine gives by hand.
#include <catch2/catch.hpp>

#include "models/dnn/synthetic/graph_builder.h"
#include "testbenches/models/pim/approximate_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

/// Both modes of one machine.
struct Modes {
  Modes(const std::string& name, const dnn::Graph& graph, const mapping::Machine& machine)
      : loose(device_of(name + "_loose", graph, machine, {})),
        approximate(device_of(name, graph, machine, approximately())) {}
  void run(std::size_t inferences) {
    const std::vector<Tensors> inputs = random_inputs(loose->graph, 1, inferences);
    // Jobs begin at an edge of the tiles' clocks.
    for (auto* const device : {loose.get(), approximate.get()}) {
      device->program();
      const sc_core::sc_time edge(1, sc_core::SC_US);
      sc_core::sc_start(edge - sc_core::sc_time::from_value(sc_core::sc_time_stamp().value() % edge.value()));
      (device == loose.get() ? loosely : approximated) = run_job(*device, inputs);
    }
    check_same_work(approximated, loosely);
  }
  std::unique_ptr<Device<>> loose, approximate;
  JobResult loosely, approximated;
};

/// Fast buffers, buses and routers, a converter a crossbar: only crossbars and function units take time.
void check_agreement(mapping::Replication replication, unsigned seeds) {
  std::vector<std::unique_ptr<Modes>> all;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    std::mt19937 random(seed);
    const dnn::Graph graph = small_network(random);
    mapping::Machine machine = small_random_machine(random);
    machine.replication = replication;
    machine.adc = {};
    machine.adc.converters = machine.crossbar.crossbars;
    machine.adc.queue = machine.bus.queue = 64;
    machine.bus.latency_s = 0;
    machine.bus.bytes_per_s = 1e15;
    machine.edram.line_s = 1e-12;
    machine.router = {};
    machine.function = {};
    all.push_back(std::make_unique<Modes>("seed_" + std::to_string(seed), graph, machine));
  }
  unsigned seed = 0;
  for (const auto& modes : all) {
    INFO("seed " << ++seed);
    modes->run(6);
    // Replicas: a loosely timed row waits for all of them, an approximately timed one for the first that is free, so
    // it gains up to a window where windows are not a multiple of the replicas.
    CHECK(modes->approximated.latency_s < 1.01 * modes->loosely.latency_s);
    CHECK(modes->approximated.interval_s < 1.01 * modes->loosely.interval_s);
    if (replication != mapping::Replication::kNone) continue;
    CHECK(modes->approximated.latency_s > 0.99 * modes->loosely.latency_s);
    CHECK(modes->approximated.interval_s > 0.99 * modes->loosely.interval_s);
  }
}

TEST_CASE("without contention and replicas random networks take as long in both modes within 1 %") {
  check_agreement(mapping::Replication::kNone, 60);
}
TEST_CASE("with replicas rows that are approximately timed are no later than loosely timed ones") {
  check_agreement(mapping::Replication::kBalanced, 60);
}

TEST_CASE("five windows on two replicas take two and a half turns a row, three where rows wait for all replicas") {
  // A second layer with a quarter of the windows makes the first worth two replicas. Rows of 5 windows, 8 slices of 100
  // ns each, two replicas: 3 and 2 windows in turn. Loosely timed, a row begins when both replicas are free: 3 x 800.
  // Approximately timed, as soon as one is: 20 rows of 5 windows are 50 on each.
  dnn::GraphBuilder net("rows");
  net.output(
      net.convolution(net.convolution(net.input({20, 5, 8}), 2, dnn::square_window(1)), 2, dnn::square_window(1, 2)));
  mapping::Machine machine = small_machine();
  machine.tiles_per_chip = 1;
  machine.crossbar_tiles_per_tile = 1;
  machine.crossbar.crossbars = machine.adc.converters = 3;
  machine.replication = mapping::Replication::kBalanced;
  Modes modes("rows", net.build(), machine);
  REQUIRE(modes.loose->compiled.layers[0].replicas == 2);
  modes.run(3);
  CHECK(modes.loosely.interval_s * 1e9 == Approx(20 * 3 * 800).epsilon(0.01));
  CHECK(modes.approximated.interval_s * 1e9 == Approx(50 * 800).epsilon(0.01));
}

TEST_CASE("crossbars that share converters give the interval worked by hand") {
  // A 1x1 convolution of 32 codes on 8 filters, 4 crossbars of 8 columns (2 filters each, one region of 4 crossbars):
  // at 80 MS/s a crossbar's 8 columns take 100 ns. c crossbars behind one converter: 100 c ns a slice, 8 slices a
  // window, 6 windows a row of 4.
  std::vector<std::unique_ptr<Modes>> all;
  const int counts[] = {4, 2, 1};
  for (const int converters : counts) {
    dnn::GraphBuilder net("shared");
    net.output(net.convolution(net.input({4, 6, 32}), 8, dnn::square_window(1)));
    mapping::Machine machine = small_machine();
    machine.crossbar.columns = 8;
    machine.crossbar.crossbars = 4;
    machine.adc.converters = converters;
    machine.adc.rate_hz = 80e6;
    machine.replication = mapping::Replication::kNone;
    all.push_back(std::make_unique<Modes>("shared_" + std::to_string(converters), net.build(), machine));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(counts[i] << " converters");
    all[i]->run(4);
    const double interval_ns = 24.0 * 8 * 100 * (4.0 / counts[i]);
    CHECK(all[i]->approximated.interval_s * 1e9 == Approx(interval_ns).epsilon(0.01));
    CHECK(all[i]->loosely.interval_s * 1e9 == Approx(interval_ns).epsilon(0.01));
  }
}

}  // namespace
}  // namespace mho::testbenches
