// SPDX-License-Identifier: Apache-2.0
// Typed keys: every type and its refusals, defaults, unknown and missing keys, sections, and what is noted on the way.
#include "platforms/config/reader.h"

#include <catch2/catch.hpp>

#include "platforms/config/document.h"
#include "testbenches/platforms/config/message_of.h"

using namespace mho::config;

namespace {

enum class Fidelity { automatic, exact, sliced };

const ValueType<Fidelity> kFidelity =
    choice<Fidelity>({{"auto", Fidelity::automatic}, {"exact", Fidelity::exact}, {"sliced", Fidelity::sliced}});

Reader read(const std::string& text) { return Reader(parse_text(text, "f")); }

/// The message for the key `x` of a one-line document, read as `type`.
template <class T>
std::string refused(const std::string& value, const ValueType<T>& type) {
  return message_of([&] { read("x: " + value).get("x", type, kRequired, ""); });
}
template <class T>
T value(const std::string& text, const ValueType<T>& type) {
  return read("x: " + text).get("x", type, kRequired, "");
}

}  // namespace

TEST_CASE("keys are read by type, and absent keys take their defaults") {
  Reader r = read("rows: 128\nread: 100 ns\nfidelity: exact\nslices: [4, 2, 2]\nname: isaac\nspeculation: true\n");
  CHECK(r.get("rows", integer(1, 65536), kRequired, "") == 128);
  CHECK(r.get("columns", integer(1, 65536), 64, "") == 64);
  CHECK(r.get("read", quantity(Quantity::time), kRequired, "") == 1e-7);
  CHECK(r.get("write", quantity(Quantity::time), 1e-6, "") == 1e-6);
  CHECK(r.get("fidelity", kFidelity, Fidelity::automatic, "") == Fidelity::exact);
  CHECK(r.get("slices", list_of(integer(1, 8)), {}, "") == std::vector<int>{4, 2, 2});
  CHECK(r.get("inputs", list_of(integer(1, 8)), {1, 3}, "") == std::vector<int>{1, 3});
  CHECK(r.get("name", text(), kRequired, "") == "isaac");
  CHECK(r.get("speculation", boolean(), false, ""));
  CHECK_FALSE(r.find("labels", text(), ""));
  r.finish();
}

