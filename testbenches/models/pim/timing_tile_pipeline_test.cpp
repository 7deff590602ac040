// SPDX-License-Identifier: Apache-2.0
// One layer in one tile of ISAAC, cycle by cycle (ISCA 2016, figure 4 and section VI): 1 buffer read, bus and input
// register, 2-17 crossbars, 3-18 converters, 4-19 shift-and-add, 20 output register, 21 sigmoid, 22 buffer write.
#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "testbenches/models/pim/timing_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

/// When the first row of 8 windows of 128 values lies in the buffer, in ns. The descriptor is fetched: 100 ns + 64 B /
/// 25.6 GB/s = 102.5. Then the DMA: 100 + 1024 B / 25.6 GB/s (40), the router: one hop (0.833) + 1024 B / 4.8 GB/s
/// (213.333). A row that the DMA writes is pipelined behind the router and costs no time of its own.
constexpr double kDescriptor = 102.5;
constexpr double kFirstRow = kDescriptor + 140.0 + 0.833 + 213.333;

Occupied only(const std::vector<Occupied>& records) {
  REQUIRE(records.size() == 1);
  return records.front();
}

/// Everything of one row of `windows` windows: `slices` cycles in the crossbars, read and bus in `fetch`.
void check_cycles(TimedMachine& machine, int windows, int slices, double fetch) {
  const double interval = 100.0 * slices, rest = interval * (windows - 1);
  const auto spans = [&](const char* module, double begin, double end) {
    INFO(module);
    const Occupied record = only(machine.records(module, 0));
    CHECK(record.begin_ns == Approx(begin).margin(0.002));
    CHECK(record.end_ns == Approx(end + rest).margin(0.002));
    CHECK(record.items == std::uint64_t(windows));
    CHECK(record.interval_ns == Approx(interval));
  };
  // The clock's next edge at which a window can be in the input register is the end of cycle 1.
  const double cycle_2 = std::ceil((kFirstRow + 2 * fetch) / 100.0) * 100.0, all = cycle_2 + 100.0 * slices;
  CHECK(machine.node(0).first_start.to_seconds() * 1e9 + kDescriptor == Approx(kFirstRow).margin(0.002));
  spans("tile_0.bus", kFirstRow + fetch, kFirstRow + 2 * fetch);
  spans("tile_0.group_0.crossbars", cycle_2, all);
  spans("tile_0.group_0.adc", cycle_2 + 100, all + 100);
  spans("tile_0.group_0.shift_add", cycle_2 + 200, all + 200);
  spans("tile_0.function", all + 300, all + 400);
  const std::vector<Occupied> buffer = machine.records("tile_0.buffer", 0);
  REQUIRE(buffer.size() == 2);
  CHECK(buffer[0].begin_ns == Approx(kFirstRow).margin(0.002));
  CHECK(buffer[0].end_ns == Approx(kFirstRow + fetch + rest).margin(0.002));
  // The end of the write's cycle is (6 + slices) cycles after the begin of cycle 1.
  CHECK(buffer[1].end_ns == Approx(cycle_2 - 100 + 100.0 * (6 + slices) + rest).margin(0.002));
  // The node says the same, and the node behind it starts then.
  CHECK(ns(machine.node(0).last_end) + kDescriptor == Approx(buffer[1].end_ns).margin(0.002));
  CHECK(ns(machine.node(1).first_start) == Approx(ns(machine.node(0).last_end)).margin(0.002));
}

TEST_CASE("a window takes 22 cycles on the 16-bit machine and the next follows after 16") {
  // 128 values of 2 bytes: 8 lines of 1.5625 ns = 12.5 ns; 256 B / 20.48 GB/s = 12.5 ns. 22 + 7 x 16 cycles in all.
  TimedMachine machine("isaac", one_layer(1, 8, 128, 16), isaac_16b());
  machine.run(1);
  check_cycles(machine, 8, 16, 12.5);
}

TEST_CASE("a window takes 14 cycles on the 8-bit machine and the next follows after 8") {
  // 128 values of 1 byte: 4 lines and 128 B: 6.25 ns each.
  TimedMachine machine("isaac", one_layer(1, 8, 128, 32), isaac_8b());
  machine.run(1);
  check_cycles(machine, 8, 8, 6.25);
}

TEST_CASE("completion adds the row behind and the way to main memory to the tile's pipeline") {
  TimedMachine machine("isaac", one_layer(1, 8, 128, 16), isaac_16b());
  machine.run(1);
  // Row of 8 windows: done at cycle_2 - 100 + 2200 + 7 x 1600 = 500 - 100 + 13 400 = 13 800 ns (first row at 456.7, so
  // cycle 2 begins at 500). The requantisation of 8 pixels x 16 codes: a line of 16 x 2 B read 1.5625, function unit
  // 100 + 16 / 19.2 GS/s (0.833), write stage 100, router one hop 0.833 + 16 B / 4.8 GB/s (3.333), seven further pixels
  // every 3.333, the slowest of 1.5625, 0.833 and 3.333. Then 128 B to main memory: 100 + 5.
  const double row = 13800.0, codes = 1.5625 + 100.0 + 0.833 + 100.0 + 0.833 + 3.333 + 7 * 3.333, store = 105.0;
  CHECK(machine.makespan_ns() + kDescriptor == Approx(row + codes + store).margin(0.02));
  CHECK(machine.node(1).limited_by.find("router") != std::string::npos);
}

