// SPDX-License-Identifier: Apache-2.0
// Storage, window gathering and port occupation of a tile's buffer.
#include "models/pim/edram_buffer.h"

#include <algorithm>

#include "models/tlm/byte_enables.h"
#include "models/tlm/duration.h"

namespace mho::pim {

using sc_core::sc_time;

EdramBuffer::EdramBuffer(sc_core::sc_module_name module_name, const mapping::EdramConfig& config, int value_bytes,
                         observe::Ledger& ledger, observe::Recorder* recorder)
    : sc_module(module_name),
      port("port"),
      windows("windows"),
      bus("bus"),
      config_(config),
      value_bytes_(value_bytes),
      ledger_(ledger),
      stage_(name(), observe::Kind::kBuffer),
      rules_(*this, {true, false, false}),
      storage_(std::size_t(config.bytes)),
      onward_([this](auto& payload, auto& phase, auto& delay) { return bus->nb_transport_fw(payload, phase, delay); },
              [this](auto& payload) {
                read_ = nullptr;
                back_.accept(payload);
              },
              [this](auto& payload) { back_.respond(payload); }),
      back_(
          [this](auto& payload, auto& phase, auto& delay) { return windows->nb_transport_bw(payload, phase, delay); }) {
  port.register_b_transport(this, &EdramBuffer::access);
  port.register_transport_dbg(this, &EdramBuffer::debug);
  windows.register_b_transport(this, &EdramBuffer::gather);
  windows.register_nb_transport_fw(this, &EdramBuffer::receive);
  bus.register_nb_transport_bw(this, &EdramBuffer::receive_back);
  stage_.record_to(recorder);
  SC_HAS_PROCESS(EdramBuffer);
  SC_METHOD(finish_read);
  sensitive << read_event_;
  dont_initialize();
}

std::uint64_t EdramBuffer::lines(std::uint64_t values) const {
  const auto line = std::uint64_t(config_.line_bytes);
  return (values * std::uint64_t(value_bytes_) + line - 1) / line;
}

sc_time EdramBuffer::line_time(std::uint64_t count) const { return tlm_kit::duration(double(count) * config_.line_s); }

bool EdramBuffer::can_gather(const Batch& batch, std::size_t payload_bytes) const {
  if (batch.form != Batch::Form::kEmpty || batch.input == nullptr || batch.window == nullptr) return false;
  if (batch.count < 1 || batch.rows < 1 || batch.slice.count != batch.count || batch.slice.k_count != batch.rows ||
      batch.codes_at > payload_bytes ||
      std::uint64_t(batch.count) * std::uint64_t(batch.rows) > payload_bytes - batch.codes_at)
    return false;
  const RingView& ring = batch.ring;
  return ring.rows >= 1 && ring.row_bytes == batch.input->shape.row_bytes() && ring.offset <= bytes() &&
         std::uint64_t(ring.rows) * ring.row_bytes <= bytes() - ring.offset;
}

std::uint64_t EdramBuffer::copy_windows(tlm::tlm_generic_payload& payload, Batch& batch, const Pipeline& pipeline) {
  const RingView& ring = batch.ring;
  dnn::gather_windows(
      *batch.input, *batch.window, batch.groups, batch.slice,
      [&](int, int y) { return storage_.data() + ring.address(ring.first_row + std::uint64_t(y)); },
      payload.get_data_ptr() + batch.codes_at);
  batch.form = Batch::Form::kCodes;
  const std::uint64_t lines_a_window = lines(std::uint64_t(batch.rows));
  observe::Counts& counts = ledger_.of(pipeline.node);
  counts[observe::Action::kEdramLinesRead] += lines_a_window * std::uint64_t(batch.count);
  if (ring.spilled) counts[observe::Action::kSpilledBytes] += std::uint64_t(batch.rows * batch.count);
  return lines_a_window;
}

void EdramBuffer::gather(tlm::tlm_generic_payload& payload, sc_time& delay) {
  Batch* const batch = payload.get_extension<Batch>();
  if (batch == nullptr || !can_gather(*batch, payload.get_data_length())) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  const std::uint64_t lines_a_window = copy_windows(payload, *batch, pipeline);
  const sc_time read = line_time(lines_a_window);
  stage_.enter(pipeline, read, read, delay, lines_a_window * std::uint64_t(batch->count));
  pipeline.fetched = std::max(pipeline.fetched, delay);
  bus->b_transport(payload, delay);
  stage_.leave(pipeline);
}

tlm::tlm_sync_enum EdramBuffer::receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_time& delay) {
  if (phase == tlm::END_RESP) return back_.end(payload);
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  back_.take(payload);
  const bool can = is_single_vector(payload, delay) && read_ == nullptr &&
                   can_gather(*payload.get_extension<Batch>(), payload.get_data_length());
  if (!can) return back_.answered(payload, tlm::TLM_ADDRESS_ERROR_RESPONSE, phase);
  read_ = &payload;
  busy_ = 1;
  Pipeline& pipeline = *payload.get_extension<Pipeline>();
  const std::uint64_t read_lines = lines(std::uint64_t(payload.get_extension<Batch>()->rows));
  const sc_time now = sc_core::sc_time_stamp(), read = line_time(read_lines);
  const sc_time end = stage_.serve(pipeline, read, read_lines);
  waited_ += end - now - read;
  raise_interval(pipeline, end - now, stage_.module());
  read_event_.notify(end - now);
  return tlm::TLM_ACCEPTED;
}