TEST_CASE("integers keep their range and refuse everything else") {
  const auto rows = integer(1, 1024);
  CHECK(value("1", rows) == 1);
  CHECK(value("1024", rows) == 1024);
  CHECK(refused("0", rows) == "f:1:4: `x` is 0 (integer, 1 to 1024)");
  CHECK(refused("1025", rows) == "f:1:4: `x` is 1025 (integer, 1 to 1024)");
  CHECK(refused("12.5", rows) == "f:1:4: `x`: `12.5` is not a whole number (integer, 1 to 1024)");
  CHECK(refused("many", rows) == "f:1:4: `x`: `many` is not a number (integer, 1 to 1024)");
  CHECK(refused("'12'", rows) == "f:1:4: `x` is the quoted text `12` (integer, 1 to 1024)");
  CHECK(refused("[12]", rows) == "f:1:4: `x` is a list (integer, 1 to 1024)");
  CHECK(refused("", rows) == "f:1:1: `x` is empty (integer, 1 to 1024)");
  CHECK(refused("99999999999999999999", rows) ==
        "f:1:4: `x`: `99999999999999999999` is beyond 64 bits (integer, 1 to 1024)");
  CHECK(refused("4294967297", rows) == "f:1:4: `x` is 4294967297 (integer, 1 to 1024)");  // 1 in 32 bits
  CHECK(value("-5000000000", integer64(-5'000'000'000, 0)) == -5'000'000'000);
}

TEST_CASE("addresses and seeds are unsigned, decimal or hexadecimal") {
  CHECK(value("0x40000000", address()) == 0x40000000u);
  CHECK(value("18446744073709551615", unsigned_integer()) == std::numeric_limits<std::uint64_t>::max());
  CHECK(refused("0x100", address(0xFF)) == "f:1:4: `x` is 0x100 (address, 0x0 to 0xff)");
  CHECK(refused("-1", unsigned_integer(9)) == "f:1:4: `x`: `-1` is below zero (integer, 0 to 9)");
}

TEST_CASE("real numbers take no unit, quantities need one, and both keep their range") {
  CHECK(value("0.25", real()) == 0.25);
  CHECK(value("-3", real(kAnyReal)) == -3.0);
  CHECK(refused("-3", real()) == "f:1:4: `x` is -3 (0 or more)");
  CHECK(refused("0", real(kPositive)) == "f:1:4: `x` is 0 (above 0)");
  CHECK(refused("0.5 ns", real()) == "f:1:4: `x`: `0.5 ns` has `ns` behind the number (number, a number without unit)");
  CHECK(refused("100", quantity(Quantity::time)) ==
        "f:1:4: `x`: `100` has no unit (time, for example `100 ns`; units: fs ps ns us ms s)");
  CHECK(refused("0 ns", quantity(Quantity::time, kPositive)) == "f:1:4: `x` is 0 ns (above 0 s)");
  CHECK(refused("2 V", quantity(Quantity::voltage, {-1.0, 1.0})) == "f:1:4: `x` is 2 V (-1 V to 1 V)");
  CHECK(refused("-1 ns", quantity(Quantity::time)) == "f:1:4: `x` is -1 ns (0 s or more)");
  CHECK(value("50 %", quantity(Quantity::percentage, {0.0, 1.0})) == 0.5);
  CHECK(value("100 %", quantity(Quantity::percentage, {0.0, 1.0})) == 1.0);
  CHECK(value("0 %", quantity(Quantity::percentage, {0.0, 1.0})) == 0.0);
  CHECK(refused("101 %", quantity(Quantity::percentage, {0.0, 1.0})) == "f:1:4: `x` is 101 % (0 % to 100 %)");
  CHECK(refused("[1]", quantity(Quantity::time)) == "f:1:4: `x` is a list (time, 0 s or more)");
}

TEST_CASE("byte counts are whole") {
  const auto size = byte_count(1, std::uint64_t{1} << 40);
  CHECK(value("4 GiB", size) == 4294967296u);
  CHECK(value("0.5 KiB", size) == 512u);
  CHECK(refused("0.5 B", size) == "f:1:4: `x`: `0.5 B` is no whole number of bytes (size in bytes, 1 B to 1 TiB)");
  CHECK(refused("-1 B", size).find("is no whole number of bytes") != std::string::npos);
  CHECK(refused("1e30 B", size).find("is no whole number of bytes") != std::string::npos);
  CHECK(refused("0 B", size) == "f:1:4: `x` is 0 B (size in bytes, 1 B to 1 TiB)");
  CHECK(refused("4096", size).find("has no unit (size in bytes, 1 B to 1 TiB)") != std::string::npos);
}

TEST_CASE("booleans are true or false and nothing else") {
  CHECK(value("true", boolean()));
  CHECK_FALSE(value("false", boolean()));
  for (const char* word : {"yes", "no", "on", "True", "TRUE", "1", "'true'", "[true]"})
    CHECK(refused(word, boolean()).find("(`true` or `false`)") != std::string::npos);
  CHECK(refused("yes", boolean()) == "f:1:4: `x` is the text `yes` (`true` or `false`)");
  CHECK(refused("True", boolean()) == "f:1:4: `x` is the text `True`; did you mean `true`? (`true` or `false`)");
  CHECK(refused("'true'", boolean()) == "f:1:4: `x` is the quoted text `true` (`true` or `false`)");
}

TEST_CASE("an unknown word is answered with the words, and with the one that was meant") {
  CHECK(value("auto", kFidelity) == Fidelity::automatic);
  CHECK(refused("exat", kFidelity) ==
        "f:1:4: `x` is the text `exat`; did you mean `exact`? (`auto`, `exact` or `sliced`)");
  CHECK(refused("fast", kFidelity) == "f:1:4: `x` is the text `fast` (`auto`, `exact` or `sliced`)");
  CHECK(refused("{a: 1}", kFidelity) == "f:1:4: `x` is a mapping (`auto`, `exact` or `sliced`)");
  CHECK(value("b", word({"a", "b"})) == "b");
}

TEST_CASE("texts may be quoted or plain but not empty") {
  CHECK(value("\"a b\"", text()) == "a b");
  CHECK(value("128", text()) == "128");
  CHECK(refused("''", text("a name")) == "f:1:4: `x` is the quoted text `` (text, a name)");
  CHECK(refused("~", text()) == "f:1:4: `x` is empty (text)");
}

TEST_CASE("types combine: a word instead, lists, maps") {
  const auto chips = or_word(integer(1, 64), "auto");
  CHECK(value("4", chips) == 4);
  CHECK_FALSE(value("auto", chips));
  CHECK(refused("0", chips) == "f:1:4: `x` is 0 (integer, 1 to 64, or `auto`)");
  const auto slices = list_of(integer(1, 8), 1, 3);
  CHECK(refused("[1, 9]", slices) == "f:1:8: `x.1` is 9 (integer, 1 to 8)");
  CHECK(refused("[]", slices) == "f:1:4: `x` has 0 entries (1 to 3)");
  CHECK(refused("[1, 1, 1, 1]", slices) == "f:1:4: `x` has 4 entries (1 to 3)");
  CHECK(refused("4", slices) == "f:1:4: `x` is the number `4` (list of integer in brackets)");
  const auto energies = map_of(quantity(Quantity::energy));
  const auto map = value("{b: 1 pJ, a: 2 pJ}", energies);
  REQUIRE(map.size() == 2);
  CHECK(map[0] == std::pair<std::string, double>("b", 1e-12));
  CHECK(refused("{b.0: 1}", energies).find("f:1:10: `x.\"b.0\"`: `1` has no unit") == 0);
  CHECK(refused("[1]", energies) == "f:1:4: `x` is a list (energy by name)");
  CHECK(value("[[1], [2, 3]]", list_of(list_of(integer(0, 9)))) == std::vector<std::vector<int>>{{1}, {2, 3}});
}

TEST_CASE("a missing key is reported at its mapping, with a misspelling nearby") {
  Reader r = read("a: 1\ncrossbar:\n  rwos: 5\n");
  Reader crossbar = r.section("crossbar", "");
  CHECK(message_of([&] { crossbar.get("rows", integer(1, 9), kRequired, ""); }) ==
        "f:3:3: missing key `crossbar.rows`; is `rwos` in line 3 a misspelling? (integer, 1 to 9)");
  CHECK(message_of([&] { crossbar.get("columns", integer(1, 9), kRequired, ""); }) ==
        "f:3:3: missing key `crossbar.columns` (integer, 1 to 9)");
  CHECK(message_of([&] { r.section("adc", "").get("bits", integer(1, 9), kRequired, ""); }) ==
        "f:1:1: missing key `adc.bits` (integer, 1 to 9)");
}

TEST_CASE("unknown keys are refused at the end, in every section, with a suggestion and the keys") {
  Reader r = read("crossbar: {rows: 1, colums: 2}\nlist: [{name: a}, {nam: b}]\n");
  Reader crossbar = r.section("crossbar", "");
  crossbar.get("rows", integer(1, 9), 1, "");
  crossbar.get("columns", integer(1, 9), 1, "");
  for (Reader& item : r.sections("list", "")) item.find("name", text(), "");
  CHECK(message_of([&] { r.finish(); }) ==
        "f:1:21: unknown key `crossbar.colums`; did you mean `columns`? (keys: `columns` or `rows`)");
  crossbar.find("colums", integer(1, 9), "");
  CHECK(message_of([&] { r.finish(); }) == "f:2:20: unknown key `list.1.nam`; did you mean `name`? (keys: `name`)");
  CHECK(message_of([&] { read("a: 1\n").finish(); }) == "f:1:1: unknown key `a` (no keys)");
}

TEST_CASE("sections: written, absent, listed, named") {
  Reader r =
      read("adc: {bits: 8}\naccelerators: [{name: pim0}, {name: pim1}]\nlayers: {conv1: {bits: 4}, fc: {bits: 2}}\n");
  CHECK(r.section("adc", "").get("bits", integer(1, 16), kRequired, "") == 8);
  CHECK(r.section("dac", "").get("bits", integer(1, 16), 1, "") == 1);
  CHECK_FALSE(r.find_section("noise", ""));
  CHECK(r.find_section("adc", ""));
  std::vector<Reader> accelerators = r.sections("accelerators", "");
  REQUIRE(accelerators.size() == 2);
  CHECK(accelerators[1].path() == "accelerators.1");
  CHECK(accelerators[1].get("name", text(), kRequired, "") == "pim1");
  auto layers = r.named_sections("layers", "");
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].first == "conv1");
  CHECK(layers[1].second.path() == "layers.fc");
  CHECK(layers[1].second.get("bits", integer(1, 16), kRequired, "") == 2);
  CHECK(r.sections("none", "").empty());
  CHECK(r.named_sections("nobody", "").empty());
}

