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
  if (batch.array == nullptr || batch.columns_per_crossbar < 1 || batch.crossbars < 1 || batch.crossbars > crossbars_ ||
      payload.get_address() > std::uint64_t(crossbars_ - batch.crossbars) ||
      !fits(batch, batch.array->cycle_counts(), batch.array->columns(), payload.get_data_length()))
    return false;
  return batch.form == Batch::Form::kSums || (batch.form == Batch::Form::kPsums && batch.lossless);
}

sc_time SharedAdc::time_of(double columns) const {
  return tlm_kit::duration(columns, config_.rate_hz * converters_per_crossbar_);
}

SharedAdc::Share SharedAdc::share_of(const Batch& batch, int first, int converter) const {
  const int begin = std::max(first, converter * crossbars_per_converter_);
  const int end = std::min(first + batch.crossbars, (converter + 1) * crossbars_per_converter_);
  const int all_columns = batch.array->columns();
  const int column = std::min(all_columns, (begin - first) * batch.columns_per_crossbar);
  const int columns = std::min(all_columns - column, (end - begin) * batch.columns_per_crossbar);
  const int unit_columns = batch.array->recombination().digital_unit ? 0 : end - begin;
  return {time_of(std::uint64_t(columns)),
          std::uint64_t(columns) + std::uint64_t(unit_columns),
          column,
          columns,
          begin - first,
          end - first};
}

SharedAdc::Load SharedAdc::load_of(const Batch& batch, const Share& share) const {
  const arithmetic::CycleCounts cycles = batch.array->cycle_counts();
  const auto whole = std::uint64_t(cycles.whole), recovery = std::uint64_t(cycles.recovery);
  std::uint64_t again = 0;
  for (int i = share.crossbar; i < std::min(share.crossbar_end, int(recovered_.size())); ++i)
    again += recovered_[std::size_t(i)];
  Load load;
  load.work = share.conversions * whole * std::uint64_t(batch.count) + again;
  load.service = times(share.slice_time, whole);
  load.codes = times(std::max(batch.slice_time, share.slice_time), whole);
  if (recovery == 0) return load;
  const sc_time recovering = time_of(double(again) / batch.count);  // of a vector, in the mean
  load.service += recovering;
  load.codes += std::max(times(batch.slice_time, recovery), recovering);
  return load;
}

void SharedAdc::convert(tlm::tlm_generic_payload& payload, sc_time& delay) {
  Batch* const batch = payload.get_extension<Batch>();
  if (batch == nullptr || !accepts(payload, *batch) || loses(*batch)) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  Pipeline alone;
  Pipeline& pipeline = pipeline_of(payload, alone);
  const int slices = batch->array->cycle_counts().all();
  count(convert_batch(payload, *batch, pipeline.node), pipeline);
  if (batch->form == Batch::Form::kSums) batch->form = Batch::Form::kConverted;

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
  for (int converter = begin; converter <= last_entered; ++converter) {
    const Load load = load_of(*batch, share_of(*batch, first, converter));
    sc_time through = delay - early;
    SharedStage& stage = converters_[std::size_t(converter)].stage;
    stage.enter(pipeline, early + load.codes - span, load.service, through, load.work);
    raise_interval(pipeline, load.codes, stage.module());
    batch->code_time = std::max(batch->code_time, sc_time::from_value(load.codes.value() / std::uint64_t(slices)));
    longest = std::max(longest, through);
  }
  delay = longest;
  codes->b_transport(payload, delay);
  for (int converter = begin; converter <= last_entered; ++converter)
    converters_[std::size_t(converter)].stage.leave(pipeline);
  for (int converter = last_entered + 1; converter <= end; ++converter) {
    const Load load = load_of(*batch, share_of(*batch, first, converter));
    converters_[std::size_t(converter)].stage.follow(converters_[std::size_t(begin)].stage, pipeline, load.service,
                                                     load.work);
  }
}

}  // namespace mho::pim