void EdramBuffer::finish_read() {
  busy_ = 0;
  copy_windows(*read_, *read_->get_extension<Batch>(), *read_->get_extension<Pipeline>());
  onward_.send(*read_);
}

tlm::tlm_sync_enum EdramBuffer::receive_back(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_time&) {
  return onward_.receive(payload, phase);
}

std::vector<observe::Statistic> EdramBuffer::statistics() const {
  return {{"busy", "time the port reads or writes lines", "s", stage_.busy_time().to_seconds()},
          {"waited", "time reads waited for the port, approximately timed", "s", waited_.to_seconds()}};
}

std::vector<observe::Wave> EdramBuffer::waves() const {
  return {{"busy", "a vector is read or waits for the port", "vectors", &busy_}};
}

void EdramBuffer::access(tlm::tlm_generic_payload& payload, sc_time& delay) {
  pipeline_ = payload.get_extension<Pipeline>();
  codes_ = tlm_kit::enabled_bytes(payload);
  rules_.b_transport(payload, delay);
  pipeline_ = nullptr;
}

void EdramBuffer::occupy(std::uint64_t codes, observe::Action counted, sc_time& delay) {
  Pipeline alone;
  Pipeline& pipeline = pipeline_ != nullptr ? *pipeline_ : alone;
  const std::uint64_t item_lines = lines((codes + pipeline.count - 1) / pipeline.count);
  ledger_.of(pipeline.node)[counted] += item_lines * pipeline.count;
  // A pipelined write is a stage of the originator's cycle, whose time is in `delay` already.
  const bool staged = pipeline_ != nullptr && counted == observe::Action::kEdramLinesWritten;
  const sc_time busy = line_time(item_lines);
  stage_.enter(pipeline, staged ? sc_core::SC_ZERO_TIME : busy, busy, delay, item_lines * pipeline.count);
  stage_.leave(pipeline);
}

tlm::tlm_response_status EdramBuffer::admits(tlm::tlm_command, std::uint64_t address, std::uint64_t length) const {
  return address < bytes() && length <= bytes() - address ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE;
}

void EdramBuffer::read(std::uint64_t address, tlm_kit::ByteSpan span, sc_time& delay) {
  debug_read(address, span);
  occupy(codes_, observe::Action::kEdramLinesRead, delay);
}

void EdramBuffer::write(std::uint64_t address, tlm_kit::ConstByteSpan span, sc_time& delay) {
  debug_write(address, span);
  occupy(codes_, observe::Action::kEdramLinesWritten, delay);
}

std::size_t EdramBuffer::debug_read(std::uint64_t address, tlm_kit::ByteSpan span) const {
  if (address >= bytes()) return 0;
  const auto length = std::size_t(std::min<std::uint64_t>(span.size(), bytes() - address));
  std::copy_n(storage_.data() + address, length, span.data());
  return length;
}

std::size_t EdramBuffer::debug_write(std::uint64_t address, tlm_kit::ConstByteSpan span) {
  if (address >= bytes()) return 0;
  const auto length = std::size_t(std::min<std::uint64_t>(span.size(), bytes() - address));
  std::copy_n(span.data(), length, storage_.data() + address);
  return length;
}

}  // namespace mho::pim
