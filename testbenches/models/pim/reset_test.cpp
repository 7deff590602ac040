// SPDX-License-Identifier: Apache-2.0
// Reset through CTRL and through the pin in every state: registers are cleared, work stops, the next job works at once,
// and the weights are still there.
#include <catch2/catch.hpp>

#include "testbenches/models/pim/device_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using pim::AcceleratorError;
using sc_core::SC_NS;
using sc_core::sc_time;

enum class How { kRegister, kPin };

void reset(Device<>& device, How how) {
  if (how == How::kRegister) {
    device.write("CTRL", pim::kControlReset);
    return;
  }
  device.reset.write(true);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  device.reset.write(false);
}

/// Every register has its reset value; of STATUS only PROGRAMMED may be left.
void check_cleared(Device<>& device) {
  for (const tlm_kit::RegisterDescription& entry : pim::accelerator_registers()) {
    INFO(entry.name);
    if (entry.access == tlm_kit::RegisterAccess::kWriteOnly) continue;
    const std::uint64_t kept = entry.name == "STATUS" ? pim::kStatusProgrammed : 0u;
    CHECK((device.read(entry.name.c_str()) & ~kept) == entry.reset_value);
  }
}

void open_window(Device<>& device) {
  device.write("WINDOW0_BASE", DeviceOptions().base);
  device.write("WINDOW0_SIZE", DeviceOptions().memory_bytes);
}

/// Interrupts, jobs and weights before and after a reset while nothing runs.
void check_idle(How how) {
  Device<> device("pim", two_layers(), small_machine());
  reset(device, how);  // before anything
  check_cleared(device);
  device.program();
  const std::vector<Tensors> inputs = random_inputs(device.graph, 1, 2);
  device.write("IRQ_ENABLE", 3);
  CHECK(device.infer(inputs) == reference_outputs(device.graph, inputs));
  CHECK(device.irq.read());
  const std::uint64_t accesses = device.memory.accesses;
  reset(device, how);
  check_cleared(device);
  device.settle();
  CHECK_FALSE(device.irq.read());
  check_cleared(device);
  CHECK(device.read("STATUS") == pim::kStatusProgrammed);
  CHECK(device.memory.accesses == accesses);
  CHECK(device.run(device.run_job(inputs)) == AcceleratorError::kDmaFault);  // windows are closed
  open_window(device);
  CHECK(device.infer(inputs) == reference_outputs(device.graph, inputs));
}

TEST_CASE("a reset by register while idle clears registers and keeps weights") { check_idle(How::kRegister); }
TEST_CASE("a reset by pin while idle clears registers and keeps weights") { check_idle(How::kPin); }

TEST_CASE("a reset between doorbell and start leaves nothing to do") {
  Device<> device("pim", two_layers(), small_machine());
  device.program();
  const std::vector<Tensors> inputs = random_inputs(device.graph, 1, 2);
  device.run_job(inputs);
  const std::uint64_t accesses = device.memory.accesses;
  for (const sc_time& ahead : {sc_core::SC_ZERO_TIME, sc_time(700, SC_NS)})
    for (const How how : {How::kRegister, How::kPin}) {
      open_window(device);
      std::uint32_t any = 1;
      device.driver.send(tlm::TLM_WRITE_COMMAND, device.offset("DOORBELL"), &any, 4, ahead);
      if (how == How::kPin && ahead == sc_core::SC_ZERO_TIME) continue;  // the pin is a delta cycle late
      reset(device, how);
      device.settle();
      check_cleared(device);
      CHECK(device.memory.accesses == accesses);
    }
  open_window(device);
  device.finish();
  CHECK(device.infer(inputs) == reference_outputs(device.graph, inputs));
}

/// Resets `at` after the doorbell of `job`, then runs `inputs`, at once or when nothing happens any more. Returns
/// whether the job had ended before.
bool reset_during(Device<>& device, const pim::Descriptor& job, const sc_time& at, How how, bool at_once) {
  device.write("IRQ_ENABLE", 3);
  device.write("IRQ_STATUS", 3);
  device.ring(job);
  sc_core::sc_start(at);
  const bool ended = (device.read("STATUS") & pim::kStatusBusy) == 0;
  reset(device, how);
  check_cleared(device);
  const std::uint64_t accesses = device.memory.accesses;
  if (at_once) {
    open_window(device);
    return ended;
  }
  device.settle();
  CHECK(device.memory.accesses <= accesses + 1);  // a transfer that was on its way
  CHECK_FALSE(device.irq.read());
  check_cleared(device);
  open_window(device);
  return ended;
}

