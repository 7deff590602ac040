// SPDX-License-Identifier: Apache-2.0
// The target base with devices that misbehave and payloads that no initiator should send, and the two
// pieces everything else stands on: durations and the payload pool.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "models/tlm/checked_target.h"
#include "models/tlm/duration.h"
#include "models/tlm/payload_pool.h"
#include "testbenches/models/tlm/device_module.h"
#include "testbenches/models/tlm/test_initiator.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using namespace mho::tlm_kit;
using sc_core::SC_NS;
using sc_core::SC_PS;
using sc_core::sc_time;

TEST_CASE("a duration multiplies before it rounds") {
  // 1024 / 1.28 GS/s = 800 ns; one conversion rounds to 781 ps, and 1024 x 781 ps would be 799.744 ns.
  CHECK(duration(1024, 1.28e9) == sc_time(800, SC_NS));
  CHECK(duration(1, 1.28e9) == sc_time(781, SC_PS));
  CHECK(duration(1.5e-12) == sc_time(2, SC_PS));
  CHECK(duration(0) == sc_core::SC_ZERO_TIME);
  CHECK(duration(1e6) == sc_time(1e6, sc_core::SC_SEC));
}

TEST_CASE("a duration that is negative, not a number or too long is refused") {
  CHECK_THROWS_AS(duration(-1e-9), std::domain_error);
  CHECK_THROWS_AS(duration(std::nan("")), std::domain_error);
  CHECK_THROWS_AS(duration(std::numeric_limits<double>::infinity()), std::domain_error);
  CHECK_THROWS_AS(duration(2e7), std::domain_error);  // 2^64 ps are 1.8e7 s
  CHECK_THROWS_AS(duration(1, 0), std::domain_error);
  CHECK_THROWS_AS(duration(0, 0), std::domain_error);
}

TEST_CASE("a pooled payload starts with every attribute set, however its last user left it") {
  PayloadPool pool;
  tlm::tlm_generic_payload* reused = nullptr;
  {
    const PayloadHandle payload = pool.acquire(16);
    reused = payload.get();
    unsigned char enables[1] = {0xff};
    payload->set_write();
    payload->set_address(99);
    payload->set_data_length(8);
    payload->set_streaming_width(4);
    payload->set_byte_enable_ptr(enables);
    payload->set_byte_enable_length(1);
    payload->set_dmi_allowed(true);
    payload->set_response_status(tlm::TLM_OK_RESPONSE);
    payload->set_gp_option(tlm::TLM_FULL_PAYLOAD);
    payload->set_data_ptr(enables);
  }
  const PayloadHandle payload = pool.acquire(16);
  REQUIRE(payload.get() == reused);
  CHECK(payload->get_command() == tlm::TLM_IGNORE_COMMAND);
  CHECK(payload->get_address() == 0);
  CHECK(payload->get_data_length() == 16);
  CHECK(payload->get_streaming_width() == 16);
  CHECK(payload->get_byte_enable_ptr() == nullptr);
  CHECK(payload->get_byte_enable_length() == 0);
  CHECK_FALSE(payload->is_dmi_allowed());
  CHECK(payload->get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE);
  CHECK(payload->get_gp_option() == tlm::TLM_MIN_PAYLOAD);
  CHECK(payload->get_ref_count() == 1);
  for (int i = 0; i < 16; ++i) payload->get_data_ptr()[i] = 1;  // sanitizers watch the data array
}

TEST_CASE("a pool reuses payloads and grows their data only when it must") {
  PayloadPool pool;
  const unsigned char* data = pool.acquire(1000)->get_data_ptr();
  CHECK(pool.acquire(10)->get_data_ptr() == data);
  CHECK(pool.acquire(0)->get_data_ptr() == nullptr);
  CHECK(pool.allocated() == 1);
  CHECK(pool.in_use() == 0);
  std::vector<PayloadHandle> lent;
  for (int i = 0; i < 3; ++i) lent.push_back(pool.acquire(4));
  CHECK(pool.in_use() == 3);
  lent.pop_back();
  CHECK(pool.in_use() == 2);
  CHECK(pool.allocated() == 3);
}

TEST_CASE("a payload returns to its pool with the last reference, not with the first") {
  PayloadPool pool;
  tlm::tlm_generic_payload* kept = nullptr;
  {
    const PayloadHandle payload = pool.acquire(4);
    kept = payload.get();
    kept->acquire();
  }
  CHECK(pool.in_use() == 1);
  kept->release();
  CHECK(pool.in_use() == 0);
}

struct CountedExtension : tlm::tlm_extension<CountedExtension> {
  explicit CountedExtension(int& alive) : alive_(alive) { ++alive_; }
  ~CountedExtension() override { --alive_; }
  tlm::tlm_extension_base* clone() const override { return new CountedExtension(alive_); }
  void copy_from(const tlm::tlm_extension_base&) override {}
  int& alive_;
};

TEST_CASE("extensions are freed when a payload returns to its pool, sticky or not") {
  int alive = 0;
  PayloadPool pool;
  pool.acquire(4)->set_auto_extension(new CountedExtension(alive));
  CHECK(alive == 0);
  pool.acquire(4)->set_extension(new CountedExtension(alive));
  CHECK(alive == 0);
  CHECK(pool.acquire(4)->get_extension<CountedExtension>() == nullptr);
}

