// SPDX-License-Identifier: Apache-2.0
// Slices are cut and bits packed many codes at a time; only the table of pulses is made code by code.
#include "models/arithmetic/row_driver.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

constexpr std::size_t kWords = 8;  ///< of 16 rows packed at once

std::int32_t extended(std::uint8_t code, bool is_signed) { return is_signed ? std::int32_t(std::int8_t(code)) : code; }

MHO_VECTORISED
void cut_slice(const std::uint8_t* codes, std::size_t count, bool is_signed, int shift, std::uint32_t mask,
               std::uint8_t* values) {
  // A signed code's extension is a byte of ones or of zeros above it.
  const std::uint16_t extension = is_signed ? 0xff00u : 0u;
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = std::uint16_t(codes[i] | (codes[i] >= 128 ? extension : 0u));
    values[i] = std::uint8_t((code >> shift) & mask);
  }
}

/// max(code, 0), or max(-code, 0) where `negative`, of the low `bits` bits of each code, two's complement. 128 fits.
MHO_VECTORISED
void cut_magnitudes(const std::uint8_t* codes, std::size_t count, int bits, bool negative, std::uint8_t* magnitudes) {
  const int unused = 16 - bits;
  const auto turn = std::int16_t(negative ? -1 : 0);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = std::int16_t(std::int16_t(std::uint16_t(unsigned{codes[i]} << unused)) >> unused);
    const auto turned = std::int16_t((code ^ turn) - turn);
    magnitudes[i] = std::uint8_t(turned > 0 ? turned : 0);
  }
}

/// Byte b of the result holds bit b of every byte of x, the lowest byte's lowest (Hacker's Delight, 7-3).
MHO_INLINE std::uint64_t transposed(std::uint64_t x) {
  std::uint64_t t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aaULL;
  x = x ^ t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000cccc0000ccccULL;
  x = x ^ t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0ULL;
  return x ^ t ^ (t << 28);
}

/// codes[kWords][16] to packed[kWords][8]: bit r of word b is bit b of code r.
MHO_VECTORISED
void pack_words(const std::uint8_t* __restrict codes, std::uint16_t* __restrict packed) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "eight codes are loaded as one number, the first lowest");
  std::uint64_t eights[2 * kWords];
  std::memcpy(eights, codes, sizeof eights);
  for (std::uint64_t& eight : eights) eight = transposed(eight);
  std::uint8_t bytes[2 * kWords][8];
  std::memcpy(bytes, eights, sizeof bytes);
  for (std::size_t w = 0; w < kWords; ++w)
    for (std::size_t b = 0; b < 8; ++b) packed[8 * w + b] = std::uint16_t(bytes[2 * w][b] | (bytes[2 * w + 1][b] << 8));
}

/// Adds the ones of each code among `bits` (a mask) and `extra` for each code with its top bit set.
MHO_VECTORISED
void add_ones(const std::uint8_t* codes, std::size_t rows, std::uint8_t bits, std::uint8_t extra, std::uint8_t* ones) {
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint8_t code = codes[i] & bits;
    const auto pairs = std::uint8_t(code - ((code >> 1) & 0x55u));
    const auto nibbles = std::uint8_t((pairs & 0x33u) + ((pairs >> 2) & 0x33u));
    ones[i] = std::uint8_t(ones[i] + ((nibbles + (nibbles >> 4)) & 0x0fu) + (codes[i] >= 128 ? extra : 0u));
  }
}

}  // namespace

RowDriver::RowDriver(const InputStream& stream)
    : slicing_(stream.slicing),
      is_signed_(stream.is_signed),
      in_passes_(stream.is_signed && stream.two_passes),
      cycles_(stream.cycles()),
      counts_(count_cycles(stream)),
      recovering_(cycles_.size()),
      plain_bits_(slicing_.widest() == 1 && !in_passes_ && !stream.speculates()) {
  for (std::size_t i = 0; i < cycles_.size(); ++i) {
    const InputCycle& cycle = cycles_[i];
    (cycle.use == InputCycle::Use::kRecover ? recovering_[std::size_t(cycle.recovers)] : whole_).push_back(int(i));
    for (int code = 0; code < 256; ++code) {
      const int value = driven(cycle, std::uint8_t(code));
      pulses_[std::size_t(code)] = std::uint16_t(pulses_[std::size_t(code)] + value);
      top_ = std::max(top_, value);
      if (cycle.use == InputCycle::Use::kSpeculate) speculated_top_ = std::max(speculated_top_, value);
    }
  }
}

