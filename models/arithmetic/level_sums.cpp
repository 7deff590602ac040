// SPDX-License-Identifier: Apache-2.0
// Two loops of their own, because one alone keeps the compiler from vectorising the other.
#include "models/arithmetic/level_sums.h"

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {

MHO_VECTORISED
std::uint32_t add_row(const std::uint8_t* __restrict levels, std::size_t count, std::uint32_t* __restrict columns) {
  for (std::size_t c = 0; c < count; ++c) columns[c] += levels[c];
  std::uint32_t sum = 0;
  for (std::size_t c = 0; c < count; ++c) sum += levels[c];
  return sum;
}

}  // namespace mho::arithmetic
