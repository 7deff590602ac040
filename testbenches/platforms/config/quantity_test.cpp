// SPDX-License-Identifier: Apache-2.0
// Numbers and units: conversions worked by hand, everything that is refused, and that writing is read back exactly.
#include "platforms/config/quantity.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <random>

using namespace mho::config;

namespace {

double si(const char* text, Quantity kind) {
  const Parsed<double> parsed = parse_quantity(text, kind);
  INFO(text << ' ' << parsed.error.problem);
  REQUIRE(parsed.value);
  return *parsed.value;
}

std::string problem(const char* text, Quantity kind) { return parse_quantity(text, kind).error.problem; }

const Quantity kAll[] = {Quantity::time,        Quantity::frequency,  Quantity::sample_rate, Quantity::bytes,
                         Quantity::bits,        Quantity::bandwidth,  Quantity::energy,      Quantity::energy_per_bit,
                         Quantity::power,       Quantity::area,       Quantity::length,      Quantity::voltage,
                         Quantity::current,     Quantity::resistance, Quantity::conductance, Quantity::charge,
                         Quantity::capacitance, Quantity::percentage};

}  // namespace

TEST_CASE("units convert to SI exactly, as worked by hand") {
  struct Case {
    const char* text;
    Quantity kind;
    double value;
  };
  const Case cases[] = {{"100 ns", Quantity::time, 1e-7},
                        {"100ns", Quantity::time, 1e-7},
                        {"0.1 ns", Quantity::time, 1e-10},
                        {"1 fs", Quantity::time, 1e-15},
                        {"781.25 ps", Quantity::time, 781.25e-12},
                        {"2 us", Quantity::time, 2e-6},
                        {"1e3 ms", Quantity::time, 1.0},
                        {"1.5E-3 s", Quantity::time, 1.5e-3},
                        {"-3 s", Quantity::time, -3.0},
                        {"1.28 GS/s", Quantity::frequency, 1.28e9},
                        {"1.2 GHz", Quantity::frequency, 1.2e9},
                        {"50 Hz", Quantity::frequency, 50.0},
                        {"7 kS/s", Quantity::sample_rate, 7e3},
                        {"3 MHz", Quantity::sample_rate, 3e6},
                        {"64 KiB", Quantity::bytes, 65536.0},
                        {"4 GiB", Quantity::bytes, 4294967296.0},
                        {"4 GB", Quantity::bytes, 4e9},
                        {"2 TiB", Quantity::bytes, 2199023255552.0},
                        {"1 MiB", Quantity::bytes, 1048576.0},
                        {"3 kB", Quantity::bytes, 3e3},
                        {"5 MB", Quantity::bytes, 5e6},
                        {"6 TB", Quantity::bytes, 6e12},
                        {"0.5 KiB", Quantity::bytes, 512.0},
                        {"9 b", Quantity::bits, 9.0},
                        {"9 bit", Quantity::bits, 9.0},
                        {"25.6 GB/s", Quantity::bandwidth, 25.6e9},
                        {"1 GiB/s", Quantity::bandwidth, 1073741824.0},
                        {"10 Gb/s", Quantity::bandwidth, 1.25e9},
                        {"8 b/s", Quantity::bandwidth, 1.0},
                        {"16 kb/s", Quantity::bandwidth, 2e3},
                        {"6 Tb/s", Quantity::bandwidth, 7.5e11},
                        {"6 MB/s", Quantity::bandwidth, 6e6},
                        {"3.1 pJ", Quantity::energy, 3.1e-12},
                        {"7 fJ", Quantity::energy, 7e-15},
                        {"2 aJ", Quantity::energy, 2e-18},
                        {"1.5 mJ", Quantity::energy, 1.5e-3},
                        {"20 pJ/bit", Quantity::energy_per_bit, 20e-12},
                        {"3 mW", Quantity::power, 3e-3},
                        {"65 W", Quantity::power, 65.0},
                        {"4 nW", Quantity::power, 4e-9},
                        {"1500 um2", Quantity::area, 1500e-12},
                        {"0.0012 mm2", Quantity::area, 1.2e-9},
                        {"5 nm2", Quantity::area, 5e-18},
                        {"12 um", Quantity::length, 12e-6},
                        {"200 mV", Quantity::voltage, 0.2},
                        {"-0.5 V", Quantity::voltage, -0.5},
                        {"15 uA", Quantity::current, 15e-6},
                        {"25 kohm", Quantity::resistance, 25e3},
                        {"2 Mohm", Quantity::resistance, 2e6},
                        {"40 uS", Quantity::conductance, 40e-6},
                        {"3 fF", Quantity::capacitance, 3e-15},
                        {"8 pC", Quantity::charge, 8e-12},
                        {"50 %", Quantity::percentage, 0.5},
                        {"12.5%", Quantity::percentage, 0.125}};
  for (const Case& c : cases) {
    INFO(c.text);
    CHECK(si(c.text, c.kind) == c.value);
  }
}

