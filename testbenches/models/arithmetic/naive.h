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

/// sums[vector][slice][column], unit column last; no padding.
std::vector<std::int64_t> column_sums(const mho::arithmetic::EncodedBlock& block,
                                      const mho::arithmetic::InputStream& stream,
                                      const std::vector<std::uint8_t>& codes);

/// Clips in place, returns how many lay outside.
std::uint64_t clip(std::vector<std::int64_t>& sums, std::int64_t lowest, std::int64_t highest);

/// psums[vector][filter] from unpadded codes[vector][slice][column], unit column last.
std::vector<std::int64_t> recombine(const mho::arithmetic::EncodedBlock& block,
                                    const mho::arithmetic::InputStream& stream, const std::vector<std::int64_t>& codes);

/// psums[vector][filter] of weights[filter][row] and the values of codes[vector][row].
std::vector<std::int64_t> dot_products(const std::vector<std::int32_t>& weights, int rows, int filters,
                                       const std::vector<std::uint8_t>& codes, int bits, bool is_signed);

/// What driving does, counted cell by cell of every crossbar.
mho::arithmetic::Activity drive(const mho::arithmetic::EncodedBlock& block, const mho::arithmetic::InputStream& stream,
                                const std::vector<std::uint8_t>& codes, int crossbar_columns);

}  // namespace naive
