// SPDX-License-Identifier: Apache-2.0
// Driver, records and small networks of the timing tests.
#include "testbenches/models/pim/timing_bench.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "models/mapping/program_image.h"
#include "models/tlm/duration.h"

namespace mho::testbenches {
namespace {

constexpr std::uint64_t kDescriptorAt = 0x40, kImageAt = 0x1000, kInputsAt = 0x1000000, kOutputsAt = 0x2000000;
constexpr std::uint64_t kMemoryBytes = 0x4000000;

tlm_kit::MemoryConfig memory_config(const TimedMemory& memory) {
  tlm_kit::MemoryConfig config;
  config.size_bytes = kMemoryBytes;
  config.read_latency = config.write_latency = tlm_kit::duration(memory.latency_s);
  config.bandwidth_bytes_per_s = memory.bytes_per_s;
  return config;
}

pim::AcceleratorConfig accelerator_config(const mapping::Program& program, const mapping::Machine& machine) {
  pim::AcceleratorConfig config;
  config.machine = machine;
  config.chips = program.chips;
  const auto build = [&](int tile, int crossbar_tile) {
    const int built = tile * machine.crossbar_tiles_per_tile + crossbar_tile + 1;
    config.crossbar_tiles_built = std::max(config.crossbar_tiles_built, built);
  };
  for (const mapping::LayerPlan& layer : program.layers)
    for (const mapping::Placement& placement : layer.placements) build(placement.tile, placement.crossbar_tile);
  for (const mapping::FunctionPlan& function : program.functions) build(function.tile, 0);
  return config;
}

}  // namespace

TimedMachine::TimedMachine(const std::string& name, const dnn::Graph& graph, const mapping::Machine& machine,
                           const TimedMemory& memory)
    : graph_(graph),
      program_(mapping::compile(graph, machine)),
      image_(mapping::encode_image(program_)),
      prefix_(name + ".core."),
      memory_((name + "_memory").c_str(), memory_config(memory)),
      accelerator_(name.c_str(), accelerator_config(program_, machine), this),
      driver_((name + "_driver").c_str()),
      irq_((name + "_irq").c_str()) {
  driver_.socket.bind(accelerator_.registers);
  accelerator_.memory.bind(memory_.socket);
  accelerator_.irq.bind(irq_);
}

void TimedMachine::record(const observe::Occupation& occupation) {
  Occupied entry;
  entry.module = std::string(occupation.module).substr(prefix_.size());
  entry.operation = occupation.operation;
  entry.items = occupation.items;
  entry.node = occupation.node;
  entry.begin_ns = ns(occupation.begin);
  entry.end_ns = ns(occupation.end);
  entry.interval_ns = ns(occupation.interval);
  records_.push_back(std::move(entry));
}

void TimedMachine::write(const char* name, std::uint64_t value) {
  for (const tlm_kit::RegisterDescription& entry : pim::accelerator_registers())
    if (entry.name == name)
      REQUIRE(driver_.send(tlm::TLM_WRITE_COMMAND, entry.offset, &value, entry.width_bytes()).response ==
              tlm::TLM_OK_RESPONSE);
}

void TimedMachine::ring(const pim::Descriptor& descriptor) {
  auto bytes = pim::to_bytes(descriptor);
  std::copy(bytes.begin(), bytes.end(), memory_.array().contents().data() + kDescriptorAt);
  write("WINDOW0_SIZE", kMemoryBytes);
  write("DESCRIPTOR", kDescriptorAt);
  write("DOORBELL", 1);
}

void TimedMachine::start_program() {
  REQUIRE(kImageAt + image_.size() <= kInputsAt);
  std::copy(image_.begin(), image_.end(), memory_.array().contents().data() + kImageAt);
  pim::Descriptor descriptor;
  descriptor.opcode = std::uint32_t(pim::Descriptor::Opcode::kProgram);
  descriptor.source = kImageAt;
  descriptor.source_bytes = image_.size();
  ring(descriptor);
}

void TimedMachine::start_run(std::uint64_t inferences) {
  std::uint64_t inputs = 0, outputs = 0;
  for (const int tensor : graph_.inputs) inputs += inferences * graph_.tensors[std::size_t(tensor)].shape.bytes();
  for (const int tensor : graph_.outputs) outputs += inferences * graph_.tensors[std::size_t(tensor)].shape.bytes();
  REQUIRE(inputs <= kOutputsAt - kInputsAt);
  REQUIRE(outputs <= kMemoryBytes - kOutputsAt);
  std::mt19937 random(1);
  for (std::uint64_t i = 0; i < inputs; ++i) memory_.array().contents().data()[kInputsAt + i] = std::uint8_t(random());
  pim::Descriptor descriptor;
  descriptor.opcode = std::uint32_t(pim::Descriptor::Opcode::kRun);
  descriptor.source = kInputsAt;
  descriptor.source_bytes = inputs;
  descriptor.destination = kOutputsAt;
  descriptor.destination_bytes = outputs;
  descriptor.inferences = inferences;
  ring(descriptor);
}

void TimedMachine::run_all(const std::vector<TimedMachine*>& machines, std::uint64_t inferences) {
  for (TimedMachine* machine : machines) machine->start_program();
  sc_core::sc_start();
  // The tiles' clocks have an edge when the job begins.
  const sc_core::sc_time edge = sc_core::sc_time(1, sc_core::SC_MS);
  const auto periods = std::uint64_t(sc_core::sc_time_stamp() / edge) + 1;
  sc_core::sc_start(pim::times(edge, periods) - sc_core::sc_time_stamp());
  for (TimedMachine* machine : machines) {
    machine->records_.clear();
    machine->begin_ = sc_core::sc_time_stamp();
    machine->start_run(inferences);
  }
  sc_core::sc_start();
  for (TimedMachine* machine : machines) {
    REQUIRE(machine->irq_.read() == false);  // interrupts are not enabled
    REQUIRE(machine->core().bank()["ERROR"].value() == 0);
    REQUIRE(machine->core().scheduler().completions().size() == inferences);
    for (Occupied& entry : machine->records_) {
      entry.begin_ns -= ns(machine->begin_);
      entry.end_ns -= ns(machine->begin_);
    }
  }
}

std::vector<double> TimedMachine::completions_ns() {
  std::vector<double> times;
  for (const sc_core::sc_time& time : core().scheduler().completions()) times.push_back(ns(time));
  return times;
}

double TimedMachine::steady_ns() {
  const std::vector<double> times = completions_ns();
  const std::size_t first = times.size() / 4, last = times.size() - 1 - times.size() / 4;
  REQUIRE(last > first);
  return (times[last] - times[first]) / double(last - first);
}

std::vector<Occupied> TimedMachine::records(const std::string& module, int node) const {
  std::vector<Occupied> found;
  for (const Occupied& entry : records_)
    if (entry.module == module && (node == -2 || entry.node == node)) found.push_back(entry);
  std::stable_sort(found.begin(), found.end(),
                   [](const Occupied& a, const Occupied& b) { return a.begin_ns < b.begin_ns; });
  return found;
}

mapping::Machine isaac_16b(int tiles) {
  mapping::Machine machine;
  machine.chips = 1;
  machine.tiles_per_chip = tiles;
  machine.replication = mapping::Replication::kNone;
  return machine;
}

mapping::Machine isaac_8b(int tiles) {
  mapping::Machine machine = isaac_16b(tiles);
  machine.data_bits = 8;
  machine.weight_slicing = {2, 2, 2, 2};
  return machine;
}

dnn::Graph one_layer(int height, int width, int channels, int filters) {
  dnn::GraphBuilder net("one_layer");
  const int hidden = net.convolution(net.input({height, width, channels}), filters, dnn::square_window(1));
  net.output(net.requantise(hidden, dnn::CodeType::kInt8));
  return net.build();
}

}  // namespace mho::testbenches
