// SPDX-License-Identifier: Apache-2.0
// Every error code of the accelerator, from descriptors, windows, images and memories that are wrong by one byte or by
// 2^60; after each of them the accelerator has stopped and the next job is right.
#include <catch2/catch.hpp>
#include <functional>
#include <random>

#include "models/mapping/program_image.h"
#include "testbenches/models/pim/device_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using pim::AcceleratorError;
using pim::Descriptor;

/// A programmed device with a job that works.
struct Bench {
  explicit Bench(const DeviceOptions& options = {}) : device("pim", two_layers(), small_machine(), options) {
    device.program();
    inputs = random_inputs(device.graph, 1, 2);
    expected = reference_outputs(device.graph, inputs);
    job = device.run_job(inputs);
  }
  /// The job fails so, nothing happens afterwards, and the good job works.
  void fails(const Descriptor& descriptor, AcceleratorError expected_error) {
    CHECK(device.run(descriptor) == expected_error);
    CHECK((device.read("IRQ_STATUS") & pim::kIrqError) != 0);
    device.write("IRQ_STATUS", 3);
  }
  void works() {
    job = device.run_job(inputs);
    CHECK(device.run(job) == AcceleratorError::kNone);
    CHECK(device.outputs(2) == expected);
  }
  Device<> device;
  std::vector<Tensors> inputs, expected;
  Descriptor job;
};

TEST_CASE("descriptors that say nothing sensible are refused, the rest of the device stays as it is") {
  Bench bench;
  const auto refused = [&](const std::function<void(Descriptor&)>& spoil) {
    Descriptor descriptor = bench.job;
    spoil(descriptor);
    const std::uint64_t read = bench.device.memory.bytes_read;
    bench.fails(descriptor, AcceleratorError::kDescriptor);
    CHECK(bench.device.memory.bytes_read == read + 64);
    CHECK(bench.device.memory.bytes_written == 0);
  };
  for (const std::uint32_t opcode : {0u, 3u, 0x100u, 0x10001u, ~0u}) refused([&](Descriptor& d) { d.opcode = opcode; });
  refused([](Descriptor& d) { d.reserved0 = 1; });
  refused([](Descriptor& d) { d.reserved1 = 1ull << 63; });
  refused([](Descriptor& d) { d.reserved2 = 1; });
  refused([](Descriptor& d) { d.inferences = 0; });
  refused([](Descriptor& d) { d.inferences = 3; });
  refused([](Descriptor& d) { d.inferences = 1ull << 60; });
  refused([](Descriptor& d) { d.inferences = ~0ull; });
  refused([](Descriptor& d) { d.source_bytes -= 1; });
  refused([](Descriptor& d) { d.destination_bytes -= 1; });
  refused([](Descriptor& d) { d.source_bytes = 0; });
  refused([](Descriptor& d) {  // 2^64 / 108 inferences would wrap around to a small number of bytes
    d.inferences = 170808089571754739ull;
    d.destination_bytes = ~0ull;
  });
  bench.works();
}

TEST_CASE("a run without a program is refused") {
  Device<> device("pim", two_layers(), small_machine());
  device.program_job();
  CHECK(device.run(device.run_job(random_inputs(device.graph, 1, 1))) == AcceleratorError::kNotProgrammed);
  CHECK(device.read("STATUS") == pim::kStatusError);
}

/// Windows that hold descriptor, inputs and outputs and nothing else.
void open_tightly(Bench& bench) {
  bench.device.write("WINDOW0_BASE", DeviceOptions().base + 0x40);
  bench.device.write("WINDOW0_SIZE", 64);
  bench.device.write("WINDOW1_BASE", bench.job.source);
  bench.device.write("WINDOW1_SIZE", bench.job.source_bytes);
  bench.device.write("WINDOW3_BASE", bench.job.destination);
  bench.device.write("WINDOW3_SIZE", bench.job.destination_bytes);
}

TEST_CASE("a window that is one byte too small at either end stops the job there, one that fits does not") {
  // Input rows have 6 * 3 codes, output rows 6 * 4.
  Bench bench;
  open_tightly(bench);
  bench.works();
  const auto fails_at = [&](const char* base, const char* size, bool at_start, std::uint64_t address) {
    INFO(base << (at_start ? " starts late" : " ends early"));
    open_tightly(bench);
    if (at_start) bench.device.write(base, bench.device.read(base) + 1);
    bench.device.write(size, bench.device.read(size) - 1);
    bench.fails(bench.job, AcceleratorError::kDmaFault);
    CHECK(bench.device.read("ERROR_ADDRESS") == address);
  };
  const std::uint64_t descriptor = DeviceOptions().base + 0x40;
  for (const bool at_start : {true, false}) fails_at("WINDOW0_BASE", "WINDOW0_SIZE", at_start, descriptor);
  fails_at("WINDOW1_BASE", "WINDOW1_SIZE", true, bench.job.source);
  fails_at("WINDOW1_BASE", "WINDOW1_SIZE", false, bench.job.source + bench.job.source_bytes - 18);
  fails_at("WINDOW3_BASE", "WINDOW3_SIZE", true, bench.job.destination);
  fails_at("WINDOW3_BASE", "WINDOW3_SIZE", false, bench.job.destination + bench.job.destination_bytes - 24);
  for (const char* size : {"WINDOW0_SIZE", "WINDOW1_SIZE", "WINDOW3_SIZE"}) {
    open_tightly(bench);
    bench.device.write(size, 0);
    bench.fails(bench.job, AcceleratorError::kDmaFault);
  }
  open_tightly(bench);
  bench.works();
}