TEST_CASE("a sum begins when the first pixel of both its rows has been read") {
  // Two inputs of 4 pixels x 16 codes, one line of 100 ns a pixel and input, one after the other: 200 ns. The DMA has
  // only written them before, its four lines a row are long gone: the second row comes 100 ns and more after the first.
  dnn::GraphBuilder net("sum");
  const int one = net.input({1, 4, 16}), other = net.input({1, 4, 16});
  net.output(net.add(one, other));
  mapping::Machine isaac = isaac_16b();
  isaac.edram.line_s = 100e-9;
  TimedMachine machine("isaac", net.build(), isaac);
  machine.run(1);
  const std::vector<Occupied> reads = machine.records("tile_0.buffer", 0);
  REQUIRE(reads.size() == 2);
  CHECK(reads[1].begin_ns == Approx(reads[0].begin_ns + 100));
  CHECK(only(machine.records("tile_0.function")).begin_ns == Approx(reads[0].begin_ns + 200));
}

TEST_CASE("rows of function units that wait for each other keep their input until then") {
  // Three 1x1 pools read one input of 4 rows, 8 pixels x 16 codes, and share a unit that takes 1000 ns a pixel. Row 0
  // is there at 102.5 + 105 + 27.5 = 235 and read by 236.56; the pools run one after the other, 8000 ns each. Buffers
  // hold two rows: the third is asked for when the last pool is done with the first, 24 000 ns after it was there, and
  // passes the router 105 ns later. Line times shift all this by less than 60 ns.
  dnn::GraphBuilder net("pools");
  const int input = net.input({4, 8, 16});
  for (int i = 0; i < 3; ++i) net.output(net.max_pool(input, dnn::square_window(1)));
  mapping::Machine isaac = isaac_16b();
  isaac.function.pooled_per_s = 16e6;
  TimedMachine machine("isaac", net.build(), isaac);
  machine.run(1);
  for (int node = 0; node < 3; ++node)
    CHECK(machine.records("tile_0.function", node)[0].begin_ns == Approx(235 + 8000.0 * node).margin(60));
  CHECK(machine.records("network.router_0", -1)[2].begin_ns == Approx(235 + 24000 + 105).margin(60));
}

TEST_CASE("products of activations take a function unit as long as its rate says, once the second operand is there") {
  // Scores of 2 rows of 4 pixels with 3 rows of 4, 8 channels: 12 x 8 = 96 products a pixel, 1000 ns at 96 MS/s. The
  // first row of scores waits for the third of the keys, the fifth row that the DMA brings.
  dnn::GraphBuilder net("scores");
  const int queries = net.input({2, 4, 8}), keys = net.input({3, 4, 8});
  net.output(net.matmul(queries, keys, 2, true));
  mapping::Machine isaac = isaac_16b();
  isaac.function.products_per_s = 96e6;
  TimedMachine machine("isaac", net.build(), isaac);
  machine.run(1);
  const std::vector<Occupied> rows = machine.records("tile_0.function");
  REQUIRE(rows.size() == 2);
  CHECK(rows[1].begin_ns == Approx(rows[0].begin_ns + 4000));
  CHECK(ns(machine.node(0).busy) == Approx(8000));
  std::vector<double> arrivals;
  for (const Occupied& row : machine.records("tile_0.buffer", -1)) arrivals.push_back(row.begin_ns);
  REQUIRE(arrivals.size() == 5);
  CHECK(rows[0].begin_ns > arrivals.back());
}

TEST_CASE("rows follow each other without a gap once they lie in the buffer") {
  // Four rows of 2 windows at 1600 ns: the DMA brings one every 140-odd, so rows start 2 x 1600 apart. The
  // requantisation behind keeps up. So the last row ends at the first's end + 3 x 3200.
  TimedMachine machine("isaac", one_layer(4, 2, 128, 16), isaac_16b());
  machine.run(1);
  const std::vector<Occupied> rows = machine.records("tile_0.group_0.crossbars", 0);
  REQUIRE(rows.size() == 4);
  for (std::size_t i = 0; i < rows.size(); ++i)
    CHECK(rows[i].begin_ns == Approx(rows[0].begin_ns + 3200.0 * double(i)));
  CHECK(machine.node(0).input_stall == sc_core::SC_ZERO_TIME);
  CHECK(machine.node(0).buffer_stall == sc_core::SC_ZERO_TIME);
  CHECK(ns(machine.node(0).busy) == Approx(4 * 3200.0));
}

