// SPDX-License-Identifier: Apache-2.0
// Register banks beyond the conformance suite: the four kinds of access, halves of 64-bit registers,
// callbacks, the debug view, and the checks of the table. Generated text is in registers_export_test.cpp.
#include <catch2/catch.hpp>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "models/tlm/register_bank.h"
#include "testbenches/models/tlm/device_module.h"
#include "testbenches/models/tlm/test_initiator.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using namespace mho::tlm_kit;
using Catch::Matchers::Contains;
using sc_core::SC_NS;
using sc_core::sc_time;

RegisterTable table() {
  return {{"ID", 0x0, 32, RegisterAccess::kReadOnly, 0x4d484f, "Identification", {}},
          {"CTRL",
           0x4,
           32,
           RegisterAccess::kReadWrite,
           0x80000001,
           "Control",
           {{"START", 0, 1, "Start"}, {"MODE", 4, 3, "Mode"}, {"KEY", 24, 8, "Key"}}},
          {"ADDRESS", 0x8, 64, RegisterAccess::kReadWrite, 0, "Descriptor", {}},
          {"IRQ_STATUS", 0x10, 32, RegisterAccess::kWriteOneToClear, 0xf, "Interrupts", {}},
          {"DOORBELL", 0x14, 32, RegisterAccess::kWriteOnly, 0, "Start", {}},
          {"CYCLES", 0x20, 64, RegisterAccess::kReadOnly, 0, "Counter", {}}};
}

