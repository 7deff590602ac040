// SPDX-License-Identifier: Apache-2.0
// Values of the shared_adc: what becomes of column sums in cycles that convert every column, in those that speculate
// and in those that read failed columns again, and what is counted for them.
#include <algorithm>

#include "models/arithmetic/success_flags.h"
#include "models/pim/shared_adc.h"
#include "models/pim/slice.h"

namespace mho::pim {

using arithmetic::InputCycle;

namespace {

/// Consecutive cycles from `first` on that recover: those of one cycle that speculated follow it.
std::size_t recovering(const std::vector<InputCycle>& cycles, std::size_t first) {
  std::size_t end = first;
  while (end < cycles.size() && cycles[end].use == InputCycle::Use::kRecover) ++end;
  return end - first;
}

}  // namespace

void SharedAdc::count(const Conversions& done, const Pipeline& pipeline) {
  using observe::Action;
  conversions_ += done.whole + done.unit + done.recoveries;
  saturations_ += done.saturations;
  failures_ += done.failures;
  recoveries_ += done.recoveries;
  observe::Counts& counts = ledger_.of(pipeline.node);
  counts[Action::kConversions] += done.whole + done.recoveries;
  counts[Action::kUnitConversions] += done.unit;
  counts[Action::kSpeculations] += done.speculations;
  counts[Action::kSpeculationFailures] += done.failures;
  counts[Action::kRecoveryConversions] += done.recoveries;
  counts[Action::kSaturations] += done.saturations;
  counts[Action::kOutOfRange] += done.out_of_range;
}

void SharedAdc::add_whole_cycle(const Batch& batch, const InputCycle& cycle, std::uint64_t vectors,
                                Conversions& conversions) {
  if (cycle.use == InputCycle::Use::kRecover) return;
  const std::uint64_t columns = vectors * std::uint64_t(batch.array->columns());
  conversions.whole += columns;
  if (!batch.array->recombination().digital_unit) conversions.unit += vectors * std::uint64_t(batch.crossbars);
  if (cycle.use == InputCycle::Use::kSpeculate) conversions.speculations += columns;
}

void SharedAdc::show(const Batch& batch, int node, const std::int16_t* first, int vectors, int cycles,
                     int first_cycle) {
  if (column_sums_ == nullptr) return;
  const arithmetic::ProgrammedArray& array = *batch.array;
  const arithmetic::Recombination& rule = array.recombination();
  column_sums_->record({node, first, std::size_t(vectors), std::size_t(cycles), std::size_t(first_cycle),
                        std::size_t(array.columns()), std::size_t(array.sums_stride()),
                        std::size_t(rule.columns_per_filter),
                        rule.digital_unit ? std::size_t{0} : std::size_t(batch.crossbars)});
}

void SharedAdc::clip(const Batch& batch, std::int16_t* first, std::uint64_t cycles, Conversions& conversions) {
  const auto stride = std::size_t(batch.array->sums_stride()), columns = std::size_t(batch.array->columns());
  if (batch.array->recombination().digital_unit) {
    std::uint64_t outside = 0;
    for (std::uint64_t i = 0; i < cycles; ++i) outside += arithmetic::convert(range_, first + i * stride, columns);
    conversions.saturations += outside;
    conversions.out_of_range += outside;
    return;
  }
  std::uint64_t unit_columns = 0;
  for (std::uint64_t i = 0; i < cycles; ++i) {
    const std::int16_t unit = first[i * stride + columns];
    unit_columns += unit < range_.lowest || unit > range_.highest;
  }
  const std::uint64_t outside = arithmetic::convert(range_, first, cycles * stride);  // the padding is zero
  conversions.saturations += outside;
  conversions.out_of_range += outside - unit_columns;
}

std::size_t SharedAdc::speculate(const Sums& vector, int cycle, Conversions& conversions) {
  const arithmetic::ProgrammedArray& array = *vector.batch.array;
  const auto stride = std::size_t(array.sums_stride()), columns = std::size_t(array.columns());
  failed_.resize(columns);
  std::int16_t* const of_cycle = vector.whole + std::size_t(array.cycles()[std::size_t(cycle)].place) * stride;
  const arithmetic::SpeculativeCodes done = arithmetic::convert_speculating(range_, of_cycle, columns, failed_.data());
  conversions.failures += done.failures;
  conversions.out_of_range += done.out_of_range;
  // A unit column adds up inputs, it has no narrow slices to fall back on.
  if (!array.recombination().digital_unit)
    conversions.saturations += arithmetic::convert(range_, of_cycle + columns, 1);
  const auto first = std::size_t(cycle) + 1;  // of those that recover
  const std::size_t narrow = recovering(array.cycles(), first);
  of_column_.resize(narrow);
  std::int16_t* const again = vector.recovered + std::size_t(array.cycles()[first].place) * stride;
  for (std::size_t i = 0; i < done.failures; ++i) {
    array.recovery_sums(vector.codes, vector.number, failed_[i], cycle, of_column_.data());
    for (std::size_t r = 0; r < narrow; ++r) again[r * stride + std::size_t(failed_[i])] = of_column_[r];
  }
  return done.failures;
}

void SharedAdc::recover(const Sums& vector, int cycle, std::size_t failed, Conversions& conversions) {
  const arithmetic::ProgrammedArray& array = *vector.batch.array;
  const InputCycle& narrow = array.cycles()[std::size_t(cycle)];
  std::int16_t* const of_cycle = vector.recovered + std::size_t(narrow.place) * std::size_t(array.sums_stride());
  for (std::size_t i = 0; i < failed; ++i) {
    const std::int32_t sum = of_cycle[failed_[i]], code = std::clamp(sum, range_.lowest, range_.highest);
    conversions.saturations += code != sum;
    of_cycle[failed_[i]] = std::int16_t(code);
  }
  conversions.recoveries += failed;
}

SharedAdc::Sums SharedAdc::sums_of(const tlm::tlm_generic_payload& payload, const Batch& batch, std::size_t vector) {
  const arithmetic::CycleCounts cycles = batch.array->cycle_counts();
  const std::size_t cycle = vector * std::size_t(batch.array->sums_stride());
  std::uint8_t* const data = payload.get_data_ptr();
  return {batch, data + batch.codes_at + vector * std::size_t(batch.rows),
          reinterpret_cast<std::int16_t*>(data + batch.sums_at) + cycle * std::size_t(cycles.whole),
          reinterpret_cast<std::int16_t*>(data + batch.recovered_at) + cycle * std::size_t(cycles.recovery),
          batch.first_vector + vector};
}

SharedAdc::Conversions SharedAdc::convert_batch(const tlm::tlm_generic_payload& payload, const Batch& batch, int node) {
  const std::vector<InputCycle>& cycles = batch.array->cycles();
  const bool speculates = batch.array->stream().speculates();
  Conversions done;
  recovered_.assign(speculates ? std::size_t(batch.crossbars) : 0, 0);
  for (const InputCycle& cycle : cycles) add_whole_cycle(batch, cycle, std::uint64_t(batch.count), done);
  if (batch.form != Batch::Form::kSums) return done;
  const int whole = batch.array->cycle_counts().whole;
  std::int16_t* const first = sums_of(payload, batch, 0).whole;
  show(batch, node, first, batch.count, whole, 0);
  if (!speculates) clip(batch, first, std::uint64_t(batch.count) * std::uint64_t(whole), done);
  for (int v = 0; v < (speculates ? batch.count : 0); ++v)
    convert_vector(sums_of(payload, batch, std::size_t(v)), done);
  return done;
}

void SharedAdc::convert_vector(const Sums& vector, Conversions& done) {
  const std::vector<InputCycle>& cycles = vector.batch.array->cycles();
  const auto stride = std::size_t(vector.batch.array->sums_stride());
  std::size_t failed = 0;
  for (std::size_t c = 0; c < cycles.size(); ++c) {
    if (cycles[c].use == InputCycle::Use::kConvert) {
      clip(vector.batch, vector.whole + std::size_t(cycles[c].place) * stride, 1, done);
    } else if (cycles[c].use == InputCycle::Use::kSpeculate) {
      failed = speculate(vector, int(c), done);
    } else {
      recover(vector, int(c), failed, done);
      for (std::size_t i = 0; i < failed; ++i) {
        const auto crossbar = std::size_t(failed_[i] / vector.batch.columns_per_crossbar);
        ++recovered_[std::min(crossbar, recovered_.size() - 1)];
      }
    }
  }
}

SharedAdc::Conversions SharedAdc::convert_slice(const Slice& slice) {
  const Batch& batch = slice.batch();
  const InputCycle& cycle = slice.cycle();
  Conversions done;
  add_whole_cycle(batch, cycle, 1, done);
  if (batch.exact) return done;
  const Sums vector = sums_of(slice.vector(), batch, 0);
  if (cycle.use == InputCycle::Use::kRecover) {
    failed_.resize(std::size_t(batch.array->columns()));
    recover(vector, slice.index(), arithmetic::list_failed(slice.speculated(), failed_.size(), failed_.data()), done);
    return done;
  }
  std::int16_t* const first = vector.whole + std::size_t(cycle.place) * std::size_t(batch.array->sums_stride());
  show(batch, slice.pipeline().node, first, 1, 1, cycle.place);
  if (cycle.use == InputCycle::Use::kSpeculate)
    speculate(vector, slice.index(), done);
  else
    clip(batch, first, 1, done);
  return done;
}

}  // namespace mho::pim
