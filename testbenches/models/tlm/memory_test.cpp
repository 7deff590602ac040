// SPDX-License-Identifier: Apache-2.0
// Storage, timing and direct access of the memory beyond what the conformance suite covers.
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "models/tlm/memory.h"
#include "testbenches/models/tlm/test_initiator.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using namespace mho::tlm_kit;
using sc_core::SC_NS;
using sc_core::SC_PS;
using sc_core::sc_time;

/// A memory of one channel with distinct latencies, so that swapped ones show.
struct Bench {
  explicit Bench(std::uint64_t size_bytes = 4096, double bandwidth_bytes_per_s = 25.6e9)
      : memory("memory", {size_bytes, sc_time(50, SC_NS), sc_time(30, SC_NS), bandwidth_bytes_per_s, true}),
        initiator("initiator") {
    initiator.socket.bind(memory.socket);
  }
  void elaborate() { sc_core::sc_start(sc_core::SC_ZERO_TIME); }

  Memory<> memory;
  TestInitiator<> initiator;
  unsigned char data[4096] = {};
};

TEST_CASE("a transfer takes the latency of its direction and its bytes over the bandwidth") {
  Bench bench;
  bench.elaborate();
  // 64 B / 25.6 GB/s = 2.5 ns; 1 KiB / 25.6 GB/s = 40 ns.
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, 0, bench.data, 64).delay == sc_time(52500, SC_PS));
  sc_core::sc_start(1, sc_core::SC_US);
  CHECK(bench.initiator.send(tlm::TLM_WRITE_COMMAND, 0, bench.data, 1024).delay == sc_time(70, SC_NS));
}

TEST_CASE("transfers that arrive together occupy the channel one after the other while latencies overlap") {
  Bench bench;
  bench.elaborate();
  // The channel is busy for 2.5 ns per 64 B; the third arrives at 4 ns and waits for 5 ns.
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, 0, bench.data, 64).delay == sc_time(52500, SC_PS));
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, 64, bench.data, 64).delay == sc_time(55, SC_NS));
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, 0, bench.data, 64, sc_time(4, SC_NS)).delay ==
        sc_time(57500, SC_PS));
  // The channel is free at 7.5 ns; who comes later does not wait.
  CHECK(bench.initiator.send(tlm::TLM_WRITE_COMMAND, 0, bench.data, 64, sc_time(100, SC_NS)).delay ==
        sc_time(132500, SC_PS));
}

TEST_CASE("without a bandwidth transfers take their latency alone") {
  Bench bench(4096, 0);
  bench.elaborate();
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, 0, bench.data, 4096).delay == sc_time(50, SC_NS));
  CHECK(bench.initiator.send(tlm::TLM_WRITE_COMMAND, 0, bench.data, 4096).delay == sc_time(30, SC_NS));
}

TEST_CASE("counters count transfers and bytes but neither debug nor refused accesses") {
  Bench bench;
  bench.elaborate();
  bench.initiator.send(tlm::TLM_WRITE_COMMAND, 0, bench.data, 100);
  bench.initiator.send(tlm::TLM_READ_COMMAND, 0, bench.data, 10);
  bench.initiator.send(tlm::TLM_READ_COMMAND, 0, bench.data, 5);
  bench.initiator.send(tlm::TLM_READ_COMMAND, 4095, bench.data, 2);
  bench.initiator.debug(tlm::TLM_WRITE_COMMAND, 0, bench.data, 8);
  const MemoryCounters& counters = bench.memory.array().counters();
  CHECK(counters.writes == 1);
  CHECK(counters.written_bytes == 100);
  CHECK(counters.reads == 2);
  CHECK(counters.read_bytes == 15);
}

TEST_CASE("a memory shows its counters and how long its channel was taken as statistics") {
  Bench bench;
  bench.elaborate();
  bench.initiator.send(tlm::TLM_WRITE_COMMAND, 0, bench.data, 1024);
  bench.initiator.send(tlm::TLM_READ_COMMAND, 0, bench.data, 64);
  bench.initiator.send(tlm::TLM_READ_COMMAND, 0, bench.data, 128);
  // (1024 + 64 + 128) B / 25.6 GB/s = 47.5 ns.
  std::vector<double> values;
  for (const observe::Statistic& each : bench.memory.statistics()) values.push_back(each.value);
  REQUIRE(values.size() == 5);
  CHECK(values[0] == Approx(47.5e-9));
  CHECK(std::vector<double>(values.begin() + 1, values.end()) == std::vector<double>{2, 1, 192, 1024});
}

TEST_CASE("a masked transfer is one transfer that moves the enabled bytes") {
  Bench bench;
  bench.elaborate();
  std::memcpy(bench.memory.array().contents().data(), "abcdef", 6);
  unsigned char data[] = "ABCDEF";
  unsigned char enables[] = {0xff, 0x00, 0x00};
  tlm::tlm_generic_payload payload;
  payload.set_write();
  payload.set_address(0);
  payload.set_data_ptr(data);
  payload.set_data_length(6);
  payload.set_streaming_width(6);
  payload.set_byte_enable_ptr(enables);
  payload.set_byte_enable_length(3);
  sc_time delay;
  bench.initiator.socket->b_transport(payload, delay);
  CHECK(payload.is_response_ok());
  CHECK(std::memcmp(bench.memory.array().contents().data(), "AbcDef", 6) == 0);
  CHECK(bench.memory.array().counters().writes == 1);
  CHECK(bench.memory.array().counters().written_bytes == 6);
}

