// SPDX-License-Identifier: Apache-2.0
// Slices are cut and bits packed many codes at a time; only the table of pulses is made code by code.
#include "models/arithmetic/row_driver.h"

#include <algorithm>
#include <cstring>
#include <utility>
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

RowDriver::RowDriver(Slicing slicing, bool is_signed) : slicing_(std::move(slicing)), is_signed_(is_signed) {
  slicing_.weight(0, is_signed);  // refuses a shared sign bit
  for (int code = 0; code < 256; ++code)
    for (int s = 0; s < slicing_.count(); ++s) {
      const int value = int(slicing_.slice(extended(std::uint8_t(code), is_signed), s));
      pulses_[std::size_t(code)] = std::uint16_t(pulses_[std::size_t(code)] + value);
      top_ = std::max(top_, value);
    }
}

std::int32_t RowDriver::value(std::uint8_t code) const {
  if (!narrow()) return extended(code, is_signed_);
  const std::int32_t span = std::int32_t{1} << slicing_.bits(), low = code & (span - 1);
  return is_signed_ && low >= span / 2 ? low - span : low;
}

void RowDriver::slice(const std::uint8_t* codes, int rows, std::uint8_t* values) const {
  for (int s = 0; s < slicing_.count(); ++s)
    cut_slice(codes, std::size_t(rows), is_signed_, slicing_.shift(s), (1u << slicing_.width(s)) - 1u,
              values + std::size_t(s) * std::size_t(rows));
}

void RowDriver::add_pulses(const std::uint8_t* codes, int count, int rows, std::uint32_t* pulses) const {
  const std::size_t width = std::size_t(rows);
  if (!one_bit()) {
    for (std::size_t v = 0; v < std::size_t(count); ++v)
      for (std::size_t i = 0; i < width; ++i) pulses[i] += pulses_[codes[v * width + i]];
    return;
  }
  constexpr int kMostInByte = 255 / 16;  // vectors of at most 16 pulses a code
  const auto bits = std::uint8_t((1u << own_bits()) - 1u);
  const auto extra = std::uint8_t(is_signed_ ? slices() - own_bits() : 0);
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
