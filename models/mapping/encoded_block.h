// SPDX-License-Identifier: Apache-2.0
// Whether an encoded block is one that a machine's cells can hold, wherever it comes from: an encoding of somebody
// else, or an image in main memory.
#pragma once

#include <string>

#include "models/arithmetic/encoding.h"

namespace mho::mapping {

/// Empty, or what is wrong, to follow "block 3": sizes, one column a slice, levels within their slices, weights within
/// the slicing's bits. Needs `rows` and `filters` of 1 or more; trusts nothing else.
std::string fault_of(const arithmetic::EncodedBlock& block, const arithmetic::Slicing& slicing);

}  // namespace mho::mapping
