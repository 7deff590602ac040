// SPDX-License-Identifier: Apache-2.0
// The tree of a configuration: mappings with ordered keys, sequences and scalars as text, each with the place where it
// was written. It knows nothing of types or units (value_type.h) and nothing of the YAML library (document.h).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/input_error.h"

namespace mho::config {

/// Deepest nesting of mappings and sequences, the root counting one.
inline constexpr int kMaxDepth = 64;

/// Where something was written: a file (or `--set key`), line and column from 1, 0 = unknown.
class Position {
 public:
  Position() = default;
  explicit Position(std::string file, int line = 0, int column = 0)
      : file_(std::make_shared<const std::string>(std::move(file))), line_(line), column_(column) {}
  /// Another place in the same file; shares the file name.
  Position at(int line, int column) const;

  const std::string& file() const;
  int line() const { return line_; }
  int column() const { return column_; }
  /// The error to throw for a mistake at this place.
  InputError error(std::string_view problem, std::string_view allowed = {}) const;

 private:
  std::shared_ptr<const std::string> file_;
  int line_ = 0;
  int column_ = 0;
};

/// One value of a configuration, with everything below it.
class Node {
 public:
  enum class Kind { null, scalar, sequence, mapping };
  struct Member;  ///< key, position of the key, value

  /// Nothing, nowhere.
  Node() = default;

  /// An empty value (`key:`) or an explicit null (`key: ~`); only the second removes a key of the base file.
  static Node null(Position position, bool is_explicit);
  /// A plain (`128`, `100 ns`) or quoted (`"128"`) text.
  static Node scalar(std::string text, bool quoted, Position position = {});
  static Node sequence(Position position = {});
  static Node mapping(Position position = {});

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  const Position& position() const { return position_; }
  /// The characters of a scalar, escapes resolved; empty for the other kinds.
  const std::string& text() const { return text_; }
  /// True for a scalar written in quotes or as a block (`|`, `>`): always a text, never a number.
  bool quoted() const { return flag_ && kind_ == Kind::scalar; }
  /// True for a written `~` or `null`.
  bool explicit_null() const { return flag_ && kind_ == Kind::null; }
  /// Elements of a sequence; empty for the other kinds.
  const std::vector<Node>& items() const { return items_; }
  /// Keys and values of a mapping in the order of the file; empty for the other kinds.
  const std::vector<Member>& members() const { return members_; }
  /// The value of `key`, or nullptr.
  const Node* find(std::string_view key) const;
  /// Where `key` was written; the position of the mapping if it is absent.
  const Position& key_position(std::string_view key) const;
  /// What it is, for messages: "the number `12`", "a list", "nothing", ...
  std::string describe() const;

  /// Adds an element to a sequence.
  Node& append(Node item);
  /// Adds or replaces the value of `key` in a mapping; a replaced key keeps its place in the order.
  Node& set(std::string_view key, Node value, Position key_position = {});
  /// Removes keys from a mapping, as far as they are there.
  void erase(const std::set<std::string, std::less<>>& keys);
  /// Changeable access for overrides; nullptr if absent.
  Node* find(std::string_view key);
  Node& item(std::size_t index) { return items_.at(index); }

  /// Puts `child` over this node: mappings merge key by key at every depth, scalars and sequences replace, an
  /// explicit null removes the key. Every value keeps the position of the file that wrote it.
  void merge(const Node& child);

 private:
  Node(Kind kind, Position position) : kind_(kind), position_(std::move(position)) {}

  Kind kind_ = Kind::null;
  bool flag_ = false;  // quoted or explicit null
  Position position_;
  std::string text_;
  std::vector<Node> items_;
  std::vector<Member> members_;
  std::map<std::string, std::size_t, std::less<>> index_;  // key -> place in members_
};

struct Node::Member {
  std::string key;
  Position key_position;
  Node value;
};

/// Depth of the tree: 1 for a scalar or an empty collection.
int depth(const Node& node);

}  // namespace mho::config
