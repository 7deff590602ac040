// SPDX-License-Identifier: Apache-2.0
// The arithmetic once more, as plainly as it can be said: loops over cells, place values by multiplication, sums in
// 64 bits. Shares nothing with the models but their data types; what the tests compare with.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "models/arithmetic/programmed_array.h"

namespace naive {

using Random = std::mt19937_64;

/// Uniform in lowest .. highest.
std::int64_t pick(Random& random, std::int64_t lowest, std::int64_t highest);

/// All ways to cut `bits` into slices of 1 to `widest` bits.
std::vector<std::vector<int>> compositions(int bits, int widest);

/// The value that a machine of `bits` input bits sees in a code.
std::int64_t value_of(std::uint8_t code, int bits, bool is_signed);

/// Slices of `value`, most significant first, in two's complement of as many bits as `widths` has.
std::vector<std::int64_t> slices_of(std::int64_t value, const std::vector<int>& widths);

/// A crossbar cycle: which bits of which pass are driven, what for, and what a code counts.
struct Cycle {
  int low = 0, width = 0;  ///< bits low .. low + width - 1
  bool negative = false;   ///< of the second pass
  int speculation = -1;    ///< which of the wide slices it belongs to, passes counted on; -1 where none can fail
  bool recovers = false;
  std::int64_t weight = 0;
};

/// All cycles, in order.
std::vector<Cycle> cycles(const mho::arithmetic::InputStream& stream);

/// sums[vector][cycle][column] of the cycles that recover, or of all others; unit column last; no padding, no limits.
std::vector<std::int64_t> column_sums(const mho::arithmetic::EncodedBlock& block,
                                      const mho::arithmetic::InputStream& stream,
                                      const std::vector<std::uint8_t>& codes, bool recovering = false);

/// Clips in place, returns how many lay outside.
std::uint64_t clip(std::vector<std::int64_t>& sums, std::int64_t lowest, std::int64_t highest);

/// psums[vector][filter] from unpadded codes[vector][cycle][column], unit column last; of streams that do not
/// speculate.
std::vector<std::int64_t> recombine(const mho::arithmetic::EncodedBlock& block,
                                    const mho::arithmetic::InputStream& stream, const std::vector<std::int64_t>& codes);

/// A batch through array, converter and shift-and-add, column by column.
struct Outcome {
  std::vector<std::int64_t> psums;  ///< [vector][filter]
  std::uint64_t failures = 0;       ///< columns of speculated cycles that are read again
  std::uint64_t repeated = 0;       ///< conversions in recovering cycles
  std::uint64_t saturations = 0;    ///< conversions that count and whose sum lay outside, unit columns among them
};
Outcome converted(const mho::arithmetic::EncodedBlock& block, const mho::arithmetic::InputStream& stream,
                  const std::vector<std::uint8_t>& codes, std::int64_t lowest, std::int64_t highest);

/// psums[vector][filter] of weights[filter][row] and the values of codes[vector][row].
std::vector<std::int64_t> dot_products(const std::vector<std::int32_t>& weights, int rows, int filters,
                                       const std::vector<std::uint8_t>& codes, int bits, bool is_signed);

/// What driving does, counted cell by cell of every crossbar.
mho::arithmetic::Activity drive(const mho::arithmetic::EncodedBlock& block, const mho::arithmetic::InputStream& stream,
                                const std::vector<std::uint8_t>& codes, int crossbar_columns);

}  // namespace naive
