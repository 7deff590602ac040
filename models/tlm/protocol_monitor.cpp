// SPDX-License-Identifier: Apache-2.0
// Checks before and after each forwarded call. A violation is counted before it is reported, since the
// report may throw.
#include "models/tlm/protocol_monitor.h"

#include <numeric>
#include <sstream>
#include <utility>

namespace mho::tlm_kit {

const char* sentence(ProtocolRule rule) {
  switch (rule) {
    case ProtocolRule::kCommand:
      return "the command is read, write or ignore";
    case ProtocolRule::kDataArray:
      return "a read or write has a data pointer and a length above zero";
    case ProtocolRule::kStreamingWidth:
      return "the streaming width is above zero";
    case ProtocolRule::kByteEnables:
      return "a byte enable array has a length above zero";
    case ProtocolRule::kDmiHint:
      return "an initiator clears the DMI hint before it sends";
    case ProtocolRule::kResponseOnEntry:
      return "an initiator sends TLM_INCOMPLETE_RESPONSE";
    case ProtocolRule::kResponseOnReturn:
      return "a target sets the response";
    case ProtocolRule::kAttributesKept:
      return "a target leaves the attributes it may not change alone";
    case ProtocolRule::kDelay:
      return "a target does not reduce the delay";
    case ProtocolRule::kDebugCount:
      return "a debug transfer counts no more bytes than were asked for";
    case ProtocolRule::kDebugTime:
      return "a debug transfer takes no time";
    case ProtocolRule::kDmiBounds:
      return "the bounds of a DMI answer are in order and hold the address";
    case ProtocolRule::kDmiGrant:
      return "a DMI grant has a pointer and allows the command";
    case ProtocolRule::kInvalidation:
      return "the bounds of an invalidation are in order";
  }
  return "";
}

std::uint64_t ProtocolChecks::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

void ProtocolChecks::violated(ProtocolRule rule, std::uint64_t address) {
  ++counts_[static_cast<std::size_t>(rule)];
  std::ostringstream text;
  text << where_ << ": violated at address 0x" << std::hex << address << ": " << sentence(rule);
  sc_core::sc_report_handler::report(options_.severity, "mho/protocol", text.str().c_str(), __FILE__, __LINE__);
}

void ProtocolChecks::check_data(const tlm::tlm_generic_payload& payload) {
  const sc_dt::uint64 address = payload.get_address();
  const tlm::tlm_command command = payload.get_command();
  if (command == tlm::TLM_IGNORE_COMMAND) return;
  if (command != tlm::TLM_READ_COMMAND && command != tlm::TLM_WRITE_COMMAND) {
    violated(ProtocolRule::kCommand, address);
  }
  if (!payload.get_data_ptr() || payload.get_data_length() == 0) violated(ProtocolRule::kDataArray, address);
}

void ProtocolChecks::check_entry(const tlm::tlm_generic_payload& payload) {
  const sc_dt::uint64 address = payload.get_address();
  check_data(payload);
  const bool carries_data = payload.get_data_length() > 0;
  if (carries_data && payload.get_streaming_width() == 0 && !options_.allow_zero_streaming_width) {
    violated(ProtocolRule::kStreamingWidth, address);
  }
  if (payload.get_byte_enable_ptr() && payload.get_byte_enable_length() == 0) {
    violated(ProtocolRule::kByteEnables, address);
  }
  if (payload.is_dmi_allowed()) violated(ProtocolRule::kDmiHint, address);
  if (payload.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE) {
    violated(ProtocolRule::kResponseOnEntry, address);
  }
}

void ProtocolChecks::check_kept(const PayloadAttributes& sent, const tlm::tlm_generic_payload& payload) {
  const PayloadAttributes returned(payload);
  const bool address_kept = options_.allow_address_change || returned.address == sent.address;
  if (!address_kept || !returned.same_but_address(sent)) violated(ProtocolRule::kAttributesKept, sent.address);
}

void ProtocolChecks::b_transport(tlm::tlm_fw_transport_if<>& target, tlm::tlm_generic_payload& payload,
                                 sc_core::sc_time& delay) {
  check_entry(payload);
  const PayloadAttributes sent(payload);
  // A target that waits may return a smaller delay, because part of it has passed: add what passed.
  const sc_core::sc_time due = sc_core::sc_time_stamp() + delay;
  target.b_transport(payload, delay);
  check_kept(sent, payload);
  if (sc_core::sc_time_stamp() + delay < due) violated(ProtocolRule::kDelay, sent.address);
  if (payload.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE && !options_.allow_incomplete) {
    violated(ProtocolRule::kResponseOnReturn, sent.address);
  }
}

unsigned int ProtocolChecks::transport_dbg(tlm::tlm_fw_transport_if<>& target, tlm::tlm_generic_payload& payload) {
  // Debug uses command, address, length and data pointer only; the rest need not be initialised.
  check_data(payload);
  const PayloadAttributes sent(payload);
  const sc_core::sc_time time_before = sc_core::sc_time_stamp();
  const sc_dt::uint64 delta_before = sc_core::sc_delta_count();
  const unsigned int count = target.transport_dbg(payload);
  check_kept(sent, payload);
  if (count > sent.length) violated(ProtocolRule::kDebugCount, sent.address);
  if (sc_core::sc_time_stamp() != time_before || sc_core::sc_delta_count() != delta_before) {
    violated(ProtocolRule::kDebugTime, sent.address);
  }
  return count;
}

bool ProtocolChecks::get_direct_mem_ptr(tlm::tlm_fw_transport_if<>& target, tlm::tlm_generic_payload& payload,
                                        tlm::tlm_dmi& dmi) {
  const sc_dt::uint64 address = payload.get_address();
  const PayloadAttributes sent(payload);
  const bool granted = target.get_direct_mem_ptr(payload, dmi);
  check_kept(sent, payload);
  // Ordered bounds that hold the address; one comparison covers first <= last too.
  if (dmi.get_start_address() > address || dmi.get_end_address() < address) {
    violated(ProtocolRule::kDmiBounds, address);
  }
  const bool allowed = payload.is_write() ? dmi.is_write_allowed() : dmi.is_read_allowed();
  if (granted && (!dmi.get_dmi_ptr() || !allowed)) violated(ProtocolRule::kDmiGrant, address);
  return granted;
}

void ProtocolChecks::invalidate_direct_mem_ptr(tlm::tlm_bw_transport_if<>& initiator, sc_dt::uint64 first,
                                               sc_dt::uint64 last) {
  if (first > last) violated(ProtocolRule::kInvalidation, first);
  initiator.invalidate_direct_mem_ptr(first, last);
}

template <unsigned int BUSWIDTH>
ProtocolMonitor<BUSWIDTH>::ProtocolMonitor(sc_core::sc_module_name module_name, ProtocolOptions options)
    : sc_core::sc_module(module_name),
      target_socket("target_socket"),
      initiator_socket("initiator_socket"),
      checks_(name(), options) {
  target_socket.register_b_transport(this, &ProtocolMonitor::b_transport);
  target_socket.register_nb_transport_fw(this, &ProtocolMonitor::nb_transport_fw);
  target_socket.register_transport_dbg(this, &ProtocolMonitor::transport_dbg);
  target_socket.register_get_direct_mem_ptr(this, &ProtocolMonitor::get_direct_mem_ptr);
  initiator_socket.register_nb_transport_bw(this, &ProtocolMonitor::nb_transport_bw);
  initiator_socket.register_invalidate_direct_mem_ptr(this, &ProtocolMonitor::invalidate_direct_mem_ptr);
}

template <unsigned int BUSWIDTH>
void ProtocolMonitor<BUSWIDTH>::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  checks_.b_transport(*initiator_socket.operator->(), payload, delay);
}

template <unsigned int BUSWIDTH>
unsigned int ProtocolMonitor<BUSWIDTH>::transport_dbg(tlm::tlm_generic_payload& payload) {
  return checks_.transport_dbg(*initiator_socket.operator->(), payload);
}

template <unsigned int BUSWIDTH>
bool ProtocolMonitor<BUSWIDTH>::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  return checks_.get_direct_mem_ptr(*initiator_socket.operator->(), payload, dmi);
}

template <unsigned int BUSWIDTH>
void ProtocolMonitor<BUSWIDTH>::invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last) {
  checks_.invalidate_direct_mem_ptr(*target_socket.operator->(), first, last);
}

template <unsigned int BUSWIDTH>
tlm::tlm_sync_enum ProtocolMonitor<BUSWIDTH>::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                              sc_core::sc_time& delay) {
  return initiator_socket->nb_transport_fw(payload, phase, delay);
}

template <unsigned int BUSWIDTH>
tlm::tlm_sync_enum ProtocolMonitor<BUSWIDTH>::nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                              sc_core::sc_time& delay) {
  return target_socket->nb_transport_bw(payload, phase, delay);
}

template class ProtocolMonitor<32>;
template class ProtocolMonitor<64>;

}  // namespace mho::tlm_kit
