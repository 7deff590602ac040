// SPDX-License-Identifier: Apache-2.0
// Column sums of an array as they are read: cells with spread or stuck, and noise on every sum. The noise of a sum
// follows from the array's seed, the number of the vector, the cycle and the column: it is the same whether the column
// is read alone or with all others, in whatever order. No wire resistance, no noise that outlasts a reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/arithmetic/noise.h"
#include "models/arithmetic/noisy_cells.h"

namespace mho::arithmetic {

/// Immutable, and safe from several threads. A sum is read as one normal of variance read_noise^2 +
/// proportional_noise^2 (N+ + N-), N+ and N- the currents of the devices that count positively and negatively: what two
/// independent normals would add up to. Sums are rounded to the nearest integer, of two the even one, and saturate at
/// 16 bits; those of arrays without pairs can be negative.
class NoisyArray {
 public:
  /// For values up to `largest_slice` on a word line. Throws std::invalid_argument where validate() does.
  NoisyArray(const ArrayNoise& noise, const Levels& levels, int largest_slice);

  /// Exact sums of ideal cells and `disturb` are all there is to it: no cell is changed, and no reading needs both N+
  /// and N-. Else `sums` and `sum` read.
  bool keeps_exact_sums() const { return !cells_; }
  /// Only where exact sums are kept; in place, sums[count][cycles.size()][stride]. Entry i of `cycles` is what the i-th
  /// cycle of a vector is called in InputStream::cycles(). Elements behind the columns stay as they are.
  void disturb(std::int16_t* sums, int count, const std::vector<int>& cycles, std::uint64_t first_vector) const;
  /// The same of one exact sum.
  std::int16_t disturbed(std::int32_t sum, int column, std::uint64_t vector, int cycle) const;

  /// Only where they are not: values[count][cycles.size()][rows] on the word lines ->
  /// sums[count][cycles.size()][stride], zero behind the columns.
  void sums(const std::uint8_t* values, int count, const std::vector<int>& cycles, std::uint64_t first_vector,
            std::int16_t* sums) const;
  /// The same of one column: values[rows].
  std::int16_t sum(const std::uint8_t* values, int column, std::uint64_t vector, int cycle) const;

  /// Null where no cell matters.
  const NoisyCells* cells() const { return cells_.get(); }

 private:
  std::uint64_t key(std::uint64_t vector, int cycle) const;

  std::size_t columns_, stride_;
  NoiseModel model_;
  std::uint64_t seed_;
  std::unique_ptr<NoisyCells> cells_;
};

}  // namespace mho::arithmetic
