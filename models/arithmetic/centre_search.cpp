// SPDX-License-Identifier: Apache-2.0
// Sums over rows for all centres at once, without multiplying anything: floor(|x| / 2^p) counts the multiples of 2^p up
// to |x|, so its sum over rows is a sum of counts of codes beyond phi + 2^p, phi + 2 * 2^p, ..., which one addition
// carries from one centre to the next in steps of 2^p.
#include "models/arithmetic/centre_search.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

constexpr int kBits = 8, kCodes = 256;

__extension__ using Wide = unsigned __int128;

using Counts = std::array<std::int32_t, kCodes>;

/// How many rows have each code.
Counts histogram(const std::int32_t* weights, int rows) {
  Counts counts{};
  for (int row = 0; row < rows; ++row) {
    const auto code = std::uint32_t(weights[row]) + std::uint32_t(kCodeOfZero);
    if (code >= kCodes)
      throw std::invalid_argument("weight " + std::to_string(weights[row]) + " in row " + std::to_string(row) +
                                  " does not fit 8 bits");
    ++counts[code];
  }
  return counts;
}

/// sums[phi] of one place; at_least[t] codes are t or more, t in 0 .. 256.
void add_up(const std::int32_t* at_least, int rows, int place, std::int32_t* sums) {
  const int step = 1 << place;
  Counts above{}, below{};
  for (int phi = kCodes - 1 - step; phi >= 0; --phi)
    above[std::size_t(phi)] = at_least[phi + step] + above[std::size_t(phi + step)];
  for (int phi = step; phi < kCodes; ++phi)
    below[std::size_t(phi)] = rows - at_least[phi - step + 1] + below[std::size_t(phi - step)];
  for (int phi = 0; phi < kCodes; ++phi) sums[phi] = above[std::size_t(phi)] - below[std::size_t(phi)];
}

/// costs[phi] += 2^shift * (low - high * 2^width)^4, which must fit: |sum| < 2^16, costs < 2^64.
MHO_VECTORISED
void add_costs(const std::int32_t* __restrict low, const std::int32_t* __restrict high, int width, int shift,
               std::uint64_t* __restrict costs) {
  for (int phi = 0; phi < kCodes; ++phi) {
    const auto sum = std::uint32_t(low[phi]) - (std::uint32_t(high[phi]) << width);
    const std::uint32_t square = sum * sum;  // modulo 2^32, where signs do not matter
    costs[phi] += (std::uint64_t(square) * square) << shift;
  }
}

/// The same without a limit that anything here reaches.
void add_costs(const std::int32_t* low, const std::int32_t* high, int width, int shift, Wide* costs) {
  for (int phi = 0; phi < kCodes; ++phi) {
    const std::int64_t sum = low[phi] - std::int64_t(high[phi]) * (1 << width);
    const auto square = Wide(sum * sum);
    costs[phi] += (square * square) << shift;
  }
}

template <class Cost>
int cheapest(const Slicing& slicing, const std::vector<std::int32_t>& quotients) {
  std::array<Cost, kCodes> costs{};
  int above = kBits;
  for (int k = 0; k < slicing.count(); ++k) {
    const int shift = slicing.shift(k);
    add_costs(quotients.data() + shift * kCodes, quotients.data() + above * kCodes, slicing.width(k), shift,
              costs.data());
    above = shift;
  }
  return int(std::min_element(costs.begin() + kLowestCentre, costs.begin() + kHighestCentre + 1) - costs.begin());
}

/// Whether costs of `rows` rows add up in 64 bits; sums then stay below 2^16, and their squares in 32 bits.
bool is_narrow(const Slicing& slicing, int rows) {
  Wide most = 0;
  for (int k = 0; k < slicing.count(); ++k) {
    const auto sum = Wide(rows) * ((1u << slicing.width(k)) - 1u);
    most += (sum * sum * sum * sum) << slicing.shift(k);
  }
  return most <= UINT64_MAX;
}

void check(const Slicing& slicing) {
  if (slicing.bits() != kBits)
    throw std::invalid_argument("slices of " + std::to_string(slicing.bits()) +
                                " bits in all (centres are those of 8-bit weights)");
}

}  // namespace

CentreSearch::CentreSearch(const std::int32_t* weights, int rows)
    : rows_(rows), quotients_(std::size_t(kBits + 1) * kCodes) {  // place 8 is zero: |u - phi| <= 255
  if (rows < 1 || rows > kMostCentredRows)
    throw std::invalid_argument("a filter of " + std::to_string(rows) + " rows (1 to " +
                                std::to_string(kMostCentredRows) + ")");
  const Counts counts = histogram(weights, rows);
  std::array<std::int32_t, kCodes + 1> at_least{};
  for (std::size_t code = kCodes; code-- > 0;) at_least[code] = at_least[code + 1] + counts[code];
  for (int place = 0; place < kBits; ++place) add_up(at_least.data(), rows, place, quotients_.data() + place * kCodes);
}

int CentreSearch::centre(const Slicing& slicing) const {
  check(slicing);
  return is_narrow(slicing, rows_) ? cheapest<std::uint64_t>(slicing, quotients_) : cheapest<Wide>(slicing, quotients_);
}

std::int32_t CentreSearch::column_sum(const Slicing& slicing, int slice, int centre) const {
  check(slicing);
  const int shift = slicing.shift(slice), width = slicing.width(slice);
  const auto at = [&](int place) { return quotients_[std::size_t(place * kCodes + centre)]; };
  return at(shift) - at(shift + width) * (1 << width);
}

}  // namespace mho::arithmetic
