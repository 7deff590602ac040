// SPDX-License-Identifier: Apache-2.0
// The accelerator as a peripheral: its registers, doorbell, interrupt and jobs as a driver sees them, on both bus
// widths and with memories that are slow, silent or wait.
#include <catch2/catch.hpp>

#include "testbenches/models/pim/device_bench.h"
#include "testbenches/models/tlm/conformance.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using pim::AcceleratorError;
using sc_core::SC_NS;
using sc_core::sc_time;

/// Follows from the table alone: which registers there are, which way and at what widths.
TargetDescription registers() {
  TargetDescription description;
  for (const tlm_kit::RegisterDescription& entry : pim::accelerator_registers()) {
    ConformanceRange range;
    range.base = entry.offset;
    range.size = entry.width_bytes();
    range.readable = entry.access != tlm_kit::RegisterAccess::kWriteOnly;
    range.writable = entry.access != tlm_kit::RegisterAccess::kReadOnly;
    // What rings, resets or clears is no storage.
    range.storage = entry.access == tlm_kit::RegisterAccess::kReadWrite && entry.name != "CTRL";
    range.sizes = entry.width_bits == 64 ? std::vector<unsigned>{4, 8} : std::vector<unsigned>{4};
    description.ranges.push_back(range);
  }
  return description;
}

template <unsigned int BUSWIDTH>
void check_registers() {
  Device<BUSWIDTH> device("pim", two_layers(), small_machine());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  CHECK(violated_rules(device.driver.target(), registers()) == std::vector<std::string>{});
  sc_core::sc_start();
  CHECK(device.memory.accesses == 0);
  CHECK(device.read("ID") == 0x306f686d);
  CHECK(device.read("VERSION") == 0x00010000);
}

TEST_CASE("the registers on a 32-bit bus keep every rule") { check_registers<32>(); }

TEST_CASE("the registers on a 64-bit bus keep every rule") { check_registers<64>(); }

TEST_CASE("64-bit registers take two halves in any order, or eight bytes") {
  Device<> device("pim", two_layers(), small_machine());
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  const std::uint64_t at = device.offset("DESCRIPTOR");
  std::uint32_t low = 0x55667788, high = 0x11223344, read = 0;
  device.driver.send(tlm::TLM_WRITE_COMMAND, at + 4, &high, 4);
  device.driver.send(tlm::TLM_WRITE_COMMAND, at, &low, 4);
  CHECK(device.read("DESCRIPTOR") == 0x1122334455667788);
  device.write("WINDOW3_SIZE", 0xaabbccddeeff0011);
  device.driver.send(tlm::TLM_READ_COMMAND, device.offset("WINDOW3_SIZE") + 4, &read, 4);
  CHECK(read == 0xaabbccdd);
}

template <unsigned int BUSWIDTH>
void check_job(std::uint64_t skew, bool silent, bool waits, bool strict = false) {
  DeviceOptions options;
  options.skew = skew;
  options.strict = strict;
  options.base = BUSWIDTH == 64 ? 0x123456789000 : 0x80000000;
  Device<BUSWIDTH> device("pim", two_layers(), small_machine(), options);
  device.memory.silent = silent;
  device.memory.waits = waits;
  device.memory.latency = sc_time(70, SC_NS);
  device.program();
  const std::vector<Tensors> inputs = random_inputs(device.graph, 1, 3);
  CHECK(device.infer(inputs) == reference_outputs(device.graph, inputs));
  CHECK(device.read("INFERENCES") == 3);
}

TEST_CASE("a job runs on a 32-bit bus") { check_job<32>(0, false, false, true); }
TEST_CASE("a job runs on a 64-bit bus and above 4 GiB") { check_job<64>(0, false, false, true); }
TEST_CASE("a job runs with odd addresses") { check_job<32>(1, false, false); }
TEST_CASE("a job runs with a memory that waits within a transport") { check_job<32>(3, false, true); }
TEST_CASE("a job runs with a memory that never sets a response") { check_job<32>(0, true, false); }

