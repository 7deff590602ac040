// SPDX-License-Identifier: Apache-2.0
// A small target that keeps every rule of the conformance suite, and one deliberate fault at a time: what
// the suite must find. Written without the kit's target base, so that it also checks the suite against a
// second implementation. It waits only as a fault.
#pragma once

#include <tlm_utils/simple_target_socket.h>
#include <array>
#include <cstdint>
#include <tlm>

#include "testbenches/models/tlm/conformance.h"

namespace mho::testbenches {

/// The one thing that is wrong.
enum class Fault {
  kNone,
  kResponseLeftOnSuccess,
  kResponseLeftOnRefusal,
  kDelayShrinks,
  kWaits,
  kAddressChanged,
  kExtensionRemoved,
  kReferenceKept,
  kWritesBeyondArray,
  kRefusedReadMovesData,
  kRefusedWriteStores,
  kRefusalCounted,
  kMappedRefused,
  kUnmappedAccepted,
  kUnmappedWrongResponse,
  kWrapAccepted,
  kCrossingAccepted,
  kSizeAccepted,
  kSizeWrongResponse,
  kMisalignedAccepted,
  kReadOnlyWritten,
  kDirectionWrongResponse,
  kEnablesIgnored,
  kEnableLengthIgnored,
  kEnablesNotRefused,
  kZeroWidthRefused,
  kZeroWidthMovesNothing,
  kLongWidthRefused,
  kStreamingAsPlain,
  kStreamingNotHonoured,
  kIgnoreWrites,
  kReadShifted,
  kWriteDropped,
  kHintMissing,
  kHintEverywhere,
  kDebugCountsAccess,
  kDebugCountOfRequest,
  kDebugCountOfOne,
  kDebugReadsBeyondEnd,
  kDebugUnmapped,
  kDebugConsumes,
  kDebugWaits,
  kDebugWriteDropped,
  kDmiEndExclusive,
  kDmiPointerShifted,
  kDmiPointerToCopy,
  kDmiRefusalUnbounded,
  kDmiOutsideBounds,
  kDmiGrantedEverywhere,
  kDmiRefused,
  kDmiReadOnly
};

/// Plain storage at [0, 64), read-only storage at [64, 128), nothing at [128, 192), registers that take
/// 4 bytes at [192, 256). DMI for the plain storage. Byte enables honoured, streaming refused.
class BrokenTarget : public sc_core::sc_module {
 public:
  BrokenTarget(sc_core::sc_module_name module_name, Fault fault);

  /// True of Fault::kNone. The faults about what is refused or honoured change what is promised instead.
  TargetDescription description() const;

  tlm_utils::simple_target_socket<BrokenTarget> socket;

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned int transport_dbg(tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);

  bool has(Fault fault) const { return fault_ == fault; }
  tlm::tlm_response_status examine(const tlm::tlm_generic_payload& payload) const;
  tlm::tlm_response_status examine_place(const tlm::tlm_generic_payload& payload, unsigned int beat) const;
  void move(tlm::tlm_generic_payload& payload);
  void refuse(tlm::tlm_generic_payload& payload, tlm::tlm_response_status verdict);
  void disturb(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);

  const Fault fault_;
  std::array<unsigned char, 320> bytes_{};  // beyond 256 only faults write
  std::array<unsigned char, 64> copy_{};
  unsigned char accesses_ = 0;
};

}  // namespace mho::testbenches