TEST_CASE("a decimal text and its unit are rounded once") {
  // 0.4 * 1e-9 is 4.0000000000000007e-10 in doubles; the nearest double to 0.4 ns is 4e-10.
  CHECK(0.4 * 1e-9 != 4e-10);
  CHECK(si("0.4 ns", Quantity::time) == 4e-10);
  CHECK(si("0.7 pJ", Quantity::energy) == 0.7e-12);
}

TEST_CASE("a quantity without a unit is refused with an example") {
  const Parsed<double> parsed = parse_quantity("100", Quantity::time);
  CHECK_FALSE(parsed.value);
  CHECK(parsed.error.problem == "has no unit");
  CHECK(parsed.error.allowed == "for example `100 ns`; units: fs ps ns us ms s");
  CHECK(problem("0", Quantity::energy) == "has no unit");
}

TEST_CASE("an unknown unit is refused, with the unit that was probably meant") {
  CHECK(problem("64 KB", Quantity::bytes) == "has `KB` for its unit; did you mean `kB`?");
  CHECK(problem("64 kib", Quantity::bytes) == "has `kib` for its unit; did you mean `KiB`?");
  CHECK(problem("1 B", Quantity::time) == "has `B` for its unit");
  CHECK(problem("1 ns ns", Quantity::time).find("has `ns ns` for its unit") == 0);
  CHECK(problem("1 b", Quantity::bytes) == "has `b` for its unit; did you mean `B`?");
  CHECK(problem("1 Ms", Quantity::time).find("has `Ms` for its unit") == 0);  // never taken for `ms`
}

TEST_CASE("what is no finite decimal number is refused") {
  for (const char* text :
       {"nan ns", "inf ns", "-inf ns", "ns", "", " ", "+1 ns", ".5 ns", "one ns", "- 1 ns", "--1 ns", "NaN s"})
    CHECK(problem(text, Quantity::time) == "is not a number");
  CHECK(problem("0x10 ns", Quantity::time) == "is hexadecimal");
  CHECK(problem("010 ns", Quantity::time) == "begins with a zero");
  CHECK(problem("-00.5 ns", Quantity::time) == "begins with a zero");
  CHECK(problem("1. ns", Quantity::time) == "has no digit after the point");
  CHECK(problem("1e ns", Quantity::time) == "has no digits in its exponent");
  CHECK(problem("1e400 s", Quantity::time) == "is beyond the range of a 64-bit number");
  for (const char* text : {"1e99999999999999999999 s", "1e1000 s", "1e4294967296 s", "1e18446744073709551616 s"})
    CHECK(problem(text, Quantity::time) == "is beyond the range of a 64-bit number");
  CHECK(problem("1e308 TiB", Quantity::bytes) == "is beyond the range of a 64-bit number");
  CHECK(problem("1e-400 s", Quantity::time) == "is beyond the range of a 64-bit number");
  CHECK(problem("1,5 ns", Quantity::time).find("has `,5 ns` for its unit") == 0);
}

TEST_CASE("a number without unit refuses units and keeps every digit") {
  CHECK(*parse_real("0.1").value == 0.1);
  CHECK(*parse_real("-1e-3").value == -0.001);
  CHECK(*parse_real("0e5").value == 0.0);
  CHECK(*parse_real("123456789.123456789").value == 123456789.123456789);
  CHECK_FALSE(std::signbit(*parse_real("-0").value));
  CHECK(parse_real("5 ns").error.problem == "has `ns` behind the number");
  CHECK(parse_real("5%").error.problem == "has `%` behind the number");
  CHECK(parse_real("1_000").error.problem == "has `_000` behind the number");
  CHECK(parse_real("0x1p3").error.problem == "is hexadecimal");
  CHECK(*parse_real("1" + std::string(300, '0')).value == 1e300);
  CHECK_FALSE(parse_real("1" + std::string(1'000'000, '0')).value);
}

TEST_CASE("integers are whole decimal numbers of 64 bits") {
  CHECK(*parse_integer("0").value == 0);
  CHECK(*parse_integer("-9223372036854775808").value == std::numeric_limits<std::int64_t>::min());
  CHECK(*parse_integer("9223372036854775807").value == std::numeric_limits<std::int64_t>::max());
  CHECK(parse_integer("9223372036854775808").error.problem == "is beyond 64 bits");
  CHECK(parse_integer("1.0").error.problem == "is not a whole number");
  CHECK(parse_integer("1e3").error.problem == "is not a whole number");
  CHECK(parse_integer("12 ns").error.problem == "has `ns` behind the number");
  CHECK(parse_integer("010").error.problem == "begins with a zero");
  CHECK(parse_integer("0x10").error.problem == "is hexadecimal");
  CHECK(parse_integer("many").error.problem == "is not a number");
}

TEST_CASE("unsigned integers are decimal or hexadecimal") {
  CHECK(*parse_unsigned("0x40000000").value == 0x40000000u);
  CHECK(*parse_unsigned("0xFFFFffffFFFFffff").value == std::numeric_limits<std::uint64_t>::max());
  CHECK(*parse_unsigned("18446744073709551615").value == std::numeric_limits<std::uint64_t>::max());
  CHECK(parse_unsigned("18446744073709551616").error.problem == "is beyond 64 bits");
  CHECK(parse_unsigned("0x10000000000000000").error.problem == "is beyond 64 bits");
  CHECK(parse_unsigned("-1").error.problem == "is below zero");
  CHECK(parse_unsigned("0x").error.problem == "is no hexadecimal number");
  CHECK(parse_unsigned("0x1g").error.problem == "is no hexadecimal number");
  CHECK(parse_unsigned("0x-1").error.problem == "is no hexadecimal number");
  CHECK(parse_unsigned("").error.problem == "is not a number");
}

