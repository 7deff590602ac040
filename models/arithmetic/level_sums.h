// SPDX-License-Identifier: Apache-2.0
// Sums of cell levels along rows and columns: what bounds column sums and what cell currents follow from.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mho::arithmetic {

/// Adds the levels of one row to columns[] and returns their sum.
std::uint32_t add_row(const std::uint8_t* levels, std::size_t count, std::uint32_t* columns);

}  // namespace mho::arithmetic
