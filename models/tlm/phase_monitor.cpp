// SPDX-License-Identifier: Apache-2.0
// What is checked before and after each forwarded call of nb_transport. After a violation the check goes on with what
// the caller most likely meant, so that one mistake is counted once.
#include "models/tlm/phase_monitor.h"

#include <algorithm>
#include <numeric>
#include <sstream>

namespace mho::tlm_kit {
namespace {

constexpr std::array<const char*, kPhaseRules> kSentences{
    "a payload has a memory manager and a reference count above zero",
    "BEGIN_REQ and END_RESP go forward, END_REQ and BEGIN_RESP go back",
    "the phases of a transaction come in order and each once",
    "a phase belongs to a transaction that has begun and is not completed",
    "no request begins while another waits to be accepted",
    "no response begins while another waits for its end",
    "TLM_ACCEPTED leaves phase and delay alone",
    "TLM_UPDATED brings another phase",
    "TLM_COMPLETED answers BEGIN_RESP or END_RESP",
    "no phase comes earlier than the one before it",
    "a request begins with TLM_INCOMPLETE_RESPONSE",
    "the response is set when it begins and stays",
    "attributes stay as they were when the request began",
};

bool is_base(const tlm::tlm_phase& phase) { return phase >= tlm::BEGIN_REQ && phase <= tlm::END_RESP; }

PhaseChecks::Path path_of(const tlm::tlm_phase& phase) {
  const bool forward = phase == tlm::BEGIN_REQ || phase == tlm::END_RESP;
  return forward ? PhaseChecks::Path::kForward : PhaseChecks::Path::kBackward;
}

PhaseChecks::Path opposite(PhaseChecks::Path path) {
  return path == PhaseChecks::Path::kForward ? PhaseChecks::Path::kBackward : PhaseChecks::Path::kForward;
}

bool follows(const tlm::tlm_phase& next, unsigned int last) {
  if (next == tlm::BEGIN_RESP) return last == tlm::BEGIN_REQ || last == tlm::END_REQ;
  return next == last + 1;
}

}  // namespace

const char* sentence(PhaseRule rule) { return kSentences[static_cast<std::size_t>(rule)]; }

std::uint64_t PhaseChecks::total() const { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }

void PhaseChecks::violated(PhaseRule rule, std::uint64_t address, const tlm::tlm_phase& phase) {
  ++counts_[static_cast<std::size_t>(rule)];
  std::ostringstream text;
  text << where_ << ": violated at address 0x" << std::hex << address << " in " << phase.get_name() << ": "
       << sentence(rule);
  sc_core::sc_report_handler::report(options_.severity, "mho/protocol", text.str().c_str(), __FILE__, __LINE__);
}

void PhaseChecks::enter(const Call& call, Payload& payload) {
  // Without a memory manager nobody can count references.
  if (payload.get_ref_count() < 1) violated(PhaseRule::kReferences, call.address, call.phase);
  arrive(call.path, payload, call.phase, call.delay);
}

void PhaseChecks::leave(const Call& call, Payload& payload, tlm::tlm_sync_enum answer, const tlm::tlm_phase& phase,
                        const sc_core::sc_time& delay) {
  // After completion the payload may serve another transaction already: it is not looked into.
  switch (answer) {
    case tlm::TLM_ACCEPTED:
      if (phase != call.phase || delay != call.delay) violated(PhaseRule::kAccepted, call.address, call.phase);
      break;
    case tlm::TLM_UPDATED:
      if (phase == call.phase)
        violated(PhaseRule::kUpdated, call.address, call.phase);
      else
        arrive(opposite(call.path), payload, phase, delay);
      break;
    case tlm::TLM_COMPLETED:
      if (call.phase != tlm::BEGIN_RESP && call.phase != tlm::END_RESP)
        violated(PhaseRule::kCompleted, call.address, call.phase);
      else if (delay < call.delay)
        violated(PhaseRule::kTime, call.address, call.phase);
      if (call.phase != tlm::END_RESP) close(payload);
      break;
  }
}

void PhaseChecks::arrive(Path path, Payload& payload, const tlm::tlm_phase& phase, const sc_core::sc_time& delay) {
  const sc_dt::uint64 address = payload.get_address();
  if (phase == tlm::UNINITIALIZED_PHASE) return violated(PhaseRule::kOrder, address, phase);
  if (!is_base(phase)) return;
  if (path_of(phase) != path) return violated(PhaseRule::kDirection, address, phase);
  const sc_core::sc_time arrival = sc_core::sc_time_stamp() + delay;
  const auto found = transactions_.find(&payload);
  if (phase == tlm::BEGIN_REQ) {
    if (found != transactions_.end()) return violated(PhaseRule::kOrder, address, phase);
    begin(payload, arrival);
    check_time(path, transactions_.at(&payload), arrival, phase);
    return;
  }
  if (found == transactions_.end()) return violated(PhaseRule::kInFlight, address, phase);
  Transaction& transaction = found->second;
  if (!follows(phase, transaction.phase)) return violated(PhaseRule::kOrder, address, phase);
  check_time(path, transaction, arrival, phase);
  advance(transaction, payload, phase);
  if (phase == tlm::END_RESP) close(payload);
}

void PhaseChecks::begin(Payload& payload, const sc_core::sc_time& arrival) {
  const tlm::tlm_phase phase = tlm::BEGIN_REQ;
  transactions_.emplace(&payload, Transaction{PayloadAttributes(payload), tlm::BEGIN_REQ, arrival});
  const bool excluded = request_ != nullptr;
  request_ = &payload;
  if (excluded) violated(PhaseRule::kRequestExclusion, payload.get_address(), phase);
  if (payload.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE)
    violated(PhaseRule::kResponseOnRequest, payload.get_address(), phase);
}

void PhaseChecks::advance(Transaction& transaction, Payload& payload, const tlm::tlm_phase& phase) {
  transaction.phase = phase;
  if (request_ == &payload) request_ = nullptr;
  const PayloadAttributes& sent = transaction.sent;
  const PayloadAttributes now(payload);
  const bool address_kept = options_.allow_address_change || now.address == sent.address;
  if (!address_kept || !now.same_but_address(sent)) violated(PhaseRule::kAttributesKept, sent.address, phase);
  const tlm::tlm_response_status response = payload.get_response_status();
  if (phase == tlm::BEGIN_RESP) {
    const bool excluded = response_ != nullptr;
    response_ = &payload;
    transaction.response = response;
    if (excluded) violated(PhaseRule::kResponseExclusion, sent.address, phase);
    if (response == tlm::TLM_INCOMPLETE_RESPONSE) violated(PhaseRule::kResponseOnResponse, sent.address, phase);
  } else if (phase == tlm::END_RESP && response != transaction.response) {
    violated(PhaseRule::kResponseOnResponse, sent.address, phase);
  }
}

void PhaseChecks::check_time(Path path, Transaction& transaction, const sc_core::sc_time& arrival,
                             const tlm::tlm_phase& phase) {
  sc_core::sc_time& last = last_arrival_[static_cast<std::size_t>(path)];
  const bool back_in_time = arrival < transaction.arrival || arrival < last;
  transaction.arrival = std::max(transaction.arrival, arrival);
  last = std::max(last, arrival);
  if (back_in_time) violated(PhaseRule::kTime, transaction.sent.address, phase);
}

void PhaseChecks::close(Payload& payload) {
  if (request_ == &payload) request_ = nullptr;
  if (response_ == &payload) response_ = nullptr;
  transactions_.erase(&payload);
}

}  // namespace mho::tlm_kit
