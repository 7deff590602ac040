// SPDX-License-Identifier: Apache-2.0
// Transfers from a tile's buffer to its crossbar_tiles.
#include "models/pim/bus.h"

#include <algorithm>

#include "models/tlm/duration.h"

namespace mho::pim {

using sc_core::sc_time;

Bus::Bus(sc_core::sc_module_name module_name, const mapping::BusConfig& config, int crossbar_tiles, int value_bytes,
         observe::Ledger& ledger, observe::Recorder* recorder)
    : sc_module(module_name),
      from_buffer("from_buffer"),
      to_crossbar_tile("to_crossbar_tile", std::size_t(crossbar_tiles)),
      config_(config),
      value_bytes_(value_bytes),
      ledger_(ledger),
      stage_(name(), observe::Kind::kTransfer),
      arbiter_(config.arbitration),
      back_([this](auto& payload, auto& phase, auto& delay) {
        return from_buffer->nb_transport_bw(payload, phase, delay);
      }) {
  from_buffer.register_b_transport(this, &Bus::carry);
  from_buffer.register_nb_transport_fw(this, &Bus::receive);
  for (std::size_t i = 0; i < to_crossbar_tile.size(); ++i) {
    auto& socket = to_crossbar_tile[i];
    socket.register_nb_transport_bw(this, &Bus::receive_back, int(i));
    onward_.push_back(std::make_unique<tlm_kit::RequestLink>(
        [&socket](auto& payload, auto& phase, auto& delay) { return socket->nb_transport_fw(payload, phase, delay); },
        [this](auto&) { passed_on(); }, [this](auto& payload) { back_.respond(payload); }));
  }
  stage_.record_to(recorder);
  SC_HAS_PROCESS(Bus);
  SC_METHOD(grant);
  sensitive << requests_settle_.event;
  dont_initialize();
  SC_METHOD(finish);
  sensitive << finish_event_;
  dont_initialize();
}

bool Bus::accepts(const tlm::tlm_generic_payload& payload) const {
  const Batch* const batch = payload.get_extension<Batch>();
  return batch != nullptr && batch->form == Batch::Form::kCodes &&
         payload.get_address() >> kCrossbarTileShift < to_crossbar_tile.size();
}

sc_time Bus::transfer_time(const Batch& batch, const Pipeline& pipeline) {
  const std::uint64_t bytes = bytes_of(batch);
  ledger_.of(pipeline.node)[observe::Action::kBusBits] += 8 * bytes * std::uint64_t(batch.count);
  return tlm_kit::duration(config_.latency_s + double(bytes) / config_.bytes_per_s);
}

void Bus::carry(tlm::tlm_generic_payload& payload, sc_time& delay) {
  if (!accepts(payload)) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  const Batch& batch = *payload.get_extension<Batch>();
  const std::uint64_t address = payload.get_address();
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  const sc_time transfer = transfer_time(batch, pipeline);
  stage_.enter(pipeline, transfer, transfer, delay, bytes_of(batch) * std::uint64_t(batch.count));
  payload.set_address(address & kFirstCrossbarMask);
  to_crossbar_tile[std::size_t(address >> kCrossbarTileShift)]->b_transport(payload, delay);
  payload.set_address(address);
  stage_.leave(pipeline);
}

tlm::tlm_sync_enum Bus::receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_time& delay) {
  if (phase == tlm::END_RESP) return back_.end(payload);
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  back_.take(payload);
  if (!accepts(payload) || !is_single_vector(payload, delay))
    return back_.answered(payload, tlm::TLM_ADDRESS_ERROR_RESPONSE, phase);
  if (waiting_.size() >= std::size_t(config_.queue)) {
    held_back_ = &payload;
    return tlm::TLM_ACCEPTED;
  }
  enqueue(payload);
  return back_.accepted(phase);
}

void Bus::enqueue(tlm::tlm_generic_payload& payload) {
  waiting_.push_back(&payload);
  requests_.push_back({int(payload.get_address() >> kCrossbarTileShift), sc_core::sc_time_stamp()});
  queue_ = std::uint32_t(waiting_.size());
  longest_queue_ = std::max(longest_queue_, queue_);
  requests_settle_.news();
}

void Bus::grant() {
  if (!requests_settle_.settled()) return;
  if (carried_ != nullptr || waiting_.empty()) return;
  const auto next = std::ptrdiff_t(arbiter_.pick(requests_));
  carried_ = waiting_[std::size_t(next)];
  const sc_time now = sc_core::sc_time_stamp(), since = requests_[std::size_t(next)].since;
  waiting_.erase(waiting_.begin() + next);
  requests_.erase(requests_.begin() + next);
  queue_ = std::uint32_t(waiting_.size());
  busy_ = 1;
  waited_ += now - since;
  const Batch& batch = *carried_->get_extension<Batch>();
  Pipeline& pipeline = *carried_->get_extension<Pipeline>();
  carried_until_ = stage_.serve(pipeline, transfer_time(batch, pipeline), bytes_of(batch));
  raise_interval(pipeline, carried_until_ - since, stage_.module());
  finish_event_.notify(carried_until_ - now);
  if (held_back_ == nullptr) return;
  tlm::tlm_generic_payload& accepted = *held_back_;
  held_back_ = nullptr;
  enqueue(accepted);
  back_.accept(accepted);
}

void Bus::finish() {
  const auto target = std::size_t(carried_->get_address() >> kCrossbarTileShift);
  carried_->set_address(carried_->get_address() & kFirstCrossbarMask);
  onward_[target]->send(*carried_);
}

void Bus::passed_on() {
  carried_ = nullptr;
  busy_ = 0;
  requests_settle_.news();
}

tlm::tlm_sync_enum Bus::receive_back(int crossbar_tile, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_time&) {
  return onward_[std::size_t(crossbar_tile)]->receive(payload, phase);
}

std::vector<observe::Statistic> Bus::statistics() const {
  return {{"busy", "time the wires carry codes", "s", stage_.busy_time().to_seconds()},
          {"waited", "time vectors waited for the wires, approximately timed", "s", waited_.to_seconds()},
          {"longest_queue", "vectors that waited at once, approximately timed", "vectors", double(longest_queue_)}};
}

std::vector<observe::Wave> Bus::waves() const {
  return {{"busy", "a vector is on the wires", "vectors", &busy_}, {"queue", "vectors that wait", "vectors", &queue_}};
}

}  // namespace mho::pim
