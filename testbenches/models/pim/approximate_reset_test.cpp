// SPDX-License-Identifier: Apache-2.0
// Resets, faults and altered cells in the middle of approximately timed runs: what is under way ends, the next job is
// right and counts as if nothing had been before it.
#include <catch2/catch.hpp>

#include "models/dnn/synthetic/graph_builder.h"
#include "testbenches/models/pim/approximate_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using pim::AcceleratorError;
using sc_core::SC_NS;
using sc_core::sc_time;

void open_window(Device<>& device) {
  device.write("WINDOW0_BASE", DeviceOptions().base);
  device.write("WINDOW0_SIZE", DeviceOptions().memory_bytes);
}

void check_counts(const std::vector<observe::Counts>& is, const std::vector<observe::Counts>& wanted) {
  REQUIRE(is.size() == wanted.size());
  for (std::size_t row = 0; row < is.size(); ++row) CHECK(is[row].values == wanted[row].values);
}

/// Row blocks of one window in several tiles, a slow router between them: psums are forwarded.
dnn::Graph spread() {
  dnn::GraphBuilder net("spread", 3);
  const int hidden = net.convolution(net.input({4, 4, 40}), 9, dnn::square_window(3, 1, 1));
  net.output(net.convolution(hidden, 4, dnn::square_window(1)));
  return net.build();
}

mapping::Machine spread_machine() {
  mapping::Machine machine = small_machine();
  machine.tiles_per_chip = 32;
  machine.router.bytes_per_s = 20e6;
  machine.adc.converters = 1;
  machine.adc.queue = machine.bus.queue = 1;
  return machine;
}

/// Resets a run at steps of `step_ns`; the next one is started at once, or when nothing happens any more.
void check_resets(const dnn::Graph& graph, const mapping::Machine& machine, double step_ns, bool at_once) {
  const auto device = device_of("pim", graph, machine, approximately());
  device->memory.latency = sc_time(333, SC_NS);
  device->program();
  const std::vector<Tensors> first = random_inputs(graph, 1, 3), next = random_inputs(graph, 2, 2);
  const std::vector<Tensors> expected = reference_outputs(graph, next);
  const JobResult undisturbed = run_job(*device, next);
  bool ended = false;
  int step = 0;
  for (; !ended; ++step) {
    INFO("step " << step);
    REQUIRE(step < 400);
    device->ring(device->run_job(first));
    sc_core::sc_start(sc_time(step_ns * step, SC_NS));
    ended = (device->read("STATUS") & pim::kStatusBusy) == 0;
    device->write("CTRL", pim::kControlReset);
    CHECK(device->read("CONVERSIONS") == 0);
    if (!at_once) {
      device->settle();
      check_nothing_under_way(*device);
      CHECK(device->read("CONVERSIONS") == 0);
    }
    open_window(*device);
    const JobResult result = run_job(*device, next);
    CHECK(result.outputs == expected);
    check_counts(result.counts, undisturbed.counts);
  }
  CHECK(step > 20);
}

TEST_CASE("a run that is reset at any time ends, and the next one that is started at once is right") {
  check_resets(two_layers(), small_machine(), 557, true);
}
TEST_CASE("a run over several tiles that is reset at any time leaves no psums behind") {
  check_resets(spread(), spread_machine(), 5557, false);
}

TEST_CASE("a reset while a reset job still comes to its end is as good as one") {
  const auto device = device_of("pim", two_layers(), small_machine(), approximately());
  device->program();
  const std::vector<Tensors> inputs = random_inputs(device->graph, 1, 2);
  for (int i = 0; i < 40; ++i) {
    open_window(*device);
    device->ring(device->run_job(inputs));
    sc_core::sc_start(sc_time(3000, SC_NS));
    for (int again = 0; again < 3; ++again) {
      device->write("CTRL", pim::kControlReset);
      open_window(*device);
      device->ring(device->run_job(inputs));
      sc_core::sc_start(sc_time(97.0 * i, SC_NS));
    }
    CHECK((device->finish() == AcceleratorError::kNone));
    CHECK(device->outputs(2) == reference_outputs(device->graph, inputs));
    check_nothing_under_way(*device);
  }
}

TEST_CASE("a DMA fault in the middle of a run ends it, and the next one is right") {
  for (const int part : {0}) {
    const auto device = device_of("pim_" + std::to_string(part), part == 0 ? two_layers() : spread(),
                                  part == 0 ? small_machine() : spread_machine(), approximately());
    device->memory.latency = sc_time(100, SC_NS);
    device->program();
    const std::vector<Tensors> inputs = random_inputs(device->graph, 1, 3);
    const pim::Descriptor job = device->run_job(inputs);
    const JobResult undisturbed = run_job(*device, inputs);
    for (std::uint64_t at = 0; at < job.source_bytes + job.destination_bytes; at += 211) {
      const bool reading = at < job.source_bytes;
      device->memory.refuse_at = reading ? job.source + at : job.destination + (at - job.source_bytes);
      CHECK((device->run(job) == AcceleratorError::kDmaFault));
      check_nothing_under_way(*device);
      device->memory.refuse_at = ~std::uint64_t{0};
      const JobResult result = run_job(*device, inputs);
      CHECK(result.outputs == undisturbed.outputs);
      check_counts(result.counts, undisturbed.counts);
    }
  }
}

