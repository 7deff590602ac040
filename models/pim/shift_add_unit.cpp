// SPDX-License-Identifier: Apache-2.0
// Recombination of converted codes.
#include "models/pim/shift_add_unit.h"

#include <algorithm>

namespace mho::pim {

using sc_core::sc_time;

ShiftAddUnit::ShiftAddUnit(sc_core::sc_module_name module_name, int regions, observe::Ledger& ledger,
                           observe::Recorder* recorder)
    : sc_module(module_name), codes("codes"), psums("psums"), ledger_(ledger) {
  codes.register_b_transport(this, &ShiftAddUnit::add_up);
  for (int i = 0; i < regions; ++i) {
    stages_.emplace_back(name(), observe::Kind::kShiftAdd, i);
    stages_.back().record_to(recorder);
  }
}

void ShiftAddUnit::add_up(tlm::tlm_generic_payload& payload, sc_time& delay) {
  Batch* const batch = payload.get_extension<Batch>();
  const bool converted = batch != nullptr && batch->form == Batch::Form::kConverted;
  const bool exact = batch != nullptr && batch->form == Batch::Form::kPsums && batch->lossless;
  if ((!converted && !exact) || batch->array == nullptr || payload.get_address() >= stages_.size() ||
      !fits(*batch, batch->array->stream().slicing.count(), batch->array->columns(), payload.get_data_length())) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  const arithmetic::ProgrammedArray& array = *batch->array;
  const int slices = array.stream().slicing.count();
  if (converted) {
    std::uint8_t* const data = payload.get_data_ptr();
    arithmetic::recombine(array.recombination(), array.filters(), array.stream(),
                          reinterpret_cast<const std::int16_t*>(data + batch->sums_at), batch->count,
                          array.sums_stride(), reinterpret_cast<std::int32_t*>(data));
    batch->form = Batch::Form::kPsums;
  }
  const std::uint64_t codes_a_window =
      std::uint64_t(slices) * (std::uint64_t(array.columns()) + std::uint64_t(batch->crossbars));
  ledger_.of(pipeline.node)[observe::Action::kShiftAdds] += std::uint64_t(batch->count) * codes_a_window;

  PipelineStage& stage = stages_[std::size_t(payload.get_address())];
  // Adding begins with the first code; the last is added one cycle after it came.
  const sc_time spread = std::min(delay, times(batch->code_time, std::uint64_t(slices - 1)));
  delay -= spread;
  stage.enter(pipeline, spread + batch->slice_time, times(batch->slice_time, std::uint64_t(slices)), delay,
              std::uint64_t(batch->count) * codes_a_window);
  psums->b_transport(payload, delay);
  stage.leave(pipeline);
}

}  // namespace mho::pim