TEST_CASE("quantities are written in the unit that reads best") {
  CHECK(format_quantity(1e-7, Quantity::time) == "100 ns");
  CHECK(format_quantity(1e-10, Quantity::time) == "100 ps");
  CHECK(format_quantity(1.0, Quantity::time) == "1 s");
  CHECK(format_quantity(3600.0, Quantity::time) == "3600 s");
  CHECK(format_quantity(1.28e9, Quantity::sample_rate) == "1.28 GS/s");
  CHECK(format_quantity(1.28e9, Quantity::frequency) == "1.28 GHz");
  CHECK(format_quantity(4294967296.0, Quantity::bytes) == "4 GiB");
  CHECK(format_quantity(1536.0, Quantity::bytes) == "1.536 kB");  // no whole number of KiB
  CHECK(format_quantity(3072.0, Quantity::bytes) == "3 KiB");
  CHECK(format_quantity(1500.0, Quantity::bytes) == "1.5 kB");
  CHECK(format_quantity(100.0, Quantity::bytes) == "100 B");
  CHECK(format_quantity(25.6e9, Quantity::bandwidth) == "25.6 GB/s");
  CHECK(format_quantity(1.2e-9, Quantity::area) == "1200 um2");
  CHECK(format_quantity(0.5, Quantity::percentage) == "50 %");
  CHECK(format_quantity(0.0, Quantity::energy) == "0 J");
  CHECK(format_quantity(0.0, Quantity::percentage) == "0 %");
  CHECK(format_quantity(-0.2, Quantity::voltage) == "-200 mV");
  CHECK(format_quantity(1e-21, Quantity::energy) == "0.001 aJ");
  CHECK(format_quantity(1e-40, Quantity::energy) == "1e-22 aJ");
  CHECK(format_quantity(1.5e300, Quantity::time) == "1.5e300 s");
  CHECK(format_real(0.1) == "0.1");
  CHECK(format_real(128.0) == "128");
  CHECK(format_real(-0.0) == "0");
  CHECK(format_real(1e-6) == "0.000001");
  CHECK(format_real(1.25e-9) == "1.25e-9");
  CHECK(format_real(1e20) == "1e20");
}

TEST_CASE("every value of every kind is read back bit for bit") {
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::uint64_t> any;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t bits = any(random);
    double value = 0.0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value) || std::abs(value) < 1e-290 || std::abs(value) > 1e290)
      value = static_cast<double>(i) / 7;
    if (i % 3 == 0) value = std::ldexp(static_cast<double>(bits % 1000), i % 60);
    if (i % 3 == 1) value = static_cast<double>(bits % 100'000) * 1e-12;
    for (const Quantity kind : kAll) {
      const std::string text = format_quantity(value, kind);
      INFO(text);
      REQUIRE(parse_quantity(text, kind).value == value);
    }
    REQUIRE(parse_real(format_real(value)).value == value);
  }
}

TEST_CASE("people get three digits and a prefix") {
  CHECK(format_engineering(12.345e-6, Quantity::energy) == "12.3 uJ");
  CHECK(format_engineering(1.0, Quantity::time) == "1.00 s");
  CHECK(format_engineering(999.6e-9, Quantity::time) == "1.00 us");  // rounds up into the next prefix
  CHECK(format_engineering(999.4e-9, Quantity::time) == "999 ns");
  CHECK(format_engineering(-2.5e-3, Quantity::voltage, 2) == "-2.5 mV");
  CHECK(format_engineering(123456.0, Quantity::energy) == "123000 J");
  CHECK(format_engineering(0.1234, Quantity::percentage) == "12.3 %");
  CHECK(format_engineering(0.0, Quantity::power) == "0 W");
  CHECK(format_engineering(512.0, Quantity::bytes) == "512 B");
  CHECK(format_engineering(1023.0 * 1024, Quantity::bytes) == "1023 KiB");
  CHECK(format_engineering(1.5 * 1024 * 1024, Quantity::bytes) == "1.50 MiB");
  CHECK(format_engineering(std::nan(""), Quantity::time) == "nan s");
  CHECK(format_engineering(-INFINITY, Quantity::percentage) == "-inf");
}

TEST_CASE("every kind has a name, units, and an SI unit that zero is written with") {
  for (const Quantity kind : kAll) {
    CHECK_FALSE(name(kind).empty());
    CHECK_FALSE(units(kind).empty());
    CHECK(parse_quantity(format_quantity(0.0, kind), kind).value == 0.0);
    for (const std::string& unit : units(kind)) CHECK(parse_quantity("1 " + unit, kind).value);
  }
  CHECK(si_unit(Quantity::area) == "m2");
}
