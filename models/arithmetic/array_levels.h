// SPDX-License-Identifier: Apache-2.0
// The levels of a programmed array, kept once: pairs as columns of bytes, others as bit planes. What else products and
// single columns are computed from is made when it is first asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "models/arithmetic/bit_planes.h"
#include "models/arithmetic/column_levels.h"
#include "models/arithmetic/encoding.h"
#include "models/arithmetic/integer_product.h"

namespace mho::arithmetic {

/// Safe from several threads. One more column than the block has follows the last one, all ones.
class ArrayLevels {
 public:
  explicit ArrayLevels(const EncodedBlock& block);

  bool paired() const { return !planes_; }
  /// Columns, the column of ones and padding of zeros.
  int stride() const { return stride_; }
  int level(int row, int column) const;
  /// levels[rows][stride()], of pairs int8 in two's complement.
  std::vector<std::uint8_t> all() const;
  /// Null for pairs.
  const BitPlanes* planes() const { return planes_ ? &*planes_ : nullptr; }
  /// By columns, signed for pairs.
  const ColumnLevels& columns() const;
  /// Sums of all stride() columns for any values on the rows.
  const IntegerProduct& product() const;

 private:
  int rows_, width_, stride_;
  std::optional<BitPlanes> planes_;
  mutable std::once_flag columns_made_, product_made_;
  mutable std::unique_ptr<ColumnLevels> made_columns_;
  mutable std::unique_ptr<IntegerProduct> made_product_;
};

}  // namespace mho::arithmetic
