// SPDX-License-Identifier: Apache-2.0
// Levels in the layouts that their uses want.
#include "models/arithmetic/array_levels.h"

namespace mho::arithmetic {

ArrayLevels::ArrayLevels(const EncodedBlock& block)
    : rows_(block.rows), width_(block.columns()), stride_((block.columns() / kColumnsAtOnce + 1) * kColumnsAtOnce) {
  if (!block.paired)
    planes_.emplace(block.levels.data(), rows_, width_, block.cell_bits);
  else
    made_columns_ =
        std::make_unique<ColumnLevels>(block.levels.data(), std::size_t(width_), rows_, width_, stride_, true);
}

int ArrayLevels::level(int row, int column) const {
  return planes_ ? planes_->level(row, column) : made_columns_->level(row, column);
}

std::vector<std::uint8_t> ArrayLevels::all() const {
  std::vector<std::uint8_t> levels(std::size_t(rows_) * std::size_t(stride_));
  if (!planes_)
    made_columns_->all(levels.data());
  else
    for (int row = 0; row < rows_; ++row)
      planes_->row_levels(row, levels.data() + std::size_t(row) * std::size_t(stride_));
  return levels;
}

const ColumnLevels& ArrayLevels::columns() const {
  if (!planes_) return *made_columns_;
  std::call_once(columns_made_, [this] {
    made_columns_ = std::make_unique<ColumnLevels>(all().data(), std::size_t(stride_), rows_, width_, stride_, false);
  });
  return *made_columns_;
}

const IntegerProduct& ArrayLevels::product() const {
  std::call_once(product_made_, [this] {
    if (!planes_) {
      made_product_ = std::make_unique<IntegerProduct>(made_columns_->product());
      return;
    }
    const auto levels = all();
    const std::vector<std::int32_t> weights(levels.begin(), levels.end());
    made_product_ = std::make_unique<IntegerProduct>(weights.data(), rows_, stride_);
  });
  return *made_product_;
}

}  // namespace mho::arithmetic
