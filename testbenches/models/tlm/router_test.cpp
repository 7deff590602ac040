// SPDX-License-Identifier: Apache-2.0
// Address maps, and what a router adds to the conformance suite: local addresses, latencies, translated DMI
// and invalidations.
#include <catch2/catch.hpp>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

#include "models/tlm/address_map.h"
#include "models/tlm/memory.h"
#include "models/tlm/router.h"
#include "testbenches/models/tlm/device_module.h"
#include "testbenches/models/tlm/test_initiator.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using namespace mho::tlm_kit;
using Catch::Matchers::Contains;
using Catch::Matchers::Message;
using sc_core::SC_NS;
using sc_core::sc_time;

constexpr std::uint64_t kLastAddress = ~std::uint64_t{0};
using Bounds = std::pair<std::uint64_t, std::uint64_t>;

TEST_CASE("an address map finds the region of an access and nothing across a boundary") {
  AddressMap map;
  map.add({"high", 0x2000, 0x100, 1, 0});
  map.add({"low", 0x1000, 0x1000, 0, 0x50});
  CHECK(map.find(0xfff) == nullptr);
  CHECK(map.find(0x1000)->name == "low");
  CHECK(map.find(0x1fff)->name == "low");
  CHECK(map.find(0x2000)->name == "high");
  CHECK(map.find(0x2100) == nullptr);
  CHECK(map.find(0x1ffc, 4)->name == "low");
  CHECK(map.find(0x1ffd, 4) == nullptr);
  CHECK(map.find(0x1000, 0x1001) == nullptr);
  CHECK(map.find(0x1fff, 0)->name == "low");
  CHECK(map.find(0x1234)->to_local(0x1234) == 0x284);
}

TEST_CASE("an address map can reach up to the last address") {
  AddressMap map;
  map.add({"top", kLastAddress - 15, 16, 0, 0});
  CHECK(map.find(kLastAddress)->name == "top");
  CHECK(map.find(kLastAddress, 2) == nullptr);
  CHECK_THROWS_WITH(map.add({"wrapping", kLastAddress - 15, 17, 0, 0}), Contains("wraps around"));
  CHECK_THROWS_WITH(map.add({"far", 0, 17, 0, kLastAddress - 15}), Contains("wraps around"));
}

TEST_CASE("an address map refuses overlapping regions and names both with their bounds") {
  AddressMap map;
  map.add({"dram", 0x80000000, 0x1000, 0, 0});
  CHECK_THROWS_MATCHES(
      map.add({"pim0", 0x80000fff, 0x10, 1, 0}), std::invalid_argument,
      Message("address region 'pim0' [0x80000fff, 0x8000100e] overlaps 'dram' [0x80000000, 0x80000fff]"));
  CHECK_THROWS_AS(map.add({"around", 0x7fffffff, 0x2000, 1, 0}), std::invalid_argument);
  CHECK_THROWS_AS(map.add({"dram", 0, 1, 1, 0}), std::invalid_argument);
  CHECK_THROWS_AS(map.add({"empty", 0, 0, 1, 0}), std::invalid_argument);
  map.add({"before", 0x7fffffff, 1, 1, 0});
  map.add({"behind", 0x80001000, 1, 1, 0});
  CHECK(map.regions().size() == 3);
}

TEST_CASE("an address map moves a region or stays as it was") {
  AddressMap map;
  map.add({"one", 0x1000, 0x100, 0, 0});
  map.add({"two", 0x2000, 0x100, 1, 0});
  map.move("one", 0x1080);
  CHECK(map.find(0x1000) == nullptr);
  CHECK(map.find(0x117f)->name == "one");
  CHECK_THROWS_AS(map.move("one", 0x1f80), std::invalid_argument);
  CHECK_THROWS_AS(map.move("three", 0), std::out_of_range);
  CHECK(map.at("one").base == 0x1080);
}

TEST_CASE("the gap around an unmapped address ends at its neighbours") {
  AddressMap map;
  CHECK(map.gap(5).last == kLastAddress);
  map.add({"one", 0x1000, 0x100, 0, 0});
  map.add({"two", 0x2000, 0x100, 1, 0});
  CHECK(map.gap(0).first == 0);
  CHECK(map.gap(0).last == 0xfff);
  CHECK(map.gap(0x1100).first == 0x1100);
  CHECK(map.gap(0x1500).last == 0x1fff);
  CHECK(map.gap(0x3000).first == 0x2100);
  CHECK(map.gap(0x3000).last == kLastAddress);
}

