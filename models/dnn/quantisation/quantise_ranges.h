// SPDX-License-Identifier: Apache-2.0
// How the values of a tensor are distributed over samples, and where the range of its codes should end. Samples are
// seen twice, first for the extremes and then for a histogram between them, so that no activation is kept.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/dnn/quantisation/float_reference.h"

namespace mho::dnn {

/// Where the range of a tensor's codes ends.
enum class RangeMethod : std::uint8_t {
  kMinMax,           ///< at the largest |value|
  kPercentile,       ///< at the |value| that a share of all values stays below
  kMeanSquareError,  ///< where rounding and clipping together do least harm
};
const char* name_of(RangeMethod method);

/// Distribution of |values|. Everything is counted in integers: the order of samples and threads changes nothing.
class Distribution {
 public:
  static constexpr int kBins = 2048;

  /// First pass. Returns false where a value is not finite.
  bool widen(const Reals& values);
  /// Second pass, once all extremes are known; they must be the same in all parts that are merged.
  void count(const Reals& values);
  void merge_extremes(const Distribution& other);
  void merge_counts(const Distribution& other);

  float lowest() const { return lowest_; }    ///< 0 before any value was seen
  float highest() const { return highest_; }  ///< 0 before any value was seen
  double largest() const;                     ///< |value|

  /// The |value| that `percent` of all values do not exceed, interpolated within a bin. Needs counts.
  double percentile(double percent) const;
  /// The end of a range of `levels` equal steps above zero that gives the least mean square error. Values are taken to
  /// be spread evenly within a bin; zeros are exact. Needs counts.
  double least_error(int levels) const;

 private:
  double error_of(double end, int levels) const;

  bool seen_ = false;
  float lowest_ = 0, highest_ = 0;
  std::uint64_t zeros_ = 0;
  std::vector<std::uint64_t> bins_;  ///< of |value| over 0 .. largest(), zeros apart
};

}  // namespace mho::dnn
