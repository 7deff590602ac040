// SPDX-License-Identifier: Apache-2.0
// Where the parts of a batch lie in its payload.
#include "models/pim/batch.h"

namespace mho::pim {
namespace {

std::size_t aligned(std::size_t bytes) { return (bytes + kDataAlignment - 1) / kDataAlignment * kDataAlignment; }

}  // namespace

int sums_stride(int columns) { return int(aligned(std::size_t(columns + 1) * 2) / 2); }

std::size_t lay_out(Batch& batch, int slices, int columns) {
  const auto count = std::size_t(batch.count);
  batch.codes_at = aligned(count * std::size_t(batch.filters) * sizeof(std::int32_t));
  batch.sums_at = batch.codes_at + aligned(count * std::size_t(batch.rows));
  const std::size_t sums = batch.exact ? 0 : count * std::size_t(slices) * std::size_t(sums_stride(columns)) * 2;
  return batch.sums_at + sums + kDataAlignment;
}

bool is_single_vector(const tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay) {
  const Batch* const batch = payload.get_extension<Batch>();
  return batch != nullptr && batch->count == 1 && batch->pool != nullptr && payload.has_mm() &&
         payload.get_extension<Pipeline>() != nullptr && delay == sc_core::SC_ZERO_TIME;
}

bool fits(const Batch& batch, int slices, int columns, std::size_t bytes) {
  if (batch.count < 1) return false;
  Batch layout = batch;
  return lay_out(layout, slices, columns) <= bytes && layout.codes_at == batch.codes_at &&
         layout.sums_at == batch.sums_at;
}

}  // namespace mho::pim
