// SPDX-License-Identifier: Apache-2.0
// The phase monitor lets correct conversations pass and finds each rule that an initiator or a target breaks, and no
// other.
#include "models/tlm/phase_monitor.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <vector>

#include "testbenches/models/tlm/phase_bench.h"

TLM_DECLARE_EXTENDED_PHASE(SLEEP);

namespace mho::testbenches {
namespace {

using namespace mho::tlm_kit;
using sc_core::SC_NS;
using sc_core::sc_time;
using Bench = PhaseBench;

const Answer kCompleted{tlm::TLM_COMPLETED, {}};

/// A conversation in letters, or more than letters can say.
struct Conversation {
  Conversation(const char* name, const char* letters)
      : what(name), talk([letters](Bench& bench, Payload& payload) { bench.talk(payload, letters); }) {}
  Conversation(const char* name, std::function<void(Bench&, Payload&)> calls) : what(name), talk(std::move(calls)) {}
  const char* what;
  std::function<void(Bench&, Payload&)> talk;
};

const std::vector<Conversation> kCorrect = {
    {"four phases, four calls", "qarf"},
    {"END_REQ left out", "qrf"},
    {"a response that completes", "qac"},
    {"delays that grow", "1q3a3r8f"},
    {"END_REQ and END_RESP as return values, later than the calls",
     [](Bench& b, Payload& p) {
       b.forward(p, tlm::BEGIN_REQ, updated(tlm::END_REQ, 2), 1);
       p.set_response_status(tlm::TLM_OK_RESPONSE);
       b.backward(p, tlm::BEGIN_RESP, updated(tlm::END_RESP, 1), 4);
     }},
    {"the response as a return value",
     [](Bench& b, Payload& p) {
       b.forward(p, tlm::BEGIN_REQ, updated(tlm::BEGIN_RESP), 5);
       b.forward(p, tlm::END_RESP, {}, 5);
     }},
    {"a second request before the first response, responses in another order",
     [](Bench& b, Payload& p) {
       const PayloadHandle second = b.payload();
       b.talk(p, "qa");
       b.talk(*second, "q");
       CHECK(b.monitor.checks().open() == 2);
       b.talk(*second, "rf");
       b.talk(p, "rf");
     }},
    {"the target responds within the request's call",
     [](Bench& b, Payload& p) {
       b.forward(p, tlm::BEGIN_REQ,
                 {tlm::TLM_ACCEPTED, [&b](Payload& same, tlm::tlm_phase&, sc_time&) { b.talk(same, "ac"); }});
     }},
    {"phases that the base protocol does not know",
     [](Bench& b, Payload& p) {
       b.talk(p, "q");
       b.forward(p, SLEEP);
       b.backward(p, SLEEP);
       b.forward(p, SLEEP, updated(tlm::END_REQ));
       b.talk(p, "rf");
     }},
    {"an initiator that uses its payload again for another address",
     [](Bench& b, Payload& p) {
       b.talk(p, "qrf");
       p.set_address(0x20);
       p.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
       b.talk(p, "qrf");
     }},
};

TEST_CASE("a phase monitor lets correct conversations pass without a word") {
  Bench bench;
  for (const Conversation& conversation : kCorrect) {
    CAPTURE(conversation.what);
    const PayloadHandle payload = bench.payload();
    sc_core::sc_start(10, SC_NS);
    conversation.talk(bench, *payload);
    CHECK(bench.monitor.checks().total() == 0);
    CHECK(bench.monitor.checks().open() == 0);
  }
  CHECK(bench.reports.count() == 0);
}

struct Fault {
  PhaseRule rule;
  Conversation conversation;
  std::uint64_t times = 1;
};

const std::vector<Fault> kFaults = {
    {PhaseRule::kReferences,
     {"no memory manager",
      [](Bench& b, Payload&) {
        Payload own;
        b.talk(own, "qrf");
      }},
     3},
    {PhaseRule::kReferences,
     {"no reference",
      [](Bench& b, Payload&) {
        Payload own(&b.pool);
        b.talk(own, "q");
        own.acquire();
        b.talk(own, "rf");
      }}},
    {PhaseRule::kDirection, {"END_REQ from the initiator", "qArf"}},
    {PhaseRule::kDirection, {"BEGIN_RESP from the initiator", "qRrf"}},
    {PhaseRule::kDirection, {"BEGIN_REQ from the target", "Q"}},
    {PhaseRule::kDirection, {"END_RESP from the target", "qrFf"}},
    {PhaseRule::kDirection,
     {"END_RESP as the answer to a request",
      [](Bench& b, Payload& p) {
        b.forward(p, tlm::BEGIN_REQ, updated(tlm::END_RESP));
        b.talk(p, "rf");
      }}},
    {PhaseRule::kOrder, {"a request twice", "qaqrf"}},
    {PhaseRule::kOrder, {"END_REQ twice", "qaarf"}},
    {PhaseRule::kOrder, {"END_REQ after the response", "qraf"}},
    {PhaseRule::kOrder, {"a response twice", "qrrf"}},
    {PhaseRule::kOrder, {"END_RESP before the response", "qafrf"}},
    {PhaseRule::kOrder, {"no phase", [](Bench& b, Payload& p) { b.forward(p, tlm::tlm_phase()); }}},
    {PhaseRule::kInFlight, {"END_RESP once more", "qrff"}},
    {PhaseRule::kInFlight, {"END_REQ of a request that was not sent", "a"}},
    {PhaseRule::kInFlight, {"a response after completion", "qcr"}},
    {PhaseRule::kInFlight,
     {"an answer to END_RESP",
      [](Bench& b, Payload& p) {
        b.talk(p, "qr");
        b.forward(p, tlm::END_RESP, updated(tlm::END_REQ));
      }}},
    {PhaseRule::kRequestExclusion,
     {"a request before the last one is accepted",
      [](Bench& b, Payload& p) {
        const PayloadHandle second = b.payload();
        b.talk(p, "q");
        b.talk(*second, "q");
        b.talk(p, "arf");
        b.talk(*second, "arf");
      }}},
    {PhaseRule::kResponseExclusion,
     {"a response before the last one has ended",
      [](Bench& b, Payload& p) {
        const PayloadHandle second = b.payload();
        b.talk(p, "qar");
        b.talk(*second, "qar");
        b.talk(p, "f");
        b.talk(*second, "f");
      }}},
    {PhaseRule::kAccepted,
     {"TLM_ACCEPTED with another phase",
      [](Bench& b, Payload& p) {
        b.forward(p, tlm::BEGIN_REQ, {tlm::TLM_ACCEPTED, updated(tlm::END_REQ).change});
        b.talk(p, "rf");
      }}},
    {PhaseRule::kAccepted,
     {"TLM_ACCEPTED with another delay",
      [](Bench& b, Payload& p) {
        b.talk(p, "q");
        p.set_response_status(tlm::TLM_OK_RESPONSE);
        b.backward(p, tlm::BEGIN_RESP, {tlm::TLM_ACCEPTED, updated(tlm::BEGIN_RESP, 1).change});
        b.talk(p, "f");
      }}},
    {PhaseRule::kUpdated,
     {"TLM_UPDATED with the same phase",
      [](Bench& b, Payload& p) {
        b.forward(p, tlm::BEGIN_REQ, {tlm::TLM_UPDATED, {}});
        b.talk(p, "rf");
      }}},
    {PhaseRule::kCompleted,
     {"a request that is completed", [](Bench& b, Payload& p) { b.forward(p, tlm::BEGIN_REQ, kCompleted); }}},
    {PhaseRule::kCompleted,
     {"END_REQ that is completed",
      [](Bench& b, Payload& p) {
        b.talk(p, "q");
        b.backward(p, tlm::END_REQ, kCompleted);
      }}},
    {PhaseRule::kTime, {"END_REQ before the request arrives", "5q4a5c"}},
    {PhaseRule::kTime,
     {"a request that overtakes the one before it",
      [](Bench& b, Payload& p) {
        const PayloadHandle second = b.payload();
        b.talk(p, "5qa");
        b.talk(*second, "4q5ac");
        b.talk(p, "5c");
      }}},
    {PhaseRule::kTime,
     {"a response that overtakes the one before it",
      [](Bench& b, Payload& p) {
        const PayloadHandle second = b.payload();
        b.talk(p, "qa");
        b.talk(*second, "qa");
        b.talk(p, "3c");
        b.talk(*second, "2c");
      }}},
    {PhaseRule::kTime,
     {"an answer before the call",
      [](Bench& b, Payload& p) {
        b.forward(p, tlm::BEGIN_REQ, updated(tlm::END_REQ, -1), 5);
        b.talk(p, "5c");
      }}},
    {PhaseRule::kTime,
     {"completion before the call",
      [](Bench& b, Payload& p) {
        b.talk(p, "q");
        p.set_response_status(tlm::TLM_OK_RESPONSE);
        b.backward(p, tlm::BEGIN_RESP, {tlm::TLM_COMPLETED, updated(tlm::END_RESP, -1).change}, 5);
      }}},
    {PhaseRule::kResponseOnRequest, {"a request with a response", "xqrf"}},
    {PhaseRule::kResponseOnResponse, {"a response that is not set", "qnf"}},
    {PhaseRule::kResponseOnResponse, {"a response that the initiator turns round", "qrxf"}},
};

TEST_CASE("a phase monitor finds each fault by its rule and no other") {
  Bench bench;
  std::uint64_t all = 0;
  std::vector<bool> broken(kPhaseRules);
  for (const Fault& fault : kFaults) {
    CAPTURE(fault.conversation.what, sentence(fault.rule));
    const PayloadHandle payload = bench.payload();
    const std::uint64_t before = bench.monitor.checks().count(fault.rule);
    sc_core::sc_start(10, SC_NS);
    fault.conversation.talk(bench, *payload);
    CHECK(bench.monitor.checks().count(fault.rule) == before + fault.times);
    CHECK(bench.monitor.checks().total() == (all += fault.times));
    CHECK(bench.monitor.checks().open() == 0);
    CHECK(bench.reports.count() == all);
    broken[std::size_t(fault.rule)] = true;
  }
  for (std::size_t rule = 0; rule < kPhaseRules; ++rule) {
    CAPTURE(sentence(PhaseRule(rule)));
    CHECK((broken[rule] || PhaseRule(rule) == PhaseRule::kAttributesKept));  // has a test of its own
  }
}

/// Each attribute changed once between END_REQ and the response; returns how often that was found.
std::uint64_t attribute_changes_found(PhaseOptions options) {
  static unsigned char other[8] = {};
  const std::vector<std::function<void(Payload&)>> changes = {
      [](Payload& payload) { payload.set_address(0x14); },
      [](Payload& payload) { payload.set_write(); },
      [](Payload& payload) { payload.set_data_ptr(other); },
      [](Payload& payload) { payload.set_data_length(2); },
      [](Payload& payload) { payload.set_streaming_width(2); },
      [](Payload& payload) { payload.set_byte_enable_ptr(other); },
      [](Payload& payload) { payload.set_byte_enable_length(1); }};
  Bench bench(options);
  const PhaseChecks& checks = bench.monitor.checks();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CAPTURE(i);
    const PayloadHandle payload = bench.payload();
    const std::uint64_t before = checks.total();
    bench.talk(*payload, "qa");
    changes[i](*payload);
    bench.talk(*payload, "c");
    CHECK(checks.total() == before + (i == 0 && options.allow_address_change ? 0 : 1));
  }
  CHECK(checks.count(PhaseRule::kAttributesKept) == checks.total());
  CHECK(bench.reports.count() == checks.total());
  return checks.total();
}

TEST_CASE("a phase monitor finds every attribute that changes under way") { CHECK(attribute_changes_found({}) == 7); }

TEST_CASE("a phase monitor tolerates another address where its options say so") {
  CHECK(attribute_changes_found({true, sc_core::SC_ERROR}) == 6);
}

TEST_CASE("a phase monitor hands on what either side answers, and says where a rule was broken") {
  Bench bench;
  const PayloadHandle payload = bench.payload();
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_time delay(1, SC_NS);
  bench.ends.target.answer = updated(tlm::END_REQ, 4);
  CHECK(bench.ends.out->nb_transport_fw(*payload, phase, delay) == tlm::TLM_UPDATED);
  CHECK(phase == tlm::END_REQ);
  CHECK(delay == sc_time(5, SC_NS));
  CHECK(bench.monitor.checks().open() == 1);
  CHECK(bench.backward(*payload, tlm::BEGIN_RESP, {tlm::TLM_COMPLETED, {}}, 5) == tlm::TLM_COMPLETED);
  CHECK(bench.ends.target.calls == 1);
  CHECK(bench.ends.initiator.calls == 1);
  REQUIRE(bench.reports.count() == 1);
  CHECK(bench.reports.messages()[0] ==
        "monitor: violated at address 0x10 in BEGIN_RESP: the response is set when it begins and stays");
}

TEST_CASE("a phase monitor forwards blocking, debug and direct memory calls") {
  Bench bench;
  const PayloadHandle payload = bench.payload();
  sc_time delay(1, SC_NS);
  bench.ends.out->b_transport(*payload, delay);
  CHECK(delay == sc_time(4, SC_NS));
  CHECK(bench.ends.out->transport_dbg(*payload) == 7);
  tlm::tlm_dmi dmi;
  CHECK(bench.ends.out->get_direct_mem_ptr(*payload, dmi));
  bench.ends.in->invalidate_direct_mem_ptr(1, 4);
  CHECK(bench.ends.invalidated == 3);
  CHECK(bench.monitor.checks().total() == 0);
}

}  // namespace
}  // namespace mho::testbenches
