// SPDX-License-Identifier: Apache-2.0
// Conversion of column sums and the occupation of shared converters.
#include "models/pim/shared_adc.h"

#include <algorithm>

#include "models/tlm/duration.h"

namespace mho::pim {

using sc_core::sc_time;

SharedAdc::SharedAdc(sc_core::sc_module_name module_name, const mapping::AdcConfig& config, int crossbars,
                     observe::Ledger& ledger, observe::Recorder* recorder, observe::ColumnSumRecorder* column_sums)
    : sc_module(module_name),
      sums("sums"),
      codes("codes"),
      config_(config),
      range_(arithmetic::AdcRange::of(config.bits, config.is_signed)),
      crossbars_(crossbars),
      crossbars_per_converter_((crossbars + config.converters - 1) / config.converters),
      converters_per_crossbar_(std::max(1, config.converters / crossbars)),
      ledger_(ledger),
      column_sums_(column_sums),
      onward_([this](auto& payload, auto& phase, auto& delay) { return codes->nb_transport_fw(payload, phase, delay); },
              nullptr, nullptr),
      back_([this](auto& payload, auto& phase, auto& delay) { return sums->nb_transport_bw(payload, phase, delay); }) {
  sums.register_b_transport(this, &SharedAdc::convert);
  sums.register_nb_transport_fw(this, &SharedAdc::receive);
  codes.register_nb_transport_bw(this, &SharedAdc::receive_back);
  SC_HAS_PROCESS(SharedAdc);
  SC_METHOD(grant);
  sensitive << requests_settle_.event;
  dont_initialize();
  SC_METHOD(finish);
  sensitive << finish_event_;
  dont_initialize();
  const int groups = (crossbars + crossbars_per_converter_ - 1) / crossbars_per_converter_;
  converters_.reserve(std::size_t(groups));
  for (int i = 0; i < groups; ++i) {
    converters_.push_back(
        {SharedStage(name(), observe::Kind::kConversion, i), Arbiter(config.arbitration), {}, {}, nullptr, {}});
    converters_.back().stage.record_to(recorder);
  }
}

// Exact psums are only worth anything where this converter could not have changed them. Cells may have been altered
// since the layer was compiled, so every batch is asked.
bool SharedAdc::loses(const Batch& batch) const {
  return batch.form == Batch::Form::kPsums && batch.array->loss(range_).has_value();
}

bool SharedAdc::accepts(const tlm::tlm_generic_payload& payload, const Batch& batch) const {
  if (batch.array == nullptr || batch.crossbars < 1 || batch.crossbars > crossbars_ ||
      payload.get_address() > std::uint64_t(crossbars_ - batch.crossbars) ||
      !fits(batch, batch.array->stream().slicing.count(), batch.array->columns(), payload.get_data_length()))
    return false;
  return batch.form == Batch::Form::kSums || (batch.form == Batch::Form::kPsums && batch.lossless);
}

SharedAdc::Share SharedAdc::share_of(const Batch& batch, int first, int converter) const {
  const int begin = std::max(first, converter * crossbars_per_converter_);
  const int end = std::min(first + batch.crossbars, (converter + 1) * crossbars_per_converter_);
  const int all_columns = batch.array->columns();
  const int column = std::min(all_columns, (begin - first) * batch.columns_per_crossbar);
  const int columns = std::min(all_columns - column, (end - begin) * batch.columns_per_crossbar);
  return {tlm_kit::duration(columns, config_.rate_hz * converters_per_crossbar_),
          std::uint64_t(columns) + std::uint64_t(end - begin)};
}

void SharedAdc::count(const Batch& batch, const Pipeline& pipeline, int slices, std::uint64_t saturations) {
  const auto conversions_a_column = std::uint64_t(batch.count) * std::uint64_t(slices);
  conversions_ += conversions_a_column * std::uint64_t(batch.array->columns() + batch.crossbars);
  saturations_ += saturations;
  observe::Counts& counts = ledger_.of(pipeline.node);
  counts[observe::Action::kConversions] += conversions_a_column * std::uint64_t(batch.array->columns());
  counts[observe::Action::kUnitConversions] += conversions_a_column * std::uint64_t(batch.crossbars);
  counts[observe::Action::kSaturations] += saturations;
}

std::uint64_t SharedAdc::clip(const Batch& batch, int node, std::int16_t* first_sum, int vectors, int slices,
                              int first_slice) {
  const arithmetic::ProgrammedArray& array = *batch.array;
  const auto stride = std::size_t(array.sums_stride());
  if (column_sums_ != nullptr)
    column_sums_->record({node, first_sum, std::size_t(vectors), std::size_t(slices), std::size_t(first_slice),
                          std::size_t(array.columns()), stride, std::size_t(array.recombination().columns_per_filter),
                          std::size_t(batch.crossbars)});
  return arithmetic::convert(range_, first_sum, std::size_t(vectors) * std::size_t(slices) * stride);
}

void SharedAdc::convert(tlm::tlm_generic_payload& payload, sc_time& delay) {
  Batch* const batch = payload.get_extension<Batch>();
  if (batch == nullptr || !accepts(payload, *batch) || loses(*batch)) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  const int slices = batch->array->stream().slicing.count();
  std::uint64_t saturations = 0;
  if (batch->form == Batch::Form::kSums) {
    auto* const first_sum = reinterpret_cast<std::int16_t*>(payload.get_data_ptr() + batch->sums_at);
    saturations = clip(*batch, pipeline.node, first_sum, batch->count, slices, 0);
    batch->form = Batch::Form::kConverted;
  }
  count(*batch, pipeline, slices, saturations);

  // Slice s is sampled when the crossbar's cycle ends and converted in the next one, so converting begins while the
  // crossbar works; slow converters hold the crossbar back.
  const int first = int(payload.get_address());
  const int begin = first / crossbars_per_converter_;
  const int end = (first + batch->crossbars - 1) / crossbars_per_converter_;
  const sc_time span = times(batch->slice_time, std::uint64_t(slices - 1)), early = std::min(delay, span);
  sc_time longest = delay;
  batch->code_time = batch->slice_time;
  // Converters of single crossbars work in step: the first, whose crossbar is full, stands for all.
  const int last_entered = crossbars_per_converter_ == 1 ? begin : end;
  const auto window_slices = std::uint64_t(slices), items = std::uint64_t(batch->count);
  for (int converter = begin; converter <= last_entered; ++converter) {
    const Share share = share_of(*batch, first, converter);
    const sc_time spacing = std::max(batch->slice_time, share.slice_time);
    sc_time through = delay - early;
    converters_[std::size_t(converter)].stage.enter(pipeline, early + times(spacing, window_slices) - span,
                                                    times(share.slice_time, window_slices), through,
                                                    share.conversions * window_slices * items);
    batch->code_time = std::max(batch->code_time, spacing);
    longest = std::max(longest, through);
  }
  delay = longest;
  codes->b_transport(payload, delay);
  for (int converter = begin; converter <= last_entered; ++converter)
    converters_[std::size_t(converter)].stage.leave(pipeline);
  for (int converter = last_entered + 1; converter <= end; ++converter) {
    const Share share = share_of(*batch, first, converter);
    converters_[std::size_t(converter)].stage.follow(converters_[std::size_t(begin)].stage, pipeline,
                                                     times(share.slice_time, window_slices),
                                                     share.conversions * window_slices * items);
  }
}

}  // namespace mho::pim
