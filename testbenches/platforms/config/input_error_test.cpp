// SPDX-License-Identifier: Apache-2.0
// The one line an InputError prints: its parts, its escapes, its limits.
#include "models/input_error.h"

#include <catch2/catch.hpp>

using mho::excerpt;
using mho::InputError;
using mho::printable;
using mho::utf8_length;

TEST_CASE("an input error prints file, line, column, what is wrong and what is allowed") {
  const InputError error("a.yaml", 3, 9, "`rows` is 0", "1 to 65536");
  CHECK(std::string(error.what()) == "a.yaml:3:9: `rows` is 0 (1 to 65536)");
  CHECK(error.file() == "a.yaml");
  CHECK(error.line() == 3);
  CHECK(error.column() == 9);
  CHECK(error.problem() == "`rows` is 0");
  CHECK(error.allowed() == "1 to 65536");
}

TEST_CASE("an unknown column, line, file or alternative leaves no trace in the message") {
  CHECK(std::string(InputError("a.yaml", 3, 0, "bad").what()) == "a.yaml:3: bad");
  CHECK(std::string(InputError("a.yaml", 0, 7, "bad").what()) == "a.yaml: bad");
  CHECK(std::string(InputError("--set crossbar.rows", 0, 0, "bad", "good").what()) ==
        "--set crossbar.rows: bad (good)");
  CHECK(std::string(InputError("", 0, 0, "bad").what()) == "bad");
}

TEST_CASE("an error survives copying and catching as runtime_error") {
  const InputError original("a.yaml", 1, 2, "bad", "good");
  const InputError copy(original);
  CHECK(copy.allowed() == "good");
  CHECK_THROWS_AS(throw copy, std::runtime_error);
}

TEST_CASE("a message is one printable line whatever the user wrote") {
  const InputError error("a\nb.yaml", 1, 1, "`x\r\n\x1b[31m\x7f\t`", "no\0 NUL");
  CHECK(std::string(error.what()) == "a\\nb.yaml:1:1: `x\\x0d\\n\\x1b[31m\\x7f\\t` (no)");
  CHECK(printable(std::string_view("a\0b", 3), 10) == "a\\x00b");
  CHECK(printable("\xC2\x85|\xE2\x80\xA8|\xE2\x80\xAE|\xE2\x81\xA6", 10) ==
        "\\xc2\\x85|\\xe2\\x80\\xa8|\\xe2\\x80\\xae|\\xe2\\x81\\xa6");
  CHECK(printable("\xFF\xC3", 10) == "\\xff\\xc3");
  CHECK(printable("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 10) == "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST_CASE("long text is clipped by characters, never inside one") {
  CHECK(printable("\xC3\xA9\xC3\xA9\xC3\xA9", 2) == "\xC3\xA9\xC3\xA9...");
  CHECK(printable("abc", 3) == "abc");
  CHECK(excerpt(std::string(61, 'x')) == '`' + std::string(60, 'x') + "...`");
  CHECK(excerpt(std::string(60, 'x')) == '`' + std::string(60, 'x') + '`');
  const std::string huge(1'000'000, 'x');
  CHECK(std::string(InputError(huge, 1, 1, huge, huge).what()).size() < 3000);
}

TEST_CASE("only well-formed UTF-8 counts as a character") {
  CHECK(utf8_length("") == 0);
  CHECK(utf8_length("a") == 1);
  CHECK(utf8_length("\xC3\xA9") == 2);
  CHECK(utf8_length("\xE2\x82\xAC") == 3);
  CHECK(utf8_length("\xF4\x8F\xBF\xBF") == 4);  // U+10FFFF, the last
  CHECK(utf8_length("\xF4\x90\x80\x80") == 0);  // beyond it
  CHECK(utf8_length("\xC0\x80") == 0);          // overlong NUL
  CHECK(utf8_length("\xE0\x9F\xBF") == 0);      // overlong
  CHECK(utf8_length("\xF0\x8F\xBF\xBF") == 0);  // overlong
  CHECK(utf8_length("\xED\xA0\x80") == 0);      // surrogate
  CHECK(utf8_length("\xE2\x82") == 0);          // cut off
  CHECK(utf8_length("\xE2\x28\xA1") == 0);      // no continuation
  CHECK(utf8_length("\x80") == 0);
}
