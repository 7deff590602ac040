// SPDX-License-Identifier: Apache-2.0
// Both ends of one link in non-blocking transport with the phases of the base protocol (IEEE 1666-2011, chapter 15):
// a request that waits for END_REQ holds back those behind it, and so does a response that waits for END_RESP. Delays
// are always zero: who needs time waits for it before the call.
#pragma once

#include <deque>
#include <functional>
#include <tlm>

namespace mho::tlm_kit {

/// nb_transport_fw or nb_transport_bw of the peer.
using TransportCall = std::function<tlm::tlm_sync_enum(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&)>;
using PayloadCall = std::function<void(tlm::tlm_generic_payload&)>;

/// Initiator's end. It keeps a reference to each payload from send() until `responded` has returned.
class RequestLink {
 public:
  /// `accepted`: END_REQ has come, the next request may go; `responded`: BEGIN_RESP has come and is answered with
  /// completion afterwards. Either may send.
  RequestLink(TransportCall forward, PayloadCall accepted, PayloadCall responded);

  /// Sends BEGIN_REQ now, or once the requests before it are accepted.
  void send(tlm::tlm_generic_payload& payload);
  /// The backward path of the socket.
  tlm::tlm_sync_enum receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase);
  /// Requests that are not accepted yet, the one that was sent included.
  std::size_t waiting() const { return queue_.size() + (unaccepted_ != nullptr ? 1 : 0); }

 private:
  void send_next();
  void accept(tlm::tlm_generic_payload& payload);
  void finish(tlm::tlm_generic_payload& payload);

  TransportCall forward_;
  PayloadCall accepted_, responded_;
  std::deque<tlm::tlm_generic_payload*> queue_;
  tlm::tlm_generic_payload* unaccepted_ = nullptr;
  bool sending_ = false;
};

/// Target's end. It keeps a reference to each payload from take() until the transaction is complete.
class ResponseLink {
 public:
  explicit ResponseLink(TransportCall backward) : backward_(std::move(backward)) {}

  /// On BEGIN_REQ, before anything else. A payload without a memory manager may only be refused.
  void take(tlm::tlm_generic_payload& payload) {
    if (payload.has_mm()) payload.acquire();
  }
  /// Answer to BEGIN_REQ where the request is accepted at once, or not yet.
  static tlm::tlm_sync_enum accepted(tlm::tlm_phase& phase) {
    phase = tlm::END_REQ;
    return tlm::TLM_UPDATED;
  }
  /// Answer to BEGIN_REQ where the response is known at once, as for what is refused; queued behind other responses
  /// where it must be.
  tlm::tlm_sync_enum answered(tlm::tlm_generic_payload& payload, tlm::tlm_response_status status,
                              tlm::tlm_phase& phase);
  /// END_REQ of a request that had to wait.
  void accept(tlm::tlm_generic_payload& payload);
  /// BEGIN_RESP, once those before it are ended. The response status is set already.
  void respond(tlm::tlm_generic_payload& payload);
  /// On END_RESP.
  tlm::tlm_sync_enum end(tlm::tlm_generic_payload& payload);

 private:
  void respond_next();

  TransportCall backward_;
  std::deque<tlm::tlm_generic_payload*> queue_;
  tlm::tlm_generic_payload* unended_ = nullptr;
  bool responding_ = false;
};

}  // namespace mho::tlm_kit
