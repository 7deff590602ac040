// SPDX-License-Identifier: Apache-2.0
// What the tests of arrays share: random blocks, and the two ways from codes to psums.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/arithmetic/programmed_array.h"
#include "testbenches/models/arithmetic/naive.h"

namespace arrays {

using Codes = std::vector<std::uint8_t>;
using Psums = std::vector<std::int32_t>;

Codes random_codes(naive::Random& random, int count);

/// Two's complement of `bits` bits.
std::vector<std::int32_t> random_weights(naive::Random& random, int bits, int count);

/// Random levels, one column a filter, coefficients 1.
mho::arithmetic::EncodedBlock random_block(naive::Random& random, int rows, int columns, int cell_bits);

/// Pairs with random levels of both signs, coefficients and unit coefficients, the sum of the inputs digital.
mho::arithmetic::EncodedBlock random_pairs(naive::Random& random, int rows, int filters, int per_filter, int cell_bits);

/// Streams of every kind: plain, speculating, in two passes, wider and narrower than a byte.
std::vector<mho::arithmetic::InputStream> all_streams();
std::string name_of(const mho::arithmetic::InputStream& stream);

/// Column sums of a batch, padding included.
std::vector<std::int16_t> sums_of(const mho::arithmetic::ProgrammedArray& array, const Codes& codes,
                                  std::uint64_t first_vector = 0);

/// Sums without their padding; throws where that is not zero.
std::vector<std::int64_t> unpadded(const mho::arithmetic::ProgrammedArray& array,
                                   const std::vector<std::int16_t>& sums);

struct Converted {
  Psums psums;
  std::uint64_t saturations = 0;  ///< of conversions that count
  std::uint64_t failures = 0;     ///< of speculation
  std::uint64_t repeated = 0;     ///< conversions in cycles that recover
};

/// The way of the data through a machine: array, converter, shift-and-add unit.
Converted sliced(const mho::arithmetic::ProgrammedArray& array, const Codes& codes, mho::arithmetic::AdcRange range,
                 std::uint64_t first_vector = 0);

/// The product at once.
Psums exact(const mho::arithmetic::ProgrammedArray& array, const Codes& codes);

/// The low 32 bits of each value.
Psums wrapped(const std::vector<std::int64_t>& values);

}  // namespace arrays