TEST_CASE("a section of the wrong kind is refused") {
  Reader r = read("a: 1\nb: [1]\nc: {x: 1}\nd:\n");
  CHECK(message_of([&] { r.section("a", ""); }) == "f:1:4: `a` is the number `1` (a mapping of keys)");
  CHECK(message_of([&] { r.sections("b", ""); }) == "f:2:5: `b.0` is the number `1` (a mapping of keys)");
  CHECK(message_of([&] { r.sections("c", ""); }) == "f:3:4: `c` is a mapping (a list of mappings)");
  CHECK(message_of([&] { r.named_sections("b", ""); }) == "f:2:4: `b` is a list (mappings by name)");
  CHECK(message_of([&] { r.named_sections("c", ""); }) == "f:3:8: `c.x` is the number `1` (a mapping of keys)");
  CHECK(message_of([&] { r.section("d", ""); }) == "f:4:1: `d` is empty (a mapping of keys)");
  CHECK(message_of([&] { read("- 1\n"); }) == "f:1:1: the document is a list (a mapping of keys)");
  CHECK(message_of([&] { read("# nothing\n"); }) == "f:1:1: the document is empty (a mapping of keys)");
}

TEST_CASE("a section taken twice is one section") {
  Reader r = read("adc: {bits: 8, rate: 1 GS/s}\n");
  r.section("adc", "").get("bits", integer(1, 16), kRequired, "");
  r.section("adc", "").get("rate", quantity(Quantity::sample_rate), kRequired, "");
  CHECK(message_of([&] { r.finish(); }) == "no error");
  CHECK(write_flow(r.effective()) == "{adc: {bits: 8, rate: 1 GS/s}}");
}

