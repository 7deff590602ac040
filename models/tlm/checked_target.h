// SPDX-License-Identifier: Apache-2.0
// The one implementation of the generic-payload rules for memory-mapped targets (IEEE 1666-2011, 11 and
// 14): a device supplies what is special about it, the checked socket refuses everything else. Left out:
// the phases of nb_transport, which tlm_utils::simple_target_socket converts to b_transport.
#pragma once

#include <tlm_utils/simple_target_socket.h>
#include <cstdint>
#include <tlm>
#include <vector>

#include "models/tlm/byte_span.h"

namespace mho::tlm_kit {

/// What a memory-mapped device supplies to its socket. An access is first admitted, which changes
/// nothing, then carried out, which cannot fail: so a refused access moves no data and changes no state.
class TargetDevice {
 public:
  virtual ~TargetDevice() = default;

  /// May `length` bytes from `address` be moved in this direction? `command` is read or write, `length`
  /// at least 1 and address + length does not wrap.
  /// @return TLM_OK_RESPONSE, or the response of the refusal: TLM_ADDRESS_ERROR_RESPONSE (unmapped or
  ///   misaligned), TLM_BURST_ERROR_RESPONSE (wrong size), TLM_COMMAND_ERROR_RESPONSE (wrong direction).
  virtual tlm::tlm_response_status admits(tlm::tlm_command command, std::uint64_t address,
                                          std::uint64_t length) const = 0;

  /// Fill `bytes` from `address`. The effect happens at now + delay; add the time it takes to `delay`,
  /// never reduce it, never call wait. Only called when admitted.
  virtual void read(std::uint64_t address, ByteSpan bytes, sc_core::sc_time& delay) = 0;
  /// Store `bytes` at `address`; same rules as read().
  virtual void write(std::uint64_t address, ConstByteSpan bytes, sc_core::sc_time& delay) = 0;

  /// Debug view: no side effect, no time, no restriction of size or alignment.
  /// @return bytes moved, counted from `address` up to the first one that does not exist.
  virtual std::size_t debug_read(std::uint64_t address, ByteSpan bytes) const = 0;
  /// Debug poke: stores without the consequences that a write would have; see debug_read().
  virtual std::size_t debug_write(std::uint64_t address, ConstByteSpan bytes) = 0;

  /// Direct memory access for `command` at `address`. Add own latencies to those in `dmi`.
  /// @return whether it is granted; `dmi` holds inclusive bounds for which the answer holds. The default
  ///   refuses for all addresses.
  virtual bool direct_memory(tlm::tlm_command command, std::uint64_t address, tlm::tlm_dmi& dmi);
};

/// Refuses direct memory access for the addresses `first` to `last`, both included; returns false.
bool refuse_direct_memory(tlm::tlm_dmi& dmi, std::uint64_t first, std::uint64_t last);

/// What a target supports beyond contiguous transfers of all bytes. The rest is refused.
struct TargetTraits {
  /// Byte enables are honoured, else TLM_BYTE_ENABLE_ERROR_RESPONSE. A masked write is merged with what
  /// debug_read() sees, so only devices whose debug view is their contents may set this.
  bool byte_enables = false;
  /// A streaming width below the length repeats the beats at one address, else TLM_BURST_ERROR_RESPONSE.
  bool streaming = false;
  /// Successful transfers carry the DMI hint and direct_memory() is asked.
  bool direct_memory = false;
};

/// The rules, independent of the width of the socket.
class CheckedTarget {
 public:
  CheckedTarget(TargetDevice& device, TargetTraits traits) : device_(device), traits_(traits) {}

  /// Sets the response on every path, TLM_GENERIC_ERROR_RESPONSE when the device throws. Callable from
  /// threads, methods and outside of processes.
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  /// @return the exact number of bytes moved, 0 for TLM_IGNORE_COMMAND.
  unsigned int transport_dbg(tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);

 private:
  tlm::tlm_response_status examine(const tlm::tlm_generic_payload& payload) const;
  void move_beat(tlm::tlm_generic_payload& payload, unsigned int first, unsigned int count, sc_core::sc_time& delay);
  void move_masked(tlm::tlm_generic_payload& payload, unsigned int first, unsigned int count, sc_core::sc_time& delay);

  TargetDevice& device_;
  const TargetTraits traits_;
  std::vector<unsigned char> merged_;  // scratch of masked transfers, kept to avoid allocation
};

/// Target socket of a memory-mapped device. BUSWIDTH in bits changes no behaviour, only what it binds to.
template <unsigned int BUSWIDTH = 32>
class CheckedTargetSocket : public tlm_utils::simple_target_socket<CheckedTarget, BUSWIDTH> {
 public:
  /// @param device must outlive the socket; it is not called before the first transaction.
  CheckedTargetSocket(const char* name, TargetDevice& device, TargetTraits traits = {})
      : tlm_utils::simple_target_socket<CheckedTarget, BUSWIDTH>(name), rules_(device, traits) {
    this->register_b_transport(&rules_, &CheckedTarget::b_transport);
    this->register_transport_dbg(&rules_, &CheckedTarget::transport_dbg);
    this->register_get_direct_mem_ptr(&rules_, &CheckedTarget::get_direct_mem_ptr);
  }

 private:
  CheckedTarget rules_;
};

}  // namespace mho::tlm_kit