std::int32_t RowDriver::value(std::uint8_t code) const {
  if (!narrow()) return extended(code, is_signed_);
  const std::int32_t span = std::int32_t{1} << slicing_.bits(), low = code & (span - 1);
  return is_signed_ && low >= span / 2 ? low - span : low;
}

int RowDriver::driven(const InputCycle& cycle, std::uint8_t code) const {
  std::int32_t number = extended(code, is_signed_);
  if (in_passes_) number = std::max(cycle.negative ? -value(code) : value(code), 0);
  return int((std::uint32_t(number) >> cycle.shift) & ((1u << cycle.width) - 1u));
}

void RowDriver::drive(const std::uint8_t* codes, int rows, const std::vector<int>& cycles, std::uint8_t* values) const {
  const auto width = std::size_t(rows);
  std::vector<std::uint8_t> room(in_passes_ ? width : 0);
  const std::uint8_t* from = codes;
  const InputCycle* before = nullptr;
  for (const int index : cycles) {
    const InputCycle& cycle = cycles_[std::size_t(index)];
    if (before == nullptr || before->negative != cycle.negative) from = bytes(codes, rows, cycle, room.data());
    cut_slice(from, width, is_signed_ && !in_passes_, cycle.shift, (1u << cycle.width) - 1u, values);
    values += width;
    before = &cycle;
  }
}

const std::uint8_t* RowDriver::bytes(const std::uint8_t* codes, int rows, const InputCycle& cycle,
                                     std::uint8_t* room) const {
  if (!in_passes_) return codes;
  cut_magnitudes(codes, std::size_t(rows), own_bits(), cycle.negative, room);
  return room;
}

void RowDriver::add_pulses(const std::uint8_t* codes, int count, int rows, std::uint32_t* pulses) const {
  const std::size_t width = std::size_t(rows);
  if (!plain_bits_) {
    for (std::size_t v = 0; v < std::size_t(count); ++v)
      for (std::size_t i = 0; i < width; ++i) pulses[i] += pulses_[codes[v * width + i]];
    return;
  }
  constexpr int kMostInByte = 255 / 16;  // vectors of at most 16 pulses a code
  const auto bits = std::uint8_t((1u << own_bits()) - 1u);
  const auto extra = std::uint8_t(is_signed_ ? slicing_.count() - own_bits() : 0);
  std::vector<std::uint8_t> ones(width);
  for (int first = 0; first < count; first += kMostInByte) {
    std::fill(ones.begin(), ones.end(), std::uint8_t{0});
    for (int v = first; v < std::min(count, first + kMostInByte); ++v)
      add_ones(codes + std::size_t(v) * width, width, bits, extra, ones.data());
    for (std::size_t i = 0; i < width; ++i) pulses[i] += ones[i];
  }
}

void RowDriver::pack(const std::uint8_t* codes, int rows, int words, std::uint16_t* packed) {
  const auto in = std::size_t(rows), out = std::size_t(words);
  for (std::size_t word = 0; word < out; word += kWords) {
    const std::size_t left = 16 * word < in ? in - 16 * word : 0;
    if (left >= 16 * kWords && out - word >= kWords) {
      pack_words(codes + 16 * word, packed + 8 * word);
      continue;
    }
    std::array<std::uint8_t, 16 * kWords> padded{};
    std::array<std::uint16_t, 8 * kWords> words_of_padded;
    std::copy_n(codes + 16 * word, std::min(left, padded.size()), padded.begin());
    pack_words(padded.data(), words_of_padded.data());
    std::copy_n(words_of_padded.begin(), 8 * std::min(kWords, out - word), packed + 8 * word);
  }
}

}  // namespace mho::arithmetic
