// SPDX-License-Identifier: Apache-2.0
// The search for the centre of a filter (RAELLA, ISCA 2023, section 4.2): the code from which weights are measured, so
// that positive and negative levels of every slice nearly cancel along a column. It knows weights and slices; what
// cells store is the business of centre_offset.h.
#pragma once

#include <cstdint>
#include <vector>

#include "models/arithmetic/slicing.h"

namespace mho::arithmetic {

/// Centres lie in kLowestCentre .. kHighestCentre, in unsigned codes u = w + kCodeOfZero.
constexpr int kLowestCentre = 1, kHighestCentre = 255, kCodeOfZero = 128;
/// Most rows of a filter: every cost then fits 128 bits.
constexpr int kMostCentredRows = 65536;

/// Slice bits shift .. shift + width - 1 of |offset|, with the sign of the offset.
constexpr int slice_of_offset(int offset, int shift, int width) {
  const int mask = (1 << width) - 1;
  return offset < 0 ? -((-offset >> shift) & mask) : (offset >> shift) & mask;
}

/// The centres of one filter under any number of slicings. Exact: cost(phi) = sum over slices of 2^shift * (sum over
/// rows of slice_of_offset(u - phi))^4 is compared as an integer, and of equal costs the smallest phi wins.
class CentreSearch {
 public:
  /// `rows` weights of one filter. Throws std::invalid_argument where there are none or more than kMostCentredRows, or
  /// one does not fit 8 bits.
  CentreSearch(const std::int32_t* weights, int rows);

  /// Throws std::invalid_argument where the slicing is not one of 8 bits.
  int centre(const Slicing& slicing) const;
  /// Sum of the levels of one slice under a centre.
  std::int32_t column_sum(const Slicing& slicing, int slice, int centre) const;

 private:
  int rows_;
  /// [place][centre]: sum over rows of sign(u - centre) * floor(|u - centre| / 2^place). Slice h..l of all rows sums to
  /// that of place l less 2^(h - l + 1) times that of place h + 1, so eight places serve every slicing.
  std::vector<std::int32_t> quotients_;
};

}  // namespace mho::arithmetic
