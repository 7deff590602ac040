// SPDX-License-Identifier: Apache-2.0
// Checks and indexes the characters of a YAML text; see source_text.h.
#include "platforms/config/source_text.h"

#include <algorithm>
#include <array>

namespace mho::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

/// What the character before `next` costs the library at most, in halves of a token (some 50 bytes each); an opening
/// bracket costs two tokens, a pair of quotes one.
std::size_t half_tokens(char c, char next) {
  switch (c) {
    case '[':
    case '{':
      return 4;
    case ']':
    case '}':
    case ',':
    case '&':
    case '*':
    case '!':
    case '|':
    case '>':
      return 2;
    case '-':
    case '?':
    case ':':
      return next == ' ' || next == '\n' || next == '\r' || next == '\0' ? 2 : 1;
    case '"':
    case '\'':
    case '\n':
      return 1;
    default:
      return 0;
  }
}

}  // namespace

SourceText::SourceText(std::string_view text, const std::string& name, std::size_t max_bytes, std::size_t max_nodes)
    : text_(text), start_(name, 1, 1) {
  if (text.size() > max_bytes)
    throw start_.at(0, 0).error("more than " + std::to_string(max_bytes >> 20) + " MiB", "a smaller file");
  if (text_.substr(0, kByteOrderMark.size()) == kByteOrderMark) text_.remove_prefix(kByteOrderMark.size());
  index();
  check(max_nodes);
}

void SourceText::index() {
  line_starts_.push_back(0);
  std::uint32_t characters = 0;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (i % kStride == 0) characters_.push_back(characters);
    characters += starts_character(text_[i]) ? 1 : 0;
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
  characters_.push_back(characters);
}

Position SourceText::at(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto count = [&](std::size_t end) {
    std::size_t from = end / kStride;
    std::size_t n = characters_[from];
    for (std::size_t i = from * kStride; i < end; ++i) n += starts_character(text_[i]) ? 1 : 0;
    return n;
  };
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const std::size_t line = static_cast<std::size_t>(next - line_starts_.begin());
  return start_.at(static_cast<int>(line), static_cast<int>(count(offset) - count(line_starts_[line - 1])) + 1);
}

bool SourceText::null_stands_at(std::size_t offset) const {
  static constexpr std::array<std::string_view, 4> kWords{"~", "null", "Null", "NULL"};
  const std::string_view rest = text_.substr(std::min(offset, text_.size()));
  for (const std::string_view word : kWords) {
    if (rest.substr(0, word.size()) != word) continue;
    const std::size_t end = rest.find_first_not_of(' ', word.size());
    if (end == std::string_view::npos || std::string_view("\r\n,]}").find(rest[end]) != std::string_view::npos)
      return true;
    if (rest[end] == '#' && end > word.size()) return true;
  }
  return false;
}

std::size_t SourceText::quote_end(std::size_t offset) const {
  const char quote = byte(offset);
  for (std::size_t i = offset + 1; i < text_.size(); ++i) {
    if (text_[i] == '\\' && quote == '"') {
      ++i;
    } else if (text_[i] == quote) {
      if (quote == '"' || byte(i + 1) != quote) return i;
      ++i;
    }
  }
  return text_.size();
}

std::optional<std::size_t> SourceText::unclosed_bracket(std::size_t offset) const {
  std::vector<std::size_t> open;
  for (std::size_t i = offset; i < text_.size(); ++i) {
    const char c = text_[i];
    const bool starts = i == 0 || std::string_view(" \n[{,:").find(text_[i - 1]) != std::string_view::npos;
    if (c == '[' || c == '{') open.push_back(i);
    if (c == ']' || c == '}') {
      if (text_[open.back()] != (c == ']' ? '[' : '{')) return open.back();
      open.pop_back();
    }
    if (open.empty()) return std::nullopt;
    if (starts && (c == '"' || c == '\'')) i = quote_end(i);
    if (starts && c == '#') i = std::min(text_.find('\n', i), text_.size());
  }
  return open.back();
}

void SourceText::check(std::size_t max_nodes) const {
  // A value needs at most three tokens of punctuation: `- "x"` and its line break are two and a half.
  std::size_t budget = 6 * max_nodes;
  for (std::size_t i = 0; i < text_.size();) {
    const auto c = static_cast<unsigned char>(text_[i]);
    const std::size_t length = utf8_length(text_.substr(i, 4));
    if (length == 0) throw at(i).error("byte " + excerpt(text_.substr(i, 1)) + " is not UTF-8", "text in UTF-8");
    if (c == '\t') throw at(i).error("a tab", "spaces; `\\t` in a double-quoted text");
    const bool line_end = c == '\n' || (c == '\r' && byte(i + 1) == '\n');
    const bool c1_control = c == 0xC2 && static_cast<unsigned char>(text_[i + 1]) < 0xA0;
    if ((c < 0x20 && !line_end) || c == 0x7F || c1_control || text_.substr(i, 3) == kByteOrderMark)
      throw at(i).error("control character " + excerpt(text_.substr(i, length)), "printable text");
    const std::size_t cost = half_tokens(text_[i], byte(i + 1));
    if (cost > budget) throw at(i).error("too many values or lines", std::to_string(max_nodes) + " values in a file");
    budget -= cost;
    i += length;
  }
}

}  // namespace mho::config
