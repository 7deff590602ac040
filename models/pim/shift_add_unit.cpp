// SPDX-License-Identifier: Apache-2.0
// Recombination of converted codes.
#include "models/pim/shift_add_unit.h"

#include <algorithm>

#include "models/arithmetic/success_flags.h"
#include "models/pim/slice.h"

namespace mho::pim {

using sc_core::sc_time;

namespace {

using arithmetic::InputCycle;

/// Codes of a cycle that converts every column, those that failed among them.
std::uint64_t codes_of(const Batch& batch) {
  const int unit_columns = batch.array->recombination().digital_unit ? 0 : batch.crossbars;
  return std::uint64_t(batch.array->columns() + unit_columns);
}

/// Flags that one slice cleared.
std::uint64_t cleared_by(const Slice& slice) {
  const Batch& batch = slice.batch();
  if (slice.cycle().use != InputCycle::Use::kSpeculate || batch.exact) return 0;
  const std::uint8_t* const first = slice.vector().get_data_ptr() + sums_at(batch, slice.cycle());
  return arithmetic::count_failed(reinterpret_cast<const std::int16_t*>(first), std::size_t(batch.array->columns()));
}

/// Codes of one slice that are added.
std::uint64_t codes_of(const Slice& slice) {
  const Batch& batch = slice.batch();
  if (slice.cycle().use != InputCycle::Use::kRecover) return codes_of(batch) - cleared_by(slice);
  const std::int16_t* const speculated = slice.speculated();
  return speculated == nullptr ? 0 : arithmetic::count_failed(speculated, std::size_t(batch.array->columns()));
}

/// Psums of a batch to which the digital input sum is added.
std::uint64_t corrections_of(const Batch& batch) {
  const arithmetic::Recombination& rule = batch.array->recombination();
  const auto& offsets = rule.unit_coefficient;
  if (!rule.digital_unit ||
      std::all_of(offsets.begin(), offsets.end(), [](std::int32_t offset) { return offset == 0; }))
    return 0;
  return std::uint64_t(batch.count) * std::uint64_t(batch.filters);
}

void recombine(const tlm::tlm_generic_payload& payload, const Batch& batch, std::int32_t* psums) {
  const arithmetic::ProgrammedArray& array = *batch.array;
  arithmetic::recombine(array.recombination(), array.filters(), array.stream(),
                        reinterpret_cast<const std::int16_t*>(payload.get_data_ptr() + batch.sums_at),
                        reinterpret_cast<const std::int16_t*>(payload.get_data_ptr() + batch.recovered_at), batch.count,
                        array.sums_stride(), psums);
}

}  // namespace

ShiftAddUnit::ShiftAddUnit(sc_core::sc_module_name module_name, int regions, observe::Ledger& ledger,
                           observe::Recorder* recorder)
    : sc_module(module_name),
      codes("codes"),
      psums("psums"),
      ledger_(ledger),
      adding_("adding"),
      onward_([this](auto& payload, auto& phase, auto& delay) { return psums->nb_transport_fw(payload, phase, delay); },
              nullptr, nullptr),
      back_([this](auto& payload, auto& phase, auto& delay) { return codes->nb_transport_bw(payload, phase, delay); }) {
  codes.register_b_transport(this, &ShiftAddUnit::add_up);
  codes.register_nb_transport_fw(this, &ShiftAddUnit::receive);
  psums.register_nb_transport_bw(this, &ShiftAddUnit::receive_back);
  SC_HAS_PROCESS(ShiftAddUnit);
  SC_METHOD(finish);
  sensitive << adding_.get_event();
  dont_initialize();
  stages_.reserve(std::size_t(regions));
  for (int i = 0; i < regions; ++i) {
    stages_.emplace_back(name(), observe::Kind::kShiftAdd, i);
    stages_.back().record_to(recorder);
  }
}

std::uint64_t ShiftAddUnit::codes_added(const tlm::tlm_generic_payload& payload, const Batch& batch) {
  const arithmetic::ProgrammedArray& array = *batch.array;
  const arithmetic::CycleCounts counts = array.cycle_counts();
  const auto vectors = std::uint64_t(batch.count), whole = std::uint64_t(counts.whole);
  std::uint64_t added = vectors * whole * codes_of(batch);
  if (counts.recovery == 0 || batch.form != Batch::Form::kConverted) return added;
  const std::size_t stride = std::size_t(array.sums_stride()) * sizeof(std::int16_t);
  for (std::size_t c = 0; c < array.cycles().size(); ++c) {
    const InputCycle& cycle = array.cycles()[c];
    if (cycle.use != InputCycle::Use::kSpeculate) continue;
    const auto narrow = std::uint64_t(std::count_if(array.cycles().begin(), array.cycles().end(),
                                                    [c](const InputCycle& each) { return each.recovers == int(c); }));
    std::uint64_t failed = 0;
    const std::uint8_t* sums = payload.get_data_ptr() + sums_at(batch, cycle);
    for (std::uint64_t v = 0; v < vectors; ++v, sums += whole * stride)
      failed += arithmetic::count_failed(reinterpret_cast<const std::int16_t*>(sums), std::size_t(array.columns()));
    flags_ += failed;
    added += failed * narrow - failed;
  }
  return added;
}

bool ShiftAddUnit::accepts(const Batch& batch, std::uint64_t region, std::size_t payload_bytes) const {
  const bool exact = batch.form == Batch::Form::kPsums && batch.lossless;
  return (batch.form == Batch::Form::kConverted || exact) && batch.array != nullptr && region < stages_.size() &&
         fits(batch, batch.array->cycle_counts(), batch.array->columns(), payload_bytes);
}

void ShiftAddUnit::add_up(tlm::tlm_generic_payload& payload, sc_time& delay) {
  Batch* const batch = payload.get_extension<Batch>();
  if (batch == nullptr || !accepts(*batch, payload.get_address(), payload.get_data_length())) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  const arithmetic::ProgrammedArray& array = *batch->array;
  const int slices = array.cycle_counts().all();
  const std::uint64_t added = codes_added(payload, *batch);
  if (batch->form == Batch::Form::kConverted) {
    recombine(payload, *batch, reinterpret_cast<std::int32_t*>(payload.get_data_ptr()));
    batch->form = Batch::Form::kPsums;
  }
  observe::Counts& counts = ledger_.of(pipeline.node);
  counts[observe::Action::kShiftAdds] += added;
  counts[observe::Action::kOffsetCorrections] += corrections_of(*batch);

  PipelineStage& stage = stages_[std::size_t(payload.get_address())];
  // Adding begins with the first code; the last is added one cycle after it came.
  const sc_time spread = std::min(delay, times(batch->code_time, std::uint64_t(slices - 1)));
  delay -= spread;
  stage.enter(pipeline, spread + batch->slice_time, times(batch->slice_time, std::uint64_t(slices)), delay, added);
  psums->b_transport(payload, delay);
  stage.leave(pipeline);
}

tlm::tlm_sync_enum ShiftAddUnit::receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_time& delay) {
  if (phase == tlm::END_RESP) return back_.end(payload);
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  back_.take(payload);
  const Slice* const slice = slice_of(payload);
  const bool whole = slice != nullptr && delay == sc_core::SC_ZERO_TIME && slice->batch().pool != nullptr &&
                     payload.get_address() < stages_.size();
  if (!whole) return back_.answered(payload, tlm::TLM_COMMAND_ERROR_RESPONSE, phase);
  ++busy_;
  const Batch& batch = slice->batch();
  const sc_time end =
      stages_[std::size_t(payload.get_address())].serve(slice->pipeline(), batch.slice_time, codes_of(*slice));
  adding_.notify(payload, end - sc_core::sc_time_stamp());
  return back_.accepted(phase);
}

