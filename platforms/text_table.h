// SPDX-License-Identifier: Apache-2.0
// Columns of text for people: each column as wide as its widest cell, names to the left, numbers to the right.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace mho {

enum class Align { kLeft, kRight };

class TextTable {
 public:
  explicit TextTable(std::vector<Align> columns) : columns_(std::move(columns)) {}
  /// A row of at most as many cells as there are columns.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// Writes all rows, each behind `indent` spaces, columns two spaces apart, no spaces at the end of a line.
  void write(std::ostream& out, int indent = 2) const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// `value` with a thin grouping of thousands by spaces: 16128 -> "16 128".
std::string grouped(std::uint64_t value);
/// A share as "58.2 %"; one that would read as zero and is not as "< 0.1 %".
std::string percent(double share);
/// `length` marks for a share of 0..1 of a bar `full` marks long; at least one mark where the share is not zero.
std::string bar(double share, int full);
/// A whole number in words of a sentence: "1 chip", "3 chips".
std::string count_of(std::uint64_t value, const std::string& what);

}  // namespace mho
