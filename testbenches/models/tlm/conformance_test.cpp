// SPDX-License-Identifier: Apache-2.0
// The conformance suite on the targets of the kit, at both bus widths and from every place an initiator
// may call from: a callback of elaboration, a thread, a method, and the main program between two runs.
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "models/tlm/memory.h"
#include "models/tlm/protocol_monitor.h"
#include "models/tlm/register_bank.h"
#include "models/tlm/router.h"
#include "testbenches/models/tlm/conformance.h"
#include "testbenches/models/tlm/device_module.h"
#include "testbenches/models/tlm/test_initiator.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using namespace mho::tlm_kit;

const std::vector<std::string> kNoViolation;

MemoryConfig small_memory(bool direct_memory = true) {
  return {1000, sc_core::sc_time(50, sc_core::SC_NS), sc_core::sc_time(30, sc_core::SC_NS), 25.6e9, direct_memory};
}

void append(std::vector<unsigned char>& bytes, const MemoryCounters& counters) {
  const auto* first = reinterpret_cast<const unsigned char*>(&counters);
  bytes.insert(bytes.end(), first, first + sizeof counters);
}

/// What the suite may rely on for a memory; `state` sees every transfer served.
template <unsigned int BUSWIDTH>
TargetDescription describe(const Memory<BUSWIDTH>& memory) {
  const MemoryConfig& config = memory.array().config();
  TargetDescription description;
  description.ranges = {{0, config.size_bytes, true, true, true, {}, config.direct_memory}};
  description.byte_enables = true;
  description.streaming = true;
  description.state = [&memory] {
    std::vector<unsigned char> bytes;
    append(bytes, memory.array().counters());
    return bytes;
  };
  return description;
}

