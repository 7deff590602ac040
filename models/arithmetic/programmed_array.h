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
  bool is_signed = false;  ///< codes are int8 (sign-extended where slicing.bits() > 8), else uint8 (zero-extended)
};

/// Immutable once made; an altered level makes a new one. Sums are 16 bit: rows * (2^v - 1) * (2^w - 1) <= 32767.
class ProgrammedArray {
 public:
  /// Throws std::invalid_argument where sums could leave 16 bits or the stream's sign bit shares a slice.
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

  /// sums[count][slices][sums_stride()]; element `columns` of each slice is the unit column.
  void column_sums(const std::uint8_t* codes, int count, std::int16_t* sums) const;
  /// psums[count][filters] as the stored levels stand, no converter in between.
  void product(const std::uint8_t* codes, int count, std::int32_t* psums) const;
  /// What driving these vectors does to drivers and cells (vectors, row_drives, row_pulses, current_level_pulses);
  /// `crossbar_columns` columns share a crossbar, so rows of every crossbar are driven. Conversions are not counted here.
  Activity drive(const std::uint8_t* codes, int count, int crossbar_columns) const;
  /// Nothing where every column sum of every input fits the range; else one sentence naming column and bound.
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
