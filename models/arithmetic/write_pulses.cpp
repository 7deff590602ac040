// SPDX-License-Identifier: Apache-2.0
// Level steps of one row under program-and-verify.
#include "models/arithmetic/write_pulses.h"

#include <algorithm>

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// Steps from one level down to another, none where it lies higher.
struct OneWay {
  std::uint32_t sum = 0;
  std::uint8_t longest = 0;
};

/// At most 2^24 cells, whose steps of up to 255 still fit 32 bits. Sums of 128 cells fit 16 bits, so that most
/// additions are half as wide.
MHO_VECTORISED
OneWay count_down(const std::uint8_t* __restrict from, const std::uint8_t* __restrict to, std::size_t cells) {
  constexpr std::size_t kPart = 128;
  OneWay steps;
  std::uint8_t step[kPart];
  for (std::size_t first = 0; first < cells; first += kPart) {
    const std::size_t now = cells - first < kPart ? cells - first : kPart;
    std::uint16_t sum = 0;
    std::uint8_t longest = 0;
    for (std::size_t i = 0; i < now; ++i)
      step[i] = from[first + i] > to[first + i] ? from[first + i] - to[first + i] : 0;
    for (std::size_t i = 0; i < now; ++i) sum = std::uint16_t(sum + step[i]);
    for (std::size_t i = 0; i < now; ++i) longest = step[i] > longest ? step[i] : longest;
    steps.sum += sum;
    steps.longest = longest > steps.longest ? longest : steps.longest;
  }
  return steps;
}

MHO_VECTORISED
std::uint32_t count_changed(const std::uint8_t* __restrict before, const std::uint8_t* __restrict after,
                            std::size_t cells) {
  std::uint32_t changed = 0;
  for (std::size_t i = 0; i < cells; ++i) changed += before[i] != after[i];
  return changed;
}

/// Levels of the devices on one of the two word lines.
MHO_VECTORISED
void devices(const std::uint8_t* __restrict pairs, std::size_t cells, bool positive, std::uint8_t* __restrict levels) {
  const int sign = positive ? 1 : -1;
  for (std::size_t i = 0; i < cells; ++i) {
    const int level = sign * std::int8_t(pairs[i]);
    levels[i] = std::uint8_t(level > 0 ? level : 0);
  }
}

WriteSteps count_pair_steps(const std::uint8_t* before, const std::uint8_t* after, std::size_t cells) {
  constexpr std::size_t kPart = 512;
  std::uint8_t from[kPart], to[kPart];
  WriteSteps steps;
  for (std::size_t first = 0; first < cells; first += kPart)
    for (const bool positive : {true, false}) {
      const std::size_t now = std::min(kPart, cells - first);
      devices(before + first, now, positive, from);
      devices(after + first, now, positive, to);
      const WriteSteps part = count_steps(from, to, now);
      steps.up += part.up;
      steps.down += part.down;
      steps.cells_changed += part.cells_changed;
      steps.longest_up = std::max(steps.longest_up, part.longest_up);
      steps.longest_down = std::max(steps.longest_down, part.longest_down);
    }
  return steps;
}

}  // namespace

WriteSteps count_steps(const std::uint8_t* before, const std::uint8_t* after, std::size_t cells, bool paired) {
  if (paired) return count_pair_steps(before, after, cells);
  constexpr std::size_t kMostAtOnce = std::size_t{1} << 24;
  WriteSteps steps;
  for (std::size_t first = 0; first < cells; first += kMostAtOnce) {
    const std::size_t now = std::min(kMostAtOnce, cells - first);
    const OneWay up = count_down(after + first, before + first, now);
    const OneWay down = count_down(before + first, after + first, now);
    steps.up += up.sum;
    steps.down += down.sum;
    steps.cells_changed += count_changed(before + first, after + first, now);
    steps.longest_up = std::max<int>(steps.longest_up, up.longest);
    steps.longest_down = std::max<int>(steps.longest_down, down.longest);
  }
  return steps;
}

}  // namespace mho::arithmetic
