// SPDX-License-Identifier: Apache-2.0
// The scalar types: each turns the text of a node into a value, or into an InputError that quotes the text, and writes
// the value back in the form that is read to the same value.
#include "platforms/config/value_type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "platforms/config/writer.h"

namespace mho::config {
namespace {

constexpr double kMostExactBytes = 9007199254740992.0;  // 2^53: every whole number up to here is a double

std::string join(const std::string& type, const std::string& allowed) {
  return allowed.empty() ? type : type + ", " + allowed;
}

/// The text of a plain scalar, or an error: quoted text is never a number.
const std::string& plain_text(const Node& node, const std::string& path, const std::string& allowed) {
  if (!node.is(Node::Kind::scalar) || node.quoted()) throw type_error(node, path, allowed);
  return node.text();
}

/// The value, or the reason why there is none as an error at the node.
template <class T>
T accept(const Parsed<T>& parsed, const Node& node, const std::string& path, const std::string& allowed) {
  if (parsed.value) return *parsed.value;
  throw node.position().error('`' + path + "`: " + excerpt(node.text()) + ' ' + parsed.error.problem, allowed);
}

InputError range_error(const Node& node, const std::string& path, const std::string& allowed) {
  return node.position().error('`' + path + "` is " + printable(node.text(), kExcerptLength), allowed);
}

template <class Format>
std::string describe_range(const Range& range, const Format& format) {
  const bool has_min = range.min > std::numeric_limits<double>::lowest();
  const bool has_max = range.max < std::numeric_limits<double>::max();
  const std::string max = has_max ? format(range.max) : "";
  if (range.above) return "above " + format(range.min) + (has_max ? ", at most " + max : "");
  if (has_min && has_max) return format(range.min) + " to " + max;
  if (has_min) return format(range.min) + " or more";
  return has_max ? "at most " + max : "any number";
}

bool within(double value, const Range& range) {
  return value <= range.max && (range.above ? value > range.min : value >= range.min);
}

double example_in(const Range& range) {
  if (range.above) return within(1.0, range) ? 1.0 : range.max;
  return std::max(range.min, std::min(0.0, range.max));
}

/// A real type from the functions that read and write its texts.
template <class Parse, class Format>
ValueType<double> real_type(std::string name, std::string unit, Range range, const Parse& parse, const Format& format) {
  ValueType<double> type;
  type.type = std::move(name);
  type.unit = std::move(unit);
  type.allowed = describe_range(range, format);
  type.example = example_in(range);
  type.read = [range, parse, what = type.type, allowed = type.allowed](const Node& node, const std::string& path) {
    const Parsed<double> parsed = parse(plain_text(node, path, join(what, allowed)));
    const double value = accept(parsed, node, path, join(what, parsed.error.allowed));
    if (!within(value, range)) throw range_error(node, path, allowed);
    return value;
  };
  type.write = [format](const double& value) { return Node::scalar(format(value), false); };
  return type;
}

std::string hexadecimal(std::uint64_t value) {
  std::array<char, 16> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return "0x" + std::string(digits.data(), result.ptr);
}

/// A whole number from the functions that read and write its texts.
template <class T, class Parse, class Format>
ValueType<T> whole_type(std::string name, T min, T max, const Parse& parse, const Format& format) {
  ValueType<T> type;
  type.type = std::move(name);
  type.allowed = format(min) + " to " + format(max);
  type.example = min;
  type.read = [min, max, parse, allowed = join(type.type, type.allowed)](const Node& node, const std::string& path) {
    const T value = accept(parse(plain_text(node, path, allowed)), node, path, allowed);
    if (value < min || value > max) throw range_error(node, path, allowed);
    return value;
  };
  type.write = [format](const T& value) { return Node::scalar(format(value), false); };
  return type;
}

std::string decimal(std::int64_t value) { return std::to_string(value); }
std::string unsigned_decimal(std::uint64_t value) { return std::to_string(value); }
std::string bytes(std::uint64_t value) { return format_quantity(static_cast<double>(value), Quantity::bytes); }

Parsed<std::uint64_t> parse_bytes(const std::string& text) {
  const Parsed<double> size = parse_quantity(text, Quantity::bytes);
  if (!size.value) return {std::nullopt, size.error};
  if (*size.value < 0.0 || *size.value > kMostExactBytes || *size.value != std::floor(*size.value))
    return {std::nullopt, {"is no whole number of bytes", ""}};
  return {static_cast<std::uint64_t>(*size.value), {}};
}

}  // namespace

ValueType<std::int64_t> integer64(std::int64_t min, std::int64_t max) {
  return whole_type<std::int64_t>("integer", min, max, parse_integer, decimal);
}

ValueType<int> integer(int min, int max) {
  const ValueType<std::int64_t> wide = integer64(min, max);
  ValueType<int> type;
  type.type = wide.type;
  type.allowed = wide.allowed;
  type.example = min;
  type.read = [wide](const Node& node, const std::string& path) { return static_cast<int>(wide.read(node, path)); };
  type.write = [wide](const int& value) { return wide.write(value); };
  return type;
}

ValueType<std::uint64_t> unsigned_integer(std::uint64_t max) {
  return whole_type<std::uint64_t>("integer", 0, max, parse_unsigned, unsigned_decimal);
}

ValueType<std::uint64_t> address(std::uint64_t max) {
  return whole_type<std::uint64_t>("address", 0, max, parse_unsigned, hexadecimal);
}

ValueType<std::uint64_t> byte_count(std::uint64_t min, std::uint64_t max) {
  ValueType<std::uint64_t> type = whole_type<std::uint64_t>(name(Quantity::bytes), min, max, parse_bytes, bytes);
  type.unit = si_unit(Quantity::bytes);
  return type;
}

ValueType<double> real(Range range) { return real_type("number", "", range, parse_real, format_real); }

ValueType<double> quantity(Quantity kind, Range range) {
  return real_type(
      name(kind), si_unit(kind), range, [kind](const std::string& text) { return parse_quantity(text, kind); },
      [kind](double value) { return format_quantity(value, kind); });
}

ValueType<bool> boolean() {
  ValueType<bool> type = choice<bool>({{"true", true}, {"false", false}});
  type.type = "boolean";
  type.read = [](const Node& node, const std::string& path) {
    plain_text(node, path, "`true` or `false`");
    return find_word(node, path, {"true", "false"}) == 0;
  };
  return type;
}

ValueType<std::string> text(std::string what) {
  ValueType<std::string> type;
  type.type = "text";
  type.allowed = std::move(what);
  type.example = "text";
  type.read = [allowed = join(type.type, type.allowed)](const Node& node, const std::string& path) {
    if (!node.is(Node::Kind::scalar) || node.text().empty()) throw type_error(node, path, allowed);
    return node.text();
  };
  type.write = [](const std::string& value) { return Node::scalar(value, !stands_plain(value)); };
  return type;
}

ValueType<std::string> word(const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const std::string& one : words) values.emplace_back(one, one);
  return choice<std::string>(values);
}

ValueType<Node> tree() {
  ValueType<Node> type;
  type.type = "tree";
  type.read = [](const Node& node, const std::string& /*path*/) { return node; };
  type.write = [](const Node& node) { return node; };
  return type;
}

}  // namespace mho::config