/// Two initiators, two memories; `first` is mapped twice, the second time from its middle on.
struct Bench {
  Bench()
      : first("first", {256, sc_time(10, SC_NS), sc_time(20, SC_NS), 0, true}),
        second("second", {256, sc_time(10, SC_NS), sc_time(20, SC_NS), 0, true}),
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
    config.hop_latency = sc_time(3, SC_NS);
    config.regions = {{"first", 0x1000, 256, 0, 0}, {"second", 0x1100, 256, 1, 0}, {"mirror", 0x8000, 64, 0, 128}};
    return config;
  }
  void elaborate() { sc_core::sc_start(sc_core::SC_ZERO_TIME); }

  Memory<> first;
  Memory<> second;
  Router<> router;
  TestInitiator<> initiator;
  TestInitiator<> other;
  unsigned char data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
};

TEST_CASE("a router hands each target its local addresses and adds one hop to the delay") {
  Bench bench;
  bench.elaborate();
  const Outcome outcome = bench.initiator.send(tlm::TLM_WRITE_COMMAND, 0x1108, bench.data, 8, sc_time(1, SC_NS));
  CHECK(outcome.response == tlm::TLM_OK_RESPONSE);
  CHECK(outcome.delay == sc_time(24, SC_NS));  // 1 + 3 + 20
  CHECK(bench.second.array().contents()[8] == 1);
  CHECK(bench.other.send(tlm::TLM_WRITE_COMMAND, 0x8001, bench.data, 4).response == tlm::TLM_OK_RESPONSE);
  CHECK(bench.first.array().contents()[129] == 1);
}

TEST_CASE("a transfer across two regions is refused without a delay and reaches neither target") {
  Bench bench;
  bench.elaborate();
  const Outcome outcome = bench.initiator.send(tlm::TLM_WRITE_COMMAND, 0x10fc, bench.data, 8);
  CHECK(outcome.response == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(outcome.delay == sc_core::SC_ZERO_TIME);
  CHECK(bench.first.array().counters().writes == 0);
  CHECK(bench.second.array().counters().writes == 0);
  // Debug gives what lies in the region of its address, and says how much that was.
  CHECK(bench.initiator.debug(tlm::TLM_WRITE_COMMAND, 0x10fc, bench.data, 8) == 4);
  CHECK(bench.first.array().contents()[255] == 4);
  CHECK(bench.second.array().contents()[0] == 0);
}

TEST_CASE("a router counts what it forwards and what it refuses, debug accesses not among them") {
  Bench bench;
  bench.elaborate();
  for (const std::uint64_t address : {0x1000, 0x1108, 0x10fc, 0x8001, 0x2000})
    bench.initiator.send(tlm::TLM_WRITE_COMMAND, address, bench.data, 8);
  bench.initiator.debug(tlm::TLM_WRITE_COMMAND, 0x1000, bench.data, 8);
  const std::vector<observe::Statistic> statistics = bench.router.statistics();
  CHECK(statistics.at(0).value == 3);
  CHECK(statistics.at(1).value == 2);
}

TEST_CASE("DMI through a router is clipped to the region, with its pointer and latencies adjusted") {
  Bench bench;
  bench.elaborate();
  bench.first.array().contents()[128] = 99;
  tlm::tlm_dmi dmi;
  REQUIRE(bench.initiator.ask(tlm::TLM_READ_COMMAND, 0x8010, dmi));
  CHECK(dmi.get_start_address() == 0x8000);
  CHECK(dmi.get_end_address() == 0x803f);
  CHECK(dmi.get_dmi_ptr()[0] == 99);
  CHECK(dmi.get_read_latency() == sc_time(13, SC_NS));
  CHECK(dmi.get_write_latency() == sc_time(23, SC_NS));
  CHECK_FALSE(bench.initiator.ask(tlm::TLM_READ_COMMAND, 0x2000, dmi));
  CHECK(dmi.get_start_address() == 0x1200);
  CHECK(dmi.get_end_address() == 0x7fff);
}

TEST_CASE("an invalidation reaches every initiator at every place where the target is visible") {
  Bench bench;
  bench.elaborate();
  tlm::tlm_dmi dmi;
  REQUIRE(bench.initiator.ask(tlm::TLM_READ_COMMAND, 0x1000, dmi));
  bench.first.reset();
  const std::vector<Bounds> expected = {{0x1000, 0x10ff}, {0x8000, 0x803f}};
  CHECK(bench.initiator.invalidations == expected);
  CHECK(bench.other.invalidations == expected);
}

TEST_CASE("an invalidation outside of a region's part of the target is not forwarded") {
  Bench bench;
  bench.elaborate();
  bench.first.socket->invalidate_direct_mem_ptr(0, 127);
  bench.first.socket->invalidate_direct_mem_ptr(120, 135);
  const std::vector<Bounds> expected = {{0x1000, 0x107f}, {0x1078, 0x1087}, {0x8000, 0x8007}};
  CHECK(bench.initiator.invalidations == expected);
}

TEST_CASE("remapping a region invalidates DMI at its old place and moves the target") {
  Bench bench;
  bench.elaborate();
  bench.router.remap("second", 0x5000);
  CHECK(bench.initiator.invalidations == std::vector<Bounds>{{0x1100, 0x11ff}});
  CHECK(bench.other.invalidations == std::vector<Bounds>{{0x1100, 0x11ff}});
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, 0x1100, bench.data, 4).response == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, 0x5000, bench.data, 4).response == tlm::TLM_OK_RESPONSE);
  CHECK_THROWS_AS(bench.router.remap("second", 0x1001), std::invalid_argument);
  CHECK(bench.initiator.invalidations.size() == 1);
}

