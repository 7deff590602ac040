// SPDX-License-Identifier: Apache-2.0
// Seeded random descriptors, images and register traffic: whatever a driver does, the accelerator ends its job, leaves
// memory outside its windows alone, and works afterwards.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "models/mapping/program_image.h"
#include "testbenches/models/pim/device_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using pim::AcceleratorError;
using pim::Descriptor;

class Traffic {
 public:
  explicit Traffic(unsigned seed) : device("pim", two_layers(), small_machine()), random_(seed) {
    device.program();
    inputs = random_inputs(device.graph, 1, 2);
    expected = reference_outputs(device.graph, inputs);
  }
  std::uint32_t pick(std::uint32_t below) { return std::uint32_t(random_() % below); }
  /// Numbers as drivers get them wrong: small, huge, near an address that means something, or anything.
  std::uint64_t number(std::uint64_t near) {
    switch (pick(6)) {
      case 0:
        return pick(4);
      case 1:
        return ~std::uint64_t{0} - pick(200);
      case 2:
        return std::uint64_t{1} << pick(64);
      case 3:
        return random_();
      default:
        return near + pick(5) - 2;
    }
  }
  Descriptor descriptor() {
    Descriptor job = pick(4) == 0 ? device.program_job() : device.run_job(inputs);
    for (int i = int(pick(3)); i > 0; --i) {
      std::uint64_t* const fields[] = {&job.source, &job.source_bytes, &job.destination, &job.destination_bytes,
                                       &job.inferences};
      std::uint64_t& field = *fields[pick(5)];
      field = number(field);
    }
    if (pick(20) == 0) job.opcode = std::uint32_t(random_());
    if (pick(20) == 0) job.reserved0 = pick(2);
    return job;
  }
  void works() {
    device.write("CTRL", 1);
    device.program();
    CHECK(device.infer(inputs) == expected);
  }

  Device<> device;
  std::vector<Tensors> inputs, expected;

 private:
  std::mt19937_64 random_;
};

TEST_CASE("random descriptors end, and write nothing outside of the window") {
  // The window begins behind a guard and ends before another; nothing there may change.
  constexpr std::size_t kGuard = 64, kEnd = (std::size_t{1} << 20) - 64;
  Traffic traffic(1);
  Device<>& device = traffic.device;
  int errors = 0, successes = 0;
  for (int i = 0; i < 400; ++i) {
    const Descriptor job = traffic.descriptor();
    const bool guarded = traffic.pick(2) == 0;
    if (guarded) {
      device.write("WINDOW0_BASE", DeviceOptions().base + kGuard);
      device.write("WINDOW0_SIZE", kEnd - kGuard);
    }
    device.ring(job);
    std::vector<std::uint8_t> head(device.memory.bytes.begin(), device.memory.bytes.begin() + kGuard);
    std::vector<std::uint8_t> tail(device.memory.bytes.begin() + kEnd, device.memory.bytes.end());
    const AcceleratorError error = device.finish();
    CHECK(std::uint32_t(error) <= 5);
    (error == AcceleratorError::kNone ? successes : errors) += 1;
    if (!guarded) continue;
    CHECK(std::equal(head.begin(), head.end(), device.memory.bytes.begin()));
    CHECK(std::equal(tail.begin(), tail.end(), device.memory.bytes.begin() + kEnd));
  }
  CHECK(errors > 50);
  CHECK(successes > 20);
  traffic.works();
}

TEST_CASE("random images with a right checksum are refused, or run to some end") {
  Traffic traffic(2);
  Device<>& device = traffic.device;
  const std::vector<std::uint8_t> good = device.image;
  int accepted = 0;
  for (int i = 0; i < 250; ++i) {
    device.image = good;
    for (int changes = 1 + int(traffic.pick(3)); changes > 0; --changes) {
      std::uint8_t& byte = device.image[32 + traffic.pick(std::uint32_t(good.size() - 32))];
      byte = traffic.pick(2) == 0 ? std::uint8_t(byte ^ (1u << traffic.pick(8))) : std::uint8_t(traffic.pick(256));
    }
    const std::uint64_t sum = mapping::image_checksum(device.image.data() + 32, device.image.size() - 32);
    for (unsigned b = 0; b < 8; ++b) device.image[16 + b] = std::uint8_t(sum >> (8 * b));
    const AcceleratorError error = device.run(device.program_job());
    CHECK(
        (error == AcceleratorError::kNone || error == AcceleratorError::kImage || error == AcceleratorError::kMachine));
    if (error != AcceleratorError::kNone) continue;
    ++accepted;
    const AcceleratorError answer = device.run(device.run_job(traffic.inputs));
    CHECK((answer == AcceleratorError::kNone || answer == AcceleratorError::kDescriptor));
  }
  CHECK(accepted > 10);
  device.image = good;
  traffic.works();
}

TEST_CASE("random register traffic while jobs run neither crashes nor hangs the accelerator") {
  Traffic traffic(3);
  Device<>& device = traffic.device;
  for (int i = 0; i < 4000; ++i) {
    const std::uint64_t address = traffic.pick(8) == 0 ? traffic.number(0) : traffic.pick(0x2c) * 4;
    std::uint64_t value = traffic.number(DeviceOptions().base);
    const bool is_reset = address == device.offset("CTRL");
    if (is_reset && traffic.pick(4) != 0) value &= ~std::uint64_t{1};
    const unsigned length = traffic.pick(3) == 0 ? 8 : traffic.pick(10) == 0 ? traffic.pick(9) + 1 : 4;
    std::uint8_t bytes[16] = {};
    for (unsigned b = 0; b < 8; ++b) bytes[b] = std::uint8_t(value >> (8 * b));
    const sc_core::sc_time ahead(traffic.pick(2) * traffic.pick(2000), sc_core::SC_NS);
    const tlm::tlm_command command = traffic.pick(3) == 0 ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND;
    CHECK(device.driver.send(command, address, bytes, length, ahead).response != tlm::TLM_INCOMPLETE_RESPONSE);
    if (traffic.pick(20) == 0 && (device.read("STATUS") & pim::kStatusBusy) == 0) device.ring(traffic.descriptor());
    if (traffic.pick(3) == 0) sc_core::sc_start(sc_core::sc_time(1 + traffic.pick(3000), sc_core::SC_NS));
    if (traffic.pick(50) == 0) {
      device.reset.write(!device.reset.read());
    }
  }
  device.reset.write(false);
  CHECK(std::uint32_t(device.finish()) <= 6);
  traffic.works();
}

}  // namespace
}  // namespace mho::testbenches
