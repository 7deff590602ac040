// SPDX-License-Identifier: Apache-2.0
// The output register of a tile: where psums of row blocks are added up, from the tile's own crossbars and from others.
#include <algorithm>
#include <cstring>

#include "models/pim/function_unit.h"
#include "models/tlm/duration.h"

namespace mho::pim {

using sc_core::sc_time;

bool FunctionUnit::holds_psums(const tlm::tlm_generic_payload& payload) {
  const Batch* const batch = payload.get_extension<Batch>();
  return batch != nullptr && batch->form == Batch::Form::kPsums && !batch->spoilt && batch->count >= 1 &&
         batch->filters >= 1 && batch->first_filter >= 0 &&
         batch->filters <= batch->layer_filters - batch->first_filter &&
         std::size_t(batch->count) * std::size_t(batch->filters) * sizeof(std::int32_t) <= payload.get_data_length();
}

void FunctionUnit::add(const tlm::tlm_generic_payload& payload, const Pipeline& pipeline, bool fresh,
                       std::vector<std::int32_t>& accumulators) {
  const Batch& batch = *payload.get_extension<Batch>();
  const auto filters = std::size_t(batch.filters), all = std::size_t(batch.layer_filters);
  const std::size_t wanted = std::size_t(batch.count) * all;
  const auto* psum = reinterpret_cast<const std::int32_t*>(payload.get_data_ptr());
  if (fresh && filters == all) {
    accumulators.assign(psum, psum + wanted);
  } else {
    if (fresh) accumulators.assign(wanted, 0);
    for (std::size_t window = 0; window < std::size_t(batch.count); ++window, psum += filters) {
      std::int32_t* const sum = accumulators.data() + window * all + std::size_t(batch.first_filter);
      // Modular, so that the order of additions cannot matter.
      for (std::size_t f = 0; f < filters; ++f) sum[f] = std::int32_t(std::uint32_t(sum[f]) + std::uint32_t(psum[f]));
    }
  }
  ledger_.of(pipeline.node)[observe::Action::kTileShiftAdds] += std::uint64_t(batch.count) * filters;
}

void FunctionUnit::accumulate(int, tlm::tlm_generic_payload& payload, sc_time& delay) {
  if (!holds_psums(payload)) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  const Batch& batch = *payload.get_extension<Batch>();
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  // What an operation that failed has left behind counts for nothing.
  const std::size_t wanted = std::size_t(batch.count) * std::size_t(batch.layer_filters);
  const bool first = accumulators_.size() != wanted || operation_ != pipeline.operation;
  operation_ = pipeline.operation;
  add(payload, pipeline, first, accumulators_);
  delay += tlm_kit::duration(config_.shift_add_s);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

tlm::tlm_sync_enum FunctionUnit::receive_psums(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                               sc_time& delay) {
  while (psums_back_.size() <= std::size_t(id)) {
    const int peer = int(psums_back_.size());
    psums_back_.push_back(
        std::make_unique<tlm_kit::ResponseLink>([this, peer](auto& response, auto& begin_resp, auto& no_delay) {
          return psums[peer]->nb_transport_bw(response, begin_resp, no_delay);
        }));
  }
  tlm_kit::ResponseLink& back = *psums_back_[std::size_t(id)];
  if (phase == tlm::END_RESP) return back.end(payload);
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  back.take(payload);
  const bool single = is_single_vector(payload, delay);
  if (!single || !holds_psums(payload) || open_windows_.count(payload.get_extension<Pipeline>()->window) == 0) {
    // The window they belong to cannot become complete.
    if (single) forget(payload.get_extension<Pipeline>()->window);
    return back.answered(payload, tlm::TLM_COMMAND_ERROR_RESPONSE, phase);
  }
  payload.set_address(std::uint64_t(id));  // whom to answer
  adding_.notify(payload, tlm_kit::duration(config_.shift_add_s));
  return back.accepted(phase);
}

void FunctionUnit::finish_additions() {
  while (tlm::tlm_generic_payload* const payload = adding_.get_next_transaction()) {
    const Pipeline& pipeline = *payload->get_extension<Pipeline>();
    const auto open = open_windows_.find(pipeline.window);
    if (open == open_windows_.end()) {  // given up meanwhile
      payload->set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
      psums_back_[std::size_t(payload->get_address())]->respond(*payload);
      continue;
    }
    OpenWindow& window = open->second;
    const std::size_t wanted = std::size_t(payload->get_extension<Batch>()->layer_filters);
    add(*payload, pipeline, window.psums.size() != wanted, window.psums);
    ++window.parts;
    if (window.collector != nullptr) {
      Pipeline& whole = *window.collector->get_extension<Pipeline>();
      if (pipeline.interval > whole.interval) {
        whole.interval = pipeline.interval;
        whole.limited_by = pipeline.limited_by;
      }
    }
    payload->set_response_status(tlm::TLM_OK_RESPONSE);
    psums_back_[std::size_t(payload->get_address())]->respond(*payload);
    respond_if_complete(window);
  }
}

tlm::tlm_sync_enum FunctionUnit::receive_job(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_time& delay) {
  if (phase == tlm::END_RESP) return jobs_back_.end(payload);
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  jobs_back_.take(payload);
  const FunctionJob* const job = payload.get_extension<FunctionJob>();
  const Pipeline* const pipeline = payload.get_extension<Pipeline>();
  const bool can = job != nullptr && job->kind == FunctionJob::Kind::kCollect && job->windows >= 0 &&
                   pipeline != nullptr && pipeline->window != 0 && delay == sc_core::SC_ZERO_TIME &&
                   open_windows_.count(pipeline->window) == 0;
  if (!can) return jobs_back_.answered(payload, tlm::TLM_COMMAND_ERROR_RESPONSE, phase);
  OpenWindow& window = open_windows_[pipeline->window];
  open_ = std::uint32_t(open_windows_.size());
  most_open_ = std::max(most_open_, open_);
  if (job->windows == 0) return jobs_back_.answered(payload, tlm::TLM_OK_RESPONSE, phase);  // all come from elsewhere
  window.collector = &payload;
  return jobs_back_.accepted(phase);
}

void FunctionUnit::respond_if_complete(OpenWindow& window) {
  tlm::tlm_generic_payload* const collector = window.collector;
  if (collector == nullptr || window.parts < collector->get_extension<FunctionJob>()->windows) return;
  window.collector = nullptr;
  collector->set_response_status(tlm::TLM_OK_RESPONSE);
  jobs_back_.respond(*collector);
}

std::vector<observe::Statistic> FunctionUnit::statistics() const {
  return {{"busy", "time of the function stage", "s", function_.busy_time().to_seconds()},
          {"most_open_windows", "windows with psums under way at once, approximately timed", "windows",
           double(most_open_)}};
}

std::vector<observe::Wave> FunctionUnit::waves() const {
  return {{"open_windows", "windows whose psums are being added up", "windows", &open_}};
}

void FunctionUnit::remote_access(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const Pipeline* const pipeline = payload.get_extension<Pipeline>();
  node_ = pipeline != nullptr ? pipeline->node : -1;
  window_ = pipeline != nullptr ? pipeline->window : 0;
  const std::size_t psums_written = payload.is_write() ? payload.get_data_length() / sizeof(std::int32_t) : 0;
  // Psums of another tile may be the first of their window.
  if (open_windows_.count(window_) > 0 && accumulators_of(window_).empty())
    accumulators_of(window_).assign(psums_written, 0);
  rules_.b_transport(payload, delay);
}

tlm::tlm_response_status FunctionUnit::admits(tlm::tlm_command, std::uint64_t address, std::uint64_t length) const {
  const auto window = open_windows_.find(window_);
  const std::size_t psums_held = window_ == 0                    ? accumulators_.size()
                                 : window == open_windows_.end() ? 0
                                                                 : window->second.psums.size();
  const std::uint64_t bytes = psums_held * sizeof(std::int32_t);
  if (address >= bytes || length > bytes - address || address % sizeof(std::int32_t) != 0)
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  return length % sizeof(std::int32_t) == 0 ? tlm::TLM_OK_RESPONSE : tlm::TLM_BURST_ERROR_RESPONSE;
}

void FunctionUnit::read(std::uint64_t address, tlm_kit::ByteSpan bytes, sc_time&) { debug_read(address, bytes); }

void FunctionUnit::write(std::uint64_t address, tlm_kit::ConstByteSpan bytes, sc_time& delay) {
  const std::size_t first = std::size_t(address) / sizeof(std::int32_t);
  const std::size_t count = bytes.size() / sizeof(std::int32_t);
  std::vector<std::int32_t>& accumulators = accumulators_of(window_);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t psum = 0;
    std::memcpy(&psum, bytes.data() + i * sizeof psum, sizeof psum);
    accumulators[first + i] = std::int32_t(std::uint32_t(accumulators[first + i]) + psum);
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
