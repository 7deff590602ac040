// SPDX-License-Identifier: Apache-2.0
// The one error type for anything a user wrote: a YAML file, a command line, a network model. It says where, what is
// wrong and what is allowed, in one printable line. Faults of the program itself are not InputErrors.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace mho {

/// Longest text of the user that is echoed in a message, in characters; longer text is cut and ends in "...".
inline constexpr std::size_t kExcerptLength = 60;

/// Bytes of the well-formed UTF-8 character at the front of `text`; 0 if there is none (RFC 3629: no overlong forms,
/// no surrogates, nothing above U+10FFFF).
inline std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned lead = byte(0);
  if (text.empty()) return 0;
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if ((byte(i) & 0xC0u) != 0x80u) return 0;
  return length;
}

/// `text` made fit for one line of a terminal: control characters, line separators, direction marks and bytes that are
/// not UTF-8 become escapes (`\n`, `\x1b`), and at most `length` characters of the user remain.
inline std::string printable(std::string_view text, std::size_t length) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++characters) {
    if (characters == length) return out + "...";
    const std::size_t valid = utf8_length(text.substr(i));
    const std::string_view one = text.substr(i, valid == 0 ? 1 : valid);
    const auto first = static_cast<unsigned char>(one[0]);
    const auto last = static_cast<unsigned char>(one.back());
    const bool separator = one.size() == 3 && first == 0xE2 &&
                           ((one[1] == '\x80' && (last == 0x8E || last == 0x8F || (last >= 0xA8 && last <= 0xAE))) ||
                            (one[1] == '\x81' && last >= 0xA6 && last <= 0xA9));
    const bool c1_control = one.size() == 2 && first == 0xC2 && last < 0xA0;
    if (one == "\n") {
      out += "\\n";
    } else if (one == "\t") {
      out += "\\t";
    } else if (valid == 0 || separator || c1_control || first < 0x20 || first == 0x7F) {
      for (const char c : one) {
        const auto b = static_cast<unsigned char>(c);
        out += {'\\', 'x', kHex[b >> 4], kHex[b & 15]};
      }
    } else {
      out += one;
    }
    i += one.size();
  }
  return out;
}

/// Text of the user as it appears in messages: `text` in backquotes, printable and clipped to kExcerptLength.
inline std::string excerpt(std::string_view text) { return '`' + printable(text, kExcerptLength) + '`'; }

/// Something the user wrote is wrong; the program exits with 2.
class InputError : public std::runtime_error {
 public:
  /// `line` and `column` count from 1, 0 means unknown. `file` may also name a command-line option
  /// (`--set crossbar.rows`). `allowed` may be empty. Any text may come from the user: it is escaped and clipped.
  InputError(std::string_view file, int line, int column, std::string_view problem, std::string_view allowed = {})
      : InputError(std::make_shared<const Parts>(Parts{printable(file, kFileLength), printable(problem, kProblemLength),
                                                       printable(allowed, kAllowedLength), line, column})) {}

  /// File or option in which the mistake stands.
  const std::string& file() const noexcept { return parts_->file; }
  /// Line of the mistake, from 1; 0 if unknown.
  int line() const noexcept { return parts_->line; }
  /// Column of the mistake in characters, from 1; 0 if unknown.
  int column() const noexcept { return parts_->column; }
  /// What is wrong, without position.
  const std::string& problem() const noexcept { return parts_->problem; }
  /// What would be right; may be empty.
  const std::string& allowed() const noexcept { return parts_->allowed; }

 private:
  static constexpr std::size_t kFileLength = 1000;
  static constexpr std::size_t kProblemLength = 600;
  static constexpr std::size_t kAllowedLength = 1200;

  // Shared, because an exception must be copyable without throwing.
  struct Parts {
    std::string file, problem, allowed;
    int line, column;
  };

  explicit InputError(std::shared_ptr<const Parts> parts)
      : std::runtime_error(one_line(*parts)), parts_(std::move(parts)) {}

  static std::string one_line(const Parts& p) {
    std::string text = p.file;
    if (p.line > 0) text += (text.empty() ? "" : ":") + std::to_string(p.line);
    if (p.line > 0 && p.column > 0) text += ":" + std::to_string(p.column);
    if (!text.empty()) text += ": ";
    text += p.problem;
    if (!p.allowed.empty()) text += " (" + p.allowed + ")";
    return text;
  }

  std::shared_ptr<const Parts> parts_;
};

}  // namespace mho
