// SPDX-License-Identifier: Apache-2.0
// Written YAML is read back to the same values; references become a table.
#include "platforms/config/writer.h"

#include <catch2/catch.hpp>
#include <functional>
#include <random>

#include "platforms/config/document.h"
#include "platforms/config/reference.h"
#include "platforms/config/value_type.h"

using namespace mho::config;
using Kind = Node::Kind;

namespace {

/// Same kinds, keys, order and texts.
bool same(const Node& a, const Node& b) {
  if (a.kind() != b.kind() || a.text() != b.text() || a.items().size() != b.items().size() ||
      a.members().size() != b.members().size())
    return false;
  for (std::size_t i = 0; i < a.items().size(); ++i)
    if (!same(a.items()[i], b.items()[i])) return false;
  for (std::size_t i = 0; i < a.members().size(); ++i)
    if (a.members()[i].key != b.members()[i].key || !same(a.members()[i].value, b.members()[i].value)) return false;
  return true;
}

std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> pieces{"a",
                                               "Z",
                                               "0",
                                               "9",
                                               "-",
                                               ".",
                                               " ",
                                               ":",
                                               "#",
                                               "'",
                                               "\"",
                                               "\\",
                                               "\n",
                                               "\t",
                                               "[",
                                               "]",
                                               "{",
                                               "}",
                                               ",",
                                               "&",
                                               "*",
                                               "!",
                                               "|",
                                               ">",
                                               "%",
                                               "@",
                                               "`",
                                               "?",
                                               "~",
                                               "null",
                                               "<<",
                                               "true",
                                               "\xC3\xA9",
                                               "\xC2\x85",
                                               "\xEF\xBB\xBF",
                                               "\xE2\x80\xA8",
                                               "=",
                                               "/",
                                               "---",
                                               "..."};
  std::string text;
  for (unsigned n = random() % 6; n > 0; --n) text += pieces[random() % pieces.size()];
  return text;
}

Node random_tree(std::mt19937& random, int depth) {
  const unsigned kind = depth > 5 ? 0 : random() % 4;
  if (kind == 2) {
    Node list = Node::sequence();
    for (unsigned n = random() % 4; n > 0; --n) list.append(random_tree(random, depth + 1));
    return list;
  }
  if (kind == 3 || depth == 0) {
    Node map = Node::mapping();
    for (unsigned n = random() % 4; n > 0; --n) {
      std::string key;
      for (const char c : random_text(random)) key += c == '\n' || c == '\t' ? '_' : c;
      map.set(key.empty() ? "k" : key, random_tree(random, depth + 1));
    }
    return map;
  }
  const std::string text = random_text(random);
  return Node::scalar(text, !stands_plain(text));
}

}  // namespace

TEST_CASE("trees are written as block YAML, lists of scalars on one line") {
  const std::string text =
      "name: isaac\n"
      "crossbar:\n"
      "  rows: 128\n"
      "  cell:\n"
      "    bits: 2\n"
      "slices: [4, 2, 2]\n"
      "none: []\n"
      "empty: {}\n"
      "nothing: ~\n"
      "list:\n"
      "  - name: a\n"
      "    sizes: [1]\n"
      "  - plain\n"
      "  - - [1, 2]\n"
      "    - x: 1\n"
      "  - {}\n";
  CHECK(write_yaml(parse_text(text, "f")) == text);
  CHECK(write_yaml(Node::mapping()) == "{}\n");
}

TEST_CASE("quotes stand wherever a text could be misread") {
  for (const char* text : {"a", "100 ns", "1.28 GS/s", "50 %", "-0.5 V", "a/b.c", "0x40000000", "_x", ".5", "x(y)",
                           "true", "128", "../a.onnx"})
    CHECK(stands_plain(text));
  for (const char* text : {"",   " a",    "a ",  "~",  "null", "NULL", "010", "-01",  "a: b",     "a:",  "a #b", "- a",
                           "-",  "--- a", "...", "[a", "a]",   "{a",   "a,b", "&a",   "*a",       "!a",  "|",    ">",
                           "'a", "\"a",   "%a",  "@a", "`a",   "?",    "<<",  "a\nb", "\xC3\xA9", "a\tb"})
    CHECK_FALSE(stands_plain(text));
  CHECK(write_flow(Node::scalar("128", true)) == "\"128\"");
  CHECK(write_flow(Node::scalar("a\"\\\n\t\xC2\x85\x7F", true)) == "\"a\\\"\\\\\\n\\t\\x85\\x7f\"");
  CHECK(write_flow(text().write("a b")) == "a b");
  CHECK(text().write("null").quoted());
  CHECK_FALSE(text().write("a b").quoted());
  CHECK(write_flow(text().write("yes: no")) == "\"yes: no\"");
}

TEST_CASE("random trees are read back the same, as blocks and on one line") {
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    const Node tree = random_tree(random, 0);
    const std::string block = write_yaml(tree);
    INFO(block);
    REQUIRE(same(parse_text(block, "block"), tree));
    REQUIRE(same(parse_text(write_flow(tree), "flow"), tree));
  }
}

TEST_CASE("references become a Markdown table") {
  const std::vector<KeyReference> keys{{"adc.bits", "integer", "", "required", "1 to 16", "resolution"},
                                       {"read", "time", "s", "100 ns", "above 0 s", "a|b\nc"},
                                       {"adc", "section", "", "", "", ""}};
  CHECK(write_reference(keys) ==
        "| key | type | default | allowed | meaning |\n"
        "|---|---|---|---|---|\n"
        "| `adc.bits` | integer | required | 1 to 16 | resolution |\n"
        "| `read` | time [s] | `100 ns` | above 0 s | a\\|b c |\n"
        "| `adc` | section |  |  |  |\n");
}
