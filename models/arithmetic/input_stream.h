// SPDX-License-Identifier: Apache-2.0
// How input codes reach the word lines: cycle by cycle, a slice of every row's code in each. A stream may speculate
// (RAELLA, ISCA 2023): wide slices first, then the same bits in narrow slices for the columns whose conversion failed.
// Signed codes are either two's complement with a sign slice, or driven in two passes, positive parts before negative.
#pragma once

#include <cstdint>
#include <vector>

#include "models/arithmetic/slicing.h"

namespace mho::arithmetic {

/// One crossbar cycle.
struct InputCycle {
  enum class Use : std::uint8_t {
    kConvert,    ///< every column is converted and its code counts
    kSpeculate,  ///< every column is converted; a code at a bound of the converter's range does not count
    kRecover,    ///< columns whose speculation failed are converted, saturation is accepted
  };
  int shift = 0, width = 1;  ///< bits shift .. shift + width - 1 of the number that is driven
  Use use = Use::kConvert;
  bool negative = false;    ///< drives max(-code, 0), and counts negatively; else max(code, 0) where passes are two
  int recovers = -1;        ///< kRecover: index of the cycle that speculated on these bits
  int place = 0;            ///< among the cycles that convert every column, or among those that recover
  std::int32_t weight = 1;  ///< +-2^shift: what a code counts
};

/// How input codes are streamed.
struct InputStream {
  Slicing slicing = Slicing::uniform(8, 1);
  /// Codes are int8 (sign-extended where slicing.bits() > 8), else uint8 (zero-extended). Of a narrower slicing the low
  /// bits count, two's complement where signed.
  bool is_signed = false;
  /// Signed codes go in two passes of magnitudes instead of two's complement; slices may then be of any width.
  bool two_passes = false;
  /// Widths of the slices that are speculated on, most significant first; empty: none. Slices of `slicing` must nest in
  /// them; one that is a slice of `slicing` itself has nothing to fall back on and is converted plainly.
  std::vector<int> speculation{};

  /// All cycles of one vector, in order: with speculation [4, 2, 2] on one-bit slices S4 R R R R S2 R R S2 R R, eleven.
  /// Throws std::invalid_argument where slices do not nest, or the sign bit of two's complement shares a slice.
  std::vector<InputCycle> cycles() const;
  bool speculates() const { return !speculation.empty(); }
  bool operator==(const InputStream& other) const {
    return slicing == other.slicing && is_signed == other.is_signed && two_passes == other.two_passes &&
           speculation == other.speculation;
  }
};

/// How many cycles of each kind: `whole` convert every column.
struct CycleCounts {
  int whole = 0, recovery = 0;
  int all() const { return whole + recovery; }
};
CycleCounts count_cycles(const InputStream& stream);

/// The largest value that a slice puts on a word line in any cycle.
int largest_slice(const InputStream& stream);

}  // namespace mho::arithmetic
