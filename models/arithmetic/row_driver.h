// SPDX-License-Identifier: Apache-2.0
// What row drivers make of input codes: slice values in the layouts that arrays compute on, and the pulses that they
// cost. A code is one byte; a slicing of more bits extends it by its sign or by zeros, one of fewer uses its low bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/arithmetic/input_stream.h"

namespace mho::arithmetic {

class RowDriver {
 public:
  /// Throws std::invalid_argument where InputStream::cycles() does.
  explicit RowDriver(const InputStream& stream);

  const std::vector<InputCycle>& cycles() const { return cycles_; }
  const CycleCounts& counts() const { return counts_; }
  /// Indices in cycles() of those that convert every column, and of those that recover the speculation of a cycle.
  const std::vector<int>& whole() const { return whole_; }
  const std::vector<int>& recovering(int speculated) const { return recovering_[std::size_t(speculated)]; }
  /// Every cycle drives one bit of a code as it stands and converts every column.
  bool plain_bits() const { return plain_bits_; }
  /// The largest value that any cycle drives for any code; of those that speculate, 0 where none does.
  int top() const { return top_; }
  int speculated_top() const { return speculated_top_; }
  /// The number that the cycles stand for.
  std::int32_t value(std::uint8_t code) const;
  /// Codes may stand for other numbers than the plain uint8 or int8: the slicing is narrower than a byte.
  bool narrow() const { return slicing_.bits() < 8; }

  /// values[cycle][row] of one vector of `rows` codes, of `cycles` (indices in cycles()).
  void drive(const std::uint8_t* codes, int rows, const std::vector<int>& cycles, std::uint8_t* values) const;
  /// Positive parts of signed codes, then negative ones.
  bool in_passes() const { return in_passes_; }
  /// Every cycle drives bits of one byte: not where the sign is extended beyond it.
  bool in_bytes() const { return !is_signed_ || in_passes_ || slicing_.bits() <= 8; }
  /// That byte of each code, in the pass of `cycle`: the codes themselves, or magnitudes, for which room[rows] is used.
  const std::uint8_t* bytes(const std::uint8_t* codes, int rows, const InputCycle& cycle, std::uint8_t* room) const;
  /// The bits of that byte that a cycle drives, where they stand.
  static std::uint8_t mask(const InputCycle& cycle) { return std::uint8_t(((1u << cycle.width) - 1u) << cycle.shift); }

  /// Adds what all cycles drive for every code to pulses[row], over `count` vectors of `rows` codes.
  void add_pulses(const std::uint8_t* codes, int count, int rows, std::uint32_t* pulses) const;

  /// Of plain bits: how many of the last slices are the code's own bits. The slices before them, of a code extended
  /// beyond 8 bits, repeat the first of these where codes are signed, else are zero.
  int own_bits() const { return narrow() ? slicing_.bits() : 8; }
  /// Bit r % 16 of packed[r / 16][b] is bit b of row r's code; `words` words of 16 rows, rows beyond `rows` zero.
  static void pack(const std::uint8_t* codes, int rows, int words, std::uint16_t* packed);

 private:
  /// What a cycle drives for a code.
  int driven(const InputCycle& cycle, std::uint8_t code) const;

  Slicing slicing_;
  bool is_signed_, in_passes_;
  std::vector<InputCycle> cycles_;
  CycleCounts counts_;
  std::vector<int> whole_;
  std::vector<std::vector<int>> recovering_;  ///< by the cycle that speculates
  bool plain_bits_ = false;
  int top_ = 0, speculated_top_ = 0;
  std::array<std::uint16_t, 256> pulses_{};  ///< sum over all cycles, by code
};

}  // namespace mho::arithmetic
