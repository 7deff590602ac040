// SPDX-License-Identifier: Apache-2.0
// What a Reader shares with its sections: the tree, what was asked for in every mapping, the values in force and the
// references collected on the way.
#include "platforms/config/reader.h"

#include <algorithm>
#include <map>
#include <set>

#include "platforms/config/suggest.h"

namespace mho::config {
namespace {

/// What stands behind the key in the reference, by Section::Entry::Kind.
constexpr const char* kReferenceSuffix[] = {"", "", "[]", ".<name>"};

}  // namespace

/// Common to all readers of one tree.
struct Reader::Shared {
  Node root;
  Node empty = Node::mapping();  // stands in for sections that are not written
  bool collects_reference = false;
  std::vector<KeyReference> references;
  std::set<std::string> known_paths;
};

/// One mapping and what was taken from it.
struct Reader::Section {
  /// A key in the order in which it was first taken: a value, one section, a list of them, or sections by name.
  struct Entry {
    enum class Kind { value, section, list, named };
    std::string key;
    Kind kind = Kind::value;
    bool written = false;  // stands in the tree
    Node value;
    std::vector<std::pair<std::string, std::shared_ptr<Section>>> parts;
  };

  Section(const Node* mapping, const Position& where, std::string own_path, std::string own_reference_path)
      : node(mapping), position(where), path(std::move(own_path)), reference_path(std::move(own_reference_path)) {}

  Entry& entry(std::string_view key) {
    const auto [place, added] = places.try_emplace(std::string(key), entries.size());
    if (added) entries.emplace_back().key = place->first;
    return entries[place->second];
  }
  void finish() const;
  Node effective() const;