TEST_CASE("the caller's own mistakes stand at the value and name its path") {
  Reader r = read("crossbar:\n  rows: 100\n");
  const Reader crossbar = r.section("crossbar", "");
  CHECK(std::string(crossbar.error("rows", "is no power of two", "64, 128, 256").what()) ==
        "f:2:9: `crossbar.rows` is no power of two (64, 128, 256)");
  CHECK(std::string(crossbar.error("columns", "is needed here").what()) == "f:2:3: `crossbar.columns` is needed here");
  CHECK(crossbar.peek("rows")->text() == "100");
  CHECK(crossbar.peek("columns") == nullptr);
}

TEST_CASE("a reader keeps its tree alive") {
  Reader section = [] {
    Reader r = read("adc: {bits: 8}\n");
    return r.section("adc", "");
  }();
  CHECK(section.get("bits", integer(1, 16), kRequired, "") == 8);
}

TEST_CASE("what was read is the effective configuration, defaults included") {
  Reader r = read("b: 0.1 us\na: 3\nadc: {rate: 1280 MS/s}\nempty: {}\nnone: []\nextra: {k: [1, {x: y}]}\n");
  r.get("a", integer(0, 9), kRequired, "");
  r.get("b", quantity(Quantity::time), kRequired, "");
  r.get("memory", byte_count(0, 1u << 30), 65536, "");
  r.get("base", address(), 0x40000000, "");
  r.get("name", text(), "layer 1: x", "");
  r.get("chips", or_word(integer(1, 9), "auto"), std::nullopt, "");
  r.get("fidelity", kFidelity, Fidelity::sliced, "");
  r.find("labels", text(), "");
  Reader adc = r.section("adc", "");
  adc.get("rate", quantity(Quantity::sample_rate), kRequired, "");
  adc.get("trim", boolean(), false, "");
  r.section("dac", "").get("bits", integer(1, 9), 1, "");
  r.section("empty", "");
  r.section("absent", "").find("x", text(), "");
  r.sections("none", "");
  r.sections("nobody", "");
  r.get("extra", tree(), kRequired, "");
  CHECK(write_flow(r.effective()) ==
        "{a: 3, b: 100 ns, memory: 64 KiB, base: 0x40000000, name: \"layer 1: x\", chips: auto, fidelity: sliced, "
        "adc: {rate: 1.28 GS/s, trim: false}, dac: {bits: 1}, empty: {}, none: [], extra: {k: [1, {x: y}]}}");
}

