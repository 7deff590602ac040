// SPDX-License-Identifier: Apache-2.0
// Transfers from a tile's buffer to its crossbar_tiles.
#include "models/pim/bus.h"

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
      stage_(name(), observe::Kind::kTransfer) {
  from_buffer.register_b_transport(this, &Bus::carry);
  stage_.record_to(recorder);
}

void Bus::carry(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const Batch* const batch = payload.get_extension<Batch>();
  const std::uint64_t address = payload.get_address();
  const std::uint64_t target = address >> kCrossbarTileShift;
  if (batch == nullptr || batch->form != Batch::Form::kCodes || target >= to_crossbar_tile.size()) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  const std::uint64_t bytes = std::uint64_t(batch->rows) * std::uint64_t(value_bytes_);
  ledger_.of(pipeline.node)[observe::Action::kBusBits] += 8 * bytes * std::uint64_t(batch->count);
  const sc_time transfer = tlm_kit::duration(config_.latency_s + double(bytes) / config_.bytes_per_s);
  stage_.enter(pipeline, transfer, transfer, delay, bytes * std::uint64_t(batch->count));
  payload.set_address(address & kFirstCrossbarMask);
  to_crossbar_tile[std::size_t(target)]->b_transport(payload, delay);
  payload.set_address(address);
  stage_.leave(pipeline);
}

}  // namespace mho::pim