/// Eight bytes that can be told to misbehave.
struct Device : TargetDevice {
  tlm::tlm_response_status admits(tlm::tlm_command, std::uint64_t address, std::uint64_t length) const override {
    admitted_length = length;
    return address + length <= sizeof bytes ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE;
  }
  void read(std::uint64_t address, ByteSpan span, sc_time& delay) override {
    if (throws) throw std::runtime_error("on fire");
    if (shrinks) delay = sc_core::SC_ZERO_TIME;
    for (std::size_t i = 0; i < span.size(); ++i) span[i] = bytes[address + i];
  }
  void write(std::uint64_t address, ConstByteSpan span, sc_time&) override {
    for (std::size_t i = 0; i < span.size(); ++i) bytes[address + i] = span[i];
  }
  std::size_t debug_read(std::uint64_t, ByteSpan span) const override { return span.size(); }
  std::size_t debug_write(std::uint64_t, ConstByteSpan span) override { return span.size(); }

  unsigned char bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  bool throws = false;
  bool shrinks = false;
  mutable std::uint64_t admitted_length = 0;
};

struct Bench {
  explicit Bench(TargetTraits traits = {}) : target("target", device, traits), initiator("initiator") {
    initiator.socket.bind(target.socket);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  Device device;
  DeviceModule<> target;
  TestInitiator<> initiator;
  unsigned char data[8] = {};
};

TEST_CASE("a transfer without data or with a null pointer is refused before the device is asked") {
  Bench bench;
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, 0, bench.data, 0).response == tlm::TLM_BURST_ERROR_RESPONSE);
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, 0, nullptr, 4).response == tlm::TLM_GENERIC_ERROR_RESPONSE);
  CHECK(bench.initiator.debug(tlm::TLM_READ_COMMAND, 0, nullptr, 4) == 0);
  CHECK(bench.initiator.debug(tlm::TLM_READ_COMMAND, 0, bench.data, 0) == 0);
  CHECK(bench.device.admitted_length == 0);
}

TEST_CASE("a transfer that wraps around the end of the address space is refused before the device is asked") {
  Bench bench;
  CHECK(bench.initiator.send(tlm::TLM_READ_COMMAND, ~std::uint64_t{0} - 1, bench.data, 4).response ==
        tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(bench.device.admitted_length == 0);
}

TEST_CASE("a byte enable array of length 0 is refused where byte enables are honoured") {
  Bench bench({true, false, false});
  unsigned char enables[1] = {0xff};
  tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_data_ptr(bench.data);
  payload.set_data_length(4);
  payload.set_streaming_width(4);
  payload.set_byte_enable_ptr(enables);
  sc_time delay;
  bench.initiator.socket->b_transport(payload, delay);
  CHECK(payload.get_response_status() == tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
}

TEST_CASE("streaming asks the device for one beat and is refused when the last beat would be shorter") {
  Bench bench({false, true, false});
  tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_address(6);
  payload.set_data_ptr(bench.data);
  payload.set_data_length(8);
  payload.set_streaming_width(2);
  sc_time delay;
  bench.initiator.socket->b_transport(payload, delay);
  CHECK(payload.get_response_status() == tlm::TLM_OK_RESPONSE);
  CHECK(bench.device.admitted_length == 2);
  CHECK(std::vector<unsigned char>(bench.data, bench.data + 8) == std::vector<unsigned char>{7, 8, 7, 8, 7, 8, 7, 8});
  payload.set_data_length(7);
  bench.initiator.socket->b_transport(payload, delay);
  CHECK(payload.get_response_status() == tlm::TLM_BURST_ERROR_RESPONSE);
}

TEST_CASE("an exception of a device leaves an error response and passes through") {
  Bench bench;
  bench.device.throws = true;
  tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_data_ptr(bench.data);
  payload.set_data_length(4);
  payload.set_streaming_width(4);
  sc_time delay;
  CHECK_THROWS_WITH(bench.initiator.socket->b_transport(payload, delay), "on fire");
  CHECK(payload.get_response_status() == tlm::TLM_GENERIC_ERROR_RESPONSE);
}

TEST_CASE("a device that reduces the delay is reported") {
  Bench bench;
  bench.device.shrinks = true;
  const ExpectedReports expected("mho/target");
  bench.initiator.send(tlm::TLM_READ_COMMAND, 0, bench.data, 4, sc_time(5, SC_NS));
  CHECK(expected.count() == 1);
}

TEST_CASE("debug transport asks for no byte beyond the last address") {
  Bench bench;
  CHECK(bench.initiator.debug(tlm::TLM_READ_COMMAND, ~std::uint64_t{0} - 1, bench.data, 8) == 2);
}

TEST_CASE("a non-blocking call is answered through the conversion of the socket") {
  Bench bench;
  PayloadPool pool;
  {
    const PayloadHandle payload = pool.acquire(4);
    payload->set_read();
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_time delay(1, SC_NS);
    CHECK(bench.initiator.socket->nb_transport_fw(*payload, phase, delay) == tlm::TLM_ACCEPTED);
    sc_core::sc_start(10, SC_NS);
    CHECK(bench.initiator.answered == tlm::TLM_OK_RESPONSE);
    CHECK(payload->get_data_ptr()[3] == 4);
  }
  CHECK(pool.in_use() == 0);
}

}  // namespace
}  // namespace mho::testbenches
