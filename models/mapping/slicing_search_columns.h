// SPDX-License-Identifier: Apache-2.0
// Which columns of a row block can leave a converter's range at all, when rows are driven with one pulse or none. The
// others need not be summed up to know what converters make of them.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "models/arithmetic/adc_transfer.h"
#include "models/arithmetic/encoding.h"

namespace mho::mapping {

/// Columns of one slice, side by side and filled up with empty ones.
struct RiskyColumns {
  static constexpr int kGrain = 16;  ///< few widths, so that few kernels are made for products with them
  std::vector<std::size_t> filters;  ///< whose columns these are; the filled-up ones have none
  std::vector<std::int8_t> levels;   ///< [rows][width]
  std::vector<std::int32_t> coefficients;
  int rows = 0, width = 0;
  int safe_pulses = std::numeric_limits<int>::max();  ///< none of them leaves the range with so many rows driven
};

/// Of slice `slice` of every filter, those columns that some `most_pulses` rows bring out of `range`. Throws
/// std::invalid_argument where a level has more than four bits.
RiskyColumns columns_at_risk(const arithmetic::EncodedBlock& block, int slice, arithmetic::AdcRange range,
                             int most_pulses);

}  // namespace mho::mapping
