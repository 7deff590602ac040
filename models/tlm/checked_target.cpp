// SPDX-License-Identifier: Apache-2.0
// The order of refusals is fixed, so that an access with several faults gets the same response from every
// target: command, length and data pointer, byte enables, streaming width, address, then the device.
#include "models/tlm/checked_target.h"

#include <algorithm>
#include <limits>

namespace mho::tlm_kit {
namespace {

constexpr std::uint64_t kLastAddress = std::numeric_limits<std::uint64_t>::max();

/// Bytes per beat. Some initiators send 0 for "not streaming", which the standard does not allow but
/// which has only one sensible meaning.
unsigned int beat_length(const tlm::tlm_generic_payload& payload) {
  const unsigned int width = payload.get_streaming_width();
  return width == 0 ? payload.get_data_length() : std::min(width, payload.get_data_length());
}

/// Copies the enabled ones of the bytes `first` .. `first` + `count` - 1 of a transfer's data array.
void copy_enabled(const tlm::tlm_generic_payload& payload, unsigned int first, unsigned int count,
                  const unsigned char* from, unsigned char* to) {
  const unsigned char* const enables = payload.get_byte_enable_ptr();
  const unsigned int period = payload.get_byte_enable_length();
  // The enable array is applied again from its start when it is shorter than the data.
  unsigned int at = first % period;
  for (unsigned int i = 0; i < count;) {
    unsigned int run = 1;  // of bytes that are all enabled, or none
    const bool enabled = enables[at] != TLM_BYTE_DISABLED;
    while (i + run < count && at + run < period && (enables[at + run] != TLM_BYTE_DISABLED) == enabled) ++run;
    if (enabled) std::copy_n(from + i, run, to + i);
    i += run;
    at = at + run == period ? 0 : at + run;
  }
}

}  // namespace

bool refuse_direct_memory(tlm::tlm_dmi& dmi, std::uint64_t first, std::uint64_t last) {
  dmi.set_start_address(first);
  dmi.set_end_address(last);
  dmi.allow_none();
  return false;
}

bool TargetDevice::direct_memory(tlm::tlm_command, std::uint64_t, tlm::tlm_dmi& dmi) {
  return refuse_direct_memory(dmi, 0, kLastAddress);
}

tlm::tlm_response_status CheckedTarget::examine(const tlm::tlm_generic_payload& payload) const {
  if (!payload.is_read() && !payload.is_write()) return tlm::TLM_COMMAND_ERROR_RESPONSE;
  if (payload.get_data_length() == 0) return tlm::TLM_BURST_ERROR_RESPONSE;
  if (!payload.get_data_ptr()) return tlm::TLM_GENERIC_ERROR_RESPONSE;
  if (payload.get_byte_enable_ptr() && (!traits_.byte_enables || payload.get_byte_enable_length() == 0)) {
    return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  }
  const unsigned int beat = beat_length(payload);
  // A shorter last beat would be an access of a size that the device was never asked about.
  if (beat < payload.get_data_length() && (!traits_.streaming || payload.get_data_length() % beat != 0)) {
    return tlm::TLM_BURST_ERROR_RESPONSE;
  }
  if (kLastAddress - payload.get_address() < beat - 1) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  return device_.admits(payload.get_command(), payload.get_address(), beat);
}

void CheckedTarget::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const tlm::tlm_response_status verdict = examine(payload);
  if (verdict != tlm::TLM_OK_RESPONSE) {
    payload.set_response_status(verdict);
    return;
  }
  // Stands when the device reports an error, which leaves this function as an exception.
  payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
  const sc_core::sc_time delay_before = delay;
  const unsigned int beat = beat_length(payload);
  for (unsigned int first = 0; first < payload.get_data_length(); first += beat) {
    if (payload.get_byte_enable_ptr()) {
      move_masked(payload, first, beat, delay);
    } else {
      move_beat(payload, first, beat, delay);
    }
  }
  if (delay < delay_before) SC_REPORT_ERROR("mho/target", "a device reduced the delay of a transfer");
  if (traits_.direct_memory) payload.set_dmi_allowed(true);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

void CheckedTarget::move_beat(tlm::tlm_generic_payload& payload, unsigned int first, unsigned int count,
                              sc_core::sc_time& delay) {
  unsigned char* data = payload.get_data_ptr() + first;
  if (payload.is_read()) {
    device_.read(payload.get_address(), ByteSpan(data, count), delay);
  } else {
    device_.write(payload.get_address(), ConstByteSpan(data, count), delay);
  }
}

void CheckedTarget::move_masked(tlm::tlm_generic_payload& payload, unsigned int first, unsigned int count,
                                sc_core::sc_time& delay) {
  unsigned char* data = payload.get_data_ptr() + first;
  merged_.resize(count);
  const ByteSpan merged(merged_.data(), count);
  if (payload.is_read()) {
    device_.read(payload.get_address(), merged, delay);
    copy_enabled(payload, first, count, merged.data(), data);
  } else {
    device_.debug_read(payload.get_address(), merged);
    copy_enabled(payload, first, count, data, merged.data());
    device_.write(payload.get_address(), merged, delay);
  }
}

unsigned int CheckedTarget::transport_dbg(tlm::tlm_generic_payload& payload) {
  unsigned char* data = payload.get_data_ptr();
  if (!data || payload.get_data_length() == 0) return 0;
  // Bytes beyond the last address do not exist, so they cannot be counted.
  const std::uint64_t exist = kLastAddress - payload.get_address();
  const std::size_t length =
      exist < payload.get_data_length() ? static_cast<std::size_t>(exist) + 1 : payload.get_data_length();
  std::size_t moved = 0;
  if (payload.is_read()) {
    moved = device_.debug_read(payload.get_address(), ByteSpan(data, length));
  } else if (payload.is_write()) {
    moved = device_.debug_write(payload.get_address(), ConstByteSpan(data, length));
  }
  return static_cast<unsigned int>(moved);
}

bool CheckedTarget::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  if (!traits_.direct_memory) return refuse_direct_memory(dmi, 0, kLastAddress);
  return device_.direct_memory(payload.get_command(), payload.get_address(), dmi);
}

}  // namespace mho::tlm_kit
