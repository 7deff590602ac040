// SPDX-License-Identifier: Apache-2.0
// The target of broken_targets.h: correct code, and beside each rule the fault that breaks it.
#include "testbenches/models/tlm/broken_targets.h"

#include <algorithm>

namespace mho::testbenches {
namespace {

constexpr std::uint64_t kPlainEnd = 64;
constexpr std::uint64_t kReadOnlyEnd = 128;
constexpr std::uint64_t kRegisters = 192;
constexpr std::uint64_t kEnd = 256;
constexpr std::uint64_t kLastAddress = ~std::uint64_t{0};

/// First address after the range that `address` is in, 0 when it is in none.
std::uint64_t range_end(std::uint64_t address) {
  if (address < kPlainEnd) return kPlainEnd;
  if (address < kReadOnlyEnd) return kReadOnlyEnd;
  return address >= kRegisters && address < kEnd ? kEnd : 0;
}

}  // namespace

BrokenTarget::BrokenTarget(sc_core::sc_module_name module_name, Fault fault)
    : sc_core::sc_module(module_name), socket("socket"), fault_(fault) {
  socket.register_b_transport(this, &BrokenTarget::b_transport);
  socket.register_transport_dbg(this, &BrokenTarget::transport_dbg);
  socket.register_get_direct_mem_ptr(this, &BrokenTarget::get_direct_mem_ptr);
  for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<unsigned char>(3 * i + 1);
}

TargetDescription BrokenTarget::description() const {
  TargetDescription promised;
  promised.ranges = {{0, kPlainEnd, true, true, true, {}, true},
                     {kPlainEnd, kReadOnlyEnd - kPlainEnd, true, false, true, {}, false},
                     {kRegisters, kEnd - kRegisters, true, true, true, {4}, false}};
  promised.byte_enables = !has(Fault::kEnablesNotRefused);
  promised.streaming = has(Fault::kStreamingNotHonoured);
  promised.state = [this] { return std::vector<unsigned char>{accesses_}; };
  return promised;
}

tlm::tlm_response_status BrokenTarget::examine_place(const tlm::tlm_generic_payload& payload, unsigned int beat) const {
  const std::uint64_t address = payload.get_address();
  const std::uint64_t end = range_end(address);
  if (end == 0) {
    if (has(Fault::kUnmappedAccepted) && address < kRegisters && address + beat <= kRegisters) {
      return tlm::TLM_OK_RESPONSE;
    }
    if (has(Fault::kWrapAccepted) && address > kLastAddress - beat) return tlm::TLM_OK_RESPONSE;
    return has(Fault::kUnmappedWrongResponse) ? tlm::TLM_GENERIC_ERROR_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE;
  }
  if (address >= kRegisters) {
    if (beat != 4 && !has(Fault::kSizeAccepted)) {
      return has(Fault::kSizeWrongResponse) ? tlm::TLM_GENERIC_ERROR_RESPONSE : tlm::TLM_BURST_ERROR_RESPONSE;
    }
    if (address % 4 != 0 && !has(Fault::kMisalignedAccepted)) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  } else if (address + beat > end && !has(Fault::kCrossingAccepted)) {
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  }
  if (payload.is_write() && end == kReadOnlyEnd && !has(Fault::kReadOnlyWritten)) {
    return has(Fault::kDirectionWrongResponse) ? tlm::TLM_GENERIC_ERROR_RESPONSE : tlm::TLM_COMMAND_ERROR_RESPONSE;
  }
  return tlm::TLM_OK_RESPONSE;
}

tlm::tlm_response_status BrokenTarget::examine(const tlm::tlm_generic_payload& payload) const {
  const unsigned int length = payload.get_data_length();
  const unsigned int width = payload.get_streaming_width();
  const bool ignored = payload.get_command() == tlm::TLM_IGNORE_COMMAND;
  if (ignored && !has(Fault::kIgnoreWrites)) return tlm::TLM_COMMAND_ERROR_RESPONSE;
  if (has(Fault::kMappedRefused) && length == 8) return tlm::TLM_BURST_ERROR_RESPONSE;
  if (has(Fault::kLongWidthRefused) && width > length) return tlm::TLM_BURST_ERROR_RESPONSE;
  if (has(Fault::kZeroWidthRefused) && width == 0) return tlm::TLM_BURST_ERROR_RESPONSE;
  const bool streams = width != 0 && width < length;
  const bool as_plain = has(Fault::kStreamingAsPlain) || has(Fault::kStreamingNotHonoured);
  if (streams && !as_plain) return tlm::TLM_BURST_ERROR_RESPONSE;
  return examine_place(payload, length);
}

void BrokenTarget::move(tlm::tlm_generic_payload& payload) {
  unsigned char* const data = payload.get_data_ptr();
  const unsigned char* const enables = payload.get_byte_enable_ptr();
  if (has(Fault::kZeroWidthMovesNothing) && payload.get_streaming_width() == 0) return;
  for (unsigned int i = 0; i < payload.get_data_length(); ++i) {
    const unsigned int lane = has(Fault::kEnableLengthIgnored) ? std::min(i, payload.get_byte_enable_length() - 1)
                                                               : i % std::max(1u, payload.get_byte_enable_length());
    if (enables && !has(Fault::kEnablesIgnored) && enables[lane] != TLM_BYTE_ENABLED) continue;
    unsigned char& stored = bytes_[(payload.get_address() + i) % bytes_.size()];
    if (payload.is_read()) {
      data[i] = has(Fault::kReadShifted) ? static_cast<unsigned char>(stored + 1) : stored;
    } else if (!has(Fault::kWriteDropped)) {
      stored = data[i];
    }
  }
  if (payload.is_read() && has(Fault::kWritesBeyondArray)) data[payload.get_data_length()] ^= 0xff;
}

void BrokenTarget::refuse(tlm::tlm_generic_payload& payload, tlm::tlm_response_status verdict) {
  if (!has(Fault::kResponseLeftOnRefusal)) payload.set_response_status(verdict);
  if (has(Fault::kRefusalCounted)) ++accesses_;
  if (has(Fault::kRefusedReadMovesData) && payload.is_read()) payload.get_data_ptr()[0] ^= 0xff;
  if (has(Fault::kRefusedWriteStores) && payload.is_write()) bytes_[payload.get_address() % kPlainEnd] ^= 0xff;
}

/// Faults that have nothing to do with the data.
void BrokenTarget::disturb(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (has(Fault::kDelayShrinks)) delay = sc_core::sc_time(1, sc_core::SC_PS);
  if (has(Fault::kWaits)) sc_core::wait(delay);
  if (has(Fault::kAddressChanged)) payload.set_address(payload.get_address() + 4);
  if (has(Fault::kReferenceKept) && payload.has_mm()) payload.acquire();
  if (has(Fault::kExtensionRemoved)) {
    for (unsigned int i = 0; i < tlm::max_num_extensions(); ++i) {
      tlm::tlm_extension_base* const extension = payload.set_extension(i, nullptr);
      if (extension) extension->free();
    }
  }
  if (has(Fault::kHintEverywhere)) payload.set_dmi_allowed(true);
}

void BrokenTarget::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const tlm::tlm_response_status verdict = examine(payload);
  if (verdict != tlm::TLM_OK_RESPONSE) {
    refuse(payload, verdict);
    return;
  }
  ++accesses_;
  delay += sc_core::sc_time(3, sc_core::SC_NS);
  move(payload);
  if (payload.get_address() < kPlainEnd && !has(Fault::kHintMissing)) payload.set_dmi_allowed(true);
  if (!has(Fault::kResponseLeftOnSuccess)) payload.set_response_status(tlm::TLM_OK_RESPONSE);
  disturb(payload, delay);
}

