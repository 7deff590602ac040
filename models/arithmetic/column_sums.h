// SPDX-License-Identifier: Apache-2.0
// Column sums of the cells behind a row block: of all columns in the cycles that convert them, or of one column that is
// read again. Bit planes, products of levels or single columns are three ways to the same sums; noise goes on top, or
// takes the place of what cells with changed conductances would have given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "models/arithmetic/array_levels.h"
#include "models/arithmetic/encoding.h"
#include "models/arithmetic/input_stream.h"
#include "models/arithmetic/noisy_array.h"
#include "models/arithmetic/row_driver.h"

namespace mho::arithmetic {

/// Immutable, and safe from several threads.
class ColumnSums {
 public:
  /// A block that check() lets pass.
  ColumnSums(const EncodedBlock& block, const InputStream& stream, const std::optional<ArrayNoise>& noise);

  const RowDriver& driver() const { return driver_; }
  const ArrayLevels& levels() const { return levels_; }
  /// False where a noise model was given that changes nothing.
  bool noisy() const { return noise_ != nullptr; }

  /// As ProgrammedArray::column_sums and ProgrammedArray::recovery_sums have them.
  void of_all(const std::uint8_t* codes, int count, std::uint64_t first_vector, std::int16_t* sums) const;
  void of_column(const std::uint8_t* codes, std::uint64_t vector, int column, int speculated, std::int16_t* sums) const;

 private:
  void by_bits(const std::uint8_t* codes, int count, std::int16_t* sums) const;
  template <class Read>
  void by_values(const std::uint8_t* codes, int count, Read read) const;
  void by_levels(const std::uint8_t* codes, int count, std::int16_t* sums) const;
  void by_noisy_cells(const std::uint8_t* codes, int count, std::uint64_t first_vector, std::int16_t* sums) const;
  void by_column(const std::uint8_t* codes, int column, const std::vector<int>& cycles, std::int32_t* sums) const;

  int rows_, columns_;
  bool is_signed_, digital_unit_;
  RowDriver driver_;
  ArrayLevels levels_;
  bool bits_pay_;  ///< sums of all columns come from bit planes, else from int8 products
  std::unique_ptr<NoisyArray> noise_;
};

}  // namespace mho::arithmetic