TEST_CASE("references of keys are collected while reading, each path once") {
  Reader r = read("adc: {bits: 8}\naccelerators: [{name: a}, {name: b}]\n");
  r.section("adc", "the converters").get("bits", integer(1, 16), kRequired, "resolution");
  r.get("read", quantity(Quantity::time, kPositive), 1e-7, "read pulse");
  for (Reader& item : r.sections("accelerators", "")) item.find("name", text(), "instance");
  const std::vector<KeyReference>& keys = r.references();
  REQUIRE(keys.size() == 5);
  CHECK(keys[0].path == "adc");
  CHECK(keys[0].description == "the converters");
  CHECK(keys[1].path == "adc.bits");
  CHECK(keys[1].type == "integer");
  CHECK(keys[1].default_value == "required");
  CHECK(keys[1].allowed == "1 to 16");
  CHECK(keys[1].description == "resolution");
  CHECK(keys[2].path == "read");
  CHECK(keys[2].unit == "s");
  CHECK(keys[2].default_value == "100 ns");
  CHECK(keys[2].allowed == "above 0 s");
  CHECK(keys[4].path == "accelerators[].name");
  CHECK(keys[4].default_value == "absent");
}

TEST_CASE("a reference reader runs the reading code without a configuration") {
  Reader r = Reader::for_reference(parse_text("readout: {kind: ou}\n", "sample"));
  CHECK(r.get("rows", integer(1, 9), kRequired, "") == 1);
  CHECK(r.get("rate", quantity(Quantity::sample_rate, kPositive), kRequired, "") == 1.0);
  CHECK(r.find("fidelity", kFidelity, "") == Fidelity::automatic);
  CHECK(r.get("pair", list_of(text(), 2, 2), kRequired, "").size() == 2);
  CHECK(r.section("readout", "").get("kind", word({"adc", "ou"}), kRequired, "") == "ou");
  REQUIRE(r.find_section("noise", ""));
  REQUIRE(r.sections("accelerators", "").size() == 1);
  REQUIRE(r.named_sections("layers", "").size() == 1);
  r.named_sections("layers", "").front().second.get("bits", integer(1, 9), 4, "");
  CHECK(r.references().back().path == "layers.<name>.bits");
}
