// SPDX-License-Identifier: Apache-2.0
// YAML output with quotes wherever a plain text could be misread.
#include "platforms/config/writer.h"

#include <algorithm>
#include <array>

#include "platforms/config/reference.h"

namespace mho::config {
namespace {

constexpr int kIndent = 2;

bool digit(char c) { return c >= '0' && c <= '9'; }
bool alphanumeric(char c) { return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// A double-quoted text; what document.h refuses in a file is written as an escape.
std::string quote(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  const auto hex = [](unsigned char b) { return std::string("\\x") + kHex[b >> 4] + kHex[b & 15]; };
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') {
      out += {'\\', text[i]};
    } else if (c == '\n' || c == '\t') {
      out += c == '\n' ? "\\n" : "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      out += hex(c);
    } else if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      out += hex(static_cast<unsigned char>(text[++i]));
    } else if (text.substr(i, 3) == "\xEF\xBB\xBF") {
      out += "\\uFEFF";
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out + '"';
}

std::string scalar_text(const std::string& text, bool quoted) {
  return !quoted && stands_plain(text) ? text : quote(text);
}

bool is_leaf(const Node& node) { return node.is(Node::Kind::scalar) || node.is(Node::Kind::null); }

/// Fits on one line: leaves, empty collections, sequences of leaves.
bool flows(const Node& node) {
  if (node.is(Node::Kind::mapping)) return node.members().empty();
  return std::all_of(node.items().begin(), node.items().end(), is_leaf);
}

void write_block(const Node& node, int indent, std::string& out);

/// A value behind `key:`, on the same line if it fits.
void write_member(const Node::Member& member, int indent, std::string& out) {
  out += std::string(static_cast<std::size_t>(indent), ' ') + scalar_text(member.key, false) + ':';
  if (flows(member.value)) {
    out += ' ' + write_flow(member.value) + '\n';
  } else {
    out += '\n';
    write_block(member.value, indent + kIndent, out);
  }
}

void write_item(const Node& item, int indent, std::string& out) {
  const std::size_t start = out.size();
  if (flows(item)) {
    out += std::string(static_cast<std::size_t>(indent), ' ') + "- " + write_flow(item) + '\n';
    return;
  }
  write_block(item, indent + kIndent, out);
  out[start + static_cast<std::size_t>(indent)] = '-';  // the dash takes the place of the first indentation
}

void write_block(const Node& node, int indent, std::string& out) {
  for (const Node::Member& member : node.members()) write_member(member, indent, out);
  for (const Node& item : node.items()) write_item(item, indent, out);
}

}  // namespace

bool stands_plain(std::string_view text) {
  static constexpr std::array<std::string_view, 3> kNulls{"null", "Null", "NULL"};
  static constexpr std::string_view kInside = " _-./%+=()<>^$";  // besides letters and digits
  if (text.empty() || text.back() == ' ') return false;
  const bool negative = text.size() > 1 && text[0] == '-' && digit(text[1]);
  if (!alphanumeric(text[0]) && text[0] != '_' && text[0] != '/' && text[0] != '.' && !negative) return false;
  for (const char c : text)
    if (!alphanumeric(c) && kInside.find(c) == std::string_view::npos) return false;
  if (text.substr(0, 3) == "...") return false;
  const std::string_view number = text.substr(negative ? 1 : 0);
  if (number.size() > 1 && number[0] == '0' && digit(number[1])) return false;
  return std::find(kNulls.begin(), kNulls.end(), text) == kNulls.end();
}

std::string write_flow(const Node& node) {
  switch (node.kind()) {
    case Node::Kind::null:
      return "~";
    case Node::Kind::scalar:
      return scalar_text(node.text(), node.quoted());
    case Node::Kind::sequence:
      break;
    case Node::Kind::mapping:
      break;
  }
  std::string inside;
  for (const Node& item : node.items()) inside += (inside.empty() ? "" : ", ") + write_flow(item);
  for (const Node::Member& member : node.members())
    inside += (inside.empty() ? "" : ", ") + scalar_text(member.key, false) + ": " + write_flow(member.value);
  return node.is(Node::Kind::sequence) ? '[' + inside + ']' : '{' + inside + '}';
}

std::string write_yaml(const Node& tree) {
  if (flows(tree)) return write_flow(tree) + '\n';
  std::string out;
  write_block(tree, 0, out);
  return out;
}

std::string write_reference(const std::vector<KeyReference>& references) {
  const auto cell = [](const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
    return out;
  };
  std::string out = "| key | type | default | allowed | meaning |\n|---|---|---|---|---|\n";
  for (const KeyReference& key : references) {
    const bool has_default =
        key.default_value != "required" && key.default_value != "absent" && !key.default_value.empty();
    const std::string fallback = has_default ? '`' + key.default_value + '`' : key.default_value;
    const std::string type = key.unit.empty() ? key.type : key.type + " [" + key.unit + ']';
    out += "| `" + cell(key.path) + "` | " + cell(type) + " | " + cell(fallback) + " | " + cell(key.allowed) + " | " +
           cell(key.description) + " |\n";
  }
  return out;
}

}  // namespace mho::config
