// SPDX-License-Identifier: Apache-2.0
// Layout of the planes, and the order in which the kernels walk over columns, inputs and slices.
#include "models/arithmetic/bit_planes.h"

#include <algorithm>

#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// Groups whose planes stay in the first-level cache while all slices of all inputs pass over them.
constexpr int kTile = 11;

int rounded_words(int rows) {
  const int words = (rows + 15) / 16, rest = words % 8;
  return words - rest + (rest == 0 ? 0 : rest <= 2 ? 2 : rest <= 4 ? 4 : 8);
}

/// Sets bit `row` of the lines of all planes to those of `levels`.
MHO_VECTORISED
void store_levels(const std::uint8_t* levels, std::size_t columns, int bits, int row, PlaneLine* planes) {
  for (int b = 0; b < bits; ++b)
    for (std::size_t c = 0; c < columns; ++c)
      planes[b].columns[c] = std::uint16_t(planes[b].columns[c] | (((levels[c] >> b) & 1u) << row));
}

MHO_VECTORISED
void load_levels(const PlaneLine* planes, int bits, int row, std::uint8_t* levels) {
  std::array<std::uint16_t, kColumnsAtOnce> wide{};
  for (int b = 0; b < bits; ++b)
    for (std::size_t c = 0; c < kColumnsAtOnce; ++c)
      wide[c] = std::uint16_t(wide[c] | (((planes[b].columns[c] >> row) & 1u) << b));
  for (std::size_t c = 0; c < kColumnsAtOnce; ++c) levels[c] = std::uint8_t(wide[c]);
}

}  // namespace

BitPlanes::BitPlanes(const std::uint8_t* levels, int rows, int columns, int bits)
    : bits_(bits),
      words_(rounded_words(rows)),
      groups_(columns / kColumnsAtOnce + 1),
      whole_(bit_plane_kernel(8, bits)),
      rest_(words_ % 8 == 0 ? nullptr : bit_plane_kernel(words_ % 8, bits)),
      planes_(std::size_t(groups_) * group_step()) {
  for (int row = 0; row < rows; ++row, levels += columns) {
    for (int column = 0; column < columns; column += kColumnsAtOnce)
      store_levels(levels + column, std::size_t(std::min(kColumnsAtOnce, columns - column)), bits, row % 16,
                   &planes_[line(row, column / kColumnsAtOnce)]);
    auto& unit = planes_[line(row, columns / kColumnsAtOnce)].columns[std::size_t(columns % kColumnsAtOnce)];
    unit = std::uint16_t(unit | (1u << (row % 16)));
  }
}

int BitPlanes::level(int row, int column) const {
  const PlaneLine* planes = &planes_[line(row, column / kColumnsAtOnce)];
  int level = 0;
  for (int b = 0; b < bits_; ++b)
    level |= ((planes[b].columns[std::size_t(column % kColumnsAtOnce)] >> (row % 16)) & 1) << b;
  return level;
}

void BitPlanes::row_levels(int row, std::uint8_t* levels) const {
  for (int group = 0; group < groups_; ++group, levels += kColumnsAtOnce)
    load_levels(&planes_[line(row, group)], bits_, row % 16, levels);
}

void BitPlanes::sum_slice(const std::uint16_t* words, int group, int groups, std::int16_t* sums) const {
  for (int word = 0; word < words_; word += 8) {
    const auto kernel = words_ - word >= 8 ? whole_ : rest_;
    kernel(words + 8 * word, &planes_[line(16 * word, group)], group_step(), groups, word == 0, sums);
  }
}

void BitPlanes::column_sums(const std::uint16_t* packed, int count, int slices, std::int16_t* sums,
                            std::size_t step) const {
  for (int group = 0; group < groups_; group += kTile) {
    const int groups = std::min(kTile, groups_ - group);
    for (int input = 0; input < count; ++input) {
      const std::uint16_t* words = packed + std::size_t(input) * std::size_t(words_) * 8;
      std::int16_t* to = sums + std::size_t(input) * step + std::size_t(group) * kColumnsAtOnce;
      for (int slice = 0; slice < slices; ++slice, to += stride())
        sum_slice(words + (slices - 1 - slice), group, groups, to);
    }
  }
}

}  // namespace mho::arithmetic
