// SPDX-License-Identifier: Apache-2.0
// Parses `key.path=value`, reads the value as YAML and puts it into the tree as a child file would.
#include "platforms/config/overrides.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "platforms/config/document.h"
#include "platforms/config/quantity.h"

namespace mho::config {
namespace {

constexpr const char* kSyntax = "`key.path=value`";

InputError syntax_error(const std::string& argument, const std::string& problem) {
  return InputError("--set " + printable(argument, kExcerptLength), 0, 0, problem, kSyntax);
}

/// The keys of a path and the rest behind `=`. A key in double quotes may contain anything but a double quote.
std::pair<std::vector<std::string>, std::string> split(const std::string& argument) {
  std::vector<std::string> keys{""};
  bool quoted = false;
  std::size_t i = 0;
  for (; i < argument.size() && (quoted || argument[i] != '='); ++i) {
    const char c = argument[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      keys.emplace_back();
    } else {
      keys.back() += c;
    }
  }
  if (i == argument.size()) throw syntax_error(argument, quoted ? "a quote is not closed" : "no `=`");
  if (std::find(keys.begin(), keys.end(), "") != keys.end()) throw syntax_error(argument, "an empty key");
  for (const std::string& key : keys)
    if (key.size() > kMaxKeyBytes || printable(key, kMaxKeyBytes) != key)
      throw syntax_error(argument, "the key " + excerpt(key) + " is no name");
  if (keys.size() >= static_cast<std::size_t>(kMaxDepth))
    throw syntax_error(argument, "more than " + std::to_string(kMaxDepth - 1) + " keys");
  return {keys, argument.substr(i + 1)};
}

/// The same tree as if written at `where`.
Node moved_to(const Node& node, const Position& where) {
  switch (node.kind()) {
    case Node::Kind::null:
      return Node::null(where, node.explicit_null());
    case Node::Kind::scalar:
      return Node::scalar(node.text(), node.quoted(), where);
    case Node::Kind::sequence: {
      Node list = Node::sequence(where);
      for (const Node& item : node.items()) list.append(moved_to(item, where));
      return list;
    }
    case Node::Kind::mapping:
      break;
  }
  Node map = Node::mapping(where);
  for (const Node::Member& member : node.members()) map.set(member.key, moved_to(member.value, where), where);
  return map;
}

Node parse_value(const std::string& text, const Position& where) {
  const std::size_t first = text.find_first_not_of(' ');
  const char bracket = first == std::string::npos ? '\0' : text[first];
  Node value;
  try {
    value = parse_text(text, where.file());
  } catch (const InputError& error) {
    throw where.error(error.problem(), error.allowed());
  }
  const bool block =
      (value.is(Node::Kind::mapping) && bracket != '{') || (value.is(Node::Kind::sequence) && bracket != '[');
  if (block) throw where.error("the value " + excerpt(text) + " is no scalar", "a scalar, `[a, b]` or `{a: 1}`");
  return moved_to(value, where);
}

Node& element(Node& list, const std::string& key, const Position& where) {
  const Parsed<std::uint64_t> index = parse_unsigned(key);
  const std::size_t size = list.items().size();
  if (!index.value || *index.value >= size)
    throw where.error(excerpt(key) + " is no element of a list of " + std::to_string(size),
                      size == 0 ? "the whole list in brackets" : "0 to " + std::to_string(size - 1));
  return list.item(static_cast<std::size_t>(*index.value));
}

/// Puts `value` at keys[at...] below `node`, making mappings on the way.
void put(Node& node, const std::vector<std::string>& keys, std::size_t at, const Node& value, const Position& where) {
  if (at == keys.size()) {
    node.merge(value);
  } else if (node.is(Node::Kind::sequence)) {
    put(element(node, keys[at], where), keys, at + 1, value, where);
  } else if (!node.is(Node::Kind::mapping)) {
    throw where.error("there is no " + excerpt(keys[at]) + " in it: the value above is " + node.describe(),
                      "keys of a mapping, indices of a list");
  } else if (const bool last = at + 1 == keys.size(); last && value.explicit_null()) {
    if (node.find(keys[at]) == nullptr)
      throw where.error("there is no " + excerpt(keys[at]) + " to remove", "a key that is written");
    node.erase({keys[at]});
  } else {
    Node* below = node.find(keys[at]);
    if (below == nullptr || below->is(Node::Kind::null))
      below = &node.set(keys[at], last ? Node::null(where, false) : Node::mapping(where), where);
    put(*below, keys, at + 1, value, where);
  }
}

}  // namespace

void apply_override(Node& root, const std::string& argument) {
  const auto [keys, text] = split(argument);
  const Position where("--set " + argument.substr(0, argument.size() - text.size() - 1));
  Node changed = root;  // nothing happens if the argument is wrong
  put(changed, keys, 0, parse_value(text, where), where);
  if (depth(changed) > kMaxDepth) throw where.error("nested too deeply", std::to_string(kMaxDepth) + " levels");
  root = std::move(changed);
}

void apply_overrides(Node& root, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) apply_override(root, argument);
}

}  // namespace mho::config