TEST_CASE("windows at the end of the address space neither wrap around nor overflow") {
  Bench bench;
  for (const std::uint64_t base : {~0ull, ~0ull - 63, 1ull << 63}) {
    bench.device.write("WINDOW0_BASE", base);
    bench.device.write("WINDOW0_SIZE", ~0ull);
    bench.fails(bench.job, AcceleratorError::kDmaFault);
  }
  bench.device.write("WINDOW0_BASE", 0);
  bench.works();  // 2^64 - 1 bytes from 0 hold everything
  Descriptor far_away = bench.job;
  far_away.source = ~0ull - 3;
  bench.fails(far_away, AcceleratorError::kDmaFault);
}

TEST_CASE("a memory that refuses an address stops the job with that address") {
  Bench bench;
  const auto fails_at = [&](std::uint64_t refused, std::uint64_t reported) {
    bench.device.memory.refuse_at = refused;
    bench.fails(bench.job, AcceleratorError::kDmaFault);
    CHECK(bench.device.read("ERROR_ADDRESS") == reported);
    bench.device.memory.refuse_at = ~0ull;
    bench.works();
  };
  const std::uint64_t descriptor = DeviceOptions().base + 0x40;
  fails_at(descriptor + 63, descriptor);
  fails_at(bench.job.source, bench.job.source);
  fails_at(bench.job.source + 18 + 17, bench.job.source + 18);
  fails_at(bench.job.destination + 24 * 5, bench.job.destination + 24 * 5);
  fails_at(bench.job.destination + 24 * 12 - 1, bench.job.destination + 24 * 11);
}

TEST_CASE("after a fault nothing is transferred any more") {
  Bench bench;
  bench.device.memory.refuse_at = bench.job.source + 18;  // the second row
  const std::uint64_t accesses = bench.device.memory.accesses;
  bench.fails(bench.job, AcceleratorError::kDmaFault);
  CHECK(bench.device.memory.accesses == accesses + 3);  // descriptor, first row, and the one that failed
}

TEST_CASE("images that are cut off, damaged or announce what is not there are refused") {
  Bench bench;
  Descriptor program = bench.device.program_job();
  const auto damaged = [&](std::size_t at, std::uint8_t change) {
    const std::vector<std::uint8_t> good = bench.device.image;
    bench.device.image[at] ^= change;
    program = bench.device.program_job();
    bench.fails(program, AcceleratorError::kImage);
    bench.device.image = good;
    program = bench.device.program_job();
  };
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{31}, std::uint64_t{32}, program.source_bytes - 1}) {
    Descriptor cut = program;
    cut.source_bytes = bytes;
    bench.fails(cut, AcceleratorError::kImage);
  }
  for (std::size_t i = 0; i < 32; ++i) damaged(i, 0x10);  // magic, version, length, checksum, reserved
  std::mt19937 random(3);
  for (int i = 0; i < 20; ++i) damaged(32 + random() % (program.source_bytes - 32), std::uint8_t(1u << random() % 8));
  bench.works();  // the old program stands
}

TEST_CASE("an image that lies partly outside the window, or that memory gives only in part, is a fault") {
  Bench bench;
  const Descriptor program = bench.device.program_job();
  const auto fails_at = [&](std::uint64_t address) {
    bench.fails(program, AcceleratorError::kDmaFault);
    CHECK(bench.device.read("ERROR_ADDRESS") == address);
  };
  bench.device.write("WINDOW0_SIZE", program.source - DeviceOptions().base + program.source_bytes - 1);
  fails_at(program.source + 32);
  bench.device.write("WINDOW0_SIZE", program.source - DeviceOptions().base + 31);
  fails_at(program.source);
  bench.device.program_job();
  bench.device.memory.refuse_at = program.source + program.source_bytes - 1;
  fails_at(program.source + 32);
  bench.device.memory.refuse_at = ~0ull;
  bench.works();  // the old program stands
}

TEST_CASE("an image that announces 2^56 bytes takes no memory for them, even with all addresses open") {
  Bench bench;
  bench.device.image[15] = 1;  // the highest byte of the length
  Descriptor program = bench.device.program_job();
  bench.device.write("WINDOW0_BASE", 0);
  bench.device.write("WINDOW0_SIZE", ~0ull);
  program.source_bytes = ~0ull;
  bench.fails(program, AcceleratorError::kMachine);
  bench.device.image[15] = 0;
  bench.device.image[11] = 3;  // 48 MiB more than the image, more than memory has
  program = bench.device.program_job();
  bench.device.write("WINDOW0_BASE", 0);
  bench.device.write("WINDOW0_SIZE", ~0ull);
  program.source_bytes = ~0ull;
  bench.fails(program, AcceleratorError::kDmaFault);
  bench.works();
}