unsigned int BrokenTarget::transport_dbg(tlm::tlm_generic_payload& payload) {
  if (has(Fault::kDebugWaits)) sc_core::wait(1, sc_core::SC_NS);
  if (has(Fault::kDebugCountsAccess)) ++accesses_;
  const std::uint64_t address = payload.get_address();
  const std::uint64_t end = has(Fault::kDebugUnmapped) && address < kEnd ? kEnd : range_end(address);
  if (end == 0 || payload.get_command() == tlm::TLM_IGNORE_COMMAND) return 0;
  const unsigned int length = payload.get_data_length();
  const auto count = static_cast<unsigned int>(std::min<std::uint64_t>(length, end - address));
  const unsigned int moved = has(Fault::kDebugReadsBeyondEnd) ? length : count;
  for (unsigned int i = 0; i < moved; ++i) {
    unsigned char& byte = payload.get_data_ptr()[i];
    unsigned char& stored = bytes_[(address + i) % bytes_.size()];
    if (payload.is_read()) {
      byte = stored;
      if (has(Fault::kDebugConsumes)) ++stored;
    } else if (!has(Fault::kDebugWriteDropped)) {
      stored = byte;
    }
  }
  if (has(Fault::kDebugCountOfOne)) return 1;
  return has(Fault::kDebugCountOfRequest) ? length : count;
}

bool BrokenTarget::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  const bool plain = payload.get_address() < kPlainEnd;
  const bool granted = (plain || has(Fault::kDmiGrantedEverywhere)) && !has(Fault::kDmiRefused);
  if (!granted) {
    const bool unbounded = has(Fault::kDmiRefusalUnbounded) || has(Fault::kDmiRefused);
    dmi.set_start_address(unbounded ? 0 : kPlainEnd);
    dmi.set_end_address(kLastAddress);
    dmi.allow_none();
    return false;
  }
  dmi.set_dmi_ptr(has(Fault::kDmiPointerToCopy) ? copy_.data() : bytes_.data());
  if (has(Fault::kDmiPointerShifted)) dmi.set_dmi_ptr(bytes_.data() + 1);
  if (has(Fault::kDmiPointerToCopy)) std::copy_n(bytes_.begin(), copy_.size(), copy_.begin());
  dmi.set_start_address(has(Fault::kDmiOutsideBounds) ? kPlainEnd / 2 : 0);
  dmi.set_end_address(has(Fault::kDmiEndExclusive) ? kPlainEnd : kPlainEnd - 1);
  dmi.allow_read_write();
  if (has(Fault::kDmiReadOnly)) dmi.allow_read();
  return true;
}

}  // namespace mho::testbenches
