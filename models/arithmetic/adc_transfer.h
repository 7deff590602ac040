// SPDX-License-Identifier: Apache-2.0
// Transfer of an analog-to-digital converter with unit LSB: a column sum in, the nearest code of its range out.
// Sampling, rate and sharing are the business of models/pim/shared_adc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mho::arithmetic {

/// Codes a converter can put out.
struct AdcRange {
  std::int32_t lowest = 0;
  std::int32_t highest = 255;
  /// 0 .. 2^bits - 1, or -2^(bits-1) .. 2^(bits-1) - 1.
  static AdcRange of(int bits, bool is_signed);
};

/// Clips `count` sums in place; returns how many lay outside the range.
std::uint64_t convert(AdcRange range, std::int16_t* sums, std::size_t count);
std::uint64_t convert(AdcRange range, std::int32_t* sums, std::size_t count);

}  // namespace mho::arithmetic