tlm::tlm_sync_enum ShiftAddUnit::receive_back(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_time&) {
  return onward_.receive(payload, phase);
}

void ShiftAddUnit::finish() {
  while (tlm::tlm_generic_payload* const payload = adding_.get_next_transaction()) {
    --busy_;
    const Slice& slice = *slice_of(*payload);
    observe::Counts& counts = ledger_.of(slice.pipeline().node);
    counts[observe::Action::kShiftAdds] += codes_of(slice);
    flags_ += cleared_by(slice);
    if (slice.last()) {
      counts[observe::Action::kOffsetCorrections] += corrections_of(slice.batch());
      send_psums(slice.vector());
    }
    payload->set_response_status(tlm::TLM_OK_RESPONSE);
    back_.respond(*payload);
  }
}

void ShiftAddUnit::send_psums(tlm::tlm_generic_payload& vector) {
  Batch& batch = *vector.get_extension<Batch>();
  const auto bytes = unsigned(batch.filters) * unsigned(sizeof(std::int32_t));
  auto psum = batch.pool->acquire(bytes);
  auto* const values = reinterpret_cast<std::int32_t*>(psum->get_data_ptr());
  if (batch.exact) {
    std::copy_n(reinterpret_cast<const std::int32_t*>(vector.get_data_ptr()), batch.filters, values);
  } else {
    batch.form = Batch::Form::kConverted;
    recombine(vector, batch, values);
  }
  psum->set_command(tlm::TLM_WRITE_COMMAND);
  psum->set_extension(new Batch(batch));
  psum->get_extension<Batch>()->form = Batch::Form::kPsums;
  psum->set_extension(new Pipeline(*vector.get_extension<Pipeline>()));
  onward_.send(*psum);
}

std::vector<observe::Statistic> ShiftAddUnit::statistics() const {
  sc_time busy;
  for (const PipelineStage& stage : stages_) busy += stage.busy_time();
  return {{"busy", "time of additions, added up over the regions", "s", busy.to_seconds()},
          {"flags", "success flags cleared: codes that were not added", "codes", double(flags_)}};
}

std::vector<observe::Wave> ShiftAddUnit::waves() const {
  return {{"busy", "slices that are being added up", "slices", &busy_},
          {"flags", "success flags cleared so far", "codes", &flags_}};
}

}  // namespace mho::pim
