// SPDX-License-Identifier: Apache-2.0
// Both ends of a chain of modules for who uses crossbar_tile, shared_adc, shift_add_unit or weight_writer without a
// scheduler: payloads made from plain vectors, a source that sends them with the phases of the base protocol, a sink
// that accepts whatever comes. They model no hardware and take no time.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <systemc>
#include <utility>
#include <vector>

#include "models/arithmetic/encoding.h"
#include "models/pim/crossbar_tile.h"
#include "models/tlm/payload_pool.h"
#include "models/tlm/phases.h"

namespace mho::pim {

/// The region that stores `block` from `first_crossbar` on, in crossbars of `columns_per_crossbar` columns.
inline RegionSetup region_for(const arithmetic::EncodedBlock& block, const arithmetic::InputStream& stream,
                              int columns_per_crossbar, int first_crossbar = 0) {
  RegionSetup region;
  region.first_crossbar = first_crossbar;
  region.crossbars = (block.columns() + columns_per_crossbar - 1) / columns_per_crossbar;
  region.rows = block.rows;
  region.filters = block.filters;
  region.cell_bits = block.cell_bits;
  region.columns_per_crossbar = columns_per_crossbar;
  region.paired = block.paired;
  region.weighted = block.weighted;
  region.recombination = block.recombination;
  region.stream = stream;
  return region;
}

/// Sends payloads one after the other and, once a module is done with one, calls `responded`.
class BatchSource : public sc_core::sc_module {
 public:
  explicit BatchSource(sc_core::sc_module_name module_name, tlm_kit::PayloadCall responded = nullptr)
      : sc_module(module_name),
        out("out"),
        link_([this](auto& payload, auto& phase, auto& delay) { return out->nb_transport_fw(payload, phase, delay); },
              nullptr, std::move(responded)) {
    out.register_nb_transport_bw(this, &BatchSource::receive);
  }

  tlm_utils::simple_initiator_socket<BatchSource, 32, BatchProtocol> out;

  /// What a weight_writer programs: levels[row][column] of a region.
  tlm_kit::PayloadHandle levels(const RegionSetup& region, const std::vector<std::uint8_t>& levels) {
    tlm_kit::PayloadHandle payload = pool_.acquire(unsigned(levels.size()));
    std::copy(levels.begin(), levels.end(), payload->get_data_ptr());
    payload->set_command(tlm::TLM_WRITE_COMMAND);
    payload->set_extension(new RegionSetup(region));
    return payload;
  }

  /// What a crossbar_tile computes on: one code a row, read slice by slice. Everything it causes is counted for `node`.
  tlm_kit::PayloadHandle vector(const RegionSetup& region, const std::vector<std::uint8_t>& codes, int node = -1) {
    auto batch = std::make_unique<Batch>();
    batch->form = Batch::Form::kCodes;
    batch->count = 1;
    batch->rows = region.rows;
    batch->filters = batch->layer_filters = region.filters;
    batch->pool = &pool_;
    const std::size_t bytes = lay_out(*batch, arithmetic::count_cycles(region.stream),
                                      region.filters * region.recombination.columns_per_filter);
    tlm_kit::PayloadHandle payload = pool_.acquire(unsigned(bytes + kDataAlignment));
    const auto beyond = reinterpret_cast<std::uintptr_t>(payload->get_data_ptr()) % kDataAlignment;
    payload->set_data_ptr(payload->get_data_ptr() + (kDataAlignment - beyond) % kDataAlignment);
    payload->set_data_length(unsigned(bytes));
    payload->set_streaming_width(unsigned(bytes));
    std::copy(codes.begin(), codes.end(), payload->get_data_ptr() + batch->codes_at);
    payload->set_command(tlm::TLM_WRITE_COMMAND);
    payload->set_address(std::uint64_t(region.first_crossbar));
    payload->set_extension(batch.release());
    payload->set_extension(new Pipeline);
    payload->get_extension<Pipeline>()->node = node;
    return payload;
  }

  /// Non-blocking: now, or once the module has accepted those before it.
  void send(tlm_kit::PayloadHandle payload) { link_.send(*payload); }
  /// Payloads that somebody still holds: 0 once all modules are done.
  std::size_t under_way() const { return pool_.in_use(); }
  /// Blocking: what the module does is done on return. @return the time that it takes.
  sc_core::sc_time call(tlm_kit::PayloadHandle payload) {
    sc_core::sc_time delay;
    out->b_transport(*payload, delay);
    if (!payload->is_response_ok()) SC_REPORT_ERROR(name(), payload->get_response_string().c_str());
    return delay;
  }

 private:
  tlm::tlm_sync_enum receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time&) {
    return link_.receive(payload, phase);
  }

  tlm_kit::PayloadPool pool_;
  tlm_kit::RequestLink link_;
};

/// Calls `arrived` with the psums of every vector, and for which vector, or which batch, they are; those of a blocking
/// batch one vector after the other.
class PsumSink : public sc_core::sc_module {
 public:
  using PsumCall = std::function<void(const Pipeline& pipeline, const std::vector<std::int32_t>& psums)>;

  PsumSink(sc_core::sc_module_name module_name, PsumCall arrived)
      : sc_module(module_name),
        in("in"),
        arrived_(std::move(arrived)),
        link_([this](auto& payload, auto& phase, auto& delay) { return in->nb_transport_bw(payload, phase, delay); }) {
    in.register_nb_transport_fw(this, &PsumSink::receive);
    in.register_b_transport(this, &PsumSink::receive_batch);
  }

  tlm_utils::simple_target_socket<PsumSink, 32, BatchProtocol> in;

 private:
  tlm::tlm_sync_enum receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time&) {
    if (phase == tlm::END_RESP) return link_.end(payload);
    if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
    link_.take(payload);
    take(payload, 1);
    return link_.answered(payload, tlm::TLM_OK_RESPONSE, phase);
  }

  void receive_batch(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    take(payload, payload.get_extension<Batch>()->count);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  void take(const tlm::tlm_generic_payload& payload, int vectors) {
    const int filters = payload.get_extension<Batch>()->filters;
    const auto* first = reinterpret_cast<const std::int32_t*>(payload.get_data_ptr());
    for (int v = 0; v < vectors; ++v, first += filters)
      arrived_(*payload.get_extension<Pipeline>(), {first, first + filters});
  }

  PsumCall arrived_;
  tlm_kit::ResponseLink link_;
};

}  // namespace mho::pim
