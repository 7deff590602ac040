// SPDX-License-Identifier: Apache-2.0
// Encodings for people who check them from outside: reads blocks of weights from standard input and prints what the
// models make of them. A block is `ENCODING SLICES WIDTH... ROWS FILTERS WEIGHT...`, weights filter by filter; the
// answer is a line of centres and a line of levels, row by row, columns as they stand in the crossbar.
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "models/arithmetic/centre_offset.h"
#include "models/arithmetic/centre_search.h"

namespace {

using namespace mho::arithmetic;

std::vector<int> read(std::size_t count) {
  std::vector<int> values(count);
  for (int& value : values) std::cin >> value;
  return values;
}

void answer(const std::string& name, const Slicing& slicing, const std::vector<int>& shape) {
  const auto weights = read(std::size_t(shape[0]) * std::size_t(shape[1]));
  const auto encoding =
      name == "centre_offset" ? make_centre_offset_encoding(slicing) : make_zero_offset_encoding(slicing);
  const EncodedBlock block = encoding->encode(weights, shape[0], shape[1]);
  for (const std::int32_t unit : block.recombination.unit_coefficient) std::cout << unit + kCodeOfZero << ' ';
  std::cout << '\n';
  for (const std::uint8_t level : block.levels) std::cout << int(std::int8_t(level)) << ' ';
  std::cout << '\n';
}

}  // namespace

int main() try {
  std::string name;
  while (std::cin >> name) {
    const auto slices = read(1);
    const Slicing slicing(read(std::size_t(slices[0])));
    answer(name, slicing, read(2));
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
