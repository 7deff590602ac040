// SPDX-License-Identifier: Apache-2.0
// What an encoded block stores, read back: the check that an encoding - anybody's - kept the weights it was given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/arithmetic/encoding.h"

namespace mho::arithmetic {

/// The weights that levels and coefficients stand for, [filter][row], modulo 2^32 as shift-and-add has it. Sizes of the
/// block must agree with each other.
std::vector<std::int32_t> stored_weights(const EncodedBlock& block);

/// The same of one row: levels[columns] of `block`'s kind -> weights[filters].
void weights_of_row(const Recombination& rule, bool paired, const std::uint8_t* levels, std::size_t filters,
                    std::int32_t* weights);

/// Whether every one of stored_weights(block) lies in -2^(bits-1) .. 2^(bits-1) - 1, without keeping them. `bits`: 1
/// .. 32.
bool weights_within(const EncodedBlock& block, int bits);

/// Whether stored_weights(block) == weights, by comparing one random combination of the rows of each filter: one pass
/// over the levels, many times faster. `false` is certain; some two wrong weights in 2^31 cancel each other.
bool stores(const EncodedBlock& block, const std::vector<std::int32_t>& weights);

}  // namespace mho::arithmetic