  const Node* node;
  Position position;  // of the mapping; for one that is not written, of the mapping around it
  std::string path;
  std::string reference_path;
  std::set<std::string, std::less<>> asked;
  std::vector<Entry> entries;
  std::map<std::string, std::size_t, std::less<>> places;  // key -> place in entries
};

void Reader::Section::finish() const {
  for (const Node::Member& member : node->members()) {
    if (asked.count(member.key) != 0) continue;
    const std::vector<std::string> keys(asked.begin(), asked.end());
    const std::string meant = nearest(member.key, keys);
    const std::string question = meant.empty() ? "" : "; did you mean `" + meant + "`?";
    throw member.key_position.error("unknown key " + excerpt(join_path(path, member.key)) + question,
                                    keys.empty() ? "no keys" : "keys: " + alternatives(keys));
  }
  for (const Entry& entry : entries)
    for (const auto& part : entry.parts) part.second->finish();
}

Node Reader::Section::effective() const {
  Node result = Node::mapping();
  for (const Entry& entry : entries) {
    if (entry.kind == Entry::Kind::value) {
      result.set(entry.key, entry.value);
      continue;
    }
    Node below = entry.kind == Entry::Kind::list ? Node::sequence() : Node::mapping();
    for (const auto& [name, part] : entry.parts) {
      if (entry.kind == Entry::Kind::section) {
        below = part->effective();
      } else if (entry.kind == Entry::Kind::list) {
        below.append(part->effective());
      } else {
        below.set(name, part->effective());
      }
    }
    if (entry.written || !below.members().empty()) result.set(entry.key, std::move(below));
  }
  return result;
}

Reader::Reader(Node root) : shared_(std::make_shared<Shared>()) {
  if (!root.is(Node::Kind::mapping))
    throw root.position().error("the document is " + root.describe(), "a mapping of keys");
  shared_->root = std::move(root);
  section_ = std::make_shared<Section>(&shared_->root, shared_->root.position(), "", "");
}

Reader::Reader(std::shared_ptr<Shared> shared, std::shared_ptr<Section> section)
    : shared_(std::move(shared)), section_(std::move(section)) {}

Reader Reader::for_reference(Node sample) {
  Reader reader(std::move(sample));
  reader.shared_->collects_reference = true;
  return reader;
}

const Node* Reader::take(std::string_view key, const KeyReference& reference) {
  section_->asked.emplace(key);
  KeyReference full = reference;
  full.path = join_path(section_->reference_path, key);
  if (shared_->known_paths.insert(full.path).second) shared_->references.push_back(std::move(full));
  return section_->node->find(key);
}

bool Reader::collects_reference() const { return shared_->collects_reference; }

void Reader::keep(std::string_view key, Node effective) {
  Section::Entry& entry = section_->entry(key);
  entry.kind = Section::Entry::Kind::value;
  entry.value = std::move(effective);
  entry.parts.clear();
}

std::string Reader::key_path(std::string_view key) const { return join_path(section_->path, key); }

InputError Reader::missing(std::string_view key, const std::string& type, const std::string& allowed) const {
  std::vector<std::string> untaken;
  for (const Node::Member& member : section_->node->members())
    if (section_->asked.count(member.key) == 0) untaken.push_back(member.key);
  const std::string meant = nearest(key, untaken);
  const std::string hint = meant.empty()
                               ? ""
                               : "; is " + excerpt(meant) + " in line " +
                                     std::to_string(section_->node->key_position(meant).line()) + " a misspelling?";
  return section_->position.error("missing key " + excerpt(key_path(key)) + hint,
                                  allowed.empty() ? type : type + ", " + allowed);
}

std::vector<std::pair<std::string, Reader>> Reader::enter(
    std::string_view key, int kind, const std::vector<std::pair<std::string, const Node*>>& items) {
  using Kind = Section::Entry::Kind;
  Section::Entry& entry = section_->entry(key);
  if (entry.parts.empty()) {  // else the key was taken before: the same sections again
    entry.kind = static_cast<Kind>(kind);
    entry.written = peek(key) != nullptr;
    const std::string reference_path = join_path(section_->reference_path, key) + kReferenceSuffix[kind];
    for (const auto& [name, node] : items) {
      const std::string path = entry.kind == Kind::section ? key_path(key) : join_path(key_path(key), name);
      if (node != nullptr && !node->is(Node::Kind::mapping)) throw type_error(*node, path, "a mapping of keys");
      const Position& where = node == nullptr ? section_->position : node->position();
      const Node* mapping = node == nullptr ? &shared_->empty : node;
      entry.parts.emplace_back(name, std::make_shared<Section>(mapping, where, path, reference_path));
    }
  }
  std::vector<std::pair<std::string, Reader>> readers;
  for (const auto& [name, part] : entry.parts) readers.emplace_back(name, Reader(shared_, part));
  return readers;
}

Reader Reader::section(std::string_view key, std::string_view description) {
  const Node* node = take(key, {"", "section", "", "", "", std::string(description)});
  return enter(key, static_cast<int>(Section::Entry::Kind::section), {{std::string(key), node}}).front().second;
}

std::optional<Reader> Reader::find_section(std::string_view key, std::string_view description) {
  const Node* node = take(key, {"", "section", "", "absent", "", std::string(description)});
  if (node == nullptr && !collects_reference()) return std::nullopt;
  return section(key, description);
}

std::vector<Reader> Reader::sections(std::string_view key, std::string_view description) {
  const Node* node = take(key, {"", "list of sections", "", "absent", "", std::string(description)});
  if (node != nullptr && !node->is(Node::Kind::sequence)) throw type_error(*node, key_path(key), "a list of mappings");
  std::vector<std::pair<std::string, const Node*>> items;
  if (node != nullptr)
    for (const Node& item : node->items()) items.emplace_back(std::to_string(items.size()), &item);
  if (node == nullptr && collects_reference()) items.emplace_back("0", nullptr);
  std::vector<Reader> readers;
  for (auto& named : enter(key, static_cast<int>(Section::Entry::Kind::list), items))
    readers.push_back(std::move(named.second));
  return readers;
}

std::vector<std::pair<std::string, Reader>> Reader::named_sections(std::string_view key, std::string_view description) {
  const Node* node = take(key, {"", "sections by name", "", "absent", "", std::string(description)});
  if (node != nullptr && !node->is(Node::Kind::mapping)) throw type_error(*node, key_path(key), "mappings by name");
  std::vector<std::pair<std::string, const Node*>> items;
  if (node != nullptr)
    for (const Node::Member& member : node->members()) items.emplace_back(member.key, &member.value);
  if (node == nullptr && collects_reference()) items.emplace_back("name", nullptr);
  return enter(key, static_cast<int>(Section::Entry::Kind::named), items);
}

const Node* Reader::peek(std::string_view key) const { return section_->node->find(key); }

const Position& Reader::position(std::string_view key) const {
  const Node* node = peek(key);
  return node == nullptr ? section_->position : node->position();
}

const Position& Reader::position() const { return section_->position; }

const std::string& Reader::path() const { return section_->path; }

InputError Reader::error(std::string_view key, std::string_view problem, std::string_view allowed) const {
  return position(key).error(excerpt(key_path(key)) + ' ' + std::string(problem), allowed);
}

void Reader::finish() const { section_->finish(); }

Node Reader::effective() const { return section_->effective(); }

const std::vector<KeyReference>& Reader::references() const { return shared_->references; }

}  // namespace mho::config
