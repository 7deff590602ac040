// SPDX-License-Identifier: Apache-2.0
// See the header; kept slow and obvious on purpose.
#include "testbenches/models/arithmetic/naive.h"

#include <algorithm>
#include <cmath>

namespace naive {

using mho::arithmetic::Activity;
using mho::arithmetic::EncodedBlock;
using mho::arithmetic::InputStream;

namespace {

std::int64_t power_of_two(int exponent) {
  std::int64_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 2;
  return power;
}

int total(const std::vector<int>& widths) {
  int bits = 0;
  for (const int width : widths) bits += width;
  return bits;
}

std::int64_t level_at(const EncodedBlock& block, int row, int column) {
  const int columns = block.filters * block.recombination.columns_per_filter;
  return block.levels[std::size_t(row) * std::size_t(columns) + std::size_t(column)];
}

}  // namespace

std::int64_t pick(Random& random, std::int64_t lowest, std::int64_t highest) {
  return lowest + std::int64_t(random() % std::uint64_t(highest - lowest + 1));
}

std::vector<std::vector<int>> compositions(int bits, int widest) {
  if (bits == 0) return {{}};
  std::vector<std::vector<int>> all;
  for (int first = 1; first <= std::min(bits, widest); ++first)
    for (auto rest : compositions(bits - first, widest)) {
      rest.insert(rest.begin(), first);
      all.push_back(rest);
    }
  return all;
}

std::int64_t value_of(std::uint8_t code, int bits, bool is_signed) {
  const std::int64_t span = power_of_two(std::min(bits, 8)), low = code % span;
  return is_signed && low >= span / 2 ? low - span : low;
}

std::vector<std::int64_t> slices_of(std::int64_t value, const std::vector<int>& widths) {
  if (value < 0) value += power_of_two(total(widths));
  std::vector<std::int64_t> slices;
  for (auto width = widths.rbegin(); width != widths.rend(); ++width) {
    slices.insert(slices.begin(), value % power_of_two(*width));
    value /= power_of_two(*width);
  }
  return slices;
}

std::vector<std::int64_t> column_sums(const EncodedBlock& block, const InputStream& stream,
                                      const std::vector<std::uint8_t>& codes) {
  const int columns = block.filters * block.recombination.columns_per_filter, slices = stream.slicing.count();
  std::vector<std::int64_t> sums;
  for (std::size_t first = 0; first < codes.size(); first += std::size_t(block.rows)) {
    std::vector<std::int64_t> of_vector(std::size_t(slices * (columns + 1)), 0);
    for (int row = 0; row < block.rows; ++row) {
      const auto value = value_of(codes[first + std::size_t(row)], stream.slicing.bits(), stream.is_signed);
      const auto cut = slices_of(value, stream.slicing.widths());
      for (int s = 0; s < slices; ++s)
        for (int column = 0; column <= columns; ++column)
          of_vector[std::size_t(s * (columns + 1) + column)] +=
              cut[std::size_t(s)] * (column == columns ? 1 : level_at(block, row, column));
    }
    sums.insert(sums.end(), of_vector.begin(), of_vector.end());
  }
  return sums;
}

std::uint64_t clip(std::vector<std::int64_t>& sums, std::int64_t lowest, std::int64_t highest) {
  std::uint64_t outside = 0;
  for (auto& sum : sums) {
    if (sum < lowest || sum > highest) ++outside;
    if (sum < lowest) sum = lowest;
    if (sum > highest) sum = highest;
  }
  return outside;
}

std::vector<std::int64_t> recombine(const EncodedBlock& block, const InputStream& stream,
                                    const std::vector<std::int64_t>& codes) {
  const int per_filter = block.recombination.columns_per_filter, columns = block.filters * per_filter;
  const auto& widths = stream.slicing.widths();
  std::vector<std::int64_t> psums;
  for (auto vector = codes.begin(); vector != codes.end(); vector += std::ptrdiff_t(widths.size()) * (columns + 1))
    for (int filter = 0; filter < block.filters; ++filter) {
      std::int64_t psum = 0;
      auto slice = vector;
      int place = total(widths);
      for (std::size_t s = 0; s < widths.size(); ++s, slice += columns + 1) {
        place -= widths[s];
        std::int64_t sum = block.recombination.unit_coefficient[std::size_t(filter)] * slice[columns];
        for (int column = filter * per_filter; column < (filter + 1) * per_filter; ++column)
          sum += block.recombination.coefficient[std::size_t(column)] * slice[column];
        psum += (s == 0 && stream.is_signed ? -1 : 1) * power_of_two(place) * sum;
      }
      psums.push_back(psum);
    }
  return psums;
}

std::vector<std::int64_t> dot_products(const std::vector<std::int32_t>& weights, int rows, int filters,
                                       const std::vector<std::uint8_t>& codes, int bits, bool is_signed) {
  std::vector<std::int64_t> psums;
  for (std::size_t first = 0; first < codes.size(); first += std::size_t(rows))
    for (int filter = 0; filter < filters; ++filter) {
      std::int64_t sum = 0;
      for (int row = 0; row < rows; ++row)
        sum += value_of(codes[first + std::size_t(row)], bits, is_signed) * weights[std::size_t(filter * rows + row)];
      psums.push_back(sum);
    }
  return psums;
}

Activity drive(const EncodedBlock& block, const InputStream& stream, const std::vector<std::uint8_t>& codes,
               int crossbar_columns) {
  Activity activity;
  const int columns = block.filters * block.recombination.columns_per_filter;
  for (std::size_t first = 0; first < codes.size(); first += std::size_t(block.rows)) {
    ++activity.vectors;
    for (int begin = 0; begin < columns; begin += crossbar_columns)
      for (std::size_t s = 0; s < stream.slicing.widths().size(); ++s) {
        ++activity.array_cycles;
        for (int row = 0; row < block.rows; ++row) {
          const auto value = value_of(codes[first + std::size_t(row)], stream.slicing.bits(), stream.is_signed);
          const auto pulses = std::uint64_t(slices_of(value, stream.slicing.widths())[s]);
          ++activity.row_drives;
          activity.row_pulses += pulses;
          for (int column = begin; column < std::min(columns, begin + crossbar_columns); ++column)
            activity.current_level_pulses += pulses * std::uint64_t(level_at(block, row, column));
        }
      }
  }
  return activity;
}

}  // namespace naive