template <unsigned int BUSWIDTH>
void check_memory(bool direct_memory) {
  Memory<BUSWIDTH> memory("memory", small_memory(direct_memory));
  TestInitiator<BUSWIDTH> initiator("initiator");
  initiator.socket.bind(memory.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  CHECK(violated_rules(initiator.target(), describe(memory)) == kNoViolation);
}

TEST_CASE("a memory on a 32-bit bus keeps every rule") { check_memory<32>(true); }

TEST_CASE("a memory on a 64-bit bus keeps every rule") { check_memory<64>(true); }

TEST_CASE("a memory without direct access keeps every rule") { check_memory<32>(false); }

TEST_CASE("a memory keeps every rule wherever it is called from") {
  Memory<> memory("memory", small_memory());
  TestInitiator<> initiator("initiator");
  initiator.socket.bind(memory.socket);
  std::vector<std::string> from_callback{"not run"};
  std::vector<std::string> from_thread{"not run"};
  std::vector<std::string> from_method{"not run"};
  initiator.before_first_process = [&] { from_callback = violated_rules(initiator.target(), describe(memory)); };
  initiator.in_thread = [&] { from_thread = violated_rules(initiator.target(), describe(memory)); };
  initiator.in_method = [&] { from_method = violated_rules(initiator.target(), describe(memory)); };
  sc_core::sc_start(1, sc_core::SC_NS);
  CHECK(from_callback == kNoViolation);
  CHECK(from_thread == kNoViolation);
  CHECK(from_method == kNoViolation);
  CHECK(violated_rules(initiator.target(), describe(memory)) == kNoViolation);
}

/// Two initiators and two memories; the second is seen at two places, once only in part.
struct RouterBench {
  RouterBench()
      : first("first", small_memory()),
        second("second", small_memory(false)),
        router("router", config()),
        initiator("initiator"),
        other("other") {
    initiator.socket.bind(router.from_initiator[0]);
    other.socket.bind(router.from_initiator[1]);
    router.to_target[0].bind(first.socket);
    router.to_target[1].bind(second.socket);
  }

  static RouterConfig config() {
    RouterConfig config;
    config.initiators = 2;
    config.targets = 2;
    config.hop_latency = sc_core::sc_time(2, sc_core::SC_NS);
    config.regions = {{"dram", 0x80000000, 1000, 0, 0},
                      {"sram", 0x1000, 1000, 1, 0},
                      {"window", 0x80000000 + 1000, 100, 1, 500},
                      {"mirror", 0x40000000, 64, 0, 128}};
    return config;
  }

  TargetDescription description() const {
    TargetDescription description;
    description.ranges = {{0x1000, 1000, true, true, true, {}, false},
                          {0x40000000, 64, true, true, true, {}, true},
                          {0x80000000, 1000, true, true, true, {}, true},
                          {0x80000000 + 1000, 100, true, true, true, {}, false}};
    description.byte_enables = true;
    description.streaming = true;
    description.state = [this] {
      std::vector<unsigned char> bytes;
      append(bytes, first.array().counters());
      append(bytes, second.array().counters());
      return bytes;
    };
    return description;
  }

  Memory<> first;
  Memory<> second;
  Router<> router;
  TestInitiator<> initiator;
  TestInitiator<> other;
};

TEST_CASE("a router before memories keeps every rule, also where regions touch and overlay") {
  RouterBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  CHECK(violated_rules(bench.initiator.target(), bench.description()) == kNoViolation);
  CHECK(violated_rules(bench.other.target(), bench.description()) == kNoViolation);
}

TEST_CASE("a router behind a router keeps every rule") {
  Memory<64> memory("memory", small_memory());
  RouterConfig outer_config;
  outer_config.regions = {{"inner", 0x100000000, 0x1000, 0, 0x200}};
  RouterConfig inner_config;
  inner_config.regions = {{"memory", 0x300, 500, 0, 100}};
  Router<64> outer("outer", outer_config);
  Router<64> inner("inner", inner_config);
  TestInitiator<64> initiator("initiator");
  initiator.socket.bind(outer.from_initiator[0]);
  outer.to_target[0].bind(inner.from_initiator[0]);
  inner.to_target[0].bind(memory.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);

  TargetDescription description = describe(memory);
  description.ranges = {{0x100000100, 500, true, true, true, {}, true}};
  CHECK(violated_rules(initiator.target(), description) == kNoViolation);
}

/// Registers of all four kinds and both widths, with a hole, counting the callbacks that were made.
struct RegisterBench {
  RegisterBench() : bank(table(), sc_core::sc_time(4, sc_core::SC_NS)), target("target", bank), initiator("initiator") {
    initiator.socket.bind(target.socket);
    for (const RegisterDescription& entry : table()) {
      bank[entry.name].on_write([this](const RegisterWrite&, sc_core::sc_time&) { ++callbacks; });
      bank[entry.name].on_read([this](std::uint64_t, sc_core::sc_time&) { ++callbacks; });
    }
  }

  static RegisterTable table() {
    return {{"ID", 0x0, 32, RegisterAccess::kReadOnly, 0x4d484f, "Identification", {}},
            {"CTRL", 0x4, 32, RegisterAccess::kReadWrite, 0, "Control", {}},
            {"ADDRESS", 0x8, 64, RegisterAccess::kReadWrite, 0, "Descriptor", {}},
            {"IRQ_STATUS", 0x10, 32, RegisterAccess::kWriteOneToClear, 5, "Interrupts", {}},
            {"DOORBELL", 0x14, 32, RegisterAccess::kWriteOnly, 0, "Start", {}},
            {"CYCLES", 0x20, 64, RegisterAccess::kReadOnly, 77, "Counter", {}}};
  }

  TargetDescription description() const {
    TargetDescription description;
    description.ranges = {{0x0, 4, true, false, true, {4}, false},   {0x4, 4, true, true, true, {4}, false},
                          {0x8, 8, true, true, true, {4, 8}, false}, {0x10, 4, true, true, false, {4}, false},
                          {0x14, 4, false, true, false, {4}, false}, {0x20, 8, true, false, true, {4, 8}, false}};
    description.state = [this] { return std::vector<unsigned char>{callbacks}; };
    return description;
  }

  unsigned char callbacks = 0;
  RegisterBank bank;
  DeviceModule<> target;
  TestInitiator<> initiator;
};

TEST_CASE("a register bank keeps every rule") {
  RegisterBench bench;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  CHECK(violated_rules(bench.initiator.target(), bench.description()) == kNoViolation);
}

TEST_CASE("a protocol monitor is invisible to the conformance suite and finds nothing in it") {
  Memory<> memory("memory", small_memory());
  ProtocolOptions options;
  options.allow_zero_streaming_width = true;  // the suite sends it on purpose
  ProtocolMonitor<> monitor("monitor", options);
  TestInitiator<> initiator("initiator");
  initiator.socket.bind(monitor.target_socket);
  monitor.initiator_socket.bind(memory.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  CHECK(violated_rules(initiator.target(), describe(memory)) == kNoViolation);
  CHECK(monitor.checks().total() == 0);
}

}  // namespace
}  // namespace mho::testbenches