TEST_CASE("a router refuses a region that overlaps another or belongs to a target it does not have") {
  RouterConfig config = Bench::config();
  config.regions.push_back({"late", 0x1180, 16, 0, 0});
  CHECK_THROWS_WITH(Router<>("overlapping", config), Contains("'late'") && Contains("'second'"));
  config = Bench::config();
  config.regions.push_back({"astray", 0x9000, 16, 2, 0});
  CHECK_THROWS_WITH(Router<>("astray", config), Contains("'astray' belongs to target 2") && Contains("has 2"));
}

/// Throws when read, and grants DMI for addresses it was not asked about.
struct FaultyDevice : TargetDevice {
  tlm::tlm_response_status admits(tlm::tlm_command, std::uint64_t, std::uint64_t) const override {
    return tlm::TLM_OK_RESPONSE;
  }
  void read(std::uint64_t, ByteSpan, sc_time&) override { throw std::runtime_error("on fire"); }
  void write(std::uint64_t, ConstByteSpan, sc_time&) override {}
  std::size_t debug_read(std::uint64_t, ByteSpan) const override { return 0; }
  std::size_t debug_write(std::uint64_t, ConstByteSpan) override { return 0; }
  bool direct_memory(tlm::tlm_command, std::uint64_t, tlm::tlm_dmi& dmi) override {
    dmi.set_dmi_ptr(bytes);
    dmi.set_start_address(8);
    dmi.set_end_address(15);
    dmi.allow_read_write();
    return true;
  }
  unsigned char bytes[16] = {};
};

TEST_CASE("a router refuses DMI for one address when the target's answer does not cover it") {
  FaultyDevice device;
  DeviceModule<> target("target", device, {false, false, true});
  Router<> router("router", {1, 1, {{"device", 0x40, 16, 0, 0}}, {}});
  TestInitiator<> initiator("initiator");
  initiator.socket.bind(router.from_initiator[0]);
  router.to_target[0].bind(target.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  tlm::tlm_dmi dmi;
  CHECK_FALSE(initiator.ask(tlm::TLM_READ_COMMAND, 0x47, dmi));
  CHECK(dmi.get_start_address() == 0x47);
  CHECK(dmi.get_end_address() == 0x47);
  CHECK(dmi.is_none_allowed());
  CHECK(initiator.ask(tlm::TLM_READ_COMMAND, 0x48, dmi));
  CHECK(dmi.get_start_address() == 0x48);
}

TEST_CASE("a router restores the address even when the target reports an error") {
  FaultyDevice device;
  DeviceModule<> target("target", device);
  Router<> router("router", {1, 1, {{"device", 0x40, 16, 0, 0}}, {}});
  TestInitiator<> initiator("initiator");
  initiator.socket.bind(router.from_initiator[0]);
  router.to_target[0].bind(target.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);

  unsigned char byte = 0;
  tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_address(0x41);
  payload.set_data_ptr(&byte);
  payload.set_data_length(1);
  payload.set_streaming_width(1);
  sc_time delay;
  CHECK_THROWS_WITH(initiator.socket->b_transport(payload, delay), "on fire");
  CHECK(payload.get_address() == 0x41);
  CHECK(payload.get_response_status() == tlm::TLM_GENERIC_ERROR_RESPONSE);
}

}  // namespace
}  // namespace mho::testbenches
