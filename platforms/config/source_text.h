// SPDX-License-Identifier: Apache-2.0
// The characters of a YAML text before the YAML library sees them: refuses what the library would misread or choke on,
// and turns byte offsets into lines and columns. Part of document.h, not of its interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platforms/config/node.h"

namespace mho::config {

/// A checked text with its positions.
class SourceText {
 public:
  /// Refuses text that is not UTF-8, control characters (tabs among them), a byte-order mark other than UTF-8's,
  /// more than `max_bytes` bytes, and more punctuation than `max_nodes` values need: the library keeps every token of
  /// an open bracket in memory, some 100 bytes each.
  SourceText(std::string_view text, const std::string& name, std::size_t max_bytes, std::size_t max_nodes);

  /// The text without byte-order mark.
  std::string_view text() const { return text_; }
  /// Line and column of the character at byte `offset`; the end of the text if it lies beyond.
  Position at(std::size_t offset) const;
  /// The byte at `offset`, NUL at or beyond the end.
  char byte(std::size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }
  /// True if a plain `~` or `null` stands alone at `offset`.
  bool null_stands_at(std::size_t offset) const;
  /// True if the quoted text that begins at `offset` ends.
  bool quote_closes(std::size_t offset) const { return quote_end(offset) < text_.size(); }
  /// The innermost bracket from `offset` on, itself a bracket, that is closed wrongly or not at all.
  std::optional<std::size_t> unclosed_bracket(std::size_t offset) const;

 private:
  void index();
  std::size_t quote_end(std::size_t offset) const;  // of the closing quote; the end of the text if there is none
  void check(std::size_t max_nodes) const;

  static constexpr std::size_t kStride = 256;  // bytes between two counts of characters

  std::string_view text_;
  Position start_;
  std::vector<std::size_t> line_starts_;
  std::vector<std::uint32_t> characters_;  // characters before byte i * kStride
};

}  // namespace mho::config