TEST_CASE("a memory that never sets a response is a fault where responses are asked for") {
  DeviceOptions options;
  options.strict = true;
  Device<> device("pim", two_layers(), small_machine(), options);
  device.memory.silent = true;
  CHECK(device.run(device.program_job()) == AcceleratorError::kDmaFault);
  CHECK(device.read("ERROR_ADDRESS") == options.base + 0x40);
}

TEST_CASE("counters tell the job's bytes, conversions and time, those of the next job afterwards") {
  // PROGRAM reads descriptor and image. RUN reads a descriptor and 108 codes an inference and writes 144. The layers
  // have 36 windows each: 27 rows and 20 columns make one block on 2 crossbars, 5 rows and 16 columns one on 1
  // crossbar; eight slices. Unit columns are counted with the conversions here.
  Device<> device("pim", two_layers(), small_machine());
  device.program();
  CHECK(device.read("BYTES_READ") == 64 + device.image.size());
  CHECK(device.read("BYTES_WRITTEN") == 0);
  CHECK(device.read("CONVERSIONS") == 0);
  const sc_time before = sc_core::sc_time_stamp();
  device.infer(random_inputs(device.graph, 1, 2));
  CHECK(device.read("BYTES_READ") == 64 + 2 * 108);
  CHECK(device.read("BYTES_WRITTEN") == 2 * 144);
  CHECK(device.read("CONVERSIONS") == 2 * 36 * 8 * (20 + 2 + 16 + 1));
  CHECK(device.read("SATURATIONS") == 0);
  CHECK(device.read("INFERENCES") == 2);
  CHECK(device.memory.bytes_read == 64 + device.image.size() + 64 + 2 * 108);
  CHECK(device.memory.bytes_written == 2 * 144);
  const auto elapsed = std::uint64_t((sc_core::sc_time_stamp() - before).to_seconds() * 1e9);
  CHECK(device.read("BUSY_NS") <= elapsed);
  CHECK(device.read("BUSY_NS") > 2 * 36 * 800 / 6);
  device.infer(random_inputs(device.graph, 1, 1));
  CHECK(device.read("INFERENCES") == 1);
  CHECK(device.read("BYTES_WRITTEN") == 144);
}

TEST_CASE("the interrupt line is the level of pending and enabled, and writing ones clears pending") {
  Device<> device("pim", two_layers(), small_machine());
  device.program();
  CHECK(device.read("IRQ_STATUS") == pim::kIrqDone);
  CHECK_FALSE(device.irq.read());  // masked
  const auto after = [&](const char* name, std::uint64_t value) {
    device.write(name, value);
    sc_core::sc_start(sc_time(1, SC_NS));
    return device.irq.read();
  };
  CHECK_FALSE(after("IRQ_ENABLE", pim::kIrqError));
  CHECK(after("IRQ_ENABLE", pim::kIrqDone));   // unmasked late
  CHECK(after("IRQ_STATUS", pim::kIrqError));  // clears another bit
  CHECK(after("IRQ_STATUS", 0));
  CHECK_FALSE(after("IRQ_STATUS", pim::kIrqDone));
  CHECK(device.read("IRQ_STATUS") == 0);
  CHECK_FALSE(after("IRQ_STATUS", 3));
  device.infer(random_inputs(device.graph, 1, 1));
  CHECK(device.irq.read());
  CHECK_FALSE(after("IRQ_ENABLE", 0));
  CHECK(after("IRQ_ENABLE", 3));
}

