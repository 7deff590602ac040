// SPDX-License-Identifier: Apache-2.0
// Reuses generic payloads and their data arrays: memory management as in IEEE 1666-2011, 14.5.
// It models no hardware. It is not safe for use from several operating-system threads.
#pragma once

#include <cstddef>
#include <memory>
#include <tlm>
#include <vector>

namespace mho::tlm_kit {

/// Gives up one reference to a payload; the deleter of PayloadHandle.
struct ReleasePayload {
  void operator()(tlm::tlm_generic_payload* payload) const { payload->release(); }
};

/// One counted reference to a pooled payload. `handle.release()` hands the reference over to the caller,
/// who then calls `payload->release()` (note: two different functions of that name).
using PayloadHandle = std::unique_ptr<tlm::tlm_generic_payload, ReleasePayload>;

/// Lends payloads with their data array. The pool must outlive the payloads it lent.
class PayloadPool : public tlm::tlm_mm_interface {
 public:
  PayloadPool();
  PayloadPool(const PayloadPool&) = delete;
  PayloadPool& operator=(const PayloadPool&) = delete;
  /// Deletes every payload, lent or not: check in_use() first where that may not be zero. Extensions may refer to
  /// payloads of the same pool.
  ~PayloadPool() override;

  /// @param bytes data length of the payload; with 0 the data pointer is null and the command must stay
  ///   TLM_IGNORE_COMMAND, the only one the standard allows without data.
  /// @return a payload with one reference and every attribute set: TLM_IGNORE_COMMAND, address 0, a data
  ///   array of `bytes` with unspecified contents, streaming width = length, no byte enables, no DMI
  ///   hint, TLM_INCOMPLETE_RESPONSE, TLM_MIN_PAYLOAD, no extension.
  PayloadHandle acquire(unsigned int bytes);

  /// Payloads lent and not yet back.
  std::size_t in_use() const { return entries_.size() - idle_.size(); }
  /// Payloads ever made: stays at the peak of in_use() when reuse works.
  std::size_t allocated() const { return entries_.size(); }

  /// Called by tlm_generic_payload::release() with the last reference. Frees all extensions, sticky ones
  /// too: an extension that stays would be read by the next, unrelated transaction. So an extension that
  /// is not on the heap must be cleared before the last release.
  void free(tlm::tlm_generic_payload* payload) override;

 private:
  struct Entry;

  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<Entry*> idle_;
};

}  // namespace mho::tlm_kit