/// Encodes `compiled` and programs it.
AcceleratorError program_with(Bench& bench, const mapping::Program& compiled) {
  bench.device.image = mapping::encode_image(compiled);
  return bench.device.run(bench.device.program_job());
}

TEST_CASE("images for another machine, or with buffers larger than anyone needs, are refused") {
  Bench bench;
  const mapping::Program good = bench.device.compiled;
  mapping::Machine other = small_machine();
  other.crossbar.rows = 16;
  CHECK(program_with(bench, mapping::compile(two_layers(), other)) == AcceleratorError::kMachine);
  other = small_machine();
  other.chips = 2;
  CHECK(program_with(bench, mapping::compile(two_layers(), other)) == AcceleratorError::kMachine);
  mapping::Program hostile = good;
  for (mapping::RowBuffer& buffer : hostile.buffers)
    if (buffer.consumer < 0) buffer.rows = INT32_MAX;  // 2^31 rows of the staging buffer
  CHECK(program_with(bench, hostile) == AcceleratorError::kMachine);
  hostile = good;
  mapping::Ring& last = hostile.rings.back();
  last.rows = 200;  // more than the tile has: lent by its neighbours
  last.spilled_to = last.tile == 0 ? 1 : last.tile - 1;
  last.offset = UINT32_MAX - 100000;  // 4 GiB away
  CHECK(program_with(bench, hostile) == AcceleratorError::kMachine);
  bench.works();
  CHECK(program_with(bench, good) == AcceleratorError::kNone);
  bench.works();
}

TEST_CASE("a program that needs more crossbar_tiles than are built is refused") {
  DeviceOptions options;
  options.crossbar_tiles_built = 1;
  Device<> device("pim", two_layers(), small_machine(), options);
  CHECK(device.run(device.program_job()) == AcceleratorError::kMachine);
}

TEST_CASE("a program for one chip is refused by an accelerator of two") {
  DeviceOptions options;
  options.chips = 2;
  Device<> device("pim", two_layers(), small_machine(), options);
  CHECK(device.run(device.program_job()) == AcceleratorError::kMachine);
}

TEST_CASE("as many crossbar_tiles as the program uses are enough") {
  DeviceOptions options;
  const mapping::Program compiled = mapping::compile(two_layers(), small_machine());
  options.crossbar_tiles_built = crossbar_tiles_used(compiled, small_machine());
  Device<> device("pim", two_layers(), small_machine(), options);
  device.program();
  const std::vector<Tensors> inputs = random_inputs(device.graph, 1, 1);
  CHECK(device.infer(inputs) == reference_outputs(device.graph, inputs));
}

TEST_CASE("a module that refuses its part ends the job, and leaves no psums for the next one") {
  // A debugger takes over the crossbars of the first layer's last placement; those before it have sent their psums.
  mapping::Machine machine = small_machine();
  machine.replication = mapping::Replication::kNone;
  machine.crossbar.rows = 16;  // 27 rows are two blocks
  Device<> device("pim", two_layers(), machine);
  device.program();
  const std::vector<Tensors> inputs = random_inputs(device.graph, 1, 1);
  const std::vector<Tensors> expected = reference_outputs(device.graph, inputs);
  const pim::Descriptor job = device.run_job(inputs);
  CHECK(device.infer(inputs) == expected);
  REQUIRE(device.compiled.layers[0].placements.size() > 1);
  const mapping::Placement& last = device.compiled.layers[0].placements.back();
  const auto& group =
      device.accelerator.core().tiles()[std::size_t(last.tile)]->groups[std::size_t(last.crossbar_tile)];
  pim::RegionSetup other;
  other.first_crossbar = last.first_crossbar;
  other.crossbars = 1;
  other.rows = other.filters = 1;
  other.cell_bits = 2;
  other.columns_per_crossbar = 16;
  other.recombination = {4, {1, 1, 1, 1}, {0}};
  tlm::tlm_generic_payload payload;
  payload.set_extension(&other);
  sc_core::sc_time delay;
  group->writer.setup->b_transport(payload, delay);
  payload.clear_extension(&other);
  REQUIRE(payload.is_response_ok());
  CHECK(device.run(job) == AcceleratorError::kInternal);
  CHECK((device.read("STATUS") & pim::kStatusBusy) == 0);
  device.program();
  CHECK(device.infer(inputs) == expected);
}

TEST_CASE("an accelerator for a machine that cannot be is not built") {
  pim::AcceleratorConfig config;
  config.machine = small_machine();
  config.machine.adc.converters = 0;
  CHECK_THROWS_AS(pim::PimAccelerator<32>("none", config), std::invalid_argument);
  config = {};
  config.machine = small_machine();
  config.chips = 0;
  CHECK_THROWS_AS(pim::PimAccelerator<32>("nowhere", config), std::invalid_argument);
}

}  // namespace
}  // namespace mho::testbenches
