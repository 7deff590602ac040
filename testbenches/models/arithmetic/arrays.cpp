// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "testbenches/models/arithmetic/arrays.h"

#include <stdexcept>

namespace arrays {

using namespace mho::arithmetic;
using naive::pick;
using naive::Random;

Codes random_codes(Random& random, int count) {
  Codes codes;
  while (int(codes.size()) < count) codes.push_back(std::uint8_t(random()));
  return codes;
}

std::vector<std::int32_t> random_weights(Random& random, int bits, int count) {
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  std::vector<std::int32_t> weights;
  while (int(weights.size()) < count) weights.push_back(std::int32_t(pick(random, -half, half - 1)));
  return weights;
}

EncodedBlock random_block(Random& random, int rows, int columns, int cell_bits) {
  EncodedBlock block{rows, columns, cell_bits, {}, {1, {}, {}}};
  for (int i = 0; i < rows * columns; ++i) block.levels.push_back(std::uint8_t(pick(random, 0, (1 << cell_bits) - 1)));
  block.recombination.coefficient.assign(std::size_t(columns), 1);
  block.recombination.unit_coefficient.assign(std::size_t(columns), 0);
  return block;
}

EncodedBlock random_pairs(Random& random, int rows, int filters, int per_filter, int cell_bits) {
  EncodedBlock block{rows, filters, cell_bits, {}, {per_filter, {}, {}, true}, true};
  const int top = (1 << cell_bits) - 1;
  for (int i = 0; i < rows * filters * per_filter; ++i)
    block.levels.push_back(std::uint8_t(std::int8_t(pick(random, -top, top))));
  for (int c = 0; c < filters * per_filter; ++c)
    block.recombination.coefficient.push_back(std::int32_t(pick(random, -200, 200)));
  for (int f = 0; f < filters; ++f)
    block.recombination.unit_coefficient.push_back(std::int32_t(pick(random, -127, 127)));
  return block;
}

std::vector<InputStream> all_streams() {
  const Slicing bits = Slicing::uniform(8, 1);
  const std::vector<std::vector<int>> ones{std::vector<int>(8, 1), std::vector<int>(16, 1), std::vector<int>(5, 1)};
  return {
      {bits, false},
      {bits, true},
      {bits, true, true},
      {bits, false, false, {4, 2, 2}},
      {bits, true, true, {4, 2, 2}},
      {bits, true, false, {1, 3, 4}},  // the sign slice has nothing to fall back on
      {bits, false, false, {8}},       // one speculation on everything
      {Slicing({2, 2, 2, 2}), false, false, {4, 4}},
      {Slicing({4, 1, 1, 2}), true, true, {4, 2, 2}},  // the first and last are plain
      {Slicing({4, 2, 2}), false},
      {Slicing({4, 2, 2}), true, true},
      {Slicing(ones[1]), true, false, {1, 3, 4, 4, 4}},
      {Slicing(ones[1]), true, true, {8, 4, 4}},
      {Slicing(ones[1]), false, false, {8, 8}},
      {Slicing(ones[2]), false, false, {3, 2}},
      {Slicing(ones[2]), true, true, {3, 2}},
      {Slicing(ones[2]), true, true},
      {Slicing(ones[2]), true, false},
  };
}

std::string name_of(const InputStream& stream) {
  std::string name = stream.is_signed ? (stream.two_passes ? "two passes" : "signed") : "unsigned";
  for (const int width : stream.slicing.widths()) name += " " + std::to_string(width);
  name += " /";
  for (const int width : stream.speculation) name += " " + std::to_string(width);
  return name;
}

std::vector<std::int16_t> sums_of(const ProgrammedArray& array, const Codes& codes, std::uint64_t first_vector) {
  const int count = int(codes.size()) / array.rows();
  std::vector<std::int16_t> sums(std::size_t(count * array.cycle_counts().whole * array.sums_stride()), -9);
  array.column_sums(codes.data(), count, sums.data(), first_vector);
  return sums;
}

std::vector<std::int64_t> unpadded(const ProgrammedArray& array, const std::vector<std::int16_t>& sums) {
  std::vector<std::int64_t> dense;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const int column = int(i) % array.sums_stride();
    if (column <= array.columns()) dense.push_back(sums[i]);
    if (column > array.columns() && sums[i] != 0) throw std::runtime_error("padding that is not zero");
  }
  return dense;
}

namespace {

/// One vector's codes in place of its sums; recovered[recovering cycle][stride].
void convert_vector(const ProgrammedArray& array, const std::uint8_t* codes, std::uint64_t vector, AdcRange range,
                    std::int16_t* sums, std::int16_t* recovered, Converted& result) {
  const auto stride = std::size_t(array.sums_stride()), columns = std::size_t(array.columns());
  for (std::size_t i = 0; i < array.cycles().size(); ++i) {
    const InputCycle& cycle = array.cycles()[i];
    if (cycle.use == InputCycle::Use::kRecover) continue;
    std::int16_t* const of_cycle = sums + std::size_t(cycle.place) * stride;
    for (std::size_t c = 0; cycle.use == InputCycle::Use::kSpeculate && c < columns; ++c) {
      if (of_cycle[c] > range.lowest && of_cycle[c] < range.highest) continue;
      std::int16_t again[8];
      array.recovery_sums(codes, vector, int(c), int(i), again);
      std::size_t at = 0;
      for (const InputCycle& recovering : array.cycles()) {
        if (recovering.recovers != int(i)) continue;
        result.saturations += convert(range, again + at, 1);
        recovered[std::size_t(recovering.place) * stride + c] = again[at++];
        ++result.repeated;
      }
      of_cycle[c] = kFailedCode;
      ++result.failures;
    }
    for (std::size_t c = 0; c < columns + (array.recombination().digital_unit ? 0 : 1); ++c)
      if (of_cycle[c] != kFailedCode) result.saturations += convert(range, of_cycle + c, 1);
  }
}

}  // namespace

Converted sliced(const ProgrammedArray& array, const Codes& codes, AdcRange range, std::uint64_t first_vector) {
  const auto count = codes.size() / std::size_t(array.rows()), stride = std::size_t(array.sums_stride());
  const CycleCounts cycles = array.cycle_counts();
  auto sums = sums_of(array, codes, first_vector);
  std::vector<std::int16_t> recovered(count * std::size_t(cycles.recovery) * stride, -9);
  Converted result;
  result.psums.assign(count * std::size_t(array.filters()), -9);
  for (std::size_t v = 0; v < count; ++v)
    convert_vector(array, codes.data() + v * std::size_t(array.rows()), first_vector + v, range,
                   sums.data() + v * std::size_t(cycles.whole) * stride,
                   recovered.data() + v * std::size_t(cycles.recovery) * stride, result);
  recombine(array.recombination(), array.filters(), array.stream(), sums.data(),
            cycles.recovery == 0 ? nullptr : recovered.data(), int(count), array.sums_stride(), result.psums.data());
  return result;
}

Psums exact(const ProgrammedArray& array, const Codes& codes) {
  const int count = int(codes.size()) / array.rows();
  Psums psums(std::size_t(count * array.filters()), -9);
  array.product(codes.data(), count, psums.data());
  return psums;
}

Psums wrapped(const std::vector<std::int64_t>& values) {
  Psums psums;
  for (const auto value : values) psums.push_back(std::int32_t(std::uint32_t(std::uint64_t(value))));
  return psums;
}

}  // namespace arrays
