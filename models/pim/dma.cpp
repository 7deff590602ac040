// SPDX-License-Identifier: Apache-2.0
// Transfers of the DMA.
#include "models/pim/dma.h"

#include <algorithm>

#include "models/pim/addresses.h"

namespace mho::pim {

using sc_core::sc_time;

namespace {

constexpr std::size_t kBurstBytes = std::size_t{1} << 20;  // blocks are cut, so that no payload grows without bound

}  // namespace

Dma::Dma(sc_core::sc_module_name module_name, observe::Ledger& ledger, observe::Recorder* recorder)
    : sc_module(module_name),
      staging("staging", *this, {true, false, false}),
      network("network"),
      done("done"),
      ledger_(ledger),
      recorder_(recorder),
      posted_("posted") {
  SC_HAS_PROCESS(Dma);
  SC_THREAD(run);
}

void Dma::post(DmaRequest request) {
  queue_.push_back(std::move(request));
  posted_.notify(sc_core::SC_ZERO_TIME);
}

void Dma::clear() {
  ++generation_;
  queue_.clear();
  completed.clear();
  faulted_ = false;
}

void Dma::run() {
  for (;;) {
    while (queue_.empty()) wait(posted_);
    served_ = std::move(queue_.front());
    queue_.pop_front();
    const std::uint64_t generation = generation_;
    sc_time delay;
    busy_ = true;
    const bool ok = serve(served_, delay);
    wait(delay);
    busy_ = false;
    if (generation != generation_) continue;
    if (!ok) {
      faulted_ = true;
      queue_.clear();
    }
    completed.push_back(std::move(served_));
    done.notify(sc_core::SC_ZERO_TIME);
  }
}

bool Dma::serve(DmaRequest& request, sc_time& delay) {
  row_.resize(request.bytes);
  if (request.kind == DmaRequest::Kind::kStoreRow) {
    if (debug_read(request.staged_at, {row_.data(), row_.size()}) != row_.size()) return false;
    return access(tlm::TLM_WRITE_COMMAND, request.address, row_.data(), row_.size(), request.node, delay);
  }
  if (!access(tlm::TLM_READ_COMMAND, request.address, row_.data(), row_.size(), request.node, delay)) return false;
  sc_time last = delay;
  Pipeline pipeline;
  pipeline.node = request.node;
  pipeline.command = record_;
  pipeline.multicast = ++multicasts_;
  for (const RowPlace& place : request.places) {
    sc_time arrival = delay;
    tlm::tlm_generic_payload payload;
    payload.set_command(tlm::TLM_WRITE_COMMAND);
    payload.set_address(tile_address(place.tile, place.offset));
    payload.set_data_ptr(row_.data());
    payload.set_data_length(unsigned(row_.size()));
    payload.set_streaming_width(unsigned(row_.size()));
    payload.set_extension(&pipeline);
    network->b_transport(payload, arrival);
    payload.clear_extension(&pipeline);
    if (!payload.is_response_ok()) return false;
    if (place.spilled) ledger_.of(request.node)[observe::Action::kSpilledBytes] += row_.size();
    last = std::max(last, arrival);
  }
  delay = last;
  return true;
}

bool Dma::reaches(std::uint64_t address, std::uint64_t length) const {
  return std::any_of(windows_.begin(), windows_.end(), [&](const DmaWindow& window) {
    return address >= window.base && address - window.base < window.bytes &&
           length <= window.bytes - (address - window.base);
  });
}

bool Dma::access(tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes, std::size_t length, int node,
                 sc_time& delay) {
  const std::uint64_t generation = generation_;
  const auto fault = [&](std::uint64_t at) {
    if (generation == generation_) fault_address_ = at;
    return false;
  };
  if (length == 0 || !reaches(address, length)) return fault(address);
  const sc_time begin = sc_core::sc_time_stamp() + delay;
  for (std::size_t done_bytes = 0; done_bytes < length;) {
    const std::size_t part = std::min(kBurstBytes, length - done_bytes);
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address + done_bytes);
    payload.set_data_ptr(bytes + done_bytes);
    payload.set_data_length(unsigned(part));
    payload.set_streaming_width(unsigned(part));
    payload.set_byte_enable_ptr(nullptr);
    payload.set_dmi_allowed(false);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    transport(payload, delay);
    const bool silent = payload.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE && !strict_;
    if (!payload.is_response_ok() && !silent) return fault(address + done_bytes);
    done_bytes += part;
  }
  if (generation != generation_) return true;  // of a job that was abandoned meanwhile
  note(node, length, begin, sc_core::sc_time_stamp() + delay);
  observe::Counts& counts = ledger_.of(node);
  counts[command == tlm::TLM_READ_COMMAND ? observe::Action::kMemoryBytesRead : observe::Action::kMemoryBytesWritten] +=
      length;
  return true;
}

void Dma::note(int node, std::size_t length, const sc_time& begin, const sc_time& end) {
  busy_time_ += end - begin;
  bytes_ += length;
  if (recorder_ == nullptr) return;
  observe::Occupation moved;
  moved.module = name();
  moved.kind = observe::Kind::kMemory;
  moved.id = record_ = recorder_->new_id();
  moved.node = node;
  moved.work = length;
  moved.begin = begin;
  moved.end = end;
  moved.service = end - begin;
  recorder_->record(moved);
}

std::vector<observe::Statistic> Dma::statistics() const {
  return {{"busy", "time of accesses to main memory", "s", busy_time_.to_seconds()},
          {"bytes", "bytes moved between main memory and the chip", "bytes", double(bytes_)}};
}

std::vector<observe::Wave> Dma::waves() const {
  return {{"busy", "a row is being moved", "", &busy_}, {"bytes", "bytes moved so far", "bytes", &bytes_}};
}

bool Dma::transfer(tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes, std::size_t length) {
  sc_time delay;
  const bool ok = access(command, address, bytes, length, -1, delay);
  wait(delay);
  return ok;
}

tlm::tlm_response_status Dma::admits(tlm::tlm_command, std::uint64_t address, std::uint64_t length) const {
  const std::uint64_t size = staging_bytes_.size();
  return address < size && length <= size - address ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE;
}

void Dma::read(std::uint64_t address, tlm_kit::ByteSpan bytes, sc_time&) { debug_read(address, bytes); }
void Dma::write(std::uint64_t address, tlm_kit::ConstByteSpan bytes, sc_time&) { debug_write(address, bytes); }

std::size_t Dma::debug_read(std::uint64_t address, tlm_kit::ByteSpan bytes) const {
  if (address >= staging_bytes_.size()) return 0;
  const std::size_t count = std::min(bytes.size(), staging_bytes_.size() - std::size_t(address));
  std::copy_n(staging_bytes_.data() + address, count, bytes.data());
  return count;
}

std::size_t Dma::debug_write(std::uint64_t address, tlm_kit::ConstByteSpan bytes) {
  if (address >= staging_bytes_.size()) return 0;
  const std::size_t count = std::min(bytes.size(), staging_bytes_.size() - std::size_t(address));
  std::copy_n(bytes.data(), count, staging_bytes_.data() + address);
  return count;
}

}  // namespace mho::pim
