// SPDX-License-Identifier: Apache-2.0
// Takes typed keys out of a configuration mapping and notes what it took: every read states type, default and meaning,
// so unknown keys can be refused, the effective configuration written and a reference of all keys generated from code.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "platforms/config/reference.h"
#include "platforms/config/value_type.h"
#include "platforms/config/writer.h"

namespace mho::config {

/// Stands in place of a default: the key must be written.
struct Required {
  enum class Tag { tag };  // as in std::nullopt_t: `{}` must never become a Required
  explicit constexpr Required(Tag /*tag*/) {}
};
inline constexpr Required kRequired{Required::Tag::tag};

/// Reads one mapping. Copies read the same mapping and share what is noted; the tree is kept alive by its readers.
class Reader {
 public:
  /// Reads the whole of `root`, which must be a mapping.
  explicit Reader(Node root);
  /// A reader that never misses anything: a required key that is not in `sample` gets an allowed value, an optional
  /// section exists, a list has one element. Running the reading code over it collects the references of all keys;
  /// `sample` chooses between alternatives (`readout: {kind: ou}`).
  static Reader for_reference(Node sample);

  /// The value of a key that must be there.
  template <class T>
  T get(std::string_view key, const ValueType<T>& type, Required, std::string_view description);
  /// The value of a key, or `otherwise`.
  template <class T>
  T get(std::string_view key, const ValueType<T>& type, const std::common_type_t<T>& otherwise,
        std::string_view description);
  /// The value of a key, or nothing.
  template <class T>
  std::optional<T> find(std::string_view key, const ValueType<T>& type, std::string_view description);

  /// The mapping below `key`; if it is absent, an empty one, whose keys then take their defaults.
  Reader section(std::string_view key, std::string_view description);
  /// The mapping below `key`, or nothing.
  std::optional<Reader> find_section(std::string_view key, std::string_view description);
  /// The mappings in the sequence below `key`; none if it is absent.
  std::vector<Reader> sections(std::string_view key, std::string_view description);
  /// The mappings below `key` by names the user chooses; none if it is absent.
  std::vector<std::pair<std::string, Reader>> named_sections(std::string_view key, std::string_view description);

  /// The value below `key` without taking it, or nullptr: to choose between two forms of a key.
  const Node* peek(std::string_view key) const;
  /// Where the value of `key` stands; the mapping itself if it is absent.
  const Position& position(std::string_view key) const;
  const Position& position() const;
  /// "crossbar", "accelerators.0"; empty at the root.
  const std::string& path() const;
  /// The error for a mistake that only the caller can see; `problem` continues "`path.key` " ("is no power of two").
  InputError error(std::string_view key, std::string_view problem, std::string_view allowed = {}) const;

  /// Refuses keys that nobody took, here and in every section handed out; call it once, on the root.
  void finish() const;
  /// All keys that were taken, with the values in force, in the order in which they were first taken.
  Node effective() const;
  /// References of every key asked for so far, each path once, by all readers of this tree.
  const std::vector<KeyReference>& references() const;

 private:
  struct Shared;
  struct Section;
  Reader(std::shared_ptr<Shared> shared, std::shared_ptr<Section> section);

  /// Notes that `key` was asked for, and returns its node or nullptr.
  const Node* take(std::string_view key, const KeyReference& reference);
  bool collects_reference() const;
  void keep(std::string_view key, Node effective);
  InputError missing(std::string_view key, const std::string& type, const std::string& allowed) const;
  std::string key_path(std::string_view key) const;
  /// Readers of the mappings `items` (nullptr: not written) below `key`, each with its name or index.
  std::vector<std::pair<std::string, Reader>> enter(std::string_view key, int kind,
                                                    const std::vector<std::pair<std::string, const Node*>>& items);

  template <class T>
  static KeyReference describe(const ValueType<T>& type, std::string default_value, std::string_view description) {
    return {"", type.type, type.unit, std::move(default_value), type.allowed, std::string(description)};
  }
  template <class T>
  T note(std::string_view key, const ValueType<T>& type, T value) {
    keep(key, type.write(value));
    return value;
  }

  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Section> section_;
};

template <class T>
T Reader::get(std::string_view key, const ValueType<T>& type, Required /*tag*/, std::string_view description) {
  const Node* node = take(key, describe(type, "required", description));
  if (node == nullptr && !collects_reference()) throw missing(key, type.type, type.allowed);
  return note(key, type, node == nullptr ? type.example : type.read(*node, key_path(key)));
}

template <class T>
T Reader::get(std::string_view key, const ValueType<T>& type, const std::common_type_t<T>& otherwise,
              std::string_view description) {
  const Node* node = take(key, describe(type, write_flow(type.write(otherwise)), description));
  return note<T>(key, type, node == nullptr ? otherwise : type.read(*node, key_path(key)));
}

template <class T>
std::optional<T> Reader::find(std::string_view key, const ValueType<T>& type, std::string_view description) {
  const Node* node = take(key, describe(type, "absent", description));
  if (node == nullptr && !collects_reference()) return std::nullopt;
  return note(key, type, node == nullptr ? type.example : type.read(*node, key_path(key)));
}

}  // namespace mho::config
