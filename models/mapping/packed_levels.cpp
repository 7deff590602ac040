// SPDX-License-Identifier: Apache-2.0
// Packing and unpacking. The width is a template parameter because these loops see every cell of the machine.
#include "models/mapping/packed_levels.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "models/mapping/program.h"

namespace mho::mapping {
namespace {

template <int kBits>
void pack(const std::uint8_t* levels, std::size_t cells, std::uint8_t* out) {
  constexpr std::size_t kPerByte = 8 / kBits;
  for (; cells >= kPerByte; cells -= kPerByte, levels += kPerByte, ++out) {
    unsigned byte = 0;
    for (std::size_t i = 0; i < kPerByte; ++i) byte |= unsigned(levels[i]) << (i * kBits);
    *out = std::uint8_t(byte);
  }
  for (std::size_t i = 0; i < cells; ++i) *out = std::uint8_t(*out | levels[i] << (i * kBits));
}

/// The cells of every possible byte: copying them is quicker than shifting, which compilers vectorise badly.
template <int kBits>
constexpr auto make_cells_of_bytes() {
  std::array<std::array<std::uint8_t, 8 / kBits>, 256> cells{};
  for (std::size_t byte = 0; byte < 256; ++byte)
    for (std::size_t i = 0; i < 8 / kBits; ++i)
      cells[byte][i] = std::uint8_t(byte >> (i * kBits) & ((1u << kBits) - 1u));
  return cells;
}
template <int kBits>
constexpr auto kCellsOfBytes = make_cells_of_bytes<kBits>();

template <int kBits>
void unpack(const std::uint8_t* bytes, std::size_t first, std::size_t cells, std::uint8_t* out) {
  constexpr std::size_t kPerByte = 8 / kBits;
  constexpr unsigned kMask = (1u << kBits) - 1u;
  bytes += first / kPerByte;
  for (std::size_t i = first % kPerByte; i != 0 && cells > 0; --cells, ++out) {
    *out = std::uint8_t(unsigned(*bytes) >> (i * kBits) & kMask);
    i = (i + 1) % kPerByte;
    if (i == 0) ++bytes;
  }
  for (; cells >= kPerByte; cells -= kPerByte, ++bytes, out += kPerByte)
    std::memcpy(out, kCellsOfBytes<kBits>[*bytes].data(), kPerByte);
  for (std::size_t i = 0; i < cells; ++i) out[i] = std::uint8_t(unsigned(*bytes) >> (i * kBits) & kMask);
}

}  // namespace

std::size_t packed_bytes(std::size_t cells, int bits) {
  const std::size_t per_byte = std::size_t(8 / bits);
  return cells / per_byte + (cells % per_byte != 0 ? 1 : 0);
}

void pack_levels(const std::uint8_t* levels, std::size_t cells, int bits, std::uint8_t* bytes) {
  if (bits == 1)
    pack<1>(levels, cells, bytes);
  else if (bits == 2)
    pack<2>(levels, cells, bytes);
  else if (bits == 4)
    pack<4>(levels, cells, bytes);
  else
    std::copy_n(levels, cells, bytes);
}

void unpack_levels(const std::uint8_t* bytes, std::size_t first, std::size_t cells, int bits, std::uint8_t* levels) {
  if (bits == 1)
    unpack<1>(bytes, first, cells, levels);
  else if (bits == 2)
    unpack<2>(bytes, first, cells, levels);
  else if (bits == 4)
    unpack<4>(bytes, first, cells, levels);
  else
    std::copy_n(bytes + first, cells, levels);
}

std::size_t stored_levels(const Block& block) {
  return block.packed.cells > 0 ? block.packed.cells : block.encoded.levels.size();
}

void copy_levels(const Block& block, std::size_t row, std::size_t first, std::size_t count, std::uint8_t* to) {
  const std::size_t cell = row * std::size_t(block.encoded.columns()) + first;
  if (block.packed.cells > 0)
    unpack_levels(block.packed.image->data() + block.packed.at, cell, count, block.packed.bits, to);
  else
    std::copy_n(block.encoded.levels.data() + cell, count, to);
}

Block unpacked(const Block& block) {
  Block copy = block;
  if (block.packed.cells == 0) return copy;
  copy.encoded.levels.resize(block.packed.cells);
  unpack_levels(block.packed.image->data() + block.packed.at, 0, block.packed.cells, block.packed.bits,
                copy.encoded.levels.data());
  copy.packed = {};
  return copy;
}

void pack_levels(Block& block) {
  const std::vector<std::uint8_t>& levels = block.encoded.levels;
  const int bits = packed_bits(block.encoded.level_bits());
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(packed_bytes(levels.size(), bits));
  pack_levels(levels.data(), levels.size(), bits, bytes->data());
  block.packed = {std::move(bytes), 0, levels.size(), bits};
  block.encoded.levels = {};
}

void drop_levels(Block& block) {
  block.encoded.levels = {};
  block.packed = {};
}

}  // namespace mho::mapping
