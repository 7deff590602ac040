// SPDX-License-Identifier: Apache-2.0
// Types made of other types: the templates declared in value_type.h, which is the file to include.
#pragma once

#include <memory>

#include "platforms/config/value_type.h"

namespace mho::config {

/// Place of the node's text among `words`; an InputError with a suggestion if it is none of them.
std::size_t find_word(const Node& node, const std::string& path, const std::vector<std::string>& words);
/// "`a`, `b` or `c`".
std::string list_words(const std::vector<std::string>& words);
/// The elements of a sequence of `min` to `max`, or an InputError.
const std::vector<Node>& list_items(const Node& node, const std::string& path, const std::string& type, std::size_t min,
                                    std::size_t max);
/// "1 to 8 of ...", for the reference.
std::string list_allowed(const std::string& allowed, std::size_t min, std::size_t max);
/// The same error with one more alternative.
InputError with_alternative(const InputError& error, const std::string& word);

template <class E>
ValueType<E> choice(std::vector<std::pair<std::string, E>> values) {
  std::vector<std::string> words;
  for (const auto& value : values) words.push_back(value.first);
  ValueType<E> type;
  type.type = "word";
  type.allowed = list_words(words);
  if (!values.empty()) type.example = values.front().second;
  type.read = [values, words](const Node& node, const std::string& path) {
    return values[find_word(node, path, words)].second;
  };
  type.write = [values](const E& value) {
    for (const auto& [written, meant] : values)
      if (meant == value) return Node::scalar(written, false);
    throw std::logic_error("choice: a default without a word");
  };
  return type;
}

template <class T>
ValueType<std::optional<T>> or_word(ValueType<T> type, std::string word) {
  ValueType<std::optional<T>> either;
  either.type = type.type + " or `" + word + '`';
  either.unit = type.unit;
  either.allowed = type.allowed.empty() ? '`' + word + '`' : type.allowed + ", or `" + word + '`';
  either.example = type.example;
  const auto inner = std::make_shared<const ValueType<T>>(std::move(type));
  either.read = [inner, word](const Node& node, const std::string& path) -> std::optional<T> {
    if (node.is(Node::Kind::scalar) && node.text() == word) return std::nullopt;
    try {
      return inner->read(node, path);
    } catch (const InputError& error) {
      throw with_alternative(error, word);
    }
  };
  either.write = [inner, word](const std::optional<T>& value) {
    return value ? inner->write(*value) : Node::scalar(word, false);
  };
  return either;
}

template <class T>
ValueType<std::vector<T>> list_of(ValueType<T> type, std::size_t min, std::size_t max) {
  ValueType<std::vector<T>> list;
  list.type = "list of " + type.type;
  list.unit = type.unit;
  list.allowed = list_allowed(type.allowed, min, max);
  list.example.assign(min, type.example);
  const auto inner = std::make_shared<const ValueType<T>>(std::move(type));
  list.read = [inner, min, max, name = list.type](const Node& node, const std::string& path) {
    std::vector<T> values;
    for (const Node& item : list_items(node, path, name, min, max))
      values.push_back(inner->read(item, join_path(path, std::to_string(values.size()))));
    return values;
  };
  list.write = [inner](const std::vector<T>& values) {
    Node node = Node::sequence();
    for (const auto& value : values) node.append(inner->write(value));
    return node;
  };
  return list;
}

template <class T>
ValueType<std::vector<std::pair<std::string, T>>> map_of(ValueType<T> type) {
  using Map = std::vector<std::pair<std::string, T>>;
  ValueType<Map> map;
  map.type = type.type + " by name";
  map.unit = type.unit;
  map.allowed = type.allowed;
  const auto inner = std::make_shared<const ValueType<T>>(std::move(type));
  map.read = [inner, name = map.type](const Node& node, const std::string& path) {
    if (!node.is(Node::Kind::mapping)) throw type_error(node, path, name);
    Map values;
    for (const Node::Member& member : node.members())
      values.emplace_back(member.key, inner->read(member.value, join_path(path, member.key)));
    return values;
  };
  map.write = [inner](const Map& values) {
    Node node = Node::mapping();
    for (const auto& [key, value] : values) node.set(key, inner->write(value));
    return node;
  };
  return map;
}

}  // namespace mho::config
