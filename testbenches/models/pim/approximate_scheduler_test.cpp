// SPDX-License-Identifier: Apache-2.0
// What the scheduler keeps to when it sends single windows: registers, psum registers and the rows that are still to be
// read; and that processes which have nothing to do with it change nothing, in either mode.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "models/dnn/synthetic/graph_builder.h"
#include "testbenches/models/pim/approximate_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Kind;
using sc_core::SC_NS;
using sc_core::sc_time;

/// Runs every `period`, a few delta cycles in a row, and does nothing.
struct Metronome : sc_core::sc_module {
  Metronome(sc_core::sc_module_name module_name, const sc_time& its_period, int its_deltas)
      : sc_module(module_name), period(its_period), deltas(its_deltas) {
    SC_HAS_PROCESS(Metronome);
    SC_METHOD(tick);
    sensitive << started;
    dont_initialize();
  }
  void run_until(const sc_time& time) {
    end = time;
    started.notify(sc_core::SC_ZERO_TIME);
  }
  void tick() {
    if (sc_core::sc_time_stamp() >= end) return;
    ++ticks;
    next_trigger(ticks % (deltas + 1) == 0 ? period : sc_core::SC_ZERO_TIME);
  }
  const sc_time period;
  const int deltas;
  sc_time end;
  sc_core::sc_event started;
  int ticks = 0;
};

/// Several tiles for a layer, replicas, shared converters.
mapping::Machine busy_machine() {
  mapping::Machine machine = small_machine();
  machine.tiles_per_chip = 32;
  machine.adc.converters = 1;
  machine.adc.queue = machine.bus.queue = 2;
  machine.replication = mapping::Replication::kBalanced;
  return machine;
}

/// All times are multiples of 20 ns, and so is the memory: much happens at one moment.
mapping::Machine aligned_machine() {
  mapping::Machine machine = busy_machine();
  machine.adc = {};
  machine.adc.converters = machine.crossbar.crossbars;
  machine.edram.line_s = machine.bus.latency_s = 20e-9;
  machine.bus.bytes_per_s = machine.router.bytes_per_s = 1e15;
  return machine;
}

dnn::Graph branched() {
  dnn::GraphBuilder net("branched", 5);
  const int first = net.convolution(net.input({8, 7, 5}), 9, dnn::square_window(3, 1, 1));
  const int second = net.convolution(first, 9, dnn::square_window(3, 1, 1));
  const int pooled = net.max_pool(net.add(second, first, true), dnn::square_window(3, 2, 1));
  net.output(net.convolution(pooled, 4, dnn::square_window(1)));
  return net.build();
}

/// At the next microsecond: an edge of all the tiles' clocks, and a tick of all metronomes.
void wait_for_edge() {
  const sc_time edge(1, sc_core::SC_US);
  sc_core::sc_start(edge - sc_time::from_value(sc_core::sc_time_stamp().value() % edge.value()));
}

