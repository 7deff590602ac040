// SPDX-License-Identifier: Apache-2.0
// Computing of a crossbar_tile: codes become column sums, or psums where the converter was proved lossless.
#include "models/pim/crossbar_tile.h"

#include <algorithm>

#include "models/tlm/duration.h"

namespace mho::pim {

using sc_core::sc_time;

CrossbarTile::CrossbarTile(sc_core::sc_module_name module_name, const mapping::CrossbarTileConfig& config,
                           observe::Ledger& ledger, WeightStore& store, observe::Recorder* recorder)
    : sc_module(module_name),
      input("input"),
      setup("setup"),
      sums("sums"),
      cells("cells", *this),
      config_(config),
      ledger_(ledger),
      store_(store),
      cycle_(tlm_kit::duration(config.cycle_s)),
      onward_([this](auto& payload, auto& phase, auto& delay) { return sums->nb_transport_fw(payload, phase, delay); },
              nullptr, [this](auto& slice) { free_sample(slice); }),
      back_([this](auto& payload, auto& phase, auto& delay) { return input->nb_transport_bw(payload, phase, delay); }) {
  input.register_b_transport(this, &CrossbarTile::compute);
  input.register_nb_transport_fw(this, &CrossbarTile::receive);
  sums.register_nb_transport_bw(this, &CrossbarTile::receive_back);
  SC_HAS_PROCESS(CrossbarTile);
  SC_METHOD(cycle);
  sensitive << cycle_event_;
  dont_initialize();
  setup.register_b_transport(this, &CrossbarTile::prepare);
  idle_.resize(std::size_t(config_.crossbars));
  regions_.reserve(std::size_t(config_.crossbars));
  for (int i = 0; i < config_.crossbars; ++i) {
    regions_.emplace_back(name(), i);
    regions_.back().stage.record_to(recorder);
  }
}

tlm::tlm_response_status CrossbarTile::check(const tlm::tlm_generic_payload& payload) {
  const Batch* const batch = payload.get_extension<Batch>();
  const std::uint64_t first = payload.get_address();
  Region* const region = first < regions_.size() ? &regions_[std::size_t(first)] : nullptr;
  if (batch == nullptr || batch->form != Batch::Form::kCodes || region == nullptr || !region->used ||
      batch->count < 1 || batch->rows != region->setup.rows || batch->filters != region->setup.filters)
    return tlm::TLM_COMMAND_ERROR_RESPONSE;
  finish(*region);
  const bool whole = fits(*batch, region->array->cycle_counts(), region->columns(), payload.get_data_length());
  return whole ? tlm::TLM_OK_RESPONSE : tlm::TLM_BURST_ERROR_RESPONSE;
}

void CrossbarTile::compute(tlm::tlm_generic_payload& payload, sc_time& delay) {
  const tlm::tlm_response_status status = check(payload);
  if (status != tlm::TLM_OK_RESPONSE) {
    payload.set_response_status(status);
    return;
  }
  Batch& batch = *payload.get_extension<Batch>();
  Region& region = regions_[std::size_t(payload.get_address())];
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  multiply(*region.array, region.setup, payload, batch, pipeline);
  delay = next_edge(delay);
  const auto slices = std::uint64_t(region.array->cycle_counts().all());
  const sc_time latency = times(cycle_, slices);
  region.stage.enter(pipeline, latency, latency, delay, std::uint64_t(batch.count) * slices);
  sums->b_transport(payload, delay);
  region.stage.leave(pipeline);
}

sc_time CrossbarTile::next_edge(const sc_time& delay) const {
  if (cycle_ == sc_core::SC_ZERO_TIME) return delay;
  const sc_time now = sc_core::sc_time_stamp();
  const std::uint64_t cycles = ((now + delay).value() + cycle_.value() - 1) / cycle_.value();
  return times(cycle_, cycles) - now;
}

void CrossbarTile::count(const arithmetic::ProgrammedArray& array, const Batch& batch, const std::uint8_t* codes,
                         int node) {
  using observe::Action;
  const arithmetic::Activity activity = array.drive(codes, batch.count, batch.columns_per_crossbar);
  observe::Counts& counts = ledger_.of(node);
  counts[Action::kVectors] += activity.vectors;
  counts[Action::kArrayCycles] += activity.array_cycles;
  counts[Action::kRowDrives] += activity.row_drives;
  counts[Action::kRowPulses] += activity.row_pulses;
  counts[Action::kCurrentLevelPulses] += activity.current_level_pulses;
  counts[Action::kCellPulses] += activity.cell_pulses;
  counts[Action::kSpareCellPulses] += activity.spare_cell_pulses;
  counts[Action::kSpareLevelPulses] += activity.spare_level_pulses;
  const arithmetic::InputStream& stream = array.stream();
  const auto vectors = std::uint64_t(batch.count);
  // Codes are read once a pass, and again where narrow slices of the same bits follow.
  const unsigned passes = stream.is_signed && stream.two_passes ? 2 : 1, reads = stream.speculates() ? 2 : 1;
  counts[Action::kInputCodesRead] += vectors * std::uint64_t(batch.rows) * passes * reads;
  const int unit_columns = array.recombination().digital_unit ? 0 : batch.crossbars;
  counts[Action::kColumnReads] +=
      vectors * std::uint64_t(array.cycle_counts().all()) * std::uint64_t(array.columns() + unit_columns);
}

void CrossbarTile::multiply(const arithmetic::ProgrammedArray& array, const RegionSetup& held,
                            tlm::tlm_generic_payload& payload, Batch& batch, const Pipeline& pipeline) {
  std::uint8_t* const data = payload.get_data_ptr();
  const std::uint8_t* const codes = data + batch.codes_at;
  batch.array = &array;
  batch.slice_time = cycle_;
  batch.crossbars = held.crossbars;
  batch.columns_per_crossbar = held.columns_per_crossbar;
  count(array, batch, codes, pipeline.node);
  if (batch.exact) {
    array.product(codes, batch.count, reinterpret_cast<std::int32_t*>(data));
    batch.form = Batch::Form::kPsums;
    batch.lossless = true;
  } else {
    array.column_sums(codes, batch.count, reinterpret_cast<std::int16_t*>(data + batch.sums_at), batch.first_vector);
    batch.form = Batch::Form::kSums;
  }
}

}  // namespace mho::pim
