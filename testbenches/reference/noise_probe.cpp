// SPDX-License-Identifier: Apache-2.0
// What arrays with noise read, for check_noise.py: one line of numbers, the bytes of levels[rows][columns] and
// values[count][cycles][rows] on standard input, sums[arrays][count][cycles][columns] in 16 bits on standard output.
// Arrays are replicas: the same levels, seeds mixed from their numbers.
#include <exception>
#include <iostream>
#include <numeric>
#include <string>

#include "models/arithmetic/noisy_array.h"

namespace {

using namespace mho::arithmetic;

struct Request {
  int arrays = 0, rows = 0, columns = 0, cell_bits = 0, paired = 0, largest = 0;
  NoiseModel model;
  std::uint64_t seed = 0, first_vector = 0;
  int count = 0, cycles = 0;
  std::vector<std::uint8_t> levels, values;

  std::size_t sums() const { return std::size_t(count) * std::size_t(cycles) * std::size_t(columns); }
};

std::vector<std::uint8_t> read_bytes(std::istream& in, std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  in.read(reinterpret_cast<char*>(bytes.data()), std::streamsize(count));
  return bytes;
}

Request read_request(std::istream& in) {
  Request r;
  std::string rest;
  in >> r.arrays >> r.rows >> r.columns >> r.cell_bits >> r.paired >> r.largest >> r.model.conductance_spread >>
      r.model.read_noise >> r.model.proportional_noise >> r.model.stuck_off >> r.model.stuck_on >> r.seed >>
      r.first_vector >> r.count >> r.cycles;
  std::getline(in, rest);
  r.levels = read_bytes(in, std::size_t(r.rows) * std::size_t(r.columns));
  r.values = read_bytes(in, std::size_t(r.count) * std::size_t(r.cycles) * std::size_t(r.rows));
  if (!in) throw std::runtime_error("the request ends early");
  return r;
}

/// What ideal cells give.
void sum_up(const Request& r, std::vector<std::int16_t>& sums) {
  const auto rows = std::size_t(r.rows), columns = std::size_t(r.columns);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    int sum = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      const std::uint8_t level = r.levels[row * columns + i % columns];
      sum += r.values[i / columns * rows + row] * (r.paired != 0 ? std::int8_t(level) : level);
    }
    sums[i] = std::int16_t(sum);
  }
}

void answer(const Request& r, std::ostream& out) {
  std::vector<int> cycles(static_cast<std::size_t>(r.cycles));
  std::iota(cycles.begin(), cycles.end(), 0);
  for (int number = 0; number < r.arrays; ++number) {
    const NoisyArray array({r.model, mix(r.seed, std::uint64_t(number))},
                           {r.levels.data(), r.rows, r.columns, r.columns, r.cell_bits, r.paired != 0}, r.largest);
    std::vector<std::int16_t> sums(r.sums());
    if (array.keeps_exact_sums()) {
      sum_up(r, sums);
      array.disturb(sums.data(), r.count, cycles, r.first_vector);
    } else {
      array.sums(r.values.data(), r.count, cycles, r.first_vector, sums.data());
    }
    out.write(reinterpret_cast<const char*>(sums.data()), std::streamsize(sums.size() * sizeof(std::int16_t)));
  }
}

}  // namespace

int main() {
  try {
    answer(read_request(std::cin), std::cout);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
