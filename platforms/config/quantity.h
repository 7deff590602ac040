// SPDX-License-Identifier: Apache-2.0
// Numbers and quantities with units as users write them (`100 ns`, `1.28 GS/s`, `4 GiB`), to and from SI doubles. The
// decimal text and the unit are converted in one correctly rounded step, so `0.1 ns` is the double nearest to 1e-10.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mho::config {

/// What is measured; the comment gives the SI unit in which the value is stored.
enum class Quantity {
  time,            ///< s:    fs ps ns us ms s
  frequency,       ///< 1/s:  Hz kHz MHz GHz, S/s kS/s MS/s GS/s; written back in Hz
  sample_rate,     ///< 1/s:  the same units; written back in S/s
  bytes,           ///< B:    B kB MB GB TB (powers of 1000), KiB MiB GiB TiB (powers of 1024)
  bits,            ///< bit:  b bit
  bandwidth,       ///< B/s:  B/s kB/s MB/s GB/s TB/s, KiB/s MiB/s GiB/s, b/s kb/s Mb/s Gb/s Tb/s (8 b = 1 B)
  energy,          ///< J:    aJ fJ pJ nJ uJ mJ J
  energy_per_bit,  ///< J/b:  fJ/b pJ/b nJ/b J/b, fJ/bit pJ/bit nJ/bit
  power,           ///< W:    pW nW uW mW W
  area,            ///< m2:   nm2 um2 mm2 m2
  length,          ///< m:    nm um mm m
  voltage,         ///< V:    uV mV V
  current,         ///< A:    nA uA mA A
  resistance,      ///< ohm:  ohm kohm Mohm
  conductance,     ///< S:    nS uS mS S
  charge,          ///< C:    fC pC nC C
  capacitance,     ///< F:    aF fF pF nF F
  percentage,      ///< 1:    % (50 % is 0.5)
};

/// Why a text is no number or quantity. `problem` continues a sentence about the text ("has no unit"), `allowed` says
/// what to write.
struct QuantityError {
  std::string problem;
  std::string allowed;
};

/// Result of reading a text: a value, or the reason why there is none.
template <class T>
struct Parsed {
  std::optional<T> value;
  QuantityError error;
};

/// A decimal number with nothing behind it: sign, digits, fraction, exponent. Refuses hexadecimal, nan, inf, leading
/// zeros, a leading `+` or `.`, overflow, and units. -0 reads as 0.
Parsed<double> parse_real(std::string_view text);
/// A whole decimal number. Refuses fractions, exponents, leading zeros, units and what does not fit.
Parsed<std::int64_t> parse_integer(std::string_view text);
/// A whole number from 0 to 2^64 - 1, decimal or hexadecimal (`0x40000000`).
Parsed<std::uint64_t> parse_unsigned(std::string_view text);
/// A number and a unit of `kind`, with or without a space between; the result is in SI units.
Parsed<double> parse_quantity(std::string_view text, Quantity kind);

/// The units of `kind` in the order of the table above, for messages.
std::vector<std::string> units(Quantity kind);
/// "time", "frequency", ...
std::string name(Quantity kind);
/// The unit the value is stored in: "s", "Hz", "B", ...; "" for a percentage.
std::string si_unit(Quantity kind);

/// The shortest text that `parse_quantity` turns back into exactly `value` (finite): 1e-7 s is "100 ns", 4294967296 B
/// is "4 GiB".
std::string format_quantity(double value, Quantity kind);
/// The shortest text that `parse_real` turns back into exactly `value` (finite).
std::string format_real(double value);
/// For people: `digits` significant digits and the unit that leaves 1 to 999 before the point ("12.3 uJ"); sizes in
/// powers of 1024. Values that are not finite give "nan s", "inf s".
std::string format_engineering(double value, Quantity kind, int digits = 3);

}  // namespace mho::config
