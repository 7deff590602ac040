// SPDX-License-Identifier: Apache-2.0
// Sharing of equal programmed arrays.
#include "models/pim/weight_store.h"

namespace mho::pim {
namespace {

bool equal(const arithmetic::ProgrammedArray& array, const arithmetic::EncodedBlock& block,
           const arithmetic::InputStream& stream, const std::optional<arithmetic::ArrayNoise>& noise) {
  if (!(array.stream() == stream) || !(array.noise() == noise)) return false;
  const arithmetic::EncodedBlock held = array.block();
  return held.rows == block.rows && held.filters == block.filters && held.cell_bits == block.cell_bits &&
         held.recombination.coefficient == block.recombination.coefficient &&
         held.recombination.unit_coefficient == block.recombination.unit_coefficient &&
         held.recombination.digital_unit == block.recombination.digital_unit && held.paired == block.paired &&
         held.weighted == block.weighted && held.levels == block.levels;
}

}  // namespace

std::shared_ptr<const arithmetic::ProgrammedArray> WeightStore::share(
    std::uint64_t key, arithmetic::EncodedBlock block, const arithmetic::InputStream& stream,
    const std::optional<arithmetic::ArrayNoise>& noise) {
  std::weak_ptr<const arithmetic::ProgrammedArray>& slot = arrays_[key];
  if (const auto held = slot.lock(); held != nullptr && equal(*held, block, stream, noise)) return held;
  auto made = std::make_shared<const arithmetic::ProgrammedArray>(std::move(block), stream, noise);
  if (slot.expired()) slot = made;
  return made;
}

}  // namespace mho::pim