TEST_CASE("processes that have nothing to do with the accelerator change neither values nor times") {
  struct Pair {
    std::unique_ptr<Device<>> alone, beside;
  };
  std::vector<std::unique_ptr<Metronome>> metronomes;
  const auto add_metronomes = [&](const std::string& name) {
    const double periods_ns[] = {7, 12.5, 100, 1000};
    for (int i = 0; i < 4; ++i)
      metronomes.push_back(
          std::make_unique<Metronome>((name + std::to_string(i)).c_str(), sc_time(periods_ns[i], SC_NS), i));
  };
  add_metronomes("before_");
  std::vector<Pair> pairs;
  const auto add = [&](const std::string& name, const dnn::Graph& graph, const mapping::Machine& machine) {
    for (const bool enabled : {false, true}) {
      pim::ApproximateTiming timing = approximately();
      timing.enabled = enabled;
      const std::string full = name + (enabled ? "_windows" : "_batches");
      pairs.push_back({device_of(full, graph, machine, timing), device_of(full + "_beside", graph, machine, timing)});
    }
  };
  add("branched", branched(), busy_machine());
  add("two_layers", two_layers(), busy_machine());
  for (int i = 1; i <= 5; ++i) add("aligned_" + std::to_string(i), branched(), aligned_machine());
  for (unsigned seed = 500; seed < 508; ++seed) {
    std::mt19937 random(seed);
    const dnn::Graph graph = small_network(random);
    add("seed_" + std::to_string(seed), graph, small_random_machine(random));
  }
  add_metronomes("after_");
  const mapping::LayerPlan& layer = pairs[0].alone->compiled.layers[0];
  REQUIRE(layer.replicas > 2);
  REQUIRE(std::set<int>(layer.home_tiles.begin(), layer.home_tiles.end()).size() > 1);
  int number = 0;
  for (const Pair& pair : pairs) {
    const sc_time latency(20 * (++number / 2 % 5 + 1), SC_NS);
    INFO(pair.alone->accelerator.name());
    const std::vector<Tensors> inputs = random_inputs(pair.alone->graph, 1, 3);
    for (auto* const device : {pair.alone.get(), pair.beside.get()}) {
      device->memory.latency = latency;
      device->program();
    }
    wait_for_edge();
    const JobResult alone = run_job(*pair.alone, inputs);
    wait_for_edge();
    const sc_time end = sc_core::sc_time_stamp() + sc_time(alone.last_s, sc_core::SC_SEC) + sc_time(2, sc_core::SC_US);
    for (const auto& each : metronomes) each->run_until(end);
    const JobResult beside = run_job(*pair.beside, inputs);
    CHECK(beside.outputs == alone.outputs);
    CHECK(beside.latency_s == alone.latency_s);
    CHECK(beside.last_s == alone.last_s);
    CHECK(beside == alone);
    CHECK(pair.alone->accelerator.core().scheduler().completions() ==
          pair.beside->accelerator.core().scheduler().completions());
  }
  for (const auto& each : metronomes) CHECK(each->ticks > 100);
}

TEST_CASE("a vector is not read before the register it goes to is free, though windows may start") {
  mapping::Machine machine = small_machine();
  machine.replication = mapping::Replication::kNone;
  Records records;
  const auto device = device_of("pim", two_layers(), machine, approximately(), &records);
  device->program();
  records.all.clear();
  run_job(*device, random_inputs(device->graph, 1, 2));
  for (int node = 0; node < 2; ++node) {
    const auto of = [&](Kind kind) {
      std::vector<observe::Occupation> found = records.of(kind);
      found.erase(std::remove_if(found.begin(), found.end(), [&](const auto& each) { return each.node != node; }),
                  found.end());
      return found;
    };
    // One placement, 8 slices a vector; reads of windows alone have their node and are followed by a transfer.
    const auto slices = of(Kind::kArray), transfers = of(Kind::kTransfer);
    REQUIRE(transfers.size() == 72);
    REQUIRE(slices.size() == 8 * 72);
    for (std::size_t i = 0; i + 1 < transfers.size(); ++i) {
      INFO("node " << node << ", vector " << i);
      // The register is free when the last slice is driven.
      CHECK(transfers[i + 1].begin >= slices[8 * i + 7].begin);
    }
  }
}

TEST_CASE("as many windows of a replica are open as there are psum registers") {
  std::vector<std::unique_ptr<Device<>>> devices;
  for (int registers = 1; registers <= 5; ++registers) {
    dnn::GraphBuilder net("one", 2);
    net.output(net.convolution(net.input({4, 6, 5}), 4, dnn::square_window(1)));
    mapping::Machine machine = small_machine();
    machine.replication = mapping::Replication::kNone;
    machine.adc.rate_hz = 1e6;  // a slice takes 16 us, a window waits for those before it
    pim::ApproximateTiming timing = approximately();
    timing.psum_registers = registers;
    devices.push_back(device_of("pim_" + std::to_string(registers), net.build(), machine, timing));
  }
  for (int registers = 1; registers <= 5; ++registers) {
    INFO(registers << " registers");
    Device<>& device = *devices[std::size_t(registers) - 1];
    device.program();
    run_job(device, random_inputs(device.graph, 1, 2));
    const int home = device.compiled.layers[0].home_tiles[0];
    CHECK(statistic(device, "tile_" + std::to_string(home) + ".function", "most_open_windows") == double(registers));
  }
}