TEST_CASE("an error interrupts too, and a good job after it clears the error register") {
  Device<> device("pim", two_layers(), small_machine());
  device.write("IRQ_ENABLE", pim::kIrqError);
  pim::Descriptor bad = device.program_job();
  bad.opcode = 77;
  CHECK(device.run(bad) == AcceleratorError::kDescriptor);
  CHECK(device.read("IRQ_STATUS") == pim::kIrqError);
  CHECK(device.irq.read());
  CHECK(device.read("STATUS") == pim::kStatusError);
  device.program();
  CHECK(device.read("STATUS") == pim::kStatusProgrammed);
  CHECK(device.read("IRQ_STATUS") == (pim::kIrqError | pim::kIrqDone));
}

TEST_CASE("polling STATUS is enough: busy from the doorbell on, until the job has ended") {
  Device<> device("pim", two_layers(), small_machine());
  device.ring(device.program_job());
  CHECK(device.read("STATUS") == pim::kStatusBusy);
  int polls = 0;
  for (; (device.read("STATUS") & pim::kStatusBusy) != 0 && polls < 100000; ++polls)
    sc_core::sc_start(sc_time(100, SC_NS));
  CHECK(polls > 1);
  CHECK(device.read("STATUS") == pim::kStatusProgrammed);
}

TEST_CASE("BUSY_NS counts from the doorbell, also while the job runs and with a doorbell from the future") {
  Device<> device("pim", two_layers(), small_machine());
  device.program();
  pim::Descriptor job = device.run_job(random_inputs(device.graph, 1, 4));
  sc_core::sc_start(sc_time(1000, SC_NS));
  const auto bytes = pim::to_bytes(job);
  std::copy(bytes.begin(), bytes.end(), device.memory.bytes.begin() + 0x40);
  std::uint32_t any = 0;
  device.driver.send(tlm::TLM_WRITE_COMMAND, device.offset("DOORBELL"), &any, 4, sc_time(500, SC_NS));
  CHECK(device.read("BUSY_NS") == 0);
  sc_core::sc_start(sc_time(400, SC_NS));
  CHECK(device.read("BUSY_NS") == 0);
  CHECK(device.memory.bytes_read == 64 + device.image.size());  // nothing yet of this job
  sc_core::sc_start(sc_time(400, SC_NS));
  CHECK(device.read("BUSY_NS") == 300);
  CHECK(device.finish() == AcceleratorError::kNone);
  CHECK(device.outputs(4) == reference_outputs(device.graph, random_inputs(device.graph, 1, 4)));
}

TEST_CASE("a doorbell while a job runs is an error that the job survives") {
  Device<> device("pim", two_layers(), small_machine());
  device.program();
  const std::vector<Tensors> inputs = random_inputs(device.graph, 1, 4);
  const pim::Descriptor job = device.run_job(inputs);
  device.ring(job);
  sc_core::sc_start(sc_time(3000, SC_NS));
  REQUIRE((device.read("STATUS") & pim::kStatusBusy) != 0);
  device.write("DOORBELL", 1);
  CHECK(device.read("ERROR") == std::uint64_t(AcceleratorError::kBusy));
  CHECK(device.finish() == AcceleratorError::kBusy);
  CHECK(device.read("IRQ_STATUS") == pim::kIrqDone);
  CHECK(device.read("INFERENCES") == 4);
  CHECK(device.outputs(4) == reference_outputs(device.graph, inputs));
  CHECK(device.infer(inputs) == reference_outputs(device.graph, inputs));
}

TEST_CASE("windows and DESCRIPTOR count as they are when the doorbell is heard") {
  Device<> device("pim", two_layers(), small_machine());
  device.program();
  const std::vector<Tensors> inputs = random_inputs(device.graph, 1, 4);
  device.ring(device.run_job(inputs));
  sc_core::sc_start(sc_time(3000, SC_NS));
  device.write("WINDOW0_SIZE", 0);
  device.write("DESCRIPTOR", 0);
  CHECK(device.finish() == AcceleratorError::kNone);
  CHECK(device.outputs(4) == reference_outputs(device.graph, inputs));
}

}  // namespace
}  // namespace mho::testbenches
