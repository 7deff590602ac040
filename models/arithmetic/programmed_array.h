// SPDX-License-Identifier: Apache-2.0
// The cells behind one row block as they stand programmed, and what they give for a batch of input vectors: raw column
// sums slice by slice, or - where the caller has proved that the converter loses nothing - the dot products at once.
// Conductance is proportional to level, spread and disturbed where an ArrayNoise says so; no wire resistance.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/arithmetic/activity.h"
#include "models/arithmetic/adc_transfer.h"
#include "models/arithmetic/encoding.h"
#include "models/arithmetic/input_stream.h"
#include "models/arithmetic/noise.h"

namespace mho::arithmetic {

/// Immutable once made, and safe from several threads; an altered level makes a new one. Sums are 16 bit and saturate
/// there, which no converter of up to 15 bits can tell; arrays without pairs are refused where they could. Keeps the
/// cells in as many bits as they have and packs weights for products when it is first asked for one.
class ProgrammedArray {
 public:
  /// Throws std::invalid_argument where sums could leave 16 bits, the stream's sign bit shares a slice, or levels,
  /// cells and coefficients do not fit together.
  ProgrammedArray(EncodedBlock block, InputStream stream, std::optional<ArrayNoise> noise = std::nullopt);
  ~ProgrammedArray();

  int rows() const;
  int filters() const;
  int columns() const;  ///< that hold weights
  int cell_bits() const;
  int level(int row, int column) const;
  const Recombination& recombination() const;
  /// The block as given, put together again from the cells: costs a pass over all of them.
  EncodedBlock block() const;
  bool paired() const;
  const InputStream& stream() const;
  const std::optional<ArrayNoise>& noise() const;  ///< as given
  /// Of the stream, in order.
  const std::vector<InputCycle>& cycles() const;
  CycleCounts cycle_counts() const;
  /// Elements between consecutive slices of a sums buffer: columns, then the unit column, then padding.
  int sums_stride() const;

  /// sums[count][whole cycles][sums_stride()], of the cycles that convert every column (InputCycle::place); element
  /// `columns` of each is the unit column, or the digital sum of the inputs, the padding zero. Noise follows from the
  /// number of the vector, `first_vector` and on.
  void column_sums(const std::uint8_t* codes, int count, std::int16_t* sums, std::uint64_t first_vector = 0) const;
  /// What the same columns give when they are read again in the cycles that recover the speculation of cycle
  /// `speculated`: sums[number of those cycles], of one column of one vector.
  void recovery_sums(const std::uint8_t* codes, std::uint64_t vector, int column, int speculated,
                     std::int16_t* sums) const;
  /// psums[count][filters] as the stored levels stand, no converter in between.
  void product(const std::uint8_t* codes, int count, std::int32_t* psums) const;
  /// What driving these vectors does to drivers and cells: vectors, array_cycles, row_drives and row_pulses of every
  /// crossbar, `crossbar_columns` columns sharing one, and the current_level_pulses of all cells that hold weights.
  /// Costs a pass over the codes, however many columns there are. Conversions are not counted here.
  Activity drive(const std::uint8_t* codes, int count, int crossbar_columns) const;
  /// Nothing where every column sum of every input, the unit column's too, fits the range - and no speculation can
  /// fail - else one sentence naming the column and its bound: the sum of its levels of one sign times the largest
  /// value that a slice of the stream can have. Some input reaches it. Noise always loses.
  std::optional<std::string> loss(const AdcRange& range) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Stands in place of a speculated code that lay at a bound of the converter's range: its flag is cleared, and what the
/// recovering cycles gave counts instead.
constexpr std::int16_t kFailedCode = INT16_MIN;

/// codes[count][whole cycles][stride] after conversion -> psums[count][filters]; modular 32-bit arithmetic, so exact
/// whenever the result fits. The unit column is element `columns` of each cycle. `recovered`[count][recovering
/// cycles][stride] is read only where a code is kFailedCode; null where the stream does not speculate.
void recombine(const Recombination& rule, int filters, const InputStream& stream, const std::int16_t* codes,
               const std::int16_t* recovered, int count, int stride, std::int32_t* psums);

}  // namespace mho::arithmetic