TEST_CASE("a memory larger than the host works at both ends and reads zero where untouched") {
  Bench bench(std::uint64_t{64} << 30);  // 64 GiB
  bench.elaborate();
  const std::uint64_t last_word = (std::uint64_t{64} << 30) - 4;
  std::uint32_t word = 0xcafef00d;
  CHECK(bench.initiator.send(tlm::TLM_WRITE_COMMAND, last_word, &word, 4).response == tlm::TLM_OK_RESPONSE);
  word = 0;
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, last_word, &word, 4).response == tlm::TLM_OK_RESPONSE);
  CHECK(word == 0xcafef00d);
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, std::uint64_t{32} << 30, &word, 4).response ==
        tlm::TLM_OK_RESPONSE);
  CHECK(word == 0);
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, last_word + 4, &word, 4).response ==
        tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST_CASE("a memory that the host cannot reserve is refused with its name and size") {
  const MemoryConfig enormous{std::uint64_t{1} << 62, {}, {}, 0, true};
  CHECK_THROWS_WITH(Memory<>("dram", enormous),
                    Catch::Matchers::Contains("dram") && Catch::Matchers::Contains("4611686018427387904 bytes"));
  CHECK_THROWS_AS(Memory<>("beyond", MemoryConfig{~std::uint64_t{0}, {}, {}, 0, true}), std::runtime_error);
  CHECK_THROWS_AS(Memory<>("none", MemoryConfig{0, {}, {}, 0, true}), std::invalid_argument);
  CHECK_THROWS_AS(Memory<>("slow", MemoryConfig{64, {}, {}, -1.0, true}), std::invalid_argument);
}

TEST_CASE("a memory gives its address space back when it is destroyed") {
  // 3000 x 64 GiB are more than the 128 TiB a process can address.
  for (int i = 0; i < 3000; ++i) {
    CHECK_NOTHROW(MemoryArray("dram", {std::uint64_t{64} << 30, {}, {}, 0, true}, 4));
  }
}

TEST_CASE("DMI covers the whole memory, tells one word's latencies and adds to those it finds") {
  Bench bench;
  bench.elaborate();
  tlm::tlm_dmi dmi;
  REQUIRE(bench.initiator.ask(tlm::TLM_READ_COMMAND, 1000, dmi));
  CHECK(dmi.get_start_address() == 0);
  CHECK(dmi.get_end_address() == 4095);
  CHECK(dmi.is_read_write_allowed());
  // 4 B / 25.6 GB/s = 156.25 ps, rounded to 156 ps.
  CHECK(dmi.get_read_latency() == sc_time(50156, SC_PS));
  CHECK(dmi.get_write_latency() == sc_time(30156, SC_PS));

  tlm::tlm_generic_payload payload;
  tlm::tlm_dmi second;
  second.set_read_latency(sc_time(1, SC_NS));
  payload.set_read();
  bench.initiator.socket->get_direct_mem_ptr(payload, second);
  CHECK(second.get_read_latency() == sc_time(51156, SC_PS));
}

TEST_CASE("DMI beyond the end is refused for exactly the addresses beyond the end") {
  Bench bench;
  bench.elaborate();
  tlm::tlm_dmi dmi;
  CHECK_FALSE(bench.initiator.ask(tlm::TLM_READ_COMMAND, 5000, dmi));
  CHECK(dmi.get_start_address() == 4096);
  CHECK(dmi.get_end_address() == ~std::uint64_t{0});
}

TEST_CASE("reset invalidates the DMI pointers that were granted and clears the contents") {
  Bench bench;
  bench.elaborate();
  bench.memory.reset();
  CHECK(bench.initiator.invalidations.empty());

  tlm::tlm_dmi dmi;
  REQUIRE(bench.initiator.ask(tlm::TLM_WRITE_COMMAND, 0, dmi));
  dmi.get_dmi_ptr()[7] = 42;
  bench.initiator.send(tlm::TLM_READ_COMMAND, 0, bench.data, 2560);
  bench.memory.reset();
  REQUIRE(bench.initiator.invalidations.size() == 1);
  CHECK(bench.initiator.invalidations[0].first == 0);
  CHECK(bench.initiator.invalidations[0].second == 4095);
  // The channel is free again as well: a read does not wait for the one before the reset.
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, 7, bench.data, 1).delay < sc_time(51, SC_NS));
  CHECK(bench.data[0] == 0);
  bench.memory.reset();
  CHECK(bench.initiator.invalidations.size() == 1);
}

TEST_CASE("two memories in one simulation do not share contents, counters or channel") {
  Memory<> one("one", {64, {}, {}, 1e9, true});
  Memory<> other("other", {64, {}, {}, 1e9, true});
  TestInitiator<> to_one("to_one");
  TestInitiator<> to_other("to_other");
  to_one.socket.bind(one.socket);
  to_other.socket.bind(other.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  unsigned char data[64] = {1, 2, 3};
  CHECK(to_one.send(tlm::TLM_WRITE_COMMAND, 0, data, 64).delay == sc_time(64, SC_NS));
  CHECK(to_other.send(tlm::TLM_READ_COMMAND, 0, data, 64).delay == sc_time(64, SC_NS));
  CHECK(data[0] == 0);
  CHECK(other.array().counters().writes == 0);
}

}  // namespace
}  // namespace mho::testbenches
