// SPDX-License-Identifier: Apache-2.0
// Reads numbers and quantities. The unit's power of ten is added to the exponent of the text before the one conversion
// to binary; powers of two are exact anyway. Writing is in quantity_format.cpp.
#include "platforms/config/quantity.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "models/input_error.h"
#include "platforms/config/suggest.h"
#include "platforms/config/units.h"

namespace mho::config {
namespace {

constexpr int kHugeExponent = 100'000;  // beyond any double, far from overflow of int

bool digit(char c) { return c >= '0' && c <= '9'; }

/// A decimal number at the front of a text.
struct Decimal {
  std::string_view mantissa;  // sign, digits, fraction
  int exponent = 0;
  bool whole = true;      // neither fraction nor exponent
  std::string_view rest;  // what follows, without leading spaces
};

std::size_t digits_at(std::string_view text, std::size_t i) {
  std::size_t n = 0;
  while (i + n < text.size() && digit(text[i + n])) ++n;
  return n;
}

template <class T>
Parsed<T> refuse(std::string problem, std::string allowed = {}) {
  return {std::nullopt, {std::move(problem), std::move(allowed)}};
}

Parsed<Decimal> decimal(std::string_view text) {
  const std::string write = "a decimal number such as 12, 0.5 or 1e-3";
  Decimal number;
  std::size_t i = !text.empty() && text[0] == '-' ? 1 : 0;
  const std::size_t whole = digits_at(text, i);
  if (whole == 0) return refuse<Decimal>("is not a number", write);
  if (whole > 1 && text[i] == '0') return refuse<Decimal>("begins with a zero", "no leading zeros");
  if (text[i] == '0' && i + 1 < text.size() && (text[i + 1] == 'x' || text[i + 1] == 'X'))
    return refuse<Decimal>("is hexadecimal", write);
  i += whole;
  if (i < text.size() && text[i] == '.') {
    const std::size_t fraction = digits_at(text, i + 1);
    if (fraction == 0) return refuse<Decimal>("has no digit after the point", write);
    i += 1 + fraction;
    number.whole = false;
  }
  number.mantissa = text.substr(0, i);
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    std::size_t from = i + 1;
    const bool negative = from < text.size() && text[from] == '-';
    if (from < text.size() && (text[from] == '-' || text[from] == '+')) ++from;
    const std::size_t length = digits_at(text, from);
    if (length == 0) return refuse<Decimal>("has no digits in its exponent", write);
    int exponent = 0;
    for (std::size_t k = from; k < from + length; ++k)
      exponent = std::min(kHugeExponent, exponent * 10 + (text[k] - '0'));
    number.exponent = negative ? -exponent : exponent;
    number.whole = false;
    i = from + length;
  }
  number.rest = text.substr(std::min(text.find_first_not_of(' ', i), text.size()));
  return {number, {}};
}

Parsed<double> binary(const Decimal& number, int decimal_shift, int binary_shift) {
  const std::string text = std::string(number.mantissa) + 'e' + std::to_string(number.exponent + decimal_shift);
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  value = std::ldexp(value, binary_shift);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return refuse<double>("is beyond the range of a 64-bit number", "about 1e-300 to 1e300 SI units");
  return {value + 0.0, {}};  // -0 becomes 0
}

std::string unit_list(const UnitTable& table) {
  std::string list;
  for (const Unit& unit : table.units) list += (list.empty() ? "" : " ") + std::string(unit.name);
  return list;
}

/// Whole numbers: digits only, and a reason that fits what else was written.
Parsed<Decimal> whole_number(std::string_view text) {
  Parsed<Decimal> number = decimal(text);
  if (!number.value) return refuse<Decimal>(number.error.problem, "a whole number in decimal digits");
  if (!number.value->rest.empty())
    return refuse<Decimal>("has " + excerpt(number.value->rest) + " behind the number", "a whole number without unit");
  if (!number.value->whole) return refuse<Decimal>("is not a whole number", "digits without fraction or exponent");
  return number;
}

}  // namespace

Parsed<double> parse_real(std::string_view text) {
  const Parsed<Decimal> number = decimal(text);
  if (!number.value) return {std::nullopt, number.error};
  if (!number.value->rest.empty())
    return refuse<double>("has " + excerpt(number.value->rest) + " behind the number", "a number without unit");
  return binary(*number.value, 0, 0);
}

Parsed<std::int64_t> parse_integer(std::string_view text) {
  const Parsed<Decimal> number = whole_number(text);
  if (!number.value) return {std::nullopt, number.error};
  std::int64_t value = 0;
  if (std::from_chars(text.data(), text.data() + number.value->mantissa.size(), value).ec != std::errc{})
    return refuse<std::int64_t>("is beyond 64 bits", "-9223372036854775808 to 9223372036854775807");
  return {value, {}};
}

Parsed<std::uint64_t> parse_unsigned(std::string_view text) {
  const bool hexadecimal = text.substr(0, 2) == "0x";
  const std::string_view digits = text.substr(hexadecimal ? 2 : 0);
  if (!hexadecimal) {
    const Parsed<Decimal> number = whole_number(text);
    if (!number.value) return {std::nullopt, number.error};
    if (text[0] == '-') return refuse<std::uint64_t>("is below zero", "0 to 18446744073709551615");
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hexadecimal ? 16 : 10);
  if (error == std::errc::result_out_of_range)
    return refuse<std::uint64_t>("is beyond 64 bits", "0 to 18446744073709551615");
  if (error != std::errc{} || (hexadecimal && end != digits.data() + digits.size()))
    return refuse<std::uint64_t>("is no hexadecimal number", "digits and a to f after `0x`");
  return {value, {}};
}

Parsed<double> parse_quantity(std::string_view text, Quantity kind) {
  const UnitTable& table = unit_table(kind);
  const std::string allowed = "units: " + unit_list(table);
  const Parsed<Decimal> number = decimal(text);
  if (!number.value)
    return refuse<double>(number.error.problem, "a number and a unit such as `100 " + std::string(table.example) + "`");
  const std::string_view unit = number.value->rest;
  if (unit.empty()) {
    const std::string write = std::string(text.substr(0, text.find(' '))) + ' ' + std::string(table.example);
    return refuse<double>("has no unit", "for example " + excerpt(write) + "; " + allowed);
  }
  const auto same = [&](const Unit& u) { return u.name == unit; };
  const auto found = std::find_if(table.units.begin(), table.units.end(), same);
  if (found != table.units.end()) return binary(*number.value, found->decimal, found->binary);
  const std::string meant = nearest(unit, units(kind));
  return refuse<double>(
      "has " + excerpt(unit) + " for its unit" + (meant.empty() ? "" : "; did you mean `" + meant + "`?"), allowed);
}

std::vector<std::string> units(Quantity kind) {
  std::vector<std::string> names;
  for (const Unit& unit : unit_table(kind).units) names.emplace_back(unit.name);
  return names;
}

std::string name(Quantity kind) { return std::string(unit_table(kind).name); }

std::string si_unit(Quantity kind) { return std::string(unit_table(kind).si); }

}  // namespace mho::config
