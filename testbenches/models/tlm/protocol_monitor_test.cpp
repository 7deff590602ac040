// SPDX-License-Identifier: Apache-2.0
// The protocol monitor reports and counts each rule when it is broken, tolerates what its options say, and
// lets everything else pass. The strictness of the tests about reports is tested here too.
#include <tlm_utils/simple_target_socket.h>
#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/tlm/payload_pool.h"
#include "models/tlm/protocol_monitor.h"
#include "testbenches/models/tlm/test_initiator.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using namespace mho::tlm_kit;
using sc_core::SC_NS;
using sc_core::sc_time;

/// A target that does what the test case says.
struct Puppet : sc_core::sc_module {
  explicit Puppet(sc_core::sc_module_name module_name) : sc_core::sc_module(module_name), socket("socket") {
    socket.register_b_transport(this, &Puppet::b_transport);
    socket.register_transport_dbg(this, &Puppet::transport_dbg);
    socket.register_get_direct_mem_ptr(this, &Puppet::get_direct_mem_ptr);
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    if (on_transport) on_transport(payload, delay);
  }
  unsigned int transport_dbg(tlm::tlm_generic_payload& payload) {
    return on_debug ? on_debug(payload) : payload.get_data_length();
  }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    if (on_dmi_request) on_dmi_request(payload);
    return on_dmi ? on_dmi(dmi) : false;
  }

  tlm_utils::simple_target_socket<Puppet> socket;
  std::function<void(tlm::tlm_generic_payload&, sc_time&)> on_transport;
  std::function<unsigned int(tlm::tlm_generic_payload&)> on_debug;
  std::function<bool(tlm::tlm_dmi&)> on_dmi;
  std::function<void(tlm::tlm_generic_payload&)> on_dmi_request;
};

struct Bench {
  explicit Bench(ProtocolOptions options = {})
      : initiator("initiator"), monitor("monitor", options), puppet("puppet"), reports("mho/protocol") {
    initiator.socket.bind(monitor.target_socket);
    monitor.initiator_socket.bind(puppet.socket);
    payload.set_read();
    payload.set_address(0x10);
    payload.set_data_ptr(data);
    payload.set_data_length(4);
    payload.set_streaming_width(4);
  }
  void elaborate() { sc_core::sc_start(sc_core::SC_ZERO_TIME); }
  void transport() { initiator.socket->b_transport(payload, delay); }
  /// The only violations so far are `times` of this rule, each reported.
  bool only(ProtocolRule rule, std::uint64_t times = 1) const {
    return monitor.checks().count(rule) == times && monitor.checks().total() == times && reports.count() == times;
  }

  TestInitiator<> initiator;
  ProtocolMonitor<> monitor;
  Puppet puppet;
  ExpectedReports reports;
  unsigned char data[8] = {};
  tlm::tlm_generic_payload payload;
  sc_time delay{5, SC_NS};
};

TEST_CASE("a monitor lets a correct transfer pass without a word") {
  Bench bench;
  bench.elaborate();
  bench.puppet.on_transport = [](tlm::tlm_generic_payload& payload, sc_time& delay) {
    delay += sc_time(1, SC_NS);
    payload.get_data_ptr()[0] = 9;
  };
  bench.transport();
  CHECK(bench.data[0] == 9);
  CHECK(bench.delay == sc_time(6, SC_NS));
  CHECK(bench.monitor.checks().total() == 0);
  CHECK(bench.reports.count() == 0);
}

TEST_CASE("a monitor finds each attribute that an initiator did not set") {
  struct Mistake {
    ProtocolRule rule;
    std::function<void(tlm::tlm_generic_payload&)> make;
  };
  static unsigned char enables[1] = {0xff};
  const std::vector<Mistake> mistakes = {
      {ProtocolRule::kCommand, [](auto& payload) { payload.set_command(static_cast<tlm::tlm_command>(3)); }},
      {ProtocolRule::kDataArray, [](auto& payload) { payload.set_data_ptr(nullptr); }},
      {ProtocolRule::kDataArray, [](auto& payload) { payload.set_data_length(0); }},
      {ProtocolRule::kStreamingWidth, [](auto& payload) { payload.set_streaming_width(0); }},
      {ProtocolRule::kByteEnables, [](auto& payload) { payload.set_byte_enable_ptr(enables); }},
      {ProtocolRule::kDmiHint, [](auto& payload) { payload.set_dmi_allowed(true); }},
      {ProtocolRule::kResponseOnEntry, [](auto& payload) { payload.set_response_status(tlm::TLM_OK_RESPONSE); }},
  };
  Bench bench;
  bench.elaborate();
  std::uint64_t expected = 0;
  for (const Mistake& mistake : mistakes) {
    const std::uint64_t before = bench.monitor.checks().count(mistake.rule);
    tlm::tlm_generic_payload payload;
    payload.set_data_ptr(bench.data);
    payload.set_data_length(4);
    payload.set_streaming_width(4);
    payload.set_read();
    mistake.make(payload);
    bench.initiator.socket->b_transport(payload, bench.delay);
    CAPTURE(sentence(mistake.rule));
    CHECK(bench.monitor.checks().count(mistake.rule) == before + 1);
    CHECK(bench.monitor.checks().total() == ++expected);
    CHECK(bench.reports.count() == expected);
  }
}

