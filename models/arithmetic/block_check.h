// SPDX-License-Identifier: Apache-2.0
// Which blocks an array takes: sizes that agree, levels that its cells can hold, sums that fit their 16 bits.
#pragma once

#include "models/arithmetic/encoding.h"
#include "models/arithmetic/input_stream.h"

namespace mho::arithmetic {

/// Throws std::invalid_argument as ProgrammedArray's constructor has it.
void check(const EncodedBlock& block, const InputStream& stream);

}  // namespace mho::arithmetic
