// SPDX-License-Identifier: Apache-2.0
// A pass-through between an initiator and a target that checks the base protocol (IEEE 1666-2011, 11 and
// 14) on blocking transport, debug transport and DMI. Calls of nb_transport are forwarded unchecked: phases are watched
// by phase_monitor.h, and the two can stand in one link.
#pragma once

#include <tlm_utils/passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tlm>

#include "models/tlm/payload_attributes.h"

namespace mho::tlm_kit {

/// The rules that are watched; sentence() gives each in words.
enum class ProtocolRule {
  kCommand,           ///< entry: one of the three commands
  kDataArray,         ///< entry: length above zero and data pointer not null, unless the command is ignore
  kStreamingWidth,    ///< entry: above zero
  kByteEnables,       ///< entry: an enable array has a length
  kDmiHint,           ///< entry: no hint left over
  kResponseOnEntry,   ///< entry: TLM_INCOMPLETE_RESPONSE
  kResponseOnReturn,  ///< return: no longer TLM_INCOMPLETE_RESPONSE
  kAttributesKept,    ///< return: every other attribute as it was sent
  kDelay,             ///< return: delay not smaller
  kDebugCount,        ///< debug: no more bytes than asked for
  kDebugTime,         ///< debug: no simulated time passes
  kDmiBounds,         ///< DMI: first <= last, and the address between them
  kDmiGrant,          ///< DMI: a grant has a pointer and allows the command it was asked for
  kInvalidation,      ///< invalidation: first <= last
};
constexpr std::size_t kProtocolRules = static_cast<std::size_t>(ProtocolRule::kInvalidation) + 1;

/// The rule as a sentence, for messages.
const char* sentence(ProtocolRule rule);

/// Which deviations are tolerated because existing models have them, and how violations are reported.
struct ProtocolOptions {
  bool allow_incomplete = false;            ///< some memories never set a response
  bool allow_zero_streaming_width = false;  ///< some initiators mean "as long as the data"
  bool allow_address_change = false;        ///< the standard lets interconnects overwrite it
  sc_core::sc_severity severity = sc_core::SC_ERROR;
};

/// The checks, independent of the width of the sockets.
class ProtocolChecks {
 public:
  /// @param where hierarchical name for the reports.
  ProtocolChecks(std::string where, ProtocolOptions options) : where_(std::move(where)), options_(options) {}

  void b_transport(tlm::tlm_fw_transport_if<>& target, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned int transport_dbg(tlm::tlm_fw_transport_if<>& target, tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(tlm::tlm_fw_transport_if<>& target, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  void invalidate_direct_mem_ptr(tlm::tlm_bw_transport_if<>& initiator, sc_dt::uint64 first, sc_dt::uint64 last);

  /// Violations of one rule so far.
  std::uint64_t count(ProtocolRule rule) const { return counts_[static_cast<std::size_t>(rule)]; }
  /// Violations of all rules so far.
  std::uint64_t total() const;
  /// Counts the violation, then reports it under the id "mho/protocol" with the options' severity: from
  /// SC_ERROR on, SystemC's default action is to throw. Also for rules of derived monitors.
  void violated(ProtocolRule rule, std::uint64_t address);

 private:
  void check_entry(const tlm::tlm_generic_payload& payload);
  void check_data(const tlm::tlm_generic_payload& payload);
  void check_kept(const PayloadAttributes& sent, const tlm::tlm_generic_payload& payload);

  const std::string where_;
  const ProtocolOptions options_;
  std::array<std::uint64_t, kProtocolRules> counts_{};
};

/// Bind the initiator to `target_socket` and `initiator_socket` to the target.
template <unsigned int BUSWIDTH = 32>
class ProtocolMonitor : public sc_core::sc_module {
 public:
  explicit ProtocolMonitor(sc_core::sc_module_name module_name, ProtocolOptions options = {});

  const ProtocolChecks& checks() const { return checks_; }

  tlm_utils::passthrough_target_socket<ProtocolMonitor, BUSWIDTH> target_socket;
  tlm_utils::simple_initiator_socket<ProtocolMonitor, BUSWIDTH> initiator_socket;

 protected:
  virtual tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                             sc_core::sc_time& delay);
  virtual tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                             sc_core::sc_time& delay);
  ProtocolChecks checks_;

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned int transport_dbg(tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  void invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last);
};

extern template class ProtocolMonitor<32>;
extern template class ProtocolMonitor<64>;

}  // namespace mho::tlm_kit