TEST_CASE("a monitor lets an ignored command have no data") {
  Bench bench;
  bench.elaborate();
  bench.payload.set_command(tlm::TLM_IGNORE_COMMAND);
  bench.payload.set_data_ptr(nullptr);
  bench.payload.set_data_length(0);
  bench.payload.set_streaming_width(0);
  bench.transport();
  CHECK(bench.monitor.checks().total() == 0);
}

TEST_CASE("a monitor finds a response that was not set") {
  Bench bench;
  bench.elaborate();
  bench.puppet.on_transport = [](auto& payload, sc_time&) {
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  };
  bench.transport();
  CHECK(bench.only(ProtocolRule::kResponseOnReturn));
}

TEST_CASE("a monitor finds a delay that shrank") {
  Bench bench;
  bench.elaborate();
  bench.puppet.on_transport = [](auto&, sc_time& delay) { delay -= sc_time(1, SC_NS); };
  bench.transport();
  CHECK(bench.only(ProtocolRule::kDelay));
}

TEST_CASE("a monitor accepts that a target waits for the delay, though ours do not") {
  Bench bench;
  bench.puppet.on_transport = [](auto&, sc_time& delay) {
    sc_core::wait(delay);
    delay = sc_core::SC_ZERO_TIME;
  };
  bench.initiator.in_thread = [&bench] { bench.transport(); };
  sc_core::sc_start();
  CHECK(bench.monitor.checks().total() == 0);
}

TEST_CASE("a monitor finds every attribute that a target changed") {
  using Payload = tlm::tlm_generic_payload;
  static unsigned char other[8] = {};
  const std::vector<std::function<void(Payload&)>> changes = {
      [](Payload& payload) { payload.set_write(); },
      [](Payload& payload) { payload.set_address(0x14); },
      [](Payload& payload) { payload.set_data_ptr(other); },
      [](Payload& payload) { payload.set_data_length(2); },
      [](Payload& payload) { payload.set_streaming_width(2); },
      [](Payload& payload) { payload.set_byte_enable_ptr(other); },
      [](Payload& payload) { payload.set_byte_enable_length(1); }};
  Bench bench;
  bench.elaborate();
  std::uint64_t expected = 0;
  for (const auto& change : changes) {
    bench.puppet.on_transport = [&change](Payload& payload, sc_time&) { change(payload); };
    Payload payload;
    payload.set_read();
    payload.set_address(0x10);
    payload.set_data_ptr(bench.data);
    payload.set_data_length(4);
    payload.set_streaming_width(4);
    bench.initiator.socket->b_transport(payload, bench.delay);
    CHECK(bench.only(ProtocolRule::kAttributesKept, ++expected));
  }
}

TEST_CASE("a monitor finds debug transfers that count too much, change attributes or take time") {
  Bench bench;
  bench.elaborate();
  bench.puppet.on_debug = [](auto&) { return 5u; };
  CHECK(bench.initiator.debug(tlm::TLM_READ_COMMAND, 0, bench.data, 4) == 5);
  CHECK(bench.only(ProtocolRule::kDebugCount));
  bench.puppet.on_debug = [](auto& payload) {
    payload.set_address(1);
    return 0u;
  };
  bench.initiator.debug(tlm::TLM_READ_COMMAND, 0, bench.data, 4);
  CHECK(bench.monitor.checks().count(ProtocolRule::kAttributesKept) == 1);
  bench.initiator.debug(tlm::TLM_READ_COMMAND, 1, nullptr, 4);
  CHECK(bench.monitor.checks().count(ProtocolRule::kDataArray) == 1);
  CHECK(bench.monitor.checks().total() == 3);
}

TEST_CASE("a monitor finds a debug transfer that waits") {
  Bench bench;
  bench.puppet.on_debug = [](auto&) {
    sc_core::wait(1, SC_NS);
    return 0u;
  };
  bench.initiator.in_thread = [&bench] { bench.initiator.debug(tlm::TLM_READ_COMMAND, 0, bench.data, 4); };
  sc_core::sc_start();
  CHECK(bench.only(ProtocolRule::kDebugTime));
}