/// The levels of the first placement; all of them stay as they are, but every write makes new arrays.
void rewrite(Device<>& device, const mapping::Placement& placement, std::vector<std::uint8_t>& held) {
  const int rows = 3, columns = 4;
  if (held.empty())
    for (int i = 0; i < rows * columns; ++i) held.push_back(device.level(placement, i / columns, i % columns));
  for (int i = 0; i < rows * columns; ++i)
    device.set_level(placement, i / columns, i % columns, std::uint8_t(3 - held[std::size_t(i)]));
  for (int i = 0; i < rows * columns; ++i) device.set_level(placement, i / columns, i % columns, held[std::size_t(i)]);
}

TEST_CASE("cells that are altered and put back between slices change nothing") {
  mapping::Machine machine = small_machine();
  machine.adc.converters = 1;  // slices stay long at the converter
  machine.adc.rate_hz = 50e6;
  const auto device = device_of("pim", two_layers(), machine, approximately());
  device->program();
  const std::vector<Tensors> inputs = random_inputs(device->graph, 1, 2);
  const mapping::Placement& placement = device->compiled.layers[0].placements[0];
  std::vector<std::uint8_t> held;
  device->ring(device->run_job(inputs));
  while ((device->read("STATUS") & pim::kStatusBusy) != 0) {
    rewrite(*device, placement, held);
    sc_core::sc_start(sc_time(73, SC_NS));
  }
  CHECK((device->finish() == AcceleratorError::kNone));
  CHECK(device->outputs(2) == reference_outputs(device->graph, inputs));
}

TEST_CASE("a run whose cells the converters can no longer tell apart ends with an error in both modes") {
  // 27 rows: columns sum to 40 or less as they are stored; all levels at 3 give 81, more than 6 bits.
  mapping::Machine machine = small_machine();
  machine.adc.bits = 6;
  machine.fidelity = mapping::Fidelity::kExact;
  std::vector<std::unique_ptr<Device<>>> devices;
  devices.push_back(device_of("loose", two_layers(), machine, {}));
  devices.push_back(device_of("approximate", two_layers(), machine, approximately()));
  for (const auto& device : devices) {
    device->program();
    const std::vector<Tensors> inputs = random_inputs(device->graph, 1, 2);
    const mapping::Placement& placement = device->compiled.layers[0].placements[0];
    std::vector<std::uint8_t> held;
    for (int row = 0; row < 27; ++row) {
      held.push_back(device->level(placement, row, 0));
      device->set_level(placement, row, 0, 3);
    }
    CHECK((device->run(device->run_job(inputs)) == AcceleratorError::kInternal));
    check_nothing_under_way(*device);
    for (int row = 0; row < 27; ++row) device->set_level(placement, row, 0, held[std::size_t(row)]);
    CHECK(run_job(*device, inputs).outputs == reference_outputs(device->graph, inputs));
  }
}

/// Takes the crossbars of a placement away from it, as a writer does that programs something else.
void displace(Device<>& device, const mapping::Placement& placement) {
  pim::RegionSetup other;
  other.first_crossbar = placement.first_crossbar;
  other.rows = 1;
  other.filters = 1;
  other.cell_bits = 2;
  other.columns_per_crossbar = 16;
  other.recombination.columns_per_filter = 1;
  other.recombination.coefficient = {1};
  other.recombination.unit_coefficient = {0};
  tlm::tlm_generic_payload payload;
  payload.set_extension(&other);
  sc_core::sc_time delay;
  const auto& tile = device.accelerator.core().tiles()[std::size_t(placement.tile)];
  tile->groups[std::size_t(placement.crossbar_tile)]->writer.setup->b_transport(payload, delay);
  CHECK(payload.is_response_ok());
  payload.clear_extension(&other);
}

TEST_CASE("a run whose region is programmed with something else meanwhile ends with an error, the next one is right") {
  const auto device = device_of("pim", spread(), spread_machine(), approximately());
  device->program();
  const std::vector<Tensors> inputs = random_inputs(device->graph, 1, 2);
  const auto& placements = device->compiled.layers[0].placements;
  for (std::size_t i = 0; i < 24; ++i) {
    INFO("step " << i);
    device->ring(device->run_job(inputs));
    sc_core::sc_start(sc_time(1501.0 + 213.0 * double(i), SC_NS));
    displace(*device, placements[i * 5 % placements.size()]);
    CHECK((device->finish() == AcceleratorError::kInternal));
    check_nothing_under_way(*device);
    device->program();
    CHECK(run_job(*device, inputs).outputs == reference_outputs(device->graph, inputs));
  }
}

TEST_CASE("a simulation may end while slices are under way") {
  const auto device = device_of("pim", spread(), spread_machine(), approximately());
  device->program();
  device->ring(device->run_job(random_inputs(device->graph, 1, 2)));
  sc_core::sc_start(sc_time(4321, SC_NS));
  // What a thread of SystemC holds while it waits is never given back, so the DMA should not be in a transfer.
  while (device->accelerator.core().dma().busy()) sc_core::sc_start(sc_time(1, SC_NS));
  CHECK(statistic(*device, "tile_0.group_0.crossbars", "busy") > 0.0);
  CHECK((device->read("STATUS") & pim::kStatusBusy) != 0);
  sc_core::sc_stop();
}

TEST_CASE("a machine without psum registers is refused") {
  pim::ApproximateTiming timing = approximately();
  timing.psum_registers = 0;
  CHECK_THROWS_AS(device_of("pim", two_layers(), small_machine(), timing), std::invalid_argument);
}

}  // namespace
}  // namespace mho::testbenches
