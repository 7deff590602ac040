// SPDX-License-Identifier: Apache-2.0
// Random numbers that are a function of a key and an index, 32 at a time: words of Threefry2x32 with 13 rounds (Salmon
// et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) and normals by Box and Muller. Nothing but integers
// and float operations that IEEE 754 rounds correctly, none contracted, so every instruction set gives the same bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {

/// Numbers of one block. Number i of a key is element i % kDrawnAtOnce of block i / kDrawnAtOnce: elements e and e + 16
/// come from one counter.
constexpr std::size_t kDrawnAtOnce = 32, kCountersAtOnce = kDrawnAtOnce / 2;

/// No normal is larger in magnitude: sqrt(2 ln 2^32).
constexpr float kLargestNormal = 6.661f;

struct WordPair {
  std::uint32_t first = 0, second = 0;
};
struct NormalPair {
  float first = 0, second = 0;
};

/// The cipher with counter (`counter`, `high`) under a key.
MHO_INLINE WordPair threefry(std::uint64_t key, std::uint32_t counter, std::uint32_t high = 0) {
  constexpr std::array<int, 8> kRotations{13, 15, 26, 6, 17, 29, 16, 24};
  const auto key0 = std::uint32_t(key), key1 = std::uint32_t(key >> 32);
  const std::array<std::uint32_t, 3> keys{key0, key1, 0x1BD11BDAu ^ key0 ^ key1};
  std::uint32_t x0 = counter + keys[0], x1 = high + keys[1];
#pragma GCC unroll 16
  for (std::uint32_t round = 1; round <= 13; ++round) {
    const int rotation = kRotations[(round - 1) % 8];
    x0 += x1;
    x1 = x0 ^ (x1 << rotation | x1 >> (32 - rotation));
    if (round % 4 == 0) {
      x0 += keys[(round / 4) % 3];
      x1 += keys[(round / 4 + 1) % 3] + round / 4;
    }
  }
  return {x0, x1};
}

MHO_INLINE std::uint32_t bits_of(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

MHO_INLINE float float_of(std::uint32_t bits) {
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// The nearest integer, of two the even one; |x| < 2^22. Adding 1.5 * 2^23 leaves no bits for a fraction.
MHO_INLINE std::int32_t rounded(float x) { return std::int32_t((x + 12582912.0f) - 12582912.0f); }

/// Of x >= 0, within 2^-21 of its value, by Newton's iteration: the library's would set errno, which keeps compilers
/// from vectorising a loop.
MHO_INLINE float square_root(float x) {
  float inverse = float_of(0x5f375a86u - (bits_of(x) >> 1));
  const float half = 0.5f * x;
  for (int iteration = 0; iteration < 3; ++iteration) inverse = inverse * (1.5f - half * inverse * inverse);
  return x * inverse;
}

/// -2 ln((w' + 1/2) / 2^31) of the upper 31 bits w' of a word, within 2^-21 of its value. The polynomial of ln(1 + x)
/// for 1 + x in sqrt(1/2) .. sqrt(2) is that of Cephes' logf (S. Moshier).
MHO_INLINE float squared_radius(std::uint32_t word) {
  const float value = float(std::int32_t(word >> 1)) + 0.5f;
  constexpr std::int32_t kRootOfHalf = 0x3f3504f3;
  const std::int32_t above = std::int32_t(bits_of(value)) - kRootOfHalf;
  const float x = float_of(std::uint32_t((above & 0x7fffff) + kRootOfHalf)) - 1.0f;
  float p = 7.0376836292e-2f;
  p = p * x - 1.1514610310e-1f;
  p = p * x + 1.1676998740e-1f;
  p = p * x - 1.2420140846e-1f;
  p = p * x + 1.4249322787e-1f;
  p = p * x - 1.6668057665e-1f;
  p = p * x + 2.0000714765e-1f;
  p = p * x - 2.4999993993e-1f;
  p = p * x + 3.3333331174e-1f;
  const float square = x * x;
  const float logarithm = x - (0.5f * square - p * (x * square));
  return 2.0f * (float(31 - (above >> 23)) * 0.693147180559945f - logarithm);
}

/// radius * (cos, sin) of the angle word / 2^32 * 2 pi; polynomials of Cephes' sinf and cosf on -pi/4 .. pi/4.
MHO_INLINE NormalPair on_circle(float radius, std::uint32_t word) {
  const std::uint32_t turned = word + 0x20000000u, quadrant = turned >> 30;
  const float t = float(std::int32_t(turned << 2 ^ 0x80000000u)) * (1.57079632679489662f / 4294967296.0f);
  const float square = t * t;
  const float sine = t + t * square * (-1.6666654611e-1f + square * (8.3321608736e-3f - square * 1.9515295891e-4f));
  const float cosine =
      1.0f - 0.5f * square +
      square * square * (4.166664568298827e-2f + square * (square * 2.443315711809948e-5f - 1.388731625493765e-3f));
  // Odd quadrants swap the two, the first bit of quadrant + 1 and of the quadrant turn signs: all by masks, because
  // compilers make branches of choices and then do not vectorise.
  const std::uint32_t odd = 0u - (quadrant & 1u), sines = bits_of(radius * sine), cosines = bits_of(radius * cosine);
  const std::uint32_t difference = (sines ^ cosines) & odd;
  return {float_of(cosines ^ difference ^ ((quadrant + 1) & 2u) << 30),
          float_of(sines ^ difference ^ (quadrant & 2u) << 30)};
}

/// Words of block `block`.
MHO_INLINE void draw_words_at_once(std::uint64_t key, std::uint32_t block, std::uint32_t* words) {
  for (std::size_t j = 0; j < kCountersAtOnce; ++j) {
    const WordPair pair = threefry(key, block * std::uint32_t(kCountersAtOnce) + std::uint32_t(j));
    words[j] = pair.first;
    words[j + kCountersAtOnce] = pair.second;
  }
}

/// Standard normals of block `block`, from its words.
MHO_INLINE void draw_normals_at_once(std::uint64_t key, std::uint32_t block, float* normals) {
  for (std::size_t j = 0; j < kCountersAtOnce; ++j) {
    const WordPair pair = threefry(key, block * std::uint32_t(kCountersAtOnce) + std::uint32_t(j));
    const NormalPair both = on_circle(square_root(squared_radius(pair.first)), pair.second);
    normals[j] = both.first;
    normals[j + kCountersAtOnce] = both.second;
  }
}

/// Number `index` of what draw_normals_at_once draws.
MHO_INLINE float draw_normal(std::uint64_t key, std::uint32_t index) {
  constexpr auto kAtOnce = std::uint32_t(kDrawnAtOnce), kCounters = std::uint32_t(kCountersAtOnce);
  const WordPair pair = threefry(key, index / kAtOnce * kCounters + index % kCounters);
  const NormalPair both = on_circle(square_root(squared_radius(pair.first)), pair.second);
  return index % kAtOnce < kCounters ? both.first : both.second;
}

}  // namespace mho::arithmetic