TEST_CASE("a monitor finds DMI answers without the address, without a pointer and without the access") {
  Bench bench;
  bench.elaborate();
  tlm::tlm_dmi dmi;
  bench.puppet.on_dmi = [](tlm::tlm_dmi& answer) {
    answer.set_end_address(0xf);
    return false;
  };
  bench.initiator.ask(tlm::TLM_READ_COMMAND, 0x10, dmi);
  CHECK(bench.only(ProtocolRule::kDmiBounds));
  bench.puppet.on_dmi = [](tlm::tlm_dmi& answer) {
    answer.allow_read_write();
    return true;
  };
  CHECK(bench.initiator.ask(tlm::TLM_READ_COMMAND, 0x10, dmi));
  CHECK(bench.monitor.checks().count(ProtocolRule::kDmiGrant) == 1);
  bench.puppet.on_dmi = [&bench](tlm::tlm_dmi& answer) {
    answer.set_dmi_ptr(bench.data);
    answer.allow_read();
    return true;
  };
  CHECK(bench.initiator.ask(tlm::TLM_READ_COMMAND, 0x10, dmi));
  CHECK(bench.monitor.checks().count(ProtocolRule::kDmiGrant) == 1);
  CHECK(bench.initiator.ask(tlm::TLM_WRITE_COMMAND, 0x10, dmi));
  CHECK(bench.monitor.checks().count(ProtocolRule::kDmiGrant) == 2);
}

TEST_CASE("a monitor finds an address that a DMI request did not bring back") {
  Bench bench;
  bench.elaborate();
  bench.puppet.on_dmi_request = [](auto& payload) { payload.set_address(0); };
  tlm::tlm_dmi dmi;
  bench.initiator.ask(tlm::TLM_READ_COMMAND, 0x10, dmi);
  CHECK(bench.only(ProtocolRule::kAttributesKept));
}

TEST_CASE("a monitor forwards invalidations and finds bounds out of order") {
  Bench bench;
  bench.elaborate();
  bench.puppet.socket->invalidate_direct_mem_ptr(0x10, 0x1f);
  CHECK(bench.monitor.checks().total() == 0);
  REQUIRE(bench.initiator.invalidations.size() == 1);
  CHECK(bench.initiator.invalidations[0].second == 0x1f);
  bench.puppet.socket->invalidate_direct_mem_ptr(1, 0);
  CHECK(bench.only(ProtocolRule::kInvalidation));
}

TEST_CASE("a monitor forwards non-blocking calls in both directions") {
  Bench bench;
  bench.elaborate();
  PayloadPool pool;
  const PayloadHandle payload = pool.acquire(4);
  payload->set_read();
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  CHECK(bench.initiator.socket->nb_transport_fw(*payload, phase, bench.delay) == tlm::TLM_ACCEPTED);
  sc_core::sc_start(10, SC_NS);
  CHECK(bench.initiator.answered == tlm::TLM_OK_RESPONSE);
}

TEST_CASE("a monitor tolerates what its options say") {
  Bench bench({true, true, true, sc_core::SC_ERROR});
  bench.elaborate();
  bench.payload.set_streaming_width(0);
  bench.puppet.on_transport = [](auto& payload, sc_time&) {
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    payload.set_address(0);
  };
  bench.transport();
  CHECK(bench.monitor.checks().total() == 0);
}

TEST_CASE("a violation says where, at which address and which rule") {
  Bench bench;
  bench.elaborate();
  bench.payload.set_dmi_allowed(true);
  bench.transport();
  REQUIRE(bench.reports.count() == 1);
  CHECK(bench.reports.messages()[0] ==
        "monitor: violated at address 0x10: an initiator clears the DMI hint before it sends");
}

TEST_CASE("a report that no test expects is thrown, whatever its severity from warning on") {
  CHECK_THROWS_AS(SC_REPORT_WARNING("mho/test", "a warning"), sc_core::sc_report);
  CHECK_THROWS_AS(SC_REPORT_ERROR("mho/test", "an error"), sc_core::sc_report);
  CHECK_NOTHROW(SC_REPORT_INFO_VERB("mho/test", "an information", sc_core::SC_DEBUG));
  {
    const ExpectedReports expected("mho/");
    CHECK_NOTHROW(SC_REPORT_WARNING("mho/test", "expected"));
    CHECK_THROWS_AS(SC_REPORT_WARNING("other", "of another id"), sc_core::sc_report);
    CHECK_THROWS_AS(SC_REPORT_FATAL("mho/test", "fatal"), sc_core::sc_report);
    CHECK(expected.count() == 1);
  }
  CHECK_THROWS_AS(SC_REPORT_WARNING("mho/test", "no longer expected"), sc_core::sc_report);
}

}  // namespace
}  // namespace mho::testbenches
