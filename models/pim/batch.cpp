// SPDX-License-Identifier: Apache-2.0
// Where the parts of a batch lie in its payload.
#include "models/pim/batch.h"

namespace mho::pim {
namespace {

std::size_t aligned(std::size_t bytes) { return (bytes + kDataAlignment - 1) / kDataAlignment * kDataAlignment; }

}  // namespace

int sums_stride(int columns) { return int(aligned(std::size_t(columns + 1) * 2) / 2); }

std::size_t lay_out(Batch& batch, const arithmetic::CycleCounts& cycles, int columns) {
  const auto count = std::size_t(batch.count);
  batch.codes_at = aligned(count * std::size_t(batch.filters) * sizeof(std::int32_t));
  batch.sums_at = batch.codes_at + aligned(count * std::size_t(batch.rows));
  const std::size_t a_cycle = batch.exact ? 0 : count * std::size_t(sums_stride(columns)) * 2;
  batch.recovered_at = batch.sums_at + a_cycle * std::size_t(cycles.whole);
  return batch.recovered_at + a_cycle * std::size_t(cycles.recovery) + kDataAlignment;
}

std::size_t sums_at(const Batch& batch, const arithmetic::InputCycle& cycle) {
  const bool recovers = cycle.use == arithmetic::InputCycle::Use::kRecover;
  return (recovers ? batch.recovered_at : batch.sums_at) +
         std::size_t(cycle.place) * std::size_t(batch.array->sums_stride()) * sizeof(std::int16_t);
}

bool is_single_vector(const tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay) {
  const Batch* const batch = payload.get_extension<Batch>();
  return batch != nullptr && batch->count == 1 && batch->pool != nullptr && payload.has_mm() &&
         payload.get_extension<Pipeline>() != nullptr && delay == sc_core::SC_ZERO_TIME;
}

bool fits(const Batch& batch, const arithmetic::CycleCounts& cycles, int columns, std::size_t bytes) {
  if (batch.count < 1) return false;
  Batch layout = batch;
  return lay_out(layout, cycles, columns) <= bytes && layout.codes_at == batch.codes_at &&
         layout.sums_at == batch.sums_at && layout.recovered_at == batch.recovered_at;
}

}  // namespace mho::pim
