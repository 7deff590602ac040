// SPDX-License-Identifier: Apache-2.0
// The address space of the tile network: which tile, and what of it.
#pragma once

#include <cstdint>

namespace mho::pim {

constexpr int kTileShift = 32;  ///< address = tile << 32 | offset
constexpr std::uint64_t kOffsetMask = (std::uint64_t{1} << kTileShift) - 1;
constexpr std::uint64_t kPsumWindow = std::uint64_t{1} << 30;  ///< offset: psum accumulators, a write adds
constexpr std::uint64_t kPsumWindowBytes = std::uint64_t{1} << 30;

inline std::uint64_t tile_address(int tile, std::uint64_t offset) {
  return (std::uint64_t(tile) << kTileShift) | offset;
}

}  // namespace mho::pim