struct Bench {
  Bench() : bank(table(), sc_time(4, SC_NS)), target("target", bank), initiator("initiator") {
    initiator.socket.bind(target.socket);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  tlm::tlm_response_status write(std::uint64_t address, std::uint64_t value, unsigned int length) {
    return initiator.send(tlm::TLM_WRITE_COMMAND, address, &value, length).response;
  }
  std::uint64_t read(std::uint64_t address, unsigned int length) {
    std::uint64_t value = 0;
    CHECK(initiator.send(tlm::TLM_READ_COMMAND, address, &value, length).response == tlm::TLM_OK_RESPONSE);
    return value;
  }
  tlm::tlm_response_status refusal(tlm::tlm_command command, std::uint64_t address, unsigned int length) {
    unsigned char data[16] = {};
    return initiator.send(command, address, data, length).response;
  }

  RegisterBank bank;
  DeviceModule<> target;
  TestInitiator<> initiator;
};

TEST_CASE("a 64-bit register takes two 32-bit halves or one 8-byte access") {
  Bench bench;
  CHECK(bench.write(0x8, 0x11223344, 4) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.write(0xc, 0xaabbccdd, 4) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.bank["ADDRESS"].value() == 0xaabbccdd11223344);
  CHECK(bench.read(0x8, 8) == 0xaabbccdd11223344);
  CHECK(bench.write(0x8, 0x0102030405060708, 8) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.read(0x8, 4) == 0x05060708);
  CHECK(bench.read(0xc, 4) == 0x01020304);
}

TEST_CASE("each refusal of a register access has its response") {
  Bench bench;
  CHECK(bench.refusal(tlm::TLM_WRITE_COMMAND, 0x0, 4) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  CHECK(bench.refusal(tlm::TLM_READ_COMMAND, 0x14, 4) == tlm::TLM_COMMAND_ERROR_RESPONSE);
  CHECK(bench.refusal(tlm::TLM_READ_COMMAND, 0x18, 4) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(bench.refusal(tlm::TLM_READ_COMMAND, 0x28, 1) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(bench.refusal(tlm::TLM_READ_COMMAND, 0x4, 2) == tlm::TLM_BURST_ERROR_RESPONSE);
  CHECK(bench.refusal(tlm::TLM_READ_COMMAND, 0x6, 4) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  // Eight bytes over two 32-bit registers, over the second half of a 64-bit one, and behind the last.
  CHECK(bench.refusal(tlm::TLM_READ_COMMAND, 0x0, 8) == tlm::TLM_BURST_ERROR_RESPONSE);
  CHECK(bench.refusal(tlm::TLM_READ_COMMAND, 0xc, 8) == tlm::TLM_BURST_ERROR_RESPONSE);
  CHECK(bench.refusal(tlm::TLM_READ_COMMAND, 0x24, 8) == tlm::TLM_BURST_ERROR_RESPONSE);
}

TEST_CASE("writing ones clears bits and writing zeros leaves them") {
  Bench bench;
  CHECK(bench.write(0x10, 0x5, 4) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.read(0x10, 4) == 0xa);
  bench.bank["IRQ_STATUS"].set(0xff);
  CHECK(bench.write(0x10, 0, 4) == tlm::TLM_OK_RESPONSE);
  CHECK(bench.read(0x10, 4) == 0xff);
}

TEST_CASE("a write tells its callback what was, what is and what was sent, and each access takes its time") {
  Bench bench;
  std::vector<RegisterWrite> seen;
  const auto record = [&seen](const RegisterWrite& write, sc_time& delay) {
    seen.push_back(write);
    delay += sc_time(10, SC_NS);
  };
  bench.bank["ADDRESS"].on_write(record);
  bench.bank["IRQ_STATUS"].on_write(record);
  std::uint32_t value = 7;
  CHECK(bench.initiator.send(tlm::TLM_WRITE_COMMAND, 0xc, &value, 4, sc_time(1, SC_NS)).delay == sc_time(15, SC_NS));
  bench.write(0x10, 0x3, 4);
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, 0x4, &value, 4, sc_time(1, SC_NS)).delay == sc_time(5, SC_NS));
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].before == 0);
  CHECK(seen[0].after == 0x700000000);
  CHECK(seen[0].written == 0x700000000);
  CHECK(seen[1].before == 0xf);
  CHECK(seen[1].after == 0xc);
  CHECK(seen[1].written == 0x3);
}

TEST_CASE("a callback may change its own register and others before the access returns") {
  Bench bench;
  bench.bank["CTRL"].on_write([&bench](const RegisterWrite& write, sc_time&) {
    bench.bank["CTRL"].set(write.after & ~std::uint64_t{1});
    bench.bank["IRQ_STATUS"].set(0x100);
  });
  bench.write(0x4, 0x71, 4);
  CHECK(bench.read(0x4, 4) == 0x70);
  CHECK(bench.read(0x10, 4) == 0x100);
}

TEST_CASE("a computed value is seen by reads and debug, and only reads have consequences") {
  Bench bench;
  std::uint64_t cycles = 0x1234567890;
  bench.bank["CYCLES"].value_from([&cycles] { return cycles; });
  bench.bank["CYCLES"].on_read([&cycles](std::uint64_t value, sc_time&) { cycles = value + 1; });
  std::uint64_t value = 0;
  CHECK(bench.initiator.debug(tlm::TLM_READ_COMMAND, 0x20, &value, 8) == 8);
  CHECK(value == 0x1234567890);
  CHECK(cycles == 0x1234567890);
  CHECK(bench.read(0x20, 8) == 0x1234567890);
  CHECK(bench.read(0x24, 4) == 0x12);
  CHECK(cycles == 0x1234567892);
}

TEST_CASE("debug reads any bytes up to the first hole and sees write-only registers") {
  Bench bench;
  bench.write(0x14, 0xa1a2a3a4, 4);
  unsigned char bytes[64] = {};
  CHECK(bench.initiator.debug(tlm::TLM_READ_COMMAND, 0x1, bytes, 64) == 0x17);
  CHECK(bytes[0] == 0x48);
  CHECK(bytes[0x13] == 0xa4);
  CHECK(bytes[0x17] == 0);
  CHECK(bench.initiator.debug(tlm::TLM_READ_COMMAND, 0x18, bytes, 4) == 0);
  CHECK(bench.initiator.debug(tlm::TLM_READ_COMMAND, 0x27, bytes, 4) == 1);
}

TEST_CASE("debug pokes read-write registers without their callbacks and stops at others") {
  Bench bench;
  int calls = 0;
  bench.bank["CTRL"].on_write([&calls](const RegisterWrite&, sc_time&) { ++calls; });
  unsigned char bytes[16] = {0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7,
                             0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xef};
  CHECK(bench.initiator.debug(tlm::TLM_WRITE_COMMAND, 0x6, bytes, 16) == 10);
  CHECK(bench.bank["CTRL"].value() == 0xe1e00001);
  CHECK(bench.bank["ADDRESS"].value() == 0xe9e8e7e6e5e4e3e2);
  CHECK(bench.bank["IRQ_STATUS"].value() == 0xf);
  CHECK(bench.initiator.debug(tlm::TLM_WRITE_COMMAND, 0x0, bytes, 4) == 0);
  CHECK(bench.initiator.debug(tlm::TLM_WRITE_COMMAND, 0x14, bytes, 4) == 0);
  CHECK(calls == 0);
}

TEST_CASE("reset restores every register and keeps the callbacks") {
  Bench bench;
  int calls = 0;
  bench.bank["CTRL"].on_write([&calls](const RegisterWrite&, sc_time&) { ++calls; });
  bench.write(0x4, 0, 4);
  bench.write(0x10, 0xf, 4);
  bench.bank.reset();
  CHECK(bench.read(0x4, 4) == 0x80000001);
  CHECK(bench.read(0x10, 4) == 0xf);
  bench.write(0x4, 0, 4);
  CHECK(calls == 2);
}

TEST_CASE("fields are read and set in their place, excess bits dropped") {
  RegisterBank bank(table());
  Register& ctrl = bank["CTRL"];
  CHECK(ctrl.field("START") == 1);
  CHECK(ctrl.field("KEY") == 0x80);
  ctrl.set_field("MODE", 0xff);
  CHECK(ctrl.value() == 0x80000071);
  ctrl.set(0x1ffffffff);
  CHECK(ctrl.value() == 0xffffffff);
  ctrl.value_from([] { return std::uint64_t{0x200000003}; });
  CHECK(ctrl.value() == 3);
  CHECK_THROWS_WITH(ctrl.field("NONE"), Contains("'CTRL' has no field 'NONE'"));
  CHECK_THROWS_WITH(bank["NONE"], Contains("'NONE'"));
  CHECK(bank.span_bytes() == 0x28);
}

TEST_CASE("a register table with a mistake is refused with the register's name") {
  const auto refuses = [](const RegisterTable& mistaken, const char* message) {
    CHECK_THROWS_WITH(check_registers(mistaken), Contains(message));
    CHECK_THROWS_AS(RegisterBank(mistaken), std::invalid_argument);
  };
  const auto rw = RegisterAccess::kReadWrite;
  refuses({{"1ST", 0, 32, rw, 0, "", {}}}, "'1ST' has no identifier as its name");
  refuses({{"", 0, 32, rw, 0, "", {}}}, "has no identifier");
  refuses({{"A", 0, 16, rw, 0, "", {}}}, "'A' is neither 32 nor 64 bits wide");
  refuses({{"A", 2, 32, rw, 0, "", {}}}, "multiple of its size");
  refuses({{"A", 4, 64, rw, 0, "", {}}}, "multiple of its size");
  refuses({{"A", ~std::uint64_t{0} - 3, 32, rw, 0, "", {}}}, "beyond the address space");
  refuses({{"A", 0, 32, rw, 0x100000000, "", {}}}, "reset value wider");
  refuses({{"A", 0, 64, rw, 0, "", {}}, {"B", 4, 32, rw, 0, "", {}}}, "'B' at offset 0x4 overlaps");
  refuses({{"A", 4, 32, rw, 0, "", {}}, {"B", 0, 32, rw, 0, "", {}}}, "overlaps or precedes");
  refuses({{"A", 0, 32, rw, 0, "", {}}, {"A", 4, 32, rw, 0, "", {}}}, "'A' is in the table twice");
  refuses({{"A", 0, 32, rw, 0, "", {{"F", 31, 2, ""}}}}, "too narrow for its field 'F'");
  refuses({{"A", 0, 32, rw, 0, "", {{"F", 0, 0, ""}}}}, "too narrow for its field 'F'");
  refuses({{"A", 0, 32, rw, 0, "", {{"F", 0, 4, ""}, {"G", 3, 1, ""}}}}, "'G' that overlaps another");
  refuses({{"A", 0, 32, rw, 0, "", {{"F", 0, 1, ""}, {"F", 3, 1, ""}}}}, "two fields 'F'");
  refuses({{"A", 0, 32, rw, 0, "", {{"F-1", 0, 1, ""}}}}, "'F-1' that is no identifier");
  CHECK_NOTHROW(check_registers({{"A", 0, 64, rw, ~std::uint64_t{0}, "", {{"F", 0, 64, ""}}}}));
}

}  // namespace
}  // namespace mho::testbenches
