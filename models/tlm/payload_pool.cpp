// SPDX-License-Identifier: Apache-2.0
// Free list of payloads. Each keeps its data array, which grows to the largest transfer it ever carried.
#include "models/tlm/payload_pool.h"

namespace mho::tlm_kit {

struct PayloadPool::Entry : tlm::tlm_generic_payload {
  explicit Entry(tlm::tlm_mm_interface* pool) : tlm::tlm_generic_payload(pool) {}

  std::vector<unsigned char> storage;
};

PayloadPool::PayloadPool() = default;

PayloadPool::~PayloadPool() {
  // Extensions may hold references to other payloads of this pool, so they go while all payloads are still there.
  for (const auto& entry : entries_) entry->free_all_extensions();
}

PayloadHandle PayloadPool::acquire(unsigned int bytes) {
  if (idle_.empty()) {
    entries_.push_back(std::make_unique<Entry>(this));
    idle_.reserve(entries_.size());  // so that free(), called in the middle of transfers, never allocates
    idle_.push_back(entries_.back().get());
  }
  Entry& entry = *idle_.back();
  if (entry.storage.size() < bytes) entry.storage.resize(bytes);
  idle_.pop_back();

  entry.set_command(tlm::TLM_IGNORE_COMMAND);
  entry.set_address(0);
  entry.set_data_ptr(bytes == 0 ? nullptr : entry.storage.data());
  entry.set_data_length(bytes);
  entry.set_streaming_width(bytes);
  entry.set_byte_enable_ptr(nullptr);
  entry.set_byte_enable_length(0);
  entry.set_dmi_allowed(false);
  entry.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  entry.set_gp_option(tlm::TLM_MIN_PAYLOAD);
  entry.acquire();
  return PayloadHandle(&entry);
}

void PayloadPool::free(tlm::tlm_generic_payload* payload) {
  payload->free_all_extensions();  // those scheduled for release among them
  idle_.push_back(static_cast<Entry*>(payload));
}

}  // namespace mho::tlm_kit
