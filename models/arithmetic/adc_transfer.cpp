// SPDX-License-Identifier: Apache-2.0
// Clipping and counting, apart from arrays and shift-and-add so that each module of a machine does its own share on
// the data it is given. Most sums are in range: a block is first only searched for one that is not.
#include "models/arithmetic/adc_transfer.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

constexpr std::size_t kBlock = 512;

/// sum - lowest, wrapped to unsigned, exceeds highest - lowest exactly where the sum lies outside.
template <class Sum>
MHO_INLINE bool all_inside(Sum lowest, Sum highest, const Sum* sums, std::size_t count) {
  using Unsigned = std::make_unsigned_t<Sum>;
  Unsigned furthest = 0;
  for (std::size_t i = 0; i < count; ++i) furthest = std::max(furthest, Unsigned(Unsigned(sums[i]) - Unsigned(lowest)));
  return furthest <= Unsigned(Unsigned(highest) - Unsigned(lowest));
}

/// Counts in the sums' own width, so that a vector holds as many counts as sums; at most kBlock sums.
template <class Sum>
MHO_INLINE std::uint64_t clip_block(Sum lowest, Sum highest, Sum* sums, std::size_t count) {
  std::make_unsigned_t<Sum> outside = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Sum code = std::max(lowest, std::min(highest, sums[i]));
    outside = std::make_unsigned_t<Sum>(outside + (code != sums[i]));
    sums[i] = code;
  }
  return outside;
}

template <class Sum>
MHO_INLINE std::uint64_t clip(AdcRange range, Sum* sums, std::size_t count) {
  using Limits = std::numeric_limits<Sum>;
  const auto lowest = Sum(std::clamp<std::int32_t>(range.lowest, Limits::min(), Limits::max()));
  const auto highest = Sum(std::clamp<std::int32_t>(range.highest, Limits::min(), Limits::max()));
  std::uint64_t outside = 0;
  for (; count > 0; sums += std::min(kBlock, count), count -= std::min(kBlock, count)) {
    const std::size_t now = std::min(kBlock, count);
    if (!all_inside(lowest, highest, sums, now)) outside += clip_block(lowest, highest, sums, now);
  }
  return outside;
}

}  // namespace

AdcRange AdcRange::of(int bits, bool is_signed) {
  if (bits < 1 || bits > 30)
    throw std::invalid_argument("an ADC of " + std::to_string(bits) + " bits (1 to 30 allowed)");
  const std::int32_t half = std::int32_t{1} << (bits - 1);
  return is_signed ? AdcRange{-half, half - 1} : AdcRange{0, 2 * half - 1};
}

MHO_VECTORISED
std::uint64_t convert(AdcRange range, std::int16_t* sums, std::size_t count) { return clip(range, sums, count); }

MHO_VECTORISED
std::uint64_t convert(AdcRange range, std::int32_t* sums, std::size_t count) { return clip(range, sums, count); }

}  // namespace mho::arithmetic