TEST_CASE("a row of more windows than a payload holds takes as long as in one piece") {
  // 150 windows are sent as 64 + 64 + 22; at 100 ns clock edges nothing is lost between: 22 + 149 x 16 cycles.
  TimedMachine machine("isaac", one_layer(1, 150, 32, 16), isaac_16b());
  machine.run(1);
  const std::vector<Occupied> parts = machine.records("tile_0.group_0.crossbars", 0);
  REQUIRE(parts.size() == 3);
  CHECK(parts[1].begin_ns == Approx(parts[0].begin_ns + 64 * 1600.0));
  CHECK(parts[2].begin_ns == Approx(parts[0].begin_ns + 128 * 1600.0));
  CHECK(ns(machine.node(0).last_end) + kDescriptor == Approx(parts[0].begin_ns - 100 + 2200 + 149 * 1600.0));
}

TEST_CASE("a second window of weights in another crossbar_tile costs a turn on the bus and nothing else") {
  // K = 2048 = 16 row blocks, 8 in each of two crossbar_tiles: 16 turns of 12.5 ns at the buffer and at the bus. The
  // last block is read at 187.5 + 12.5 and has left the bus after 12.5 more: 212.5 ns after the row is there, so it
  // starts two cycles late and the first result comes after 24 cycles.
  TimedMachine machine("isaac", one_layer(1, 4, 2048, 16), isaac_16b());
  machine.run(1);
  const std::vector<Occupied> bus = machine.records("tile_0.bus", 0);
  REQUIRE(bus.size() == 16);
  const double there = bus.front().begin_ns - 12.5;
  CHECK(bus.back().begin_ns == Approx(there + 16 * 12.5));
  const std::vector<Occupied> late = machine.records("tile_0.group_1.crossbars", 0);
  REQUIRE(late.size() == 8);
  const double cycle_2 = std::ceil((there + 212.5) / 100.0) * 100.0;
  CHECK(late.back().begin_ns == Approx(cycle_2));
  CHECK(ns(machine.node(0).last_end) + kDescriptor == Approx(cycle_2 + 2100 + 3 * 1600.0));
}

TEST_CASE("psums of a second tile come over a router and are added once more") {
  // 13 crossbar_tiles of 8 row blocks: 12 in tile 0 (home), one in tile 1. Tile 1's psums: its own output register,
  // then 16 x 4 B over one router, 0.833 + 13.333, then 100 ns to be added in tile 0.
  TimedMachine machine("isaac", one_layer(1, 2, 13 * 1024, 16), isaac_16b(2));
  machine.run(1);
  REQUIRE(machine.program().layers[0].placements.back().tile == 1);
  const std::vector<Occupied> last = machine.records("tile_0.group_11.crossbars", 0);
  const std::vector<Occupied> function = machine.records("tile_0.function", 0);
  REQUIRE(function.size() == 1);
  // 96 blocks in turn: buffer and bus 1200 ns, so tile 0's last block starts at most one cycle before 1200 + 100.
  const double own = last.back().begin_ns + 1600 + 200 + 100;
  const std::vector<Occupied> remote = machine.records("tile_1.group_0.crossbars", 0);
  const double forwarded = own + 0.833 + 13.333 + 100;
  CHECK(remote.back().begin_ns < last.back().begin_ns);
  CHECK(function.front().begin_ns == Approx(forwarded).margin(0.01));
}

TEST_CASE("a layer of two tiles is requantised in both, and only codes cross the network") {
  // 48 row blocks x 3 crossbars of 16 filters: 144 of a tile's 96, so 32 filters in tile 0 and 16 in tile 1, which see
  // nothing of each other: last block, ADC, S+A, then both function units 1600 + 200 + 100 after its first cycle. Two
  // windows of 16 codes, 4 flits each, leave tile 1 for tile 0, where the row is buffered, over the one router they
  // share: 8 flits. With psums it would be 16 x 4 B a window, 16 flits.
  TimedMachine machine("isaac", one_layer(1, 2, 48 * 128, 48), isaac_16b(2));
  machine.run(1);
  const mapping::LayerPlan& layer = machine.program().layers[0];
  REQUIRE(layer.parts.size() == 2);
  CHECK(layer.home_tiles == std::vector<int>{0, 1});
  for (const auto& [tile, last] : std::map<std::string, std::string>{{"tile_0", "group_11"}, {"tile_1", "group_5"}}) {
    const std::vector<Occupied> function = machine.records(tile + ".function", 0);
    REQUIRE(function.size() == 1);
    CHECK(function[0].items == 2);
    CHECK(function[0].begin_ns == Approx(machine.records(tile + "." + last + ".crossbars", 0).back().begin_ns + 1900));
  }
  // Side by side: each tile's last block is the 48th in turn at its own buffer.
  CHECK(machine.records("tile_1.group_5.crossbars", 0).back().begin_ns ==
        Approx(machine.records("tile_0.group_11.crossbars", 0).back().begin_ns));
  CHECK(machine.ledger().of(0)[observe::Action::kRouterFlits] == 8);
  CHECK(machine.ledger().of(0)[observe::Action::kFunctionOutputs] == 2 * 48);
  CHECK(machine.ledger().of(0)[observe::Action::kEdramLinesWritten] == 2 * (32 * 2 / 32 + 16 * 2 / 32));
}

}  // namespace
}  // namespace mho::testbenches
