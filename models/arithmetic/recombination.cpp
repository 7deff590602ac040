// SPDX-License-Identifier: Apache-2.0
// Shift-and-add over the codes of converted column sums, all of it modulo 2^32: first the cycles of each column, then
// the columns of each filter. Where neighbouring columns belong to one filter, AVX-512 adds two products at once.
// Codes of failed speculation are few: they are added like any number, and put right afterwards one by one.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/arithmetic/instruction_set.h"
#include "models/arithmetic/programmed_array.h"
#include "models/arithmetic/success_flags.h"
#include "models/arithmetic/vectorised.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>
#define MHO_X86_PAIRS 1
#endif

namespace mho::arithmetic {
namespace {

MHO_INLINE std::uint32_t extended(std::int16_t code) { return std::uint32_t(std::int32_t(code)); }

/// numbers[c] = (First ? 0 : numbers[c]) + sum over `Slices` slices of codes[slice][c] * weight of the slice.
template <int Slices, bool First>
MHO_INLINE void add_slices(const std::int16_t* __restrict codes, std::size_t stride, const std::uint32_t* weights,
                           std::size_t columns, std::uint32_t* __restrict numbers) {
  std::uint32_t weight[Slices];
  for (int s = 0; s < Slices; ++s) weight[s] = weights[s];
  for (std::size_t c = 0; c < columns; ++c) {
    std::uint32_t number = First ? 0 : numbers[c];
#pragma GCC unroll 8
    for (std::size_t s = 0; s < Slices; ++s) number += extended(codes[s * stride + c]) * weight[s];
    numbers[c] = number;
  }
}

/// terms[c] = coefficient * number, for each column.
MHO_VECTORISED
void combine_columns(const std::int16_t* codes, std::size_t stride, const std::vector<std::uint32_t>& weights,
                     const std::int32_t* __restrict coefficients, std::size_t columns,
                     std::uint32_t* __restrict terms) {
  const std::uint32_t *weight = weights.data(), *end = weight + weights.size();
  add_slices<1, true>(codes, stride, weight++, columns, terms);
  for (codes += stride; end - weight >= 7; weight += 7, codes += 7 * stride)
    add_slices<7, false>(codes, stride, weight, columns, terms);
  for (; weight != end; ++weight, codes += stride) add_slices<1, false>(codes, stride, weight, columns, terms);
  for (std::size_t c = 0; c < columns; ++c) terms[c] *= std::uint32_t(coefficients[c]);
}

#if defined(MHO_X86_PAIRS)
using Lanes = std::uint32_t __attribute__((vector_size(64)));

/// terms[c / 2] = coefficient * number, added for each pair of columns. The products of 16 bits take the codes as they
/// are, without a conversion: nearly twice as fast. Cycles by Horner's rule, `steps` being the widths of their slices;
/// those from `second_pass` on (0: none) count negatively, as does the first where its bit is a sign.
__attribute__((target("avx512f,avx512bw"))) void combine_pairs(const std::int16_t* codes, std::size_t stride,
                                                               const std::vector<int>& steps, bool sign_bit,
                                                               std::size_t second_pass,
                                                               const std::int16_t* coefficients, std::size_t columns,
                                                               std::uint32_t* terms) {
  for (std::size_t c = 0; c < columns; c += 32, codes += 32, coefficients += 32, terms += 16) {
    const std::size_t left = columns - c;
    const auto lanes = __mmask32(left >= 32 ? 0xffffffffu : (1u << left) - 1u);
    const __m512i coefficient = _mm512_maskz_loadu_epi16(lanes, coefficients);
    Lanes number = Lanes(_mm512_madd_epi16(_mm512_maskz_loadu_epi16(lanes, codes), coefficient)), positive = {};
    if (sign_bit) number = -number;
    for (std::size_t s = 1; s < steps.size(); ++s) {
      const __m512i code = _mm512_maskz_loadu_epi16(lanes, codes + s * stride);
      if (s == second_pass) {
        positive = number;
        number = Lanes{};
      }
      number = (number << steps[s]) + Lanes(_mm512_madd_epi16(code, coefficient));
    }
    if (second_pass != 0) number = positive - number;
    _mm512_mask_storeu_epi32(terms, __mmask16(left >= 32 ? 0xffffu : (1u << (left / 2)) - 1u), __m512i(number));
  }
}

/// False where a coefficient needs more than 16 bits.
MHO_VECTORISED
bool narrow(const std::int32_t* __restrict from, std::size_t count, std::int16_t* __restrict to) {
  std::int32_t lost = 0;
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = std::int16_t(from[i]);
    lost |= from[i] ^ to[i];
  }
  return lost == 0;
}
#endif

/// psums[f] = sum of a filter's terms + unit * unit_coefficient[f].
template <std::size_t Terms>
MHO_INLINE void add_terms(const std::uint32_t* __restrict terms, std::uint32_t unit,
                          const std::int32_t* __restrict unit_coefficients, std::size_t filters,
                          std::int32_t* __restrict psums) {
  for (std::size_t f = 0; f < filters; ++f) {
    std::uint32_t psum = unit * std::uint32_t(unit_coefficients[f]);
#pragma GCC unroll 8
    for (std::size_t t = 0; t < Terms; ++t) psum += terms[f * Terms + t];
    psums[f] = std::int32_t(psum);
  }
}

MHO_VECTORISED
void add_filters(const std::uint32_t* terms, std::size_t of_filter, std::uint32_t unit,
                 const std::int32_t* unit_coefficients, std::size_t filters, std::int32_t* psums) {
  if (of_filter == 1) return add_terms<1>(terms, unit, unit_coefficients, filters, psums);
  if (of_filter == 2) return add_terms<2>(terms, unit, unit_coefficients, filters, psums);
  if (of_filter == 3) return add_terms<3>(terms, unit, unit_coefficients, filters, psums);
  if (of_filter == 4) return add_terms<4>(terms, unit, unit_coefficients, filters, psums);
  if (of_filter == 8) return add_terms<8>(terms, unit, unit_coefficients, filters, psums);
  for (std::size_t f = 0; f < filters; ++f) {
    std::uint32_t psum = unit * std::uint32_t(unit_coefficients[f]);
    for (std::size_t t = f * of_filter; t < (f + 1) * of_filter; ++t) psum += terms[t];
    psums[f] = std::int32_t(psum);
  }
}

/// The cycles of a stream as shift-and-add sees them.
struct Cycles {
  std::vector<std::uint32_t> weights;  ///< of those that convert every column
  std::vector<int> steps;              ///< widths of their slices
  std::size_t second_pass = 0;         ///< the first of them that is negative in a second pass
  std::size_t recovery = 0;            ///< how many recover
  std::vector<InputCycle> recovering;  ///< in order of `recovers`, which here is a place among the others

