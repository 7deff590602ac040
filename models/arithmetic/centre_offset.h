// SPDX-License-Identifier: Apache-2.0
// Encodings for pairs of devices whose currents subtract (RAELLA, ISCA 2023, section 4): a weight is stored as its
// offset from a centre, cut into slices that carry the offset's sign; centre times the sum of the inputs is added
// digitally. Zero+Offset, where every centre is the code of 0, is the differential encoding it is compared with.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/arithmetic/encoding.h"

namespace mho::arithmetic {

/// The cheapest centre of each filter of each block (centre_search.h). Throws std::invalid_argument where
/// `weight_slicing` does not have 8 bits.
std::unique_ptr<WeightEncoding> make_centre_offset_encoding(const Slicing& weight_slicing);
/// The same with kCodeOfZero for every centre.
std::unique_ptr<WeightEncoding> make_zero_offset_encoding(const Slicing& weight_slicing);

/// weights[filter][row] of 8 bits as offsets from `centres`, one a filter: levels[row][filter][slice] in -(2^w - 1) ..
/// 2^w - 1, coefficients 2^shift, unit coefficients centre - kCodeOfZero. Throws std::invalid_argument where sizes do
/// not agree, or a weight or centre leaves its range.
EncodedBlock encode_centred(const std::vector<std::int32_t>& weights, int rows, int filters, const Slicing& slicing,
                            const std::vector<int>& centres);

}  // namespace mho::arithmetic
