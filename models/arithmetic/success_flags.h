// SPDX-License-Identifier: Apache-2.0
// Conversion in cycles that speculate (RAELLA, ISCA 2023, section 4): a code at a bound of the converter's range may
// stand for any sum beyond it, so the column's success flag is cleared and its code does not count. What the columns
// give when they are read again is the business of the array and of models/pim/shared_adc.
#pragma once

#include <cstddef>
#include <cstdint>

#include "models/arithmetic/adc_transfer.h"

namespace mho::arithmetic {

struct SpeculativeCodes {
  std::size_t failures = 0;      ///< sums at a bound of the range or beyond
  std::size_t out_of_range = 0;  ///< those beyond
};

/// Converts the sums of one cycle in place: where one fails, kFailedCode stands instead and its index goes to the next
/// place of `failed`, in ascending order; room for `columns` indices is needed.
SpeculativeCodes convert_speculating(AdcRange range, std::int16_t* sums, std::size_t columns, std::int32_t* failed);

/// Codes that are kFailedCode: cleared flags.
std::size_t count_failed(const std::int16_t* codes, std::size_t columns);

/// Indices of cleared flags, ascending, into `failed`; returns how many.
std::size_t list_failed(const std::int16_t* codes, std::size_t columns, std::int32_t* failed);

}  // namespace mho::arithmetic
