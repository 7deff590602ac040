// SPDX-License-Identifier: Apache-2.0
// The types a configuration key can have: each knows its name, what it allows, how to read a Node and how to write the
// value back. Types combine (`list_of(integer(1, 8))`); keys, defaults and descriptions belong to the Reader.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platforms/config/node.h"
#include "platforms/config/quantity.h"

namespace mho::config {

/// Longest list that a key may hold unless its type says otherwise.
inline constexpr std::size_t kMaxListLength = 1'000'000;

/// How values of one type are read from a node and written to one.
template <class T>
struct ValueType {
  std::string type;     ///< for messages and the reference: "integer", "time", "list of integer"
  std::string unit;     ///< SI unit in which the program keeps it; empty if it has none
  std::string allowed;  ///< "1 to 65536", "`exact`, `sliced` or `noisy`"
  /// Reads the value of the key `path`; throws an InputError at the node's position if it is none.
  std::function<T(const Node& node, const std::string& path)> read;
  /// The node that reads back as exactly this value.
  std::function<Node(const T& value)> write;
  /// A value that is allowed; stands in for a required key while a reference is collected.
  T example{};
};

/// Limits of a real number or quantity, both inclusive unless `above` is set (then min itself is refused).
struct Range {
  double min = 0.0;
  double max = std::numeric_limits<double>::max();
  bool above = false;  ///< refuse `min` itself
};
/// Any finite number.
inline constexpr Range kAnyReal{std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max(), false};
/// Any number above zero.
inline constexpr Range kPositive{0.0, std::numeric_limits<double>::max(), true};

/// A whole decimal number from `min` to `max`.
ValueType<std::int64_t> integer64(std::int64_t min, std::int64_t max);
/// The same as an `int`.
ValueType<int> integer(int min, int max);
/// A whole number from 0 to `max`, decimal or hexadecimal: seeds.
ValueType<std::uint64_t> unsigned_integer(std::uint64_t max = std::numeric_limits<std::uint64_t>::max());
/// The same, written back in hexadecimal: addresses.
ValueType<std::uint64_t> address(std::uint64_t max = std::numeric_limits<std::uint64_t>::max());
/// A number without a unit.
ValueType<double> real(Range range = {});
/// A number with a unit of `kind`, in SI units; the limits are in SI units as well.
ValueType<double> quantity(Quantity kind, Range range = {});
/// A size in whole bytes (`4 GiB`), up to 2^53.
ValueType<std::uint64_t> byte_count(std::uint64_t min, std::uint64_t max);
/// `true` or `false` and nothing else.
ValueType<bool> boolean();
/// A text that is not empty, quoted or plain; `what` describes it ("the name of a system").
ValueType<std::string> text(std::string what = {});
/// One of the given words, of which there is at least one.
ValueType<std::string> word(const std::vector<std::string>& words);

/// One of the given words, each standing for a value of an enumeration.
template <class E>
ValueType<E> choice(std::vector<std::pair<std::string, E>> values);
/// A value of `type`, or the word, which reads as nullopt (`chips: 4` or `chips: auto`).
template <class T>
ValueType<std::optional<T>> or_word(ValueType<T> type, std::string word);
/// A sequence of `min` to `max` values of one type.
template <class T>
ValueType<std::vector<T>> list_of(ValueType<T> type, std::size_t min = 0, std::size_t max = kMaxListLength);
/// A mapping from names the user chooses to values of one type, in the order of the file.
template <class T>
ValueType<std::vector<std::pair<std::string, T>>> map_of(ValueType<T> type);
/// Any value, as it stands; for parts that are read elsewhere.
ValueType<Node> tree();

/// "crossbar" and "rows" make "crossbar.rows"; a key with a dot is put in quotes, as `--set` wants it.
std::string join_path(const std::string& path, std::string_view key);
/// The error for a value that is not what it should be: "`path` is the text `x`".
InputError type_error(const Node& node, const std::string& path, const std::string& allowed);

}  // namespace mho::config

#include "platforms/config/value_type_combine.h"
