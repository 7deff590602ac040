// SPDX-License-Identifier: Apache-2.0
// The table of units behind quantity.h: for every kind of quantity the accepted spellings and their sizes as powers of
// ten and two, so that conversions stay exact. Not part of the interface.
#pragma once

#include <cstddef>
#include <string_view>

#include "platforms/config/quantity.h"

namespace mho::config {

/// One spelling of a unit: it is 10^decimal * 2^binary SI units.
struct Unit {
  std::string_view name;
  int decimal;
  int binary;
  bool written;  ///< used when values are written back, else only understood
};

/// The units of one kind, from small to large; constants, so that they exist before any static object asks for them.
class UnitList {
 public:
  template <std::size_t N>
  explicit constexpr UnitList(const Unit (&units)[N]) : first_(units), last_(units + N) {}
  constexpr const Unit* begin() const { return first_; }
  constexpr const Unit* end() const { return last_; }

 private:
  const Unit* first_;
  const Unit* last_;
};

/// One kind of quantity.
struct UnitTable {
  std::string_view name;     ///< "time"
  std::string_view si;       ///< "s"
  std::string_view example;  ///< unit for "write `100 ns`"
  UnitList units;
};

const UnitTable& unit_table(Quantity kind);

}  // namespace mho::config
