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
  const std::int64_t byte = block.levels[std::size_t(row) * std::size_t(columns) + std::size_t(column)];
  return block.paired && byte > 127 ? byte - 256 : byte;
}

/// What a cycle drives for a code, of which the machine sees `bits` bits.
std::int64_t driven(const Cycle& cycle, const InputStream& stream, std::uint8_t code) {
  std::int64_t number = value_of(code, stream.slicing.bits(), stream.is_signed);
  if (stream.is_signed && stream.two_passes)
    number = cycle.negative ? (number < 0 ? -number : 0) : (number > 0 ? number : 0);
  if (number < 0) number += power_of_two(stream.slicing.bits());
  return number / power_of_two(cycle.low) % power_of_two(cycle.width);
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

std::vector<Cycle> cycles(const InputStream& stream) {
  const std::vector<int>& narrow = stream.slicing.widths();
  const std::vector<int>& wide = stream.speculation.empty() ? narrow : stream.speculation;
  std::vector<Cycle> all;
  int speculation = 0;
  for (const bool negative : {false, true}) {
    if (negative && !(stream.is_signed && stream.two_passes)) continue;
    int low = total(wide);
    for (const int width : wide) {
      low -= width;
      std::vector<Cycle> inside;  // slices of the plain stream within this one
      int bit = total(narrow);
      for (const int slice : narrow) {
        bit -= slice;
        if (bit >= low && bit < low + width) inside.push_back({bit, slice, negative, speculation, true, 0});
      }
      const bool can_fail = inside.size() > 1;
      all.push_back({low, width, negative, can_fail ? speculation : -1, false, 0});
      if (can_fail) all.insert(all.end(), inside.begin(), inside.end());
      ++speculation;
    }
  }
  for (Cycle& cycle : all) cycle.weight = (cycle.negative ? -1 : 1) * power_of_two(cycle.low);
  if (stream.is_signed && !stream.two_passes) all.front().weight *= -1;
  return all;
}

std::vector<std::int64_t> column_sums(const EncodedBlock& block, const InputStream& stream,
                                      const std::vector<std::uint8_t>& codes, bool recovering) {
  const int columns = block.filters * block.recombination.columns_per_filter;
  std::vector<std::int64_t> sums;
  for (std::size_t first = 0; first < codes.size(); first += std::size_t(block.rows))
    for (const Cycle& cycle : cycles(stream)) {
      if (cycle.recovers != recovering) continue;
      std::vector<std::int64_t> of_cycle(std::size_t(columns + 1), 0);
      for (int row = 0; row < block.rows; ++row) {
        const std::int64_t value = driven(cycle, stream, codes[first + std::size_t(row)]);
        for (int column = 0; column <= columns; ++column)
          of_cycle[std::size_t(column)] += value * (column == columns ? 1 : level_at(block, row, column));
      }
      sums.insert(sums.end(), of_cycle.begin(), of_cycle.end());
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
  const auto all = cycles(stream);
  std::vector<std::int64_t> psums;
  for (auto vector = codes.begin(); vector != codes.end(); vector += std::ptrdiff_t(all.size()) * (columns + 1))
    for (int filter = 0; filter < block.filters; ++filter) {
      std::int64_t psum = 0;
      auto of_cycle = vector;
      for (const Cycle& cycle : all) {
        std::int64_t sum = block.recombination.unit_coefficient[std::size_t(filter)] * of_cycle[columns];
        for (int column = filter * per_filter; column < (filter + 1) * per_filter; ++column)
          sum += block.recombination.coefficient[std::size_t(column)] * of_cycle[column];
        psum += cycle.weight * sum;
        of_cycle += columns + 1;
      }
      psums.push_back(psum);
    }
  return psums;
}

Outcome converted(const EncodedBlock& block, const InputStream& stream, const std::vector<std::uint8_t>& codes,
                  std::int64_t lowest, std::int64_t highest) {
  const auto& rule = block.recombination;
  const int columns = block.filters * rule.columns_per_filter;
  const auto all = cycles(stream);
  const auto whole_sums = column_sums(block, stream, codes), again = column_sums(block, stream, codes, true);
  auto whole_sum = whole_sums.begin(), recovery_sum = again.begin();
  Outcome outcome;
  const auto convert = [&](std::int64_t sum) {
    if (sum < lowest || sum > highest) ++outcome.saturations;
    return std::min(std::max(sum, lowest), highest);
  };
  for (std::size_t first = 0; first < codes.size(); first += std::size_t(block.rows)) {
    std::vector<std::int64_t> of_column(std::size_t(columns + 1), 0);
    std::vector<bool> failed(std::size_t(columns), false);
    for (const Cycle& cycle : all)
      for (int column = 0; column <= columns; ++column) {
        auto& number = of_column[std::size_t(column)];
        const std::int64_t sum = cycle.recovers ? *recovery_sum++ : *whole_sum++;
        if (column == columns) {
          if (!cycle.recovers) number += cycle.weight * (rule.digital_unit ? sum : convert(sum));
        } else if (cycle.recovers) {
          if (!failed[std::size_t(column)]) continue;
          ++outcome.repeated;
          number += cycle.weight * convert(sum);
        } else {
          failed[std::size_t(column)] = cycle.speculation >= 0 && (sum <= lowest || sum >= highest);
          if (failed[std::size_t(column)])
            ++outcome.failures;
          else
            number += cycle.weight * convert(sum);
        }
      }
    for (int filter = 0; filter < block.filters; ++filter) {
      std::int64_t psum = rule.unit_coefficient[std::size_t(filter)] * of_column[std::size_t(columns)];
      for (int k = filter * rule.columns_per_filter; k < (filter + 1) * rule.columns_per_filter; ++k)
        psum += rule.coefficient[std::size_t(k)] * of_column[std::size_t(k)];
      outcome.psums.push_back(psum);
    }
  }
  return outcome;
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
  const int per_filter = block.recombination.columns_per_filter, columns = block.filters * per_filter;
  for (std::size_t first = 0; first < codes.size(); first += std::size_t(block.rows)) {
    ++activity.vectors;
    for (int begin = 0; begin < columns; begin += crossbar_columns)
      for (const Cycle& cycle : cycles(stream)) {
        ++activity.array_cycles;
        for (int row = 0; row < block.rows; ++row) {
          const auto pulses = std::uint64_t(driven(cycle, stream, codes[first + std::size_t(row)]));
          ++activity.row_drives;
          activity.row_pulses += pulses;
          for (int column = begin; column < std::min(columns, begin + crossbar_columns); ++column) {
            const std::int64_t level = level_at(block, row, column);
            const int filter = column / per_filter;
            bool spare = false;
            if (!block.weighted.empty()) {
              const auto range = block.weighted[std::size_t(row)];
              spare = filter < range.first || filter >= range.first + range.count;
            }
            (spare ? activity.spare_level_pulses : activity.current_level_pulses) +=
                pulses * std::uint64_t(level < 0 ? -level : level);
            (spare ? activity.spare_cell_pulses : activity.cell_pulses) += pulses * (block.paired ? 2u : 1u);
          }
        }
      }
  }
  return activity;
}

}  // namespace naive
