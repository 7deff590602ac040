// SPDX-License-Identifier: Apache-2.0
// Two puppets on either side of a phase monitor. A conversation is written as a row of letters, one a call; what is not
// a plain call is said with an Answer.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <functional>
#include <string>
#include <utility>

#include "models/tlm/payload_pool.h"
#include "models/tlm/phase_monitor.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {

using Payload = tlm::tlm_generic_payload;

/// What a side makes of the next call; without anything, it accepts.
struct Answer {
  tlm::tlm_sync_enum sync = tlm::TLM_ACCEPTED;
  std::function<void(Payload&, tlm::tlm_phase&, sc_core::sc_time&)> change;
};

/// TLM_UPDATED with `next`, `more_ns` later.
inline Answer updated(tlm::tlm_phase next, int more_ns = 0) {
  return {tlm::TLM_UPDATED, [next, more_ns](Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
            if (next == tlm::BEGIN_RESP) payload.set_response_status(tlm::TLM_OK_RESPONSE);
            phase = next;
            delay += sc_core::sc_time(more_ns, sc_core::SC_NS);
          }};
}

struct Puppet {
  tlm::tlm_sync_enum call(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    ++calls;
    const Answer now = std::exchange(answer, Answer());
    if (now.change) now.change(payload, phase, delay);
    return now.sync;
  }
  Answer answer;
  int calls = 0;
};

/// Initiator and target in one module.
struct PhaseEnds : sc_core::sc_module {
  explicit PhaseEnds(sc_core::sc_module_name module_name) : sc_module(module_name), out("out"), in("in") {
    out.register_nb_transport_bw(this, &PhaseEnds::backward);
    out.register_invalidate_direct_mem_ptr(this, &PhaseEnds::invalidate);
    in.register_nb_transport_fw(this, &PhaseEnds::forward);
    in.register_b_transport(this, &PhaseEnds::b_transport);
    in.register_transport_dbg(this, &PhaseEnds::debug);
    in.register_get_direct_mem_ptr(this, &PhaseEnds::dmi);
  }
  tlm::tlm_sync_enum forward(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    return target.call(payload, phase, delay);
  }
  tlm::tlm_sync_enum backward(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    return initiator.call(payload, phase, delay);
  }
  void b_transport(Payload&, sc_core::sc_time& delay) { delay += sc_core::sc_time(3, sc_core::SC_NS); }
  unsigned int debug(Payload&) { return 7; }
  bool dmi(Payload&, tlm::tlm_dmi&) { return true; }
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last) { invalidated = last - first; }

  tlm_utils::simple_initiator_socket<PhaseEnds> out;
  tlm_utils::simple_target_socket<PhaseEnds> in;
  Puppet initiator, target;
  std::uint64_t invalidated = 0;
};

struct PhaseBench {
  explicit PhaseBench(tlm_kit::PhaseOptions options = {})
      : ends("ends"), monitor("monitor", options), reports("mho/protocol") {
    ends.out.bind(monitor.target_socket);
    monitor.initiator_socket.bind(ends.in);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  tlm_kit::PayloadHandle payload() {
    tlm_kit::PayloadHandle handle = pool.acquire(4);
    handle->set_read();
    handle->set_address(0x10);
    return handle;
  }
  /// A call by the initiator that the target answers with `answer`.
  tlm::tlm_sync_enum forward(Payload& payload, tlm::tlm_phase phase, Answer answer = {}, int ns = 0) {
    ends.target.answer = std::move(answer);
    sc_core::sc_time delay(ns, sc_core::SC_NS);
    return ends.out->nb_transport_fw(payload, phase, delay);
  }
  /// A call by the target.
  tlm::tlm_sync_enum backward(Payload& payload, tlm::tlm_phase phase, Answer answer = {}, int ns = 0) {
    ends.initiator.answer = std::move(answer);
    sc_core::sc_time delay(ns, sc_core::SC_NS);
    return ends.in->nb_transport_bw(payload, phase, delay);
  }
  /// One call a letter: q BEGIN_REQ, a END_REQ, r BEGIN_RESP with the response set, n without, f END_RESP, c a response
  /// that completes; from the wrong side: A END_REQ, R BEGIN_RESP, Q BEGIN_REQ, F END_RESP; x sets another response. A
  /// digit is the delay in ns of the calls after it.
  void talk(Payload& payload, const std::string& letters);

  tlm_kit::PayloadPool pool;
  PhaseEnds ends;
  tlm_kit::PhaseMonitor<> monitor;
  ExpectedReports reports;
};

inline void PhaseBench::talk(Payload& payload, const std::string& letters) {
  const Answer completed{tlm::TLM_COMPLETED, {}};
  int ns = 0;
  for (const char letter : letters) {
    if (letter == 'r' || letter == 'c') payload.set_response_status(tlm::TLM_OK_RESPONSE);
    if (letter == 'x') payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    if (letter == 'q') forward(payload, tlm::BEGIN_REQ, {}, ns);
    if (letter == 'A') forward(payload, tlm::END_REQ, {}, ns);
    if (letter == 'R') forward(payload, tlm::BEGIN_RESP, {}, ns);
    if (letter == 'f') forward(payload, tlm::END_RESP, completed, ns);
    if (letter == 'Q') backward(payload, tlm::BEGIN_REQ, {}, ns);
    if (letter == 'a') backward(payload, tlm::END_REQ, {}, ns);
    if (letter == 'r' || letter == 'n') backward(payload, tlm::BEGIN_RESP, {}, ns);
    if (letter == 'c') backward(payload, tlm::BEGIN_RESP, completed, ns);
    if (letter == 'F') backward(payload, tlm::END_RESP, {}, ns);
    if (letter >= '0' && letter <= '9') ns = letter - '0';
  }
}

}  // namespace mho::testbenches
