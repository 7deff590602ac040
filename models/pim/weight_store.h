// SPDX-License-Identifier: Apache-2.0
// Replicas of a layer hold the same levels; the store lets their crossbar_tiles share one copy in host memory. It is
// not hardware: a tile whose levels differ, after an altered cell for one, keeps its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "models/arithmetic/programmed_array.h"

namespace mho::pim {

class WeightStore {
 public:
  /// An array with this content: the one kept under `key` where it is equal in every level, else a new one.
  std::shared_ptr<const arithmetic::ProgrammedArray> share(std::uint64_t key, arithmetic::EncodedBlock block,
                                                           const arithmetic::InputStream& stream);
  std::size_t size() const { return arrays_.size(); }

 private:
  std::map<std::uint64_t, std::weak_ptr<const arithmetic::ProgrammedArray>> arrays_;
};

}  // namespace mho::pim