void check_reset_of_runs(bool waits) {
  Device<> device("pim", two_layers(), small_machine());
  device.memory.waits = waits;
  device.memory.latency = sc_time(333, SC_NS);
  device.program();
  const std::vector<Tensors> first = random_inputs(device.graph, 1, 3), next = random_inputs(device.graph, 2, 2);
  const std::vector<Tensors> expected = reference_outputs(device.graph, next);
  bool ended = false;
  int step = 0;
  for (; !ended; ++step) {
    INFO("step " << step);
    REQUIRE(step < 500);
    const sc_time at = sc_time(277.0 * step, SC_NS);
    ended = reset_during(device, device.run_job(first), at, step % 2 == 0 ? How::kRegister : How::kPin, step % 3 == 0);
    CHECK(device.infer(next) == expected);
    CHECK(device.read("INFERENCES") == 2);
    CHECK(device.read("BYTES_READ") == 64 + 2 * 108);
    CHECK(device.read("BYTES_WRITTEN") == 2 * 144);
  }
  CHECK(step > 20);
}

TEST_CASE("a run that is reset at any time stops, and the next one is right") { check_reset_of_runs(false); }
TEST_CASE("a run that is reset stops with a memory that waits, and the next one is right") {
  check_reset_of_runs(true);
}

TEST_CASE("programming that is reset leaves the old weights, or none that could be run") {
  // The levels change when the writers begin; until then the old network stands. Each of 32 rows takes 100 ns at least.
  mapping::Machine machine = small_machine();
  machine.writer.setup_s = 100e-9;
  Device<> device("pim", two_layers(), machine);
  device.memory.latency = sc_time(333, SC_NS);
  device.program();
  const std::vector<Tensors> inputs = random_inputs(device.graph, 2, 1);
  const std::vector<Tensors> expected = reference_outputs(device.graph, inputs);
  bool ended = false, kept = false, lost = false;
  for (int step = 0; !ended; ++step) {
    INFO("step " << step);
    REQUIRE(step < 500);
    const sc_time at = sc_time(150.0 * step, SC_NS);
    ended = reset_during(device, device.program_job(), at, step % 2 == 0 ? How::kRegister : How::kPin, step % 3 == 0);
    if ((device.read("STATUS") & pim::kStatusProgrammed) != 0) {
      CHECK(device.infer(inputs) == expected);
      kept = true;
    } else {
      const AcceleratorError answer = device.run(device.run_job(inputs));
      CHECK((answer == AcceleratorError::kNotProgrammed));
      lost = true;
    }
    device.program();
    CHECK(device.infer(inputs) == expected);
  }
  CHECK(kept);
  CHECK(lost);
}

void check_late_transfer(bool waits) {
  Device<> device("pim", two_layers(), small_machine());
  device.memory.waits = waits;
  device.memory.latency = sc_time(100, SC_NS);
  device.memory.late = sc_time(20000, SC_NS);
  device.program();
  const std::vector<Tensors> first = random_inputs(device.graph, 1, 3), next = random_inputs(device.graph, 2, 2);
  const pim::Descriptor job = device.run_job(first);
  device.memory.late_at = job.source + 18;
  device.ring(job);
  sc_core::sc_start(sc_time(1000, SC_NS));
  reset(device, How::kRegister);
  open_window(device);
  CHECK(device.infer(next) == reference_outputs(device.graph, next));
  CHECK(device.read("BYTES_READ") == 64 + 2 * 108);
}

TEST_CASE("a row that comes 20 us late belongs to the job that was reset, not to the next one") {
  check_late_transfer(false);
}

TEST_CASE("a row that a waiting memory gives 20 us late belongs to the job that was reset, not to the next one") {
  check_late_transfer(true);
}

TEST_CASE("programming that is reset takes no more time") {
  // 27 rows of 1 ms each.
  mapping::Machine machine = small_machine();
  machine.writer.setup_s = 1e-3;
  Device<> device("pim", two_layers(), machine);
  device.ring(device.program_job());
  sc_core::sc_start(sc_time(100, sc_core::SC_US));
  reset(device, How::kRegister);
  open_window(device);
  const sc_time before = sc_core::sc_time_stamp();
  CHECK((device.run(device.run_job(random_inputs(device.graph, 2, 1))) == AcceleratorError::kNotProgrammed));
  CHECK(sc_core::sc_time_stamp() - before < sc_time(10, sc_core::SC_US));
}

}  // namespace
}  // namespace mho::testbenches
