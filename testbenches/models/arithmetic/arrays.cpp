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

std::vector<std::int16_t> sums_of(const ProgrammedArray& array, const Codes& codes) {
  const int count = int(codes.size()) / array.rows();
  std::vector<std::int16_t> sums(std::size_t(count * array.stream().slicing.count() * array.sums_stride()), -9);
  array.column_sums(codes.data(), count, sums.data());
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

Converted sliced(const ProgrammedArray& array, const Codes& codes, AdcRange range) {
  const int count = int(codes.size()) / array.rows();
  auto sums = sums_of(array, codes);
  Converted result{Psums(std::size_t(count * array.filters()), -9), 0};
  result.saturations = convert(range, sums.data(), sums.size());
  recombine(array.recombination(), array.filters(), array.stream(), sums.data(), count, array.sums_stride(),
            result.psums.data());
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
