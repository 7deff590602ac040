// SPDX-License-Identifier: Apache-2.0
// The parts of combined types that do not depend on what they combine: paths, words and their error messages.
#include "platforms/config/value_type_combine.h"

#include <algorithm>

#include "platforms/config/suggest.h"

namespace mho::config {

std::string join_path(const std::string& path, std::string_view key) {
  const bool quoted = key.find_first_of(".=") != std::string_view::npos;
  std::string joined = path.empty() ? "" : path + '.';
  return quoted ? joined + '"' + std::string(key) + '"' : joined + std::string(key);
}

InputError type_error(const Node& node, const std::string& path, const std::string& allowed) {
  return node.position().error('`' + path + "` is " + node.describe(), allowed);
}

std::size_t find_word(const Node& node, const std::string& path, const std::vector<std::string>& words) {
  const std::string allowed = list_words(words);
  if (!node.is(Node::Kind::scalar)) throw type_error(node, path, allowed);
  const auto found = std::find(words.begin(), words.end(), node.text());
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  const std::string meant = nearest(node.text(), words);
  const std::string question = meant.empty() ? "" : "; did you mean `" + meant + "`?";
  throw node.position().error('`' + path + "` is " + node.describe() + question, allowed);
}

std::string list_words(const std::vector<std::string>& words) { return alternatives(words); }

const std::vector<Node>& list_items(const Node& node, const std::string& path, const std::string& type, std::size_t min,
                                    std::size_t max) {
  if (!node.is(Node::Kind::sequence)) throw type_error(node, path, type + " in brackets");
  const std::size_t count = node.items().size();
  if (count < min || count > max)
    throw node.position().error('`' + path + "` has " + std::to_string(count) + (count == 1 ? " entry" : " entries"),
                                min == max ? std::to_string(min) : std::to_string(min) + " to " + std::to_string(max));
  return node.items();
}

std::string list_allowed(const std::string& allowed, std::size_t min, std::size_t max) {
  std::string count;
  if (min == max) count = std::to_string(min);
  if (min != max && max < kMaxListLength) count = std::to_string(min) + " to " + std::to_string(max);
  if (min != max && max >= kMaxListLength && min > 0) count = std::to_string(min) + " or more";
  if (count.empty()) return allowed;
  return count + (allowed.empty() ? " entries" : " entries, each " + allowed);
}

InputError with_alternative(const InputError& error, const std::string& word) {
  const std::string alternative = '`' + word + '`';
  return InputError(error.file(), error.line(), error.column(), error.problem(),
                    error.allowed().empty() ? alternative : error.allowed() + ", or " + alternative);
}

}  // namespace mho::config
