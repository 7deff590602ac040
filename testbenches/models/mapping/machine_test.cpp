// SPDX-License-Identifier: Apache-2.0
// What validate(Machine) refuses and how it says so.
#include "models/mapping/machine.h"

#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <stdexcept>

using namespace mho::mapping;

namespace {

std::string refusal(const std::function<void(Machine&)>& change) {
  Machine machine;
  change(machine);
  try {
    validate(machine);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("ISAAC's 16-bit and 8-bit machines are accepted") {
  CHECK(refusal([](Machine&) {}) == "accepted");
  CHECK(refusal([](Machine& m) {
          m.data_bits = 8;
          m.weight_slicing = {2, 2, 2, 2};
        }) == "accepted");
  CHECK(refusal([](Machine& m) {
          m.data_bits = 8;
          m.weight_slicing = {4, 2, 2};
          m.crossbar.cell_bits = 4;
          m.crossbar.rows = 512;
          m.dac_bits = 2;
        }) == "accepted");
}

TEST_CASE("derived numbers of ISAAC: 96 crossbars a tile, 16128 a chip, 16 filters a crossbar") {
  CHECK(Machine().crossbars_per_tile() == 96);
  CHECK(Machine().crossbars_per_chip() == 16128);
  CHECK(Machine().filters_per_crossbar(8) == 16);
}

TEST_CASE("counts outside their range are refused by key") {
  CHECK(refusal([](Machine& m) { m.chips = -1; }) == "chips is -1 (0 to 65536)");
  CHECK(refusal([](Machine& m) { m.tiles_per_chip = 0; }) == "tiles_per_chip is 0 (1 to 65536)");
  CHECK(refusal([](Machine& m) { m.crossbar_tiles_per_tile = 0; }) == "crossbar_tiles_per_tile is 0 (1 to 65536)");
  CHECK(refusal([](Machine& m) { m.crossbar.crossbars = 0; }) == "crossbar.crossbars is 0 (1 to 65536)");
  CHECK(refusal([](Machine& m) { m.crossbar.rows = 0; }) == "crossbar.rows is 0 (1 to 32767)");
  CHECK(refusal([](Machine& m) { m.crossbar.columns = 0; }) == "crossbar.columns is 0 (1 to 65536)");
  CHECK(refusal([](Machine& m) { m.crossbar.cell_bits = 9; }) == "crossbar.cell_bits is 9 (1 to 8)");
  CHECK(refusal([](Machine& m) { m.adc.bits = 17; }) == "adc.bits is 17 (1 to 16)");
  CHECK(refusal([](Machine& m) { m.adc.converters = 0; }) == "adc.converters is 0 (1 to 65536)");
  CHECK(refusal([](Machine& m) { m.adc.queue = 0; }) == "adc.queue is 0 (1 to 65536)");
  CHECK(refusal([](Machine& m) { m.bus.queue = 65537; }) == "bus.queue is 65537 (1 to 65536)");
  CHECK(refusal([](Machine& m) { m.writer.drivers = -1; }) == "writer.drivers is -1 (0 to 65536)");
  CHECK(refusal([](Machine& m) { m.data_bits = 7; }) == "data_bits is 7 (8 to 16)");
  CHECK(refusal([](Machine& m) { m.dac_bits = 0; }) == "dac_bits is 0 (1 to 8)");
  CHECK(refusal([](Machine& m) { m.edram.bytes = 0; }) == "edram.bytes is 0 (1 to 2147483647)");
  CHECK(refusal([](Machine& m) { m.edram.line_bytes = 65537; }) == "edram.line_bytes is 65537 (1 to 65536)");
  CHECK(refusal([](Machine& m) { m.router.tiles_per_router = 0; }) == "router.tiles_per_router is 0 (1 to 65536)");
  CHECK(refusal([](Machine& m) { m.hypertransport.links = 0; }) == "hypertransport.links is 0 (1 to 65536)");
}

TEST_CASE("machines whose crossbars or tiles cannot be numbered are refused") {
  CHECK(refusal([](Machine& m) { m.tiles_per_chip = m.crossbar_tiles_per_tile = 65536; }) ==
        "tiles_per_chip times crossbar_tiles_per_tile is 4294967296 (1 to 268435455)");
  CHECK(refusal([](Machine& m) { m.chips = 65536, m.tiles_per_chip = 1024; }) ==
        "tiles of all chips is 67108864 (1 to 16777216)");
}

TEST_CASE("times must be finite and not negative, rates finite and positive") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double bad : {-1e-9, nan, infinite}) {
    CHECK(refusal([&](Machine& m) { m.crossbar.cycle_s = bad; }).find("crossbar.cycle is ") == 0);
    CHECK(refusal([&](Machine& m) { m.edram.line_s = bad; }).find("edram.line is ") == 0);
    CHECK(refusal([&](Machine& m) { m.bus.latency_s = bad; }).find("bus.latency is ") == 0);
    CHECK(refusal([&](Machine& m) { m.router.hop_s = bad; }).find("router.hop is ") == 0);
    CHECK(refusal([&](Machine& m) { m.hypertransport.latency_s = bad; }).find("hypertransport.latency is ") == 0);
    CHECK(refusal([&](Machine& m) { m.function.shift_add_s = bad; }).find("function.shift_add is ") == 0);
    CHECK(refusal([&](Machine& m) { m.function.function_s = bad; }).find("function.function is ") == 0);
    CHECK(refusal([&](Machine& m) { m.function.write_s = bad; }).find("function.write is ") == 0);
    CHECK(refusal([&](Machine& m) { m.writer.setup_s = bad; }).find("writer.setup is ") == 0);
    CHECK(refusal([&](Machine& m) { m.writer.pulse_s = bad; }).find("writer.pulse is ") == 0);
  }
  for (const double bad : {0.0, -1.0, nan, infinite}) {
    CHECK(refusal([&](Machine& m) { m.adc.rate_hz = bad; }).find("adc.rate is ") == 0);
    CHECK(refusal([&](Machine& m) { m.bus.bytes_per_s = bad; }).find("bus.bytes_per_s is ") == 0);
    CHECK(refusal([&](Machine& m) { m.router.bytes_per_s = bad; }).find("router.bytes_per_s is ") == 0);
    CHECK(refusal([&](Machine& m) { m.hypertransport.bytes_per_s = bad; }).find("hypertransport.bytes_per_s is ") == 0);
    CHECK(refusal([&](Machine& m) { m.function.outputs_per_s = bad; }).find("function.outputs_per_s is ") == 0);
    CHECK(refusal([&](Machine& m) { m.function.pooled_per_s = bad; }).find("function.pooled_per_s is ") == 0);
    CHECK(refusal([&](Machine& m) { m.function.products_per_s = bad; }).find("function.products_per_s is ") == 0);
  }
}

TEST_CASE("the weight slices cover the data bits, fit a cell each and a crossbar together") {
  CHECK(refusal([](Machine& m) { m.data_bits = 8; }) == "weight_slicing covers 16 bits (data_bits: 8 must be covered)");
  CHECK(refusal([](Machine& m) { m.weight_slicing = {}; }) ==
        "weight_slicing covers 0 bits (data_bits: 16 must be covered)");
  CHECK(refusal([](Machine& m) { m.weight_slicing = {4, 4, 4, 4}; }) == "a slice of weight_slicing is 4 (1 to 2)");
  CHECK(refusal([](Machine& m) { m.crossbar.columns = 7; }) ==
        "weight_slicing has 8 slices and crossbar.columns is 7 (a filter must fit a crossbar)");
}

TEST_CASE("an unknown encoding is refused") {
  CHECK(refusal([](Machine& m) { m.encoding = "flip"; }) == "accepted");
  CHECK_THROWS_WITH(Machine().encoding = "flipped",
                    "no built-in policy is called `flipped` (flip or biased or centre_offset or zero_offset)");
}

TEST_CASE("column sums must fit 16 bits") {
  // 3640 rows x 3 x 3 = 32760 fit, one row more gives 32769.
  const auto change = [](Machine& m) {
    m.dac_bits = 2;
    m.crossbar.input_register_bytes = 8192;
  };
  CHECK(refusal([&](Machine& m) { change(m), m.crossbar.rows = 3640; }) == "accepted");
  CHECK(refusal([&](Machine& m) { change(m), m.crossbar.rows = 3641; }) ==
        "crossbar.rows, dac_bits and crossbar.cell_bits give column sums up to 32769 (32767 or less, sums are 16 bit)");
}

TEST_CASE("the digital sum of inputs of pairs must fit 16 bits, in the widest slice that is driven") {
  // 128 rows x 255 = 32640, 129 x 255 = 32895; slices of 4 bits: 2184 x 15 = 32760, 2185 x 15 = 32775.
  const auto pairs = [](Machine& m, int rows) {
    m.crossbar.cell = CellKind::k2T2R;
    m.input_sum = InputSum::kDigital;
    m.dac_bits = 8;
    m.crossbar.rows = rows;
    m.crossbar.input_register_bytes = 8192;
  };
  const std::string leaves = " bits give sums of inputs up to ", allowed = " (32767 or less, sums are 16 bit)";
  CHECK(refusal([&](Machine& m) { pairs(m, 128); }) == "accepted");
  CHECK(refusal([&](Machine& m) { pairs(m, 129); }) ==
        "crossbar.rows and input slices of 8" + leaves + "32895" + allowed);
  const auto slices = [&](Machine& m, int rows, bool speculates) {
    pairs(m, rows);
    m.input_slicing.assign(16, 1);
    (speculates ? m.speculation : m.input_slicing).assign(4, 4);
  };
  for (const bool speculates : {false, true}) {
    CHECK(refusal([&](Machine& m) { slices(m, 2184, speculates); }) == "accepted");
    CHECK(refusal([&](Machine& m) { slices(m, 2185, speculates); }) ==
          "crossbar.rows and input slices of 4" + leaves + "32775" + allowed);
  }
}

TEST_CASE("the input register holds at least one vector") {
  CHECK(refusal([](Machine& m) { m.crossbar.input_register_bytes = 255; }) ==
        "crossbar.input_register_bytes is 255 (one input vector has 256)");
  CHECK(refusal([](Machine& m) { m.crossbar.input_register_bytes = 256; }) == "accepted");
}
