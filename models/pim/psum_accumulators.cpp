// SPDX-License-Identifier: Apache-2.0
// The output register of a tile: where psums of row blocks are added up, from the tile's own crossbars and from others.
#include <algorithm>
#include <cstring>

#include "models/pim/function_unit.h"
#include "models/tlm/duration.h"

namespace mho::pim {

using sc_core::sc_time;

void FunctionUnit::accumulate(int, tlm::tlm_generic_payload& payload, sc_time& delay) {
  const Batch* const batch = payload.get_extension<Batch>();
  if (batch == nullptr || batch->form != Batch::Form::kPsums || batch->count < 1 || batch->filters < 1 ||
      batch->first_filter < 0 || batch->filters > batch->layer_filters - batch->first_filter ||
      std::size_t(batch->count) * std::size_t(batch->filters) * sizeof(std::int32_t) > payload.get_data_length()) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  const auto filters = std::size_t(batch->filters), all = std::size_t(batch->layer_filters);
  const std::size_t wanted = std::size_t(batch->count) * all;
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  const auto* psum = reinterpret_cast<const std::int32_t*>(payload.get_data_ptr());
  // What an operation that failed has left behind counts for nothing.
  const bool first = accumulators_.size() != wanted || operation_ != pipeline.operation;
  operation_ = pipeline.operation;
  if (first && filters == all) {
    accumulators_.assign(psum, psum + wanted);
  } else {
    if (first) accumulators_.assign(wanted, 0);
    for (std::size_t window = 0; window < std::size_t(batch->count); ++window, psum += filters) {
      std::int32_t* const sum = accumulators_.data() + window * all + std::size_t(batch->first_filter);
      // Modular, so that the order of additions cannot matter.
      for (std::size_t f = 0; f < filters; ++f) sum[f] = std::int32_t(std::uint32_t(sum[f]) + std::uint32_t(psum[f]));
    }
  }
  ledger_.of(pipeline.node)[observe::Action::kTileShiftAdds] += std::uint64_t(batch->count) * filters;
  delay += tlm_kit::duration(config_.shift_add_s);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

void FunctionUnit::remote_access(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const Pipeline* const pipeline = payload.get_extension<Pipeline>();
  node_ = pipeline != nullptr ? pipeline->node : -1;
  rules_.b_transport(payload, delay);
}

tlm::tlm_response_status FunctionUnit::admits(tlm::tlm_command, std::uint64_t address, std::uint64_t length) const {
  const std::uint64_t bytes = accumulators_.size() * sizeof(std::int32_t);
  if (address >= bytes || length > bytes - address || address % sizeof(std::int32_t) != 0)
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  return length % sizeof(std::int32_t) == 0 ? tlm::TLM_OK_RESPONSE : tlm::TLM_BURST_ERROR_RESPONSE;
}

void FunctionUnit::read(std::uint64_t address, tlm_kit::ByteSpan bytes, sc_time&) { debug_read(address, bytes); }

void FunctionUnit::write(std::uint64_t address, tlm_kit::ConstByteSpan bytes, sc_time& delay) {
  const std::size_t first = std::size_t(address) / sizeof(std::int32_t);
  const std::size_t count = bytes.size() / sizeof(std::int32_t);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t psum = 0;
    std::memcpy(&psum, bytes.data() + i * sizeof psum, sizeof psum);
    accumulators_[first + i] = std::int32_t(std::uint32_t(accumulators_[first + i]) + psum);
  }
  ledger_.of(node_)[observe::Action::kTileShiftAdds] += count;
  delay += tlm_kit::duration(config_.shift_add_s);
}

std::size_t FunctionUnit::debug_read(std::uint64_t address, tlm_kit::ByteSpan bytes) const {
  const std::size_t size = accumulators_.size() * sizeof(std::int32_t);
  if (address >= size) return 0;
  const std::size_t count = std::min(bytes.size(), size - std::size_t(address));
  std::memcpy(bytes.data(), reinterpret_cast<const std::uint8_t*>(accumulators_.data()) + address, count);
  return count;
}

std::size_t FunctionUnit::debug_write(std::uint64_t address, tlm_kit::ConstByteSpan bytes) {
  const std::size_t size = accumulators_.size() * sizeof(std::int32_t);
  if (address >= size) return 0;
  const std::size_t count = std::min(bytes.size(), size - std::size_t(address));
  std::memcpy(reinterpret_cast<std::uint8_t*>(accumulators_.data()) + address, bytes.data(), count);
  return count;
}

}  // namespace mho::pim
