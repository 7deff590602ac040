// SPDX-License-Identifier: Apache-2.0
// Mutants of a valid configuration: each loads or is refused with an InputError that is one printable line; what loads
// is written and read again to the same effective configuration. Build it with sanitizers as well.
#include <catch2/catch.hpp>
#include <chrono>
#include <random>

#include "platforms/config/document.h"
#include "platforms/config/overrides.h"
#include "platforms/config/reader.h"
#include "platforms/config/writer.h"

using namespace mho::config;

namespace {

const std::string kValid =
    "# a machine\n"
    "name: \"isaac \\u00e9\"\n"
    "fidelity: auto\n"
    "chips: 4\n"
    "crossbar:\n"
    "  rows: 128\n"
    "  read: 100 ns   # pulse\n"
    "  slices: [4, 2, 2]\n"
    "adc: {bits: 8, rate: 1.28 GS/s, trim: true}\n"
    "memory: 4 GiB\n"
    "note: |\n"
    "  two\n"
    "  lines\n"
    "accelerators:\n"
    "  - {name: pim0, base: 0x40000000}\n"
    "  - name: 'pim1'\n"
    "    base: 0x50000000\n"
    "energies: {adc: 3.1 pJ, dac: 7 fJ}\n"
    "layers:\n"
    "  conv1: {bits: 4}\n"
    "extra: [1, {a: [b, ~]}]\n";

/// Reads every type there is; the effective configuration.
Node configure(Node tree_read) {
  Reader r(std::move(tree_read));
  r.get("name", text(), kRequired, "");
  r.get("fidelity", word({"auto", "exact", "sliced"}), "auto", "");
  r.get("chips", or_word(integer(1, 64), "auto"), std::nullopt, "");
  Reader crossbar = r.section("crossbar", "");
  crossbar.get("rows", integer(1, 65536), 128, "");
  crossbar.get("read", quantity(Quantity::time, kPositive), 1e-7, "");
  crossbar.get("slices", list_of(integer(1, 8), 1, 8), {4}, "");
  Reader adc = r.section("adc", "");
  adc.get("bits", integer64(1, 16), 8, "");
  adc.get("rate", quantity(Quantity::sample_rate), 1e9, "");
  adc.get("trim", boolean(), false, "");
  r.get("memory", byte_count(0, std::uint64_t{1} << 40), 65536, "");
  r.find("note", text(), "");
  for (Reader& one : r.sections("accelerators", "")) {
    one.get("name", text(), kRequired, "");
    one.get("base", address(), 0, "");
  }
  r.get("energies", map_of(quantity(Quantity::energy)), {}, "");
  for (auto& layer : r.named_sections("layers", "")) layer.second.get("bits", integer(1, 8), 8, "");
  r.find("extra", tree(), "");
  r.finish();
  return r.effective();
}

/// Outcome of one text; fails the test on anything but success or an InputError.
bool loads(const std::string& text) {
  std::string effective;
  try {
    effective = write_yaml(configure(parse_text(text, "mutant")));
  } catch (const mho::InputError& error) {
    const std::string line = error.what();
    for (const char c : line) REQUIRE((static_cast<unsigned char>(c) >= 0x20 && c != 0x7F));
    REQUIRE(line.size() < 4000);
    return false;
  }
  INFO(effective);
  REQUIRE(write_yaml(configure(parse_text(effective, "effective"))) == effective);
  return true;
}

std::string mutate(std::string text, std::mt19937& random) {
  static const std::vector<std::string> kPieces{"[",
                                                "]",
                                                "{",
                                                "}",
                                                ":",
                                                ": ",
                                                "- ",
                                                "? ",
                                                ", ",
                                                "\n",
                                                " ",
                                                "  ",
                                                "\t",
                                                "\r",
                                                "\"",
                                                "'",
                                                "#",
                                                "&a ",
                                                "*a",
                                                "!x ",
                                                "|\n",
                                                ">",
                                                "%",
                                                "---\n",
                                                "...\n",
                                                "<<: ",
                                                "~",
                                                "null",
                                                "0",
                                                "1e999",
                                                "-",
                                                "nan",
                                                "0x",
                                                "\xC3",
                                                "\xFF",
                                                std::string(1, '\0'),
                                                "\xEF\xBB\xBF",
                                                "\\x",
                                                "[[[[[[[[[[[[[[[[",
                                                "base: ",
                                                "9999999999999999999999",
                                                "\xE2\x80\xA8"};
  for (unsigned n = 1 + random() % 4; n > 0; --n) {
    const std::size_t at = random() % (text.size() + 1);
    const std::size_t length = random() % 12;
    switch (random() % 6) {
      case 0:
        text.insert(at, kPieces[random() % kPieces.size()]);
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 3:
        text.insert(random() % (text.size() + 1), text.substr(at, length * 4));
        break;
      case 4:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << random() % 8));
        break;
      default:
        text.replace(at, length, kPieces[random() % kPieces.size()]);
        break;
    }
  }
  return text;
}

}  // namespace

TEST_CASE("the document that is mutated loads, and its effective configuration is a fixed point") {
  CHECK(loads(kValid));
}

TEST_CASE("every mutant of a configuration loads or is refused with an InputError") {
  std::mt19937 random(20240131);
  int loaded = 0;
  int refused = 0;
  const auto start = std::chrono::steady_clock::now();
  while (refused + loaded < 30'000 && std::chrono::steady_clock::now() - start < std::chrono::seconds(5)) {
    const std::string mutant = mutate(kValid, random);
    INFO(mutant);
    ++(loads(mutant) ? loaded : refused);
  }
  CHECK(loaded > 100);  // else the mutants test nothing behind the parser
  CHECK(refused > 100);
}

TEST_CASE("every prefix of a configuration loads or is refused with an InputError") {
  for (std::size_t n = 0; n <= kValid.size(); ++n) loads(kValid.substr(0, n));
}

TEST_CASE("random command-line changes apply or are refused with an InputError") {
  std::mt19937 random(5);
  static const std::vector<std::string> kPieces{"crossbar", "rows",  "accelerators",
                                                "0",        "1",     "name",
                                                ".",        ".",     ".",
                                                "=",        "=",     "[",
                                                "]",        "{",     "}",
                                                "\"",       "~",     "128",
                                                "100 ns",   ":",     " ",
                                                ",",        "\xFF",  "\n",
                                                "layers",   "conv1", "bits",
                                                "extra",    "-1",    "99999999999999999999"};
  const Node valid = parse_text(kValid, "valid");
  for (int i = 0; i < 5000; ++i) {
    std::string argument;
    for (unsigned n = 1 + random() % 9; n > 0; --n) argument += kPieces[random() % kPieces.size()];
    INFO(argument);
    Node changed = valid;
    try {
      apply_override(changed, argument);
      configure(changed);
    } catch (const mho::InputError& error) {
      REQUIRE_FALSE(error.problem().empty());
    }
  }
}
