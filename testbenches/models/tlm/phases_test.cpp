// SPDX-License-Identifier: Apache-2.0
// Both ends of a link against peers played by hand: one request waits for END_REQ and one response for END_RESP at a
// time, and references are kept exactly as long as a transaction lasts.
#include "models/tlm/phases.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "models/tlm/payload_pool.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using tlm_kit::PayloadHandle;

/// Three payloads, told apart by their address, and what a peer heard about them: "q0" is BEGIN_REQ of the first, a
/// END_REQ, r BEGIN_RESP, f END_RESP.
struct Peer {
  Peer() {
    for (unsigned i = 0; i < 3; ++i) {
      payloads.push_back(pool.acquire(0));
      payloads.back()->set_address(i);
    }
  }
  tlm::tlm_sync_enum hear(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase) {
    const char letter = phase == tlm::BEGIN_REQ    ? 'q'
                        : phase == tlm::END_REQ    ? 'a'
                        : phase == tlm::BEGIN_RESP ? 'r'
                                                   : 'f';
    heard += letter + std::to_string(payload.get_address()) + " ";
    return answer;
  }
  tlm_kit::TransportCall call() {
    return [this](auto& payload, auto& phase, auto&) { return hear(payload, phase); };
  }
  tlm_kit::PayloadPool pool;
  std::vector<PayloadHandle> payloads;
  tlm::tlm_sync_enum answer = tlm::TLM_ACCEPTED;
  std::string heard;
};

TEST_CASE("a response waits until the one before it has ended") {
  Peer peer;
  tlm_kit::ResponseLink link(peer.call());
  for (const PayloadHandle& each : peer.payloads) link.take(*each);
  link.respond(*peer.payloads[1]);
  link.respond(*peer.payloads[0]);
  CHECK(peer.heard == "r1 ");
  // What is refused meanwhile is accepted first, and its response comes in turn.
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  CHECK(link.answered(*peer.payloads[2], tlm::TLM_COMMAND_ERROR_RESPONSE, phase) == tlm::TLM_UPDATED);
  CHECK(phase == tlm::END_REQ);
  CHECK(link.end(*peer.payloads[1]) == tlm::TLM_COMPLETED);
  CHECK(peer.heard == "r1 r0 ");
  link.end(*peer.payloads[0]);
  CHECK(peer.heard == "r1 r0 r2 ");
  CHECK(peer.payloads[2]->get_response_status() == tlm::TLM_COMMAND_ERROR_RESPONSE);
  link.end(*peer.payloads[2]);
  peer.payloads.clear();
  CHECK(peer.pool.in_use() == 0);
}

TEST_CASE("responses that are completed at once follow each other, and a refusal may then be answered at once") {
  Peer peer;
  tlm_kit::ResponseLink link(peer.call());
  peer.answer = tlm::TLM_COMPLETED;
  for (const PayloadHandle& each : peer.payloads) link.take(*each);
  link.respond(*peer.payloads[0]);
  link.respond(*peer.payloads[1]);
  CHECK(peer.heard == "r0 r1 ");
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  link.answered(*peer.payloads[2], tlm::TLM_BURST_ERROR_RESPONSE, phase);
  CHECK(phase == tlm::BEGIN_RESP);
  CHECK(peer.heard == "r0 r1 ");
  link.end(*peer.payloads[2]);
  peer.payloads.clear();
  CHECK(peer.pool.in_use() == 0);
}

TEST_CASE("a request waits until the one before it is accepted, a response stands for that as well") {
  Peer peer;
  std::string called;
  const auto note = [&](char letter) {
    return [&called, letter](auto& payload) { called += letter + std::to_string(payload.get_address()) + " "; };
  };
  tlm_kit::RequestLink link(peer.call(), note('a'), note('r'));
  for (const PayloadHandle& each : peer.payloads) link.send(*each);
  CHECK(peer.heard == "q0 ");
  CHECK(link.waiting() == 3);
  tlm::tlm_phase phase = tlm::END_REQ;
  link.receive(*peer.payloads[0], phase);
  CHECK(peer.heard == "q0 q1 ");
  CHECK(called == "a0 ");
  phase = tlm::BEGIN_RESP;
  CHECK(link.receive(*peer.payloads[1], phase) == tlm::TLM_COMPLETED);
  CHECK(peer.heard == "q0 q1 q2 ");
  CHECK(called == "a0 a1 r1 ");
  phase = tlm::BEGIN_RESP;
  link.receive(*peer.payloads[0], phase);
  phase = tlm::BEGIN_RESP;
  link.receive(*peer.payloads[2], phase);
  CHECK(called == "a0 a1 r1 r0 a2 r2 ");
  peer.payloads.clear();
  CHECK(peer.pool.in_use() == 0);
}

}  // namespace
}  // namespace mho::testbenches
