// SPDX-License-Identifier: Apache-2.0
// AND and population count over some words of an input and all of their planes, for several vector units.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace mho::arithmetic {

constexpr int kColumnsAtOnce = 32;

/// One bit of 16 rows (row r in bit r) of neighbouring columns: a cache line and the widest vector, so that no load
/// straddles two lines (which costs 15 %).
struct alignas(64) PlaneLine {
  std::array<std::uint16_t, kColumnsAtOnce> columns{};
};

/// Column sums of `groups` groups of columns, sums[group][kColumnsAtOnce]: in place of what stands there if `first`,
/// else added to it. An input's words stand 8 apart; planes[word][bit] of a group stand `step` from the next group's.
using BitPlaneKernel = void (*)(const std::uint16_t* input, const PlaneLine* planes, std::size_t step, int groups,
                                bool first, std::int16_t* sums);

/// The fastest kernel on this machine for 2, 4 or 8 words and cells of 1 .. 8 bits.
BitPlaneKernel bit_plane_kernel(int words, int bits);

/// Whether these kernels beat int8 products of one-bit inputs and levels: a pass for each bit of a cell against one
/// for all, each pass the cheaper the better the processor counts.
bool bit_planes_pay(int bits);

}  // namespace mho::arithmetic
