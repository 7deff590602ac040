// SPDX-License-Identifier: Apache-2.0
// What the two halves of the calibration share: how much of a tensor is looked at, and what a normalisation makes of
// it.
#pragma once

#include <cstddef>

#include "models/dnn/synthetic/calibration.h"
#include "models/dnn/synthetic/synthetic_tensors.h"

namespace mho::dnn {

/// Values that a percentile is taken of.
inline constexpr std::size_t kSample = std::size_t(1) << 16;
/// Fewer windows or pixels are too few for moments of a filter or channel of its own.
inline constexpr std::size_t kFewWindows = 16;

/// Every how many-th of `count` elements is sampled; odd, so that channels take turns.
inline std::size_t sampling_step_of(std::size_t count) { return count / kSample | 1u; }

/// What a filter's or channel's values of deviation 1 and mean 0 become; few have a large gain.
struct Normalisation {
  double gain = 1, offset = 0;
};
inline Normalisation draw_normalisation(RandomBits& random, const CalibrationOptions& options) {
  constexpr double kSmallestGain = 0.4, kLargestGain = 2.4;
  const double share = double(random() >> 11) * 0x1p-53;
  const double gain = kSmallestGain + (kLargestGain - kSmallestGain) * share * share * share;
  return {gain, options.mean_offset + options.spread_of_offsets * random.bell()};
}

}  // namespace mho::dnn
