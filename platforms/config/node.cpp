// SPDX-License-Identifier: Apache-2.0
// The configuration tree: building, looking up, merging.
#include "platforms/config/node.h"

#include <algorithm>
#include <utility>

namespace mho::config {
namespace {

bool looks_like_number(const std::string& text) {
  const std::size_t first = text.find_first_not_of("+-.");
  return first != std::string::npos && text[first] >= '0' && text[first] <= '9' &&
         text.find_first_not_of("+-.0123456789eExXabcdefABCDEF_") == std::string::npos;
}

}  // namespace

Position Position::at(int line, int column) const {
  Position result(*this);
  result.line_ = line;
  result.column_ = column;
  return result;
}

const std::string& Position::file() const {
  static const std::string none;
  return file_ ? *file_ : none;
}

InputError Position::error(std::string_view problem, std::string_view allowed) const {
  return InputError(file(), line_, column_, problem, allowed);
}

Node Node::null(Position position, bool is_explicit) {
  Node node(Kind::null, std::move(position));
  node.flag_ = is_explicit;
  return node;
}

Node Node::scalar(std::string text, bool quoted, Position position) {
  Node node(Kind::scalar, std::move(position));
  node.text_ = std::move(text);
  node.flag_ = quoted;
  return node;
}

Node Node::sequence(Position position) { return Node(Kind::sequence, std::move(position)); }

Node Node::mapping(Position position) { return Node(Kind::mapping, std::move(position)); }

const Node* Node::find(std::string_view key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &members_[found->second].value;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

const Position& Node::key_position(std::string_view key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? position_ : members_[found->second].key_position;
}

std::string Node::describe() const {
  switch (kind_) {
    case Kind::null:
      return "empty";
    case Kind::sequence:
      return "a list";
    case Kind::mapping:
      return "a mapping";
    case Kind::scalar:
      break;
  }
  const std::string shown = excerpt(text_);
  if (quoted()) return "the quoted text " + shown;
  return (looks_like_number(text_) ? "the number " : "the text ") + shown;
}

Node& Node::append(Node item) {
  items_.push_back(std::move(item));
  return items_.back();
}

Node& Node::set(std::string_view key, Node value, Position key_position) {
  const auto [place, added] = index_.try_emplace(std::string(key), members_.size());
  if (added) {
    members_.push_back({place->first, std::move(key_position), std::move(value)});
    return members_.back().value;
  }
  Member& member = members_[place->second];
  member.key_position = std::move(key_position);
  member.value = std::move(value);
  return member.value;
}

void Node::erase(const std::set<std::string, std::less<>>& keys) {
  if (keys.empty()) return;
  const auto gone = [&](const Member& member) { return keys.count(member.key) != 0; };
  members_.erase(std::remove_if(members_.begin(), members_.end(), gone), members_.end());
  index_.clear();
  for (std::size_t i = 0; i < members_.size(); ++i) index_.emplace(members_[i].key, i);
}

void Node::merge(const Node& child) {
  if (!is(Kind::mapping) || !child.is(Kind::mapping)) {
    *this = child;
    return;
  }
  position_ = child.position_;
  std::set<std::string, std::less<>> removed;
  for (const Member& member : child.members_) {
    const auto mine = index_.find(member.key);
    if (mine == index_.end()) {
      set(member.key, member.value, member.key_position);
    } else if (member.value.explicit_null()) {
      removed.insert(member.key);
    } else {
      members_[mine->second].value.merge(member.value);
      members_[mine->second].key_position = member.key_position;
    }
  }
  erase(removed);
}

int depth(const Node& node) {
  int deepest = 0;
  for (const Node& item : node.items()) deepest = std::max(deepest, depth(item));
  for (const Node::Member& member : node.members()) deepest = std::max(deepest, depth(member.value));
  return deepest + 1;
}

}  // namespace mho::config
