// SPDX-License-Identifier: Apache-2.0
// The cells behind one row block as they stand programmed, and what they give for a batch of input vectors: raw column
// sums slice by slice, or - where the caller has proved that the converter loses nothing - the dot products at once.
// Ideal cells: conductance proportional to level, no noise, no wire resistance.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/arithmetic/activity.h"
#include "models/arithmetic/adc_transfer.h"
#include "models/arithmetic/encoding.h"
#include "models/arithmetic/slicing.h"

namespace mho::arithmetic {

/// How input codes are streamed.
struct InputStream {
  Slicing slicing = Slicing::uniform(8, 1);
  /// Codes are int8 (sign-extended where slicing.bits() > 8), else uint8 (zero-extended). Of a narrower slicing the low
  /// bits count, two's complement where signed.
  bool is_signed = false;
};

/// Immutable once made, and safe from several threads; an altered level makes a new one. Sums are 16 bit:
/// rows * (2^v - 1) * (2^w - 1) <= 32767. Keeps the cells in as many bits as they have and packs weights for products
/// when it is first asked for one.
class ProgrammedArray {
 public:
  /// Throws std::invalid_argument where sums could leave 16 bits, the stream's sign bit shares a slice, or levels,
  /// cells and coefficients do not fit together.
  ProgrammedArray(EncodedBlock block, InputStream stream);
  ~ProgrammedArray();

  int rows() const;
  int filters() const;
  int columns() const;  ///< that hold weights
  int cell_bits() const;
  int level(int row, int column) const;
  const Recombination& recombination() const;
  /// The block as given, put together again from the cells: costs a pass over all of them.
  EncodedBlock block() const;
  const InputStream& stream() const;
  /// Elements between consecutive slices of a sums buffer: columns, then the unit column, then padding.
  int sums_stride() const;

  /// sums[count][slices][sums_stride()]; element `columns` of each slice is the unit column, the padding zero.
  void column_sums(const std::uint8_t* codes, int count, std::int16_t* sums) const;
  /// psums[count][filters] as the stored levels stand, no converter in between.
  void product(const std::uint8_t* codes, int count, std::int32_t* psums) const;
  /// What driving these vectors does to drivers and cells: vectors, array_cycles, row_drives and row_pulses of every
  /// crossbar, `crossbar_columns` columns sharing one, and the current_level_pulses of all cells that hold weights.
  /// Costs a pass over the codes, however many columns there are. Conversions are not counted here.
  Activity drive(const std::uint8_t* codes, int count, int crossbar_columns) const;
  /// Nothing where every column sum of every input, the unit column's too, fits the range; else one sentence naming
  /// the column and its bound: the sum of its levels times the largest value that a slice of the stream can have. Some
  /// input reaches it.
  std::optional<std::string> loss(const AdcRange& range) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// codes[count][slices][stride] after conversion -> psums[count][filters]; modular 32-bit arithmetic, so exact
/// whenever the result fits. The unit column is element `columns` of each slice.
void recombine(const Recombination& rule, int filters, const InputStream& stream, const std::int16_t* codes, int count,
               int stride, std::int32_t* psums);

}  // namespace mho::arithmetic
