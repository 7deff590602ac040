// SPDX-License-Identifier: Apache-2.0
// YAML text to tree: positions to the column, and every construct the strict subset leaves out.
#include "platforms/config/document.h"

#include <catch2/catch.hpp>

#include "testbenches/platforms/config/message_of.h"

using namespace mho::config;
using Kind = Node::Kind;

namespace {

Node parse(const std::string& text) { return parse_text(text, "f"); }
std::string refused(const std::string& text) {
  return message_of([&] { parse_text(text, "f"); });
}
std::string place(const Position& position) {
  return std::to_string(position.line()) + ':' + std::to_string(position.column());
}
std::string repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("mappings, sequences and scalars arrive in order with their positions") {
  const Node root =
      parse("# comment\nname: isaac   # why\ncrossbar:\n  rows: 128\n  bits: [4, 2, '2']\nlist:\n  - a\n  - {b: 1}\n");
  REQUIRE(root.is(Kind::mapping));
  REQUIRE(root.members().size() == 3);
  CHECK(root.members()[0].key == "name");
  CHECK(place(root.members()[0].key_position) == "2:1");
  CHECK(place(root.find("name")->position()) == "2:7");
  CHECK(root.find("name")->text() == "isaac");
  const Node& crossbar = *root.find("crossbar");
  CHECK(place(root.key_position("crossbar")) == "3:1");
  CHECK(place(crossbar.position()) == "4:3");
  CHECK(place(crossbar.find("rows")->position()) == "4:9");
  CHECK_FALSE(crossbar.find("rows")->quoted());
  const Node& bits = *crossbar.find("bits");
  CHECK(place(bits.position()) == "5:9");
  CHECK(place(bits.items()[1].position()) == "5:13");
  CHECK(bits.items()[2].quoted());
  CHECK(place(root.find("list")->items()[1].find("b")->position()) == "8:9");
  CHECK(root.find("absent") == nullptr);
  CHECK(root.find("name")->position().file() == "f");
}

TEST_CASE("columns count characters, not bytes, also after a byte-order mark and with CRLF") {
  const Node root = parse("\xEF\xBB\xBF\xC3\xA9: \xE2\x82\xAC\r\nb: {\xC3\xA9: 1, c: 2}\r\n");
  CHECK(place(root.find("\xC3\xA9")->position()) == "1:4");
  CHECK(root.find("\xC3\xA9")->text() == "\xE2\x82\xAC");
  CHECK(place(root.find("b")->find("c")->position()) == "2:14");
}

TEST_CASE("quotes, escapes and blocks give text") {
  const Node root = parse("a: \"x\\ty\\u00e9\"\nb: 'it''s'\nc: |\n  one\n  two\nd: \"\"\ne: >-\n  folded\n  text\n");
  CHECK(root.find("a")->text() == "x\ty\xC3\xA9");
  CHECK(root.find("b")->text() == "it's");
  CHECK(root.find("c")->text() == "one\ntwo\n");
  CHECK(root.find("e")->text() == "folded text");
  for (const char* key : {"a", "b", "c", "d", "e"}) CHECK(root.find(key)->quoted());
}

TEST_CASE("an empty value is nothing, and knows whether it was written") {
  const Node root =
      parse("a:\nb: ~\nc: null # gone\nd: 'null'\ne: {x: , y: ~, z}\nf:\n- 1\n-\n- ~\nnull x: 1\ng:\n~x: 2\n");
  CHECK(root.find("a")->is(Kind::null));
  CHECK_FALSE(root.find("a")->explicit_null());
  CHECK(place(root.find("a")->position()) == "1:1");
  CHECK(root.find("b")->explicit_null());
  CHECK(place(root.find("b")->position()) == "2:4");
  CHECK(root.find("c")->explicit_null());
  CHECK(root.find("d")->is(Kind::scalar));
  CHECK_FALSE(root.find("e")->find("x")->explicit_null());
  CHECK(root.find("e")->find("y")->explicit_null());
  CHECK_FALSE(root.find("e")->find("z")->explicit_null());
  CHECK_FALSE(root.find("f")->items()[1].explicit_null());
  CHECK(root.find("f")->items()[2].explicit_null());
  CHECK_FALSE(root.find("g")->explicit_null());
  CHECK(parse("").is(Kind::null));
  CHECK(parse("# nothing\n").is(Kind::null));
}

TEST_CASE("anchors, aliases, tags, directives and merge keys are refused where they stand") {
  CHECK(refused("a: 1\nb: &x 2\n") == "f:2:4: an anchor (`&name`) (a value without anchor)");
  CHECK(refused("a: &x [1]\n") == "f:1:4: an anchor (`&name`) (a value without anchor)");
  CHECK(refused("a: &x\n").find("f:1:4: an anchor") == 0);
  CHECK(refused("&k a: 1\n").find("an anchor") != std::string::npos);
  CHECK(refused("a: !!str 2\n") == "f:1:4: a tag (`!name`) (a value without tag)");
  CHECK(refused("a: ! 2\n").find("f:1:4: a tag") == 0);
  CHECK(refused("a: !x ~\n").find("f:1:4: a tag") == 0);
  CHECK(refused("a: !x\nb: 1\n").find("f:1:4: a tag") == 0);
  CHECK(refused("a: !x {b: 1}\n").find("f:1:4: a tag") == 0);
  CHECK(refused("--- !x\na: 1\n").find("f:1:5: a tag") == 0);
  CHECK(refused("%YAML 1.2\n---\na: 1\n") == "f:1:1: a YAML directive (a document without directives)");
  CHECK(refused("# c\n\n%TAG ! !x\n---\na: 1\n").find("f:3:1: a YAML directive") == 0);
  CHECK(refused("b: 1\n<<: {a: 1}\n") == "f:2:1: a merge key (`<<`) (`base:` for inheritance)");
  CHECK(refused("a: *x\n") == "f:1:4: an alias (`*name`) (the value itself)");
  CHECK(parse("a: 1 & 2\nb: x*y\nc: 100 %\nd: wow!\n").members().size() == 4);
}

TEST_CASE("an alias to an existing anchor cannot be reached, the anchor is refused first") {
  CHECK(refused("a: &x [*x, *x]\n").find("f:1:4: an anchor") == 0);
  CHECK(refused("a: &a [b]\nb: &b [*a,*a,*a,*a,*a,*a]\n").find("f:1:4: an anchor") == 0);
}

TEST_CASE("a key stands once, whether quoted or not") {
  CHECK(refused("rows: 1\ncols: 2\nrows: 3\n") == "f:3:1: the key `rows` stands twice (once; first in line 1)");
  CHECK(refused("a: {x: 1, \"x\": 2}\n") == "f:1:11: the key `x` stands twice (once; first in line 1)");
  CHECK(parse("a: {x: 1}\nb: {x: 2}\n").members().size() == 2);
}

TEST_CASE("keys are names: no lists, mappings, blocks, empty or endless keys") {
  CHECK(refused("? [a]\n: 1\n") == "f:1:3: a key that is a list (a name before the `:`)");
  CHECK(refused("{a: 1}: 2\n") == "f:1:1: a key that is a mapping (a name before the `:`)");
  CHECK(refused(": 1\n") == "f:1:1: an empty key (a name before the `:`)");
  CHECK(refused("~: 1\n") == "f:1:1: an empty key (a name before the `:`)");
  CHECK(refused("'': 1\n").find("f:1:1: the key `` is no name") == 0);
  CHECK(refused("\"a\\nb\": 1\n").find("f:1:1: the key `a\\nb` is no name") == 0);
  CHECK(refused("? |\n  a\n: 1\n").find("f:1:3: a key written as a block") == 0);
  CHECK(refused(std::string(251, 'k') + ": 1\n").find("is no name (one line of 1 to 250 bytes)") != std::string::npos);
  CHECK(parse(std::string(250, 'k') + ": 1\n").members().size() == 1);
  CHECK(parse("5: x\nconv1/relu:0: y\ntrue: z\n").members()[1].key == "conv1/relu:0");
}

TEST_CASE("numbers with leading zeros are refused, names that begin with a zero are not") {
  CHECK(refused("rows: 010\n") ==
        "f:1:7: the number `010` begins with a zero (no leading zeros; quotes if it is a text)");
  for (const char* text : {"a: 00", "a: -01.5", "a: [1, 02]", "010: a", "a: +01e3"})
    CHECK(refused(text).find("begins with a zero") != std::string::npos);
  for (const char* text : {"a: 0", "a: 0.5", "a: '010'", "a: 01_first.pb", "a: 0x010", "a: 0e5"})
    CHECK(refused(text) == "no error");
}

TEST_CASE("one document in a file") {
  CHECK(refused("---\na: 1\n") == "no error");
  CHECK(refused("a: 1\n...\n") == "no error");
  CHECK(refused("a: 1\n---\nb: 2\n") == "f:2:1: a second document or text after the end (one document in a file)");
  CHECK(refused("a: 1\n...\nb: 2\n").find("f:3:1: a second document") == 0);
  CHECK(refused("[1] 2\n").find("f:1:5: a second document or text after the end") == 0);
}

TEST_CASE("a plain text ends with its line") {
  CHECK(refused("a: one\n  two\n") ==
        "f:1:4: the text `one two` runs over several lines (one line, or a text in quotes or after `|`)");
  CHECK(refused("rows: 128\n cols: 64\n") ==
        "f:1:7: the text `128 cols` runs over several lines (one line, or a text in quotes or after `|`)");
  CHECK(refused("a: 'one\n  two'\n") == "no error");
}

TEST_CASE("tabs, control characters and bytes that are not UTF-8 are refused where they stand") {
  CHECK(refused("a:\n\tb: 1\n") == "f:2:1: a tab (spaces; `\\t` in a double-quoted text)");
  CHECK(refused("a: 1\t# c\n").find("f:1:5: a tab") == 0);
  CHECK(refused(std::string("a: x\0y\n", 7)) == "f:1:5: control character `\\x00` (printable text)");
  CHECK(refused("a: x\x04\n").find("f:1:5: control character `\\x04`") == 0);
  CHECK(refused("a: 1\rb: 2\n").find("f:1:5: control character `\\x0d`") == 0);
  CHECK(refused("a: \x7F").find("f:1:4: control character") == 0);
  CHECK(refused("\xC3\xA9: \xFF\n") == "f:1:4: byte `\\xff` is not UTF-8 (text in UTF-8)");
  CHECK(refused("a: \xED\xA0\x80\n").find("is not UTF-8") != std::string::npos);
  CHECK(refused("a: \xC2\x85\n").find("f:1:4: control character") == 0);
  CHECK(refused(std::string("\xFF\xFE"
                            "a\0",
                            4))
            .find("f:1:1: byte `\\xff` is not UTF-8") == 0);
  CHECK(refused("a: \"x\\0y\"\n") == "f:1:4: the text `x\\x00y` contains a control character (printable text)");
  CHECK(refused("a: \"\\x1b[31m\"\n").find("f:1:4: the text `\\x1b[31m` contains a control character") == 0);
  CHECK(refused("a: \"\\ud800\"\n").find("f:1:") == 0);
}

TEST_CASE("nesting ends at 64 levels") {
  CHECK(depth(parse(repeat("[", 64) + repeat("]", 64))) == 64);
  CHECK(refused(repeat("[", 65) + repeat("]", 65)) == "f:1:65: nested too deeply (64 levels)");
  CHECK(refused(repeat("{a: ", 65) + repeat("}", 65)).find("nested too deeply") != std::string::npos);
  CHECK(refused(repeat("- ", 65) + "x\n") == "f:1:129: nested too deeply (64 levels)");
  CHECK(refused(repeat("[", 100'000)) == "f:1:100000: this bracket is not closed (`[a, b]` or `{a: 1}`)");
  CHECK(refused(repeat("[", 100'000) + repeat("]", 100'000)).find("nested too deeply") != std::string::npos);
}

TEST_CASE("a file has at most a million values and 64 MiB") {
  CHECK(refused('[' + repeat("1,", 999'999) + ']') == "no error");
  CHECK(refused('[' + repeat("1,", 1'000'000) + ']').find("too many values (1000000 values in a file)") !=
        std::string::npos);
  CHECK(refused(repeat("[", 4'000'000)).find("too many values or lines") != std::string::npos);
  CHECK(refused(std::string((64u << 20) + 1, '#')) == "f: more than 64 MiB (a smaller file)");
}

TEST_CASE("syntax errors say what to write") {
  for (const char* text :
       {"a: [1, 2\n", "a: [1, 2\nb: 3\n", "a: [1, 'x]', \"]\" # ]\n", "a: [", "a: [{b: 1}, [2]\nc: {d: 1}\n"})
    CHECK(refused(text) == "f:1:4: this bracket is not closed (`[a, b]` or `{a: 1}`)");
  CHECK(refused("x: 1\na: [c, {b: 1]\n") == "f:2:8: this bracket is not closed (`[a, b]` or `{a: 1}`)");
  CHECK(refused("[1") == "f:1:1: this bracket is not closed (`[a, b]` or `{a: 1}`)");
  CHECK(refused("a: {b: 1 c: 2}\n").find("f:1:") == 0);
  CHECK(refused("a: [[1] 2]\n") == "f:1:9: unexpected text between brackets (a comma between entries)");
  CHECK(refused("a: b: c\n").find("f:1:5: a `:` where no key can be") == 0);
  CHECK(refused("a: 'x' y\n").find("f:1:8: unexpected text") == 0);
  CHECK(refused("a: 1]\n") == "no error");
  CHECK(refused("a: 1\nb: 'x\nc: ''2\n") == "f:2:4: this quote is not closed (a quote at the end of the text)");
  CHECK(refused("a: \"x\\\"\nb: 2\n") == "f:1:4: this quote is not closed (a quote at the end of the text)");
  CHECK(refused("a: 'x'\nb: \"\\\\\"\nc: ''\nd: ''''\n") == "no error");
  CHECK(refused("a: @x\n") == "f:1:4: not valid YAML: unknown token");
  CHECK(refused("a: \"\\q\"\n").find("f:1:") == 0);
}

TEST_CASE("a node describes itself in the words of messages") {
  const Node root = parse("a: 12\nb: -1.5e3\nc: many\nd: '12'\ne: [1]\nf: {x: 1}\ng:\nh: 0x1F\n");
  CHECK(root.find("a")->describe() == "the number `12`");
  CHECK(root.find("b")->describe() == "the number `-1.5e3`");
  CHECK(root.find("c")->describe() == "the text `many`");
  CHECK(root.find("d")->describe() == "the quoted text `12`");
  CHECK(root.find("e")->describe() == "a list");
  CHECK(root.find("f")->describe() == "a mapping");
  CHECK(root.find("g")->describe() == "empty");
  CHECK(root.find("h")->describe() == "the number `0x1F`");
}
