// SPDX-License-Identifier: Apache-2.0
// A pass-through between an initiator and a target that checks the phases of non-blocking transport: the base protocol
// of IEEE 1666-2011, chapters 11 and 15, and this project's rule that a request is never answered by TLM_COMPLETED.
// All other calls are forwarded unchecked: those are protocol_monitor.h's.
#pragma once

#include <tlm_utils/passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tlm>

#include "models/tlm/payload_attributes.h"

namespace mho::tlm_kit {

/// The rules that are watched; sentence() gives each in words. Phases that the base protocol does not know are ignored.
enum class PhaseRule {
  kReferences,          ///< a memory manager and a reference count above zero
  kDirection,           ///< BEGIN_REQ and END_RESP forward, END_REQ and BEGIN_RESP back
  kOrder,               ///< phases of a transaction in order, each once; END_REQ may be left out
  kInFlight,            ///< every other phase between BEGIN_REQ and completion
  kRequestExclusion,    ///< no BEGIN_REQ while one waits for END_REQ or BEGIN_RESP
  kResponseExclusion,   ///< no BEGIN_RESP while one waits for END_RESP
  kAccepted,            ///< TLM_ACCEPTED leaves phase and delay alone
  kUpdated,             ///< TLM_UPDATED brings another phase
  kCompleted,           ///< TLM_COMPLETED answers BEGIN_RESP or END_RESP
  kTime,                ///< no phase earlier than the one before it, of the transaction or on the same path
  kResponseOnRequest,   ///< TLM_INCOMPLETE_RESPONSE at BEGIN_REQ
  kResponseOnResponse,  ///< another response at BEGIN_RESP, and the same at END_RESP
  kAttributesKept,      ///< all other attributes as at BEGIN_REQ
};
constexpr std::size_t kPhaseRules = static_cast<std::size_t>(PhaseRule::kAttributesKept) + 1;

/// The rule as a sentence, for messages.
const char* sentence(PhaseRule rule);

struct PhaseOptions {
  bool allow_address_change = false;  ///< the standard lets interconnects overwrite it
  sc_core::sc_severity severity = sc_core::SC_ERROR;
};

/// The checks of one link, independent of its width and protocol traits.
class PhaseChecks {
 public:
  enum class Path { kForward, kBackward };

  /// @param where hierarchical name for the reports.
  PhaseChecks(std::string where, PhaseOptions options) : where_(std::move(where)), options_(options) {}

  /// Calls `transport`, the same function of the other side, and checks what goes in and what comes back.
  template <class Transport>
  tlm::tlm_sync_enum watch(Path path, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay,
                           Transport transport) {
    const Call call{path, payload.get_address(), phase, delay};
    enter(call, payload);
    const tlm::tlm_sync_enum answer = transport(payload, phase, delay);
    leave(call, payload, answer, phase, delay);
    return answer;
  }

  /// Transactions that have begun and are not completed.
  std::size_t open() const { return transactions_.size(); }
  /// Violations of one rule so far.
  std::uint64_t count(PhaseRule rule) const { return counts_[static_cast<std::size_t>(rule)]; }
  /// Violations of all rules so far.
  std::uint64_t total() const;

 private:
  struct Call {
    Path path;
    sc_dt::uint64 address;
    tlm::tlm_phase phase;
    sc_core::sc_time delay;
  };
  struct Transaction {
    PayloadAttributes sent;
    unsigned int phase;  ///< the last one
    sc_core::sc_time arrival;
    tlm::tlm_response_status response = tlm::TLM_INCOMPLETE_RESPONSE;
  };
  using Payload = const tlm::tlm_generic_payload;

  void enter(const Call& call, Payload& payload);
  void leave(const Call& call, Payload& payload, tlm::tlm_sync_enum answer, const tlm::tlm_phase& phase,
             const sc_core::sc_time& delay);
  /// A phase on its way along `path`, as an argument or as a return value.
  void arrive(Path path, Payload& payload, const tlm::tlm_phase& phase, const sc_core::sc_time& delay);
  void begin(Payload& payload, const sc_core::sc_time& arrival);
  void advance(Transaction& transaction, Payload& payload, const tlm::tlm_phase& phase);
  void check_time(Path path, Transaction& transaction, const sc_core::sc_time& arrival, const tlm::tlm_phase& phase);
  void close(Payload& payload);
  void violated(PhaseRule rule, std::uint64_t address, const tlm::tlm_phase& phase);

  const std::string where_;
  const PhaseOptions options_;
  std::map<Payload*, Transaction> transactions_;
  Payload* request_ = nullptr;   ///< waits for END_REQ or BEGIN_RESP
  Payload* response_ = nullptr;  ///< waits for END_RESP
  std::array<sc_core::sc_time, 2> last_arrival_;
  std::array<std::uint64_t, kPhaseRules> counts_{};
};

/// Bind the initiator to `target_socket` and `initiator_socket` to the target. TYPES: protocol traits whose payload and
/// phase are those of the base protocol.
template <unsigned int BUSWIDTH = 32, class TYPES = tlm::tlm_base_protocol_types>
class PhaseMonitor : public sc_core::sc_module {
 public:
  explicit PhaseMonitor(sc_core::sc_module_name module_name, PhaseOptions options = {})
      : sc_core::sc_module(module_name),
        target_socket("target_socket"),
        initiator_socket("initiator_socket"),
        checks_(name(), options) {
    target_socket.register_nb_transport_fw(this, &PhaseMonitor::forward);
    target_socket.register_b_transport(this, &PhaseMonitor::b_transport);
    target_socket.register_transport_dbg(this, &PhaseMonitor::transport_dbg);
    target_socket.register_get_direct_mem_ptr(this, &PhaseMonitor::get_direct_mem_ptr);
    initiator_socket.register_nb_transport_bw(this, &PhaseMonitor::backward);
    initiator_socket.register_invalidate_direct_mem_ptr(this, &PhaseMonitor::invalidate);
  }

  const PhaseChecks& checks() const { return checks_; }

  tlm_utils::passthrough_target_socket<PhaseMonitor, BUSWIDTH, TYPES> target_socket;
  tlm_utils::simple_initiator_socket<PhaseMonitor, BUSWIDTH, TYPES> initiator_socket;

 private:
  using Payload = tlm::tlm_generic_payload;
  tlm::tlm_sync_enum forward(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    return checks_.watch(PhaseChecks::Path::kForward, payload, phase, delay,
                         [this](auto&... call) { return initiator_socket->nb_transport_fw(call...); });
  }
  tlm::tlm_sync_enum backward(Payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    return checks_.watch(PhaseChecks::Path::kBackward, payload, phase, delay,
                         [this](auto&... call) { return target_socket->nb_transport_bw(call...); });
  }
  void b_transport(Payload& payload, sc_core::sc_time& delay) { initiator_socket->b_transport(payload, delay); }
  unsigned int transport_dbg(Payload& payload) { return initiator_socket->transport_dbg(payload); }
  bool get_direct_mem_ptr(Payload& payload, tlm::tlm_dmi& dmi) {
    return initiator_socket->get_direct_mem_ptr(payload, dmi);
  }
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last) { target_socket->invalidate_direct_mem_ptr(first, last); }

  PhaseChecks checks_;
};

}  // namespace mho::tlm_kit
