// SPDX-License-Identifier: Apache-2.0
// The cycles of a stream, in the order in which they are driven.
#include "models/arithmetic/input_stream.h"

#include <algorithm>
#include <stdexcept>

namespace mho::arithmetic {
namespace {

using Use = InputCycle::Use;

/// Cycles of one pass, places and passes left open.
std::vector<InputCycle> one_pass(const Slicing& slicing, const std::vector<int>& speculation) {
  std::vector<InputCycle> cycles;
  cycles.reserve(std::size_t(slicing.count()) + speculation.size());
  if (speculation.empty()) {
    for (int s = 0; s < slicing.count(); ++s) cycles.push_back({slicing.shift(s), slicing.width(s)});
    return cycles;
  }
  const Slicing wide(speculation);
  int narrow = 0;  // next slice of `slicing`
  for (int s = 0; s < wide.count(); ++s) {
    const int first = narrow, speculated = int(cycles.size());
    while (narrow < slicing.count() && slicing.shift(narrow) >= wide.shift(s)) ++narrow;
    const bool nests = wide.bits() == slicing.bits() && narrow > first && slicing.shift(narrow - 1) == wide.shift(s);
    if (!nests) throw std::invalid_argument("slices of the input do not nest in those of the speculation");
    const bool plain = narrow == first + 1;
    cycles.push_back({wide.shift(s), wide.width(s), plain ? Use::kConvert : Use::kSpeculate});
    for (int r = first; r < narrow && !plain; ++r)
      cycles.push_back({slicing.shift(r), slicing.width(r), Use::kRecover, false, speculated});
  }
  return cycles;
}

}  // namespace

std::vector<InputCycle> InputStream::cycles() const {
  const std::vector<InputCycle> pass = one_pass(slicing, speculation);
  const bool twos_complement = is_signed && !two_passes;
  if (twos_complement && pass.front().width != 1)  // weight() refuses a shared sign bit, and says so
    Slicing(speculation.empty() ? slicing.widths() : speculation).weight(0, true);
  std::vector<InputCycle> cycles;
  cycles.reserve(2 * pass.size());
  int whole = 0, recovery = 0;
  for (int p = 0; p < (is_signed && two_passes ? 2 : 1); ++p) {
    const int first = int(cycles.size());
    for (InputCycle cycle : pass) {
      cycle.negative = p == 1;
      cycle.weight = (cycle.negative ? -1 : 1) * (std::int32_t{1} << cycle.shift);
      if (cycle.recovers >= 0) cycle.recovers += first;
      cycle.place = cycle.use == Use::kRecover ? recovery++ : whole++;
      cycles.push_back(cycle);
    }
  }
  if (twos_complement) cycles.front().weight = -cycles.front().weight;
  return cycles;
}

CycleCounts count_cycles(const InputStream& stream) {
  const int passes = stream.is_signed && stream.two_passes ? 2 : 1;
  if (!stream.speculates()) return {passes * stream.slicing.count(), 0};
  CycleCounts counts;
  for (const InputCycle& cycle : stream.cycles()) ++(cycle.use == Use::kRecover ? counts.recovery : counts.whole);
  return counts;
}

int largest_slice(const InputStream& stream) {
  int widest = stream.slicing.widest();
  for (const int width : stream.speculation) widest = std::max(widest, width);
  return (1 << widest) - 1;
}

}  // namespace mho::arithmetic