  explicit Cycles(const InputStream& stream) {
    const std::vector<InputCycle> all = stream.cycles();
    weights.reserve(all.size());
    steps.reserve(all.size());
    for (const InputCycle& cycle : all) {
      if (cycle.use == InputCycle::Use::kRecover) {
        recovering.push_back(cycle);
        recovering.back().recovers = all[std::size_t(cycle.recovers)].place;
        continue;
      }
      if (cycle.negative && second_pass == 0) second_pass = weights.size();
      weights.push_back(std::uint32_t(cycle.weight));
      steps.push_back(cycle.width);
    }
    recovery = recovering.size();
  }

  /// Takes the failed codes of one vector off its psums, and adds what was recovered instead. `failed` has room for
  /// the index of every column.
  void recover(const Recombination& rule, const std::int16_t* codes, const std::int16_t* recovered, std::size_t stride,
               std::int32_t* failed, std::int32_t* psums) const {
    const InputCycle* first = recovering.data();
    while (first != recovering.data() + recovery) {
      const InputCycle* end = first;
      while (end != recovering.data() + recovery && end->recovers == first->recovers) ++end;
      const auto place = std::size_t(first->recovers);
      const std::size_t failures = list_failed(codes + place * stride, rule.coefficient.size(), failed);
      for (std::size_t i = 0; i < failures; ++i) {
        const auto column = std::size_t(failed[i]);
        std::uint32_t number = 0u - weights[place] * extended(kFailedCode);
        for (const InputCycle* cycle = first; cycle != end; ++cycle)
          number += std::uint32_t(cycle->weight) * extended(recovered[std::size_t(cycle->place) * stride + column]);
        std::int32_t& psum = psums[failed[i] / rule.columns_per_filter];
        psum = std::int32_t(std::uint32_t(psum) + std::uint32_t(rule.coefficient[column]) * number);
      }
      first = end;
    }
  }
};

}  // namespace

void recombine(const Recombination& rule, int filters, const InputStream& stream, const std::int16_t* codes,
               const std::int16_t* recovered, int count, int stride, std::int32_t* psums) {
  const Cycles cycles(stream);
  const auto step = std::size_t(stride), of_filters = std::size_t(filters), whole = cycles.weights.size();
  const auto per_filter = std::size_t(rule.columns_per_filter), columns = of_filters * per_filter;
  std::vector<std::uint32_t> terms(columns);
  std::vector<std::int32_t> failed(cycles.recovery == 0 ? 0 : columns);
  bool in_pairs = false;
#if defined(MHO_X86_PAIRS)
  std::vector<std::int16_t> coefficients(columns);
  in_pairs = per_filter % 2 == 0 && InstructionSet::in_effect().avx512 &&
             narrow(rule.coefficient.data(), columns, coefficients.data());
#endif
  for (int v = 0; v < count; ++v, codes += whole * step, psums += filters) {
#if defined(MHO_X86_PAIRS)
    if (in_pairs)
      combine_pairs(codes, step, cycles.steps, stream.is_signed && !stream.two_passes, cycles.second_pass,
                    coefficients.data(), columns, terms.data());
    else
#endif
      combine_columns(codes, step, cycles.weights, rule.coefficient.data(), columns, terms.data());
    std::uint32_t unit = 0;
    for (std::size_t s = 0; s < whole; ++s) unit += cycles.weights[s] * extended(codes[s * step + columns]);
    add_filters(terms.data(), in_pairs ? per_filter / 2 : per_filter, unit, rule.unit_coefficient.data(), of_filters,
                psums);
    if (cycles.recovery == 0) continue;
    cycles.recover(rule, codes, recovered, step, failed.data(), psums);
    recovered += cycles.recovery * step;
  }
}

}  // namespace mho::arithmetic
