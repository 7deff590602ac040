// SPDX-License-Identifier: Apache-2.0
// Exclusion of requests and of responses on one link.
#include "models/tlm/phases.h"

#include <utility>

namespace mho::tlm_kit {

RequestLink::RequestLink(TransportCall forward, PayloadCall accepted, PayloadCall responded)
    : forward_(std::move(forward)), accepted_(std::move(accepted)), responded_(std::move(responded)) {}

void RequestLink::send(tlm::tlm_generic_payload& payload) {
  payload.acquire();
  queue_.push_back(&payload);
  send_next();
}

void RequestLink::send_next() {
  if (sending_) return;  // the loop below goes on
  sending_ = true;
  while (unaccepted_ == nullptr && !queue_.empty()) {
    tlm::tlm_generic_payload& payload = *queue_.front();
    queue_.pop_front();
    unaccepted_ = &payload;
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_core::sc_time delay;
    const tlm::tlm_sync_enum answer = forward_(payload, phase, delay);
    if (answer == tlm::TLM_ACCEPTED) continue;
    if (phase == tlm::BEGIN_RESP || answer == tlm::TLM_COMPLETED) {
      accept(payload);
      if (answer != tlm::TLM_COMPLETED) {
        phase = tlm::END_RESP;
        forward_(payload, phase, delay);
      }
      finish(payload);
    } else if (phase == tlm::END_REQ) {
      accept(payload);
    }
  }
  sending_ = false;
}

void RequestLink::accept(tlm::tlm_generic_payload& payload) {
  if (unaccepted_ != &payload) return;
  unaccepted_ = nullptr;
  if (accepted_) accepted_(payload);
}

void RequestLink::finish(tlm::tlm_generic_payload& payload) {
  if (responded_) responded_(payload);
  payload.release();
}

tlm::tlm_sync_enum RequestLink::receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase) {
  if (phase == tlm::END_REQ) {
    accept(payload);
    send_next();
    return tlm::TLM_ACCEPTED;
  }
  if (phase != tlm::BEGIN_RESP) return tlm::TLM_ACCEPTED;  // phases that nobody here knows are ignored
  if (unaccepted_ == &payload) accept(payload);            // a response says that the request was accepted
  finish(payload);
  send_next();
  return tlm::TLM_COMPLETED;
}

tlm::tlm_sync_enum ResponseLink::answered(tlm::tlm_generic_payload& payload, tlm::tlm_response_status status,
                                          tlm::tlm_phase& phase) {
  payload.set_response_status(status);
  if (unended_ != nullptr) {
    queue_.push_back(&payload);
    return accepted(phase);
  }
  unended_ = &payload;
  phase = tlm::BEGIN_RESP;
  return tlm::TLM_UPDATED;
}

void ResponseLink::accept(tlm::tlm_generic_payload& payload) {
  tlm::tlm_phase phase = tlm::END_REQ;
  sc_core::sc_time delay;
  backward_(payload, phase, delay);
}

void ResponseLink::respond(tlm::tlm_generic_payload& payload) {
  queue_.push_back(&payload);
  respond_next();
}

void ResponseLink::respond_next() {
  if (responding_) return;  // the loop below goes on
  responding_ = true;
  while (unended_ == nullptr && !queue_.empty()) {
    tlm::tlm_generic_payload& payload = *queue_.front();
    queue_.pop_front();
    unended_ = &payload;
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    sc_core::sc_time delay;
    const tlm::tlm_sync_enum answer = backward_(payload, phase, delay);
    const bool ended = answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::END_RESP);
    if (ended) end(payload);
  }
  responding_ = false;
}

tlm::tlm_sync_enum ResponseLink::end(tlm::tlm_generic_payload& payload) {
  if (unended_ == &payload) {
    unended_ = nullptr;
    if (payload.has_mm()) payload.release();
    respond_next();
  }
  return tlm::TLM_COMPLETED;
}

}  // namespace mho::tlm_kit
