// SPDX-License-Identifier: Apache-2.0
// Conductances of an array whose devices were programmed with spread, or are stuck, and the currents that they give for
// the values on the word lines. Conductances lie on a grid of fractions of a level, so that all sums are integers and
// the same on every machine; currents are linear in them, no wire resistance.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "models/arithmetic/integer_product.h"
#include "models/arithmetic/noise.h"

namespace mho::arithmetic {

/// The cells as they ought to be: levels[rows][stride], of each row the first `columns` are cells - the unit column
/// among them, where there is one -, the padding behind is not looked at. Levels are int8 where `paired`.
struct Levels {
  const std::uint8_t* levels = nullptr;
  int rows = 0, columns = 0, stride = 0, cell_bits = 0;
  bool paired = false;
};

/// Immutable, and safe from several threads. Every device is drawn alone, by row, column and place in its pair, so that
/// a device of a pair that is not used can be stuck as well; what is stuck at a level is spread like what was
/// programmed. Takes two bytes a cell, as many again for totals, and twice that once single columns are asked for.
class NoisyCells {
 public:
  /// For values up to `largest_slice` on a word line.
  NoisyCells(const ArrayNoise& noise, const Levels& levels, int largest_slice);

  int rows() const { return rows_; }
  /// Levels a unit of conductance: 2^-10, or more where conductances would leave 16 bits or currents 32; 1 without
  /// spread.
  float unit() const { return unit_; }
  /// Currents of both devices of pairs together are known: where noise depends on them.
  bool has_totals() const { return total_product_ != nullptr; }

  /// values[count][rows] -> currents[count][stride], padding zero; of pairs the difference.
  void currents(const std::uint8_t* values, int count, std::int32_t* currents) const;
  /// The same of the pairs' sums; where has_totals().
  void total_currents(const std::uint8_t* values, int count, std::int32_t* currents) const;
  /// conductances[row] of one column, in units, and the pairs' sums; the first call costs as much as programming.
  const std::int16_t* conductances(int column) const { return column_of(net_, *net_product_, column); }
  const std::int16_t* totals(int column) const { return column_of(total_, *total_product_, column); }

 private:
  /// [column][row], made when it is first asked for.
  struct Columns {
    std::once_flag made;
    std::vector<std::int16_t> values;
  };
  const std::int16_t* column_of(Columns& columns, const IntegerProduct& product, int column) const;

  int rows_, columns_, stride_;
  float unit_ = 1.0f;
  std::unique_ptr<IntegerProduct> net_product_, total_product_;
  mutable Columns net_, total_;
};

}  // namespace mho::arithmetic
