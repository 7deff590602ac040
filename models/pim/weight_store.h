// SPDX-License-Identifier: Apache-2.0
// Replicas of a layer hold the same levels; the store lets their crossbar_tiles share one copy in host memory. It is
// not hardware: a tile whose levels differ, after an altered cell for one, keeps its own, and so do all whose devices
// have conductances of their own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "models/arithmetic/programmed_array.h"
#include "models/arithmetic/write_pulses.h"

namespace mho::pim {

/// What regions that are given the same levels have in common, whoever asks for the first one fills it in: the array,
/// and what writing it into erased cells takes.
struct RegionContent {
  struct Crossbar {
    std::uint64_t steps = 0, cells_changed = 0;
    std::vector<int> pulses;  ///< one a row: its longest SET and RESET phases
  };
  std::shared_ptr<const arithmetic::ProgrammedArray> array;  ///< null where no two are equal
  std::vector<Crossbar> from_erased;                         ///< one a crossbar of the region
};

class WeightStore {
 public:
  /// An array with this content: the one kept under `key` where it is equal in every level and in its noise, else a new
  /// one. Not for noise that changes cells, of which no two arrays are equal.
  std::shared_ptr<const arithmetic::ProgrammedArray> share(
      std::uint64_t key, arithmetic::EncodedBlock block, const arithmetic::InputStream& stream,
      const std::optional<arithmetic::ArrayNoise>& noise = std::nullopt);
  std::size_t size() const { return arrays_.size(); }

 private:
  std::map<std::uint64_t, std::weak_ptr<const arithmetic::ProgrammedArray>> arrays_;
};

}  // namespace mho::pim
