// SPDX-License-Identifier: Apache-2.0
// Writes numbers and quantities. Decimal prefixes only move the point in the shortest digits of the SI value, so the
// text is read back to the same double. Reading is in quantity.cpp.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "platforms/config/quantity.h"
#include "platforms/config/units.h"

namespace mho::config {
namespace {

constexpr double kKibi = 1024.0;
constexpr int kMostZeros = 6;  // more zeros than this before or behind the digits become an exponent

/// Decimal digits of a number: sign, d1 d2 d3 ..., and the power of ten that d1 is worth.
struct Digits {
  std::string sign;
  std::string digits;
  int exponent = 0;  // of the first digit: 12.3 has 1
};

/// The shortest digits that give `value` again, or `precision` digits if that is above zero.
Digits digits_of(double value, int precision) {
  std::array<char, 64> text{};
  char* const end = text.data() + text.size();
  const auto result =
      precision > 0 ? std::to_chars(text.data(), end, std::abs(value), std::chars_format::scientific, precision - 1)
                    : std::to_chars(text.data(), end, std::abs(value), std::chars_format::scientific);
  Digits d;
  d.sign = value < 0 ? "-" : "";
  const char* at = text.data();
  for (; at != result.ptr && *at != 'e'; ++at)
    if (*at != '.') d.digits += *at;
  d.exponent = std::atoi(at + 1);
  return d;
}

/// The digits with a point, the first of them worth 10^exponent.
std::string decimal(const Digits& d, int exponent) {
  const int count = static_cast<int>(d.digits.size());
  if (exponent < -kMostZeros || exponent - count >= kMostZeros) {
    const std::string fraction = count > 1 ? '.' + d.digits.substr(1) : "";
    return d.sign + d.digits[0] + fraction + 'e' + std::to_string(exponent);
  }
  if (exponent < 0) return d.sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + d.digits;
  if (exponent + 1 >= count)
    return d.sign + d.digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0');
  const auto whole = static_cast<std::size_t>(exponent + 1);
  return d.sign + d.digits.substr(0, whole) + '.' + d.digits.substr(whole);
}

/// The largest unit that is not larger than a value whose first digit is worth 10^exponent; else the smallest.
const Unit& fitting_unit(const UnitTable& table, int exponent) {
  const Unit* best = nullptr;
  for (const Unit& unit : table.units)
    if (unit.written && (best == nullptr || unit.decimal <= exponent)) best = &unit;
  return *best;
}

std::string with_unit(const Digits& d, const UnitTable& table, int exponent) {
  const Unit& unit = fitting_unit(table, exponent);
  return decimal(d, d.exponent - unit.decimal) + ' ' + std::string(unit.name);
}

/// Name of 1024^power bytes.
std::string binary_unit(int power) {
  static constexpr std::array<const char*, 5> kNames{"B", "KiB", "MiB", "GiB", "TiB"};
  return kNames[static_cast<std::size_t>(power)];
}
constexpr int kLargestBinaryPower = 4;

std::string not_finite(double value, const UnitTable& table) {
  const std::string text = std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
  return table.si.empty() ? text : text + ' ' + std::string(table.si);
}

std::string engineering_bytes(double value, int digits) {
  int power = 0;
  for (; std::abs(value) >= kKibi && power < kLargestBinaryPower; ++power) value /= kKibi;
  if (power == 0 && value == std::floor(value)) digits = 0;  // a few whole bytes
  if (std::abs(value) >= 1000.0 && digits > 0 && digits < 4) digits = 4;
  const Digits d = digits_of(value, digits);
  return decimal(d, d.exponent) + ' ' + binary_unit(power);
}

}  // namespace

std::string format_real(double value) {
  if (value == 0.0) return "0";  // most of a hundred thousand statistics are
  const Digits d = digits_of(value + 0.0, 0);
  return decimal(d, d.exponent);
}

std::string format_quantity(double value, Quantity kind) {
  const UnitTable& table = unit_table(kind);
  if (!std::isfinite(value)) return not_finite(value, table);
  if (value == 0.0) return "0 " + std::string(table.si.empty() ? table.example : table.si);
  if (kind == Quantity::bytes) {
    int power = 0;
    for (; power < kLargestBinaryPower && std::fmod(value, kKibi) == 0.0; ++power) value /= kKibi;
    if (power > 0) return format_real(value) + ' ' + binary_unit(power);
  }
  const Digits d = digits_of(value, 0);
  return with_unit(d, table, d.exponent);
}

std::string format_engineering(double value, Quantity kind, int digits) {
  const UnitTable& table = unit_table(kind);
  if (!std::isfinite(value)) return not_finite(value, table);
  if (value == 0.0) return format_quantity(value, kind);
  if (kind == Quantity::bytes) return engineering_bytes(value, digits);
  const Digits d = digits_of(value, digits);
  return with_unit(d, table, d.exponent);
}

}  // namespace mho::config
