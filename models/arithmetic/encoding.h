// SPDX-License-Identifier: Apache-2.0
// Weight encodings: from the integer weights of one row block to the levels its cells store, and the linear rule that
// turns converted column sums back into the dot products of those weights. An encoding is chosen by name; the arrays,
// converters and shift-and-add units know only levels and coefficients.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/arithmetic/slicing.h"

namespace mho::arithmetic {

/// psum[f] = sum over input slices s of input_weight(s) *
///           ( sum over columns c of filter f: coefficient[c] * code[s][c]  +  unit_coefficient[f] * unit[s] )
/// where unit[s] is the sum of the slice's inputs, read from the unit column or added up digitally.
struct Recombination {
  int columns_per_filter = 0;                    ///< column of (filter f, slice k) = f * columns_per_filter + k
  std::vector<std::int32_t> coefficient{};       ///< one a column
  std::vector<std::int32_t> unit_coefficient{};  ///< one a filter
  bool digital_unit = false;                     ///< there is no unit column: an adder behind the input register
};

/// Filters first .. first + count - 1 of a block.
struct FilterRange {
  std::int32_t first = 0, count = 0;
  bool operator==(const FilterRange& other) const { return first == other.first && count == other.count; }
};

/// One row block as programmed: levels[row][column], column count = filters * columns_per_filter.
struct EncodedBlock {
  int rows = 0;
  int filters = 0;
  int cell_bits = 0;
  /// 0 .. 2^cell_bits - 1; of pairs -(2^cell_bits - 1) .. 2^cell_bits - 1 in two's complement.
  std::vector<std::uint8_t> levels;
  Recombination recombination;
  /// A cell is a pair of devices on two word lines (2T2R) whose currents subtract; the one that is not used is off.
  bool paired = false;
  /// Filters that have a weight in each row; empty: all of them. The cells of the others (block-diagonal groups,
  /// Toeplitz copies) stand for weight 0, compute like any cell and are charged apart.
  std::vector<FilterRange> weighted{};
  int columns() const { return filters * recombination.columns_per_filter; }
  /// Bits that a level takes as a number: with its sign where cells are pairs.
  int level_bits() const { return paired ? 8 : cell_bits; }
};

/// A weight encoding of the integers that a machine stores: a policy, which any program may add to
/// (mapping/policies.h).
class WeightEncoding {
 public:
  virtual ~WeightEncoding() = default;
  /// weights[filter][row] (row fastest), each within the slicing's bits of two's complement. Uses one column for each
  /// slice of a filter. Throws std::invalid_argument where a weight does not fit.
  virtual EncodedBlock encode(const std::vector<std::int32_t>& weights, int rows, int filters) const = 0;
  /// Bits less than lossless_adc_bits() in which every column sum fits all the same.
  virtual int adc_bits_saved() const { return 0; }
  /// Whether levels and coefficients give every weight back exactly; what claims to is held to it when a network is
  /// compiled. Of what does not, a run reports how far its outputs are off.
  virtual bool lossless() const { return true; }
};

/// u = w + 2^(bits-1), cut into cells: the bias comes off through the unit column.
std::unique_ptr<WeightEncoding> make_biased_encoding(const Slicing& weight_slicing);
/// Biased, and a column whose response to all ones would set the top bit of the ADC's code - sum of levels >=
/// `flip_at`, 256 for 128 rows of 2-bit cells - stores 2^w - 1 - level instead, w the bits of its slice (ISAAC,
/// section V: one bit less in the ADC). Throws std::invalid_argument where flip_at < 1.
std::unique_ptr<WeightEncoding> make_flip_encoding(const Slicing& weight_slicing, std::int64_t flip_at);

/// The parts these are made of, for encodings that differ a little. u = w + offsets[filter], cut into cells; the offset
/// comes off through the unit column. Throws std::invalid_argument where a u does not lie in 0 .. 2^bits - 1.
EncodedBlock encode_offset(const std::vector<std::int32_t>& weights, int rows, int filters, const Slicing& slicing,
                           const std::vector<std::int32_t>& offsets);
/// Complements the columns whose levels sum to `flip_at` or more, and changes coefficients to match.
void flip_columns(EncodedBlock& block, const Slicing& slicing, std::int64_t flip_at);

/// ADC bits that convert every column sum without loss, before flip encoding: log2(rows) + v + w if v > 1 and w > 1,
/// else log2(rows) + v + w - 1 (ISAAC, section V; rows rounded up to a power of two, v DAC bits, w cell bits).
int lossless_adc_bits(int rows, int dac_bits, int cell_bits);

}  // namespace mho::arithmetic
