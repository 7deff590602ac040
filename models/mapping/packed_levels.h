// SPDX-License-Identifier: Apache-2.0
// Levels as a program image packs them, 1, 2, 4 or 8 bits a cell, the first cell of a byte in its lowest bits. A
// Program that was read from an image keeps them so and unpacks no more than it needs at a time: weights of four
// two-bit cells take a byte, not four.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace mho::mapping {

struct Block;

/// Bits of a packed level: cell_bits rounded up to 1, 2, 4 or 8.
constexpr int packed_bits(int cell_bits) { return cell_bits <= 1 ? 1 : cell_bits <= 2 ? 2 : cell_bits <= 4 ? 4 : 8; }

/// Bytes of so many levels, `bits` each as packed_bits has them.
std::size_t packed_bytes(std::size_t cells, int bits);

/// levels[cells], each below 2^bits, to zeroed bytes and back; unpacking begins at any cell of `bytes`.
void pack_levels(const std::uint8_t* levels, std::size_t cells, int bits, std::uint8_t* bytes);
void unpack_levels(const std::uint8_t* bytes, std::size_t first, std::size_t cells, int bits, std::uint8_t* levels);

/// The levels of one block within an image, say, which lives as long as somebody refers to it.
struct PackedLevels {
  std::shared_ptr<const std::vector<std::uint8_t>> image;  ///< or bytes of the block alone
  std::size_t at = 0;                                      ///< first byte
  std::size_t cells = 0;                                   ///< 0: there are none
  int bits = 8;                                            ///< a cell
};

/// Levels that a block holds, unpacked or packed.
std::size_t stored_levels(const Block& block);
/// Columns first .. first + count - 1 of one row of a block whose levels fit its shape.
void copy_levels(const Block& block, std::size_t row, std::size_t first, std::size_t count, std::uint8_t* to);
/// The block with all its levels unpacked.
Block unpacked(const Block& block);
/// Packs the levels of a block that has them unpacked, in bytes of its own.
void pack_levels(Block& block);
void drop_levels(Block& block);

}  // namespace mho::mapping
