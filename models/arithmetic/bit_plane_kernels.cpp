// SPDX-License-Identifier: Apache-2.0
// One loop, compiled for several vector units. It is written so that the compiler makes one vector instruction of each
// operation on 32 columns: words and bits are constants, the input's words are copied to registers first.
#include "models/arithmetic/bit_plane_kernels.h"

#include <array>
#include <stdexcept>

#include "models/arithmetic/instruction_set.h"
#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// Ones of input & plane in the words of one column, by the processor's population count.
struct CountedOnes {
  template <int Words, int Bits>
  static MHO_INLINE std::uint16_t of(const std::uint16_t* input, const PlaneLine* planes, int column) {
    int ones = 0;
#pragma GCC unroll 8
    for (int w = 0; w < Words; ++w)
      ones += __builtin_popcount(std::uint16_t(input[w] & planes[w * Bits].columns[std::size_t(column)]));
    return std::uint16_t(ones);
  }
};

/// The same by shifts and adds, for vector units that cannot count: fields of 2, 4, then 8 bits, two words sharing the
/// last step because eight ones still fit four bits.
struct AddedOnes {
  static MHO_INLINE std::uint16_t nibbles(std::uint16_t x) {
    x = std::uint16_t(x - ((x >> 1) & 0x5555u));
    return std::uint16_t((x & 0x3333u) + ((x >> 2) & 0x3333u));
  }
  template <int Words, int Bits>
  static MHO_INLINE std::uint16_t of(const std::uint16_t* input, const PlaneLine* planes, int column) {
    const auto c = std::size_t(column);
    std::uint16_t bytes = 0;
#pragma GCC unroll 8
    for (int w = 0; w < Words; w += 2) {
      const auto pair = std::uint16_t(nibbles(input[w] & planes[w * Bits].columns[c]) +
                                      nibbles(input[w + 1] & planes[(w + 1) * Bits].columns[c]));
      bytes = std::uint16_t(bytes + (pair & 0x0f0fu) + ((pair >> 4) & 0x0f0fu));
    }
    return std::uint16_t((bytes & 0xffu) + (bytes >> 8));
  }
};

template <class Ones, int Words, int Bits, bool First>
MHO_INLINE void add_groups(const std::uint16_t* input, const PlaneLine* __restrict planes, std::size_t step, int groups,
                           std::int16_t* __restrict sums) {
  std::uint16_t words[Words];
  for (int w = 0; w < Words; ++w) words[w] = input[8 * w];
  for (int group = 0; group < groups; ++group, planes += step, sums += kColumnsAtOnce)
    for (int column = 0; column < kColumnsAtOnce; ++column) {
      auto sum = std::uint16_t(First ? 0 : sums[column]);
#pragma GCC unroll 8
      for (int bit = 0; bit < Bits; ++bit)
        sum = std::uint16_t(sum + (Ones::template of<Words, Bits>(words, planes + bit, column) << bit));
      sums[column] = std::int16_t(sum);
    }
}

// The same function for each vector unit: a target is an attribute of a function, no argument of a template.
#define MHO_KERNELS(Unit, Ones, target)                                                                       \
  struct Unit {                                                                                               \
    template <int Words, int Bits>                                                                            \
    target static void run(const std::uint16_t* input, const PlaneLine* planes, std::size_t step, int groups, \
                           bool first, std::int16_t* sums) {                                                  \
      if (first)                                                                                              \
        add_groups<Ones, Words, Bits, true>(input, planes, step, groups, sums);                               \
      else                                                                                                    \
        add_groups<Ones, Words, Bits, false>(input, planes, step, groups, sums);                              \
    }                                                                                                         \
  }

MHO_KERNELS(Baseline, AddedOnes, );
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define MHO_X86_KERNELS 1
MHO_KERNELS(Avx2, AddedOnes, __attribute__((target("avx2"))));
MHO_KERNELS(Avx512, CountedOnes,
            __attribute__((target("avx512f,avx512bw,avx512vl,avx512bitalg,prefer-vector-width=512"))));
#endif

template <class Unit, int Words>
BitPlaneKernel of_bits(int bits) {
  constexpr std::array<BitPlaneKernel, 8> kernels{Unit::template run<Words, 1>, Unit::template run<Words, 2>,
                                                  Unit::template run<Words, 3>, Unit::template run<Words, 4>,
                                                  Unit::template run<Words, 5>, Unit::template run<Words, 6>,
                                                  Unit::template run<Words, 7>, Unit::template run<Words, 8>};
  return kernels.at(std::size_t(bits - 1));
}

template <class Unit>
BitPlaneKernel of_words(int words, int bits) {
  if (words == 2) return of_bits<Unit, 2>(bits);
  if (words == 4) return of_bits<Unit, 4>(bits);
  if (words == 8) return of_bits<Unit, 8>(bits);
  throw std::invalid_argument("bit plane kernels take 2, 4 or 8 words");
}

}  // namespace

BitPlaneKernel bit_plane_kernel(int words, int bits) {
#if defined(MHO_X86_KERNELS)
  const InstructionSet set = InstructionSet::in_effect();
  if (set.avx512_popcount) return of_words<Avx512>(words, bits);
  if (set.avx2) return of_words<Avx2>(words, bits);
#endif
  return of_words<Baseline>(words, bits);
}

bool bit_planes_pay(int bits) { return bits <= 2 || InstructionSet::in_effect().avx512_popcount; }

}  // namespace mho::arithmetic