/// Rows of one window, 16 codes in two row blocks; the ring of the input holds two rows, that of the output more, so
/// that rows may be ahead of one that is late.
dnn::Graph narrow() {
  dnn::GraphBuilder net("narrow", 4);
  const int wide = net.convolution(net.input({23, 1, 16}), 64, dnn::square_window(1));
  net.output(net.convolution(net.max_pool(wide, dnn::square_window(5, 2, 2)), 4, dnn::square_window(1, 2)));
  return net.build();
}

/// Three crossbars a tile: the first replica lies in the first tile, of the second one only one crossbar.
mapping::Machine narrow_machine() {
  mapping::Machine machine = small_machine();
  machine.crossbar_tiles_per_tile = 1;
  machine.tiles_per_chip = 5;
  machine.crossbar.rows = 8;
  machine.crossbar.columns = 256;
  return machine;
}

TEST_CASE("a row that is read before an earlier one, on another replica, does not give up the earlier one's input") {
  mapping::Machine machine = narrow_machine();
  machine.replication = mapping::Replication::kBalanced;
  // A slice of 256 columns takes 4 us. The first replica has both its crossbars before the second one's at the
  // converter of their tile, and windows that follow each other: the second's wait until the rings are full.
  machine.adc.converters = 1;
  machine.adc.rate_hz = 64e6;
  machine.adc.queue = 64;
  machine.adc.arbitration = mapping::Arbitration::kFixedPriority;
  pim::ApproximateTiming timing = approximately();
  timing.psum_registers = 1;
  Records records;
  const auto device = device_of("pim", narrow(), machine, timing, &records);
  REQUIRE(device->compiled.layers[0].replicas == 2);
  device->program();
  records.all.clear();
  const std::vector<Tensors> inputs = random_inputs(device->graph, 1, 2);
  CHECK(run_job(*device, inputs).outputs == reference_outputs(device->graph, inputs));
  // Rows of the first layer in the order in which they began, and when each was read.
  std::vector<observe::Occupation> rows = records.of(Kind::kCommand);
  rows.erase(std::remove_if(rows.begin(), rows.end(), [](const auto& each) { return each.node != 0; }), rows.end());
  std::sort(rows.begin(), rows.end(), [](const auto& one, const auto& other) { return one.id < other.id; });
  REQUIRE(rows.size() == 2 * 23);
  int overtaken = 0;
  sc_time last;
  for (const observe::Occupation& row : rows) {
    sc_time read;
    for (const observe::Occupation& each : records.of(Kind::kTransfer))
      if (each.parent == row.id) read = std::max(read, each.begin);
    REQUIRE(read > sc_core::SC_ZERO_TIME);
    overtaken += read < last;
    last = std::max(last, read);
  }
  CHECK(overtaken > 0);  // else this test shows nothing
}

TEST_CASE("a row keeps its input until both row blocks have been read") {
  mapping::Machine machine = narrow_machine();
  machine.replication = mapping::Replication::kNone;
  machine.edram.line_s = 200e-9;
  const auto device = device_of("pim", narrow(), machine, approximately());
  REQUIRE(device->compiled.layers[0].placements.size() == 2);
  device->program();
  const std::vector<Tensors> inputs = random_inputs(device->graph, 1, 2);
  CHECK(run_job(*device, inputs).outputs == reference_outputs(device->graph, inputs));
}

}  // namespace
}  // namespace mho::testbenches
