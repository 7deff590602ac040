// SPDX-License-Identifier: Apache-2.0
// The peak of 16-bit ISAAC, measured: one layer fills every crossbar of a few tiles, and operations, conversions and
// buffer lines are counted over the simulated time between inferences. Published (ISCA 2016): 478.95 GOPS/s/mm2 and
// 627.5 GOPS/W with HyperTransport. Table I: 85.4 mm2 and 65.8 W a chip of 168 tiles; an IMA 24.08 mW.
#include <catch2/catch.hpp>
#include <map>

#include "models/dnn/graph.h"
#include "testbenches/models/pim/timing_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;

constexpr double kTilesOfChip = 168, kImasOfTile = 12, kAreaMm2 = 85.4, kPowerW = 65.8;
constexpr double kPeakGops = 41287.68;  // 128 x 16 weights x 8 x 12 x 168 crossbars x 2 operations / 1600 ns

/// A convolution of 4x4 windows, so that inputs are read often and the way into the tile is not what limits: 10 rows of
/// 8 windows, K = 16 x channels.
dnn::Graph filling(int channels, int filters) {
  dnn::GraphBuilder net("filling");
  net.convolution(net.input({13, 11, channels}), filters, dnn::square_window(4));
  return net.build();
}

/// One inference; the steady time is from the first crossbar's begin in the first row to that in the last, and what was
/// counted is that of all rows but one.
struct Saturated {
  Saturated(int channels, int filters, const mapping::Machine& isaac)
      : machine("m", filling(channels, filters), isaac) {
    REQUIRE(machine.program().crossbars_used == machine.program().crossbars_total);
    machine.run(1);
    std::map<std::uint64_t, double> begins;
    for (const Occupied& record : machine.records("tile_0.group_0.crossbars"))
      begins.emplace(record.operation, record.begin_ns);
    REQUIRE(begins.size() == 10);
    steady_ns = begins.rbegin()->second - begins.begin()->second;
    // Each conversion reads one column of 128 rows for one of 16 slices; 8 columns are a weight; 2 operations a MAC.
    gops = 2 * count(Action::kConversions) / 16 / 8 * 128 / steady_ns / isaac.tiles_per_chip;
  }
  double count(Action action) { return double(machine.ledger().of(0)[action]) * 9 / 10; }

  TimedMachine machine;
  double steady_ns = 0.0, gops = 0.0;
};

void check_peak(Saturated& run) {
  // A tile: 96 crossbars x 2048 weights x 2 / 1600 ns = 245.76 GOPS.
  CHECK(run.gops == Approx(245.76).epsilon(0.001));
  CHECK(ns(run.machine.node(0).interval) == Approx(1600));
  const double chip = run.gops * kTilesOfChip;
  CHECK(chip == Approx(kPeakGops).epsilon(0.001));
  CHECK(chip / kAreaMm2 == Approx(483.5).epsilon(0.002));  // 478.95 published: 0.9 % less
  CHECK(chip / kPowerW == Approx(627.5).epsilon(0.002));
}

TEST_CASE("the peak is 41.3 TOPS with one row block and 1536 filters") {
  // K = 16 x 8 = 128: each crossbar_tile takes 256 B for all its crossbars.
  Saturated run(8, 96 * 16, isaac_16b(1));
  check_peak(run);
}

TEST_CASE("the peak is 41.3 TOPS with 8 row blocks in each crossbar_tile") {
  // K = 16 x 768 = 12 288: 96 different row blocks, 2 KB into every crossbar_tile. Bus and buffer are busy for 96
  // x 12.5 = 1200 of 1600 ns, the largest demand there is: no arrangement of full crossbars is limited by the bus.
  Saturated run(768, 16, isaac_16b(1));
  check_peak(run);
  CHECK(run.machine.records("tile_0.bus").size() == 10 * 96);
}

TEST_CASE("the peak is 41.3 TOPS with row blocks over two tiles") {
  // K = 2048, 192 filters: 8 row blocks of 12 crossbars in each tile; the second forwards its psums, 768 B a window.
  Saturated run(128, 192, isaac_16b(2));
  check_peak(run);
  CHECK(run.machine.records("network.router_0", 0).size() >= 10);
}

TEST_CASE("half the bus gives two thirds of the peak with 96 row blocks") {
  // 96 x 25 = 2400 ns instead of 1600: 163.84 GOPS a tile.
  mapping::Machine isaac = isaac_16b(1);
  isaac.bus.bytes_per_s /= 2;
  Saturated run(768, 16, isaac);
  CHECK(ns(run.machine.node(0).interval) == Approx(2400));
  CHECK(run.machine.node(0).limited_by == std::string("m.core.tile_0.bus"));
  CHECK(run.gops == Approx(163.84).epsilon(0.001));
}

TEST_CASE("counts at the peak give the power of an IMA") {
  // Energies of isaac.yaml, each table I's power of a component divided by its rate of actions: conversion 2 mW / 1.28
  // GS/s; sample and hold, output register by column; DAC and input register by row; 30 pJ an array and cycle; 0.021 pJ
  // an addition. Per IMA and 100 ns: 1024 conversions, 8 array cycles, 1024 row drives, 1024 additions; unit columns
  // apart. 1600 + 1 + 23 + 400 + 124 + 240 + 21.5 = 2409.5 pJ: 24.09 mW (table I 24.08).
  Saturated run(64, 192, isaac_16b(1));
  const double unit = run.count(Action::kUnitConversions), conversions = run.count(Action::kConversions);
  const auto power_mw = [&](double conversion_pj) {
    const double picojoules = conversions * (conversion_pj + 0.0009765625 + 0.0224609375) +
                              run.count(Action::kRowDrives) * (0.390625 + 0.12109375) +
                              run.count(Action::kArrayCycles) * 30.0 + (run.count(Action::kShiftAdds) - unit) * 0.021;
    return picojoules / (run.steady_ns * kImasOfTile);
  };
  CHECK(power_mw(1.5625) == Approx(24.09).margin(0.02));
  CHECK(power_mw(1.667) == Approx(25.16).margin(0.02));
  // One unit column a crossbar: 1 / 128 of the conversions more.
  CHECK(unit * 128 == conversions);
}

TEST_CASE("lines of the buffer at the peak are far fewer than its power implies") {
  // 20.7 mW at 20.45 pJ a line are 101 lines in 100 ns; a copy of 1 KB a cycle would be 32. Counted at the peak: 96 row
  // blocks of 8 lines in 1600 ns are 48 lines in 100 ns (one row block for all 96 crossbars: 12 x 8 / 16 = 6).
  CHECK(20.7e-3 * 100e-9 / 20.45e-12 == Approx(101.2).margin(0.1));
  Saturated run(768, 16, isaac_16b(1));
  CHECK(run.count(Action::kEdramLinesRead) / (run.steady_ns / 100) == Approx(48).epsilon(0.001));
}

}  // namespace
}  // namespace mho::testbenches
