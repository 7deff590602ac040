// SPDX-License-Identifier: Apache-2.0
// About two sums in a hundred fail: a pass that the compiler vectorises marks them, and only short runs of columns that
// hold a mark are searched for it.
#include "models/arithmetic/success_flags.h"

#include <algorithm>
#include <limits>

#include "models/arithmetic/programmed_array.h"
#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// Columns that are searched one by one where one of them failed; counts of a block fit the sums' own width.
constexpr std::size_t kRun = 16, kBlock = 512;

struct Marks {
  std::uint16_t failures = 0, out_of_range = 0;
};

/// At most kBlock sums.
MHO_INLINE Marks mark(std::int16_t lowest, std::int16_t highest, std::int16_t* sums, std::size_t count) {
  Marks marks;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int16_t sum = sums[i];
    const bool failed = (sum <= lowest) | (sum >= highest);
    marks.failures = std::uint16_t(marks.failures + failed);
    marks.out_of_range = std::uint16_t(marks.out_of_range + ((sum < lowest) | (sum > highest)));
    sums[i] = failed ? kFailedCode : sum;
  }
  return marks;
}

MHO_INLINE bool any_failed(const std::int16_t* codes) {
  std::uint16_t any = 0;
  for (std::size_t i = 0; i < kRun; ++i) any = std::uint16_t(any | std::uint16_t(codes[i] == kFailedCode));
  return any != 0;
}

MHO_INLINE std::size_t list(const std::int16_t* codes, std::size_t columns, std::int32_t first, std::int32_t* failed) {
  std::size_t found = 0, i = 0;
  const auto search = [&](std::size_t end) {
    for (; i < end; ++i) {
      failed[found] = first + std::int32_t(i);
      found += codes[i] == kFailedCode;
    }
  };
  while (i + kRun <= columns) {
    if (any_failed(codes + i))
      search(i + kRun);
    else
      i += kRun;
  }
  for (; i < columns; ++i)
    if (codes[i] == kFailedCode) failed[found++] = first + std::int32_t(i);
  return found;
}

}  // namespace

MHO_VECTORISED
SpeculativeCodes convert_speculating(AdcRange range, std::int16_t* sums, std::size_t columns, std::int32_t* failed) {
  using Limits = std::numeric_limits<std::int16_t>;
  const auto lowest = std::int16_t(std::clamp<std::int32_t>(range.lowest, Limits::min(), Limits::max()));
  const auto highest = std::int16_t(std::clamp<std::int32_t>(range.highest, Limits::min(), Limits::max()));
  SpeculativeCodes codes;
  for (std::size_t first = 0; first < columns; first += kBlock) {
    const std::size_t now = std::min(kBlock, columns - first);
    const Marks marks = mark(lowest, highest, sums + first, now);
    if (marks.failures == 0) continue;
    list(sums + first, now, std::int32_t(first), failed + codes.failures);
    codes.failures += marks.failures;
    codes.out_of_range += marks.out_of_range;
  }
  return codes;
}

MHO_VECTORISED
std::size_t count_failed(const std::int16_t* codes, std::size_t columns) {
  std::size_t failed = 0;
  for (std::size_t first = 0; first < columns; first += kBlock) {
    const std::size_t now = std::min(kBlock, columns - first);
    std::uint16_t of_block = 0;
    for (std::size_t i = 0; i < now; ++i) of_block = std::uint16_t(of_block + (codes[first + i] == kFailedCode));
    failed += of_block;
  }
  return failed;
}

MHO_VECTORISED
std::size_t list_failed(const std::int16_t* codes, std::size_t columns, std::int32_t* failed) {
  return list(codes, columns, 0, failed);
}

}  // namespace mho::arithmetic
