// SPDX-License-Identifier: Apache-2.0
// Chains of convolutions on the 16-bit machine: fill, steady rate and stalls against a calculus of rows that knows
// nothing of events, and against numbers worked by hand. All layers lie in tile 0, so nothing travels but inputs and
// outputs.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "testbenches/models/pim/timing_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

constexpr double kDescriptor = 102.5;  // 100 ns + 64 B / 25.6 GB/s before the job begins
constexpr double kCycle = 100.0, kSlices = 16.0;

/// Begin of every row of every layer by the rule: output row y starts when input row min(y stride + kernel - 1 - pad,
/// height - 1) is complete, the row before has left the first stage, and the row whose place it takes in the consumer's
/// buffer will have been read when it first writes. Times from the doorbell on.
class RowCalculus {
 public:
  RowCalculus(const dnn::Graph& graph, const mapping::Program& program) : graph_(graph) {
    for (const mapping::RowBuffer& buffer : program.buffers) rows_[buffer.tensor] = buffer.rows;
  }

  /// Begin of cycle 2, when the crossbars start.
  double crossbars(int layer, int row) {
    return std::ceil((start(layer, row) + fetch(layer)) / kCycle - 1e-6) * kCycle;
  }
  /// First item written: cycles 2-17, then ADC, S+A, output register, sigmoid, write.
  double first_write(int layer, int row) { return crossbars(layer, row) + (kSlices + 5) * kCycle; }
  double done(int layer, int row) { return first_write(layer, row) + (width(layer) - 1) * kSlices * kCycle; }
  double start(int layer, int row) {
    const auto known = starts_.find({layer, row});
    if (known != starts_.end()) return known->second;
    double time = layer == 0 ? loaded(needed(0, row)) : done(layer - 1, needed(layer, row));
    if (row > 0) time = std::max(time, start(layer, row - 1) + width(layer) * kSlices * kCycle);
    const int freed = row - rows_.at(node(layer).output);
    if (layer + 1 < layers() && freed >= 0) time = std::max(time, space(layer, row, freed));
    return starts_[{layer, row}] = time;
  }
  int layers() const { return int(graph_.nodes.size()); }
  int height(int layer) const { return graph_.output_of(node(layer)).shape.height; }

 private:
  const dnn::Node& node(int layer) const { return graph_.nodes[std::size_t(layer)]; }
  int width(int layer) const { return graph_.output_of(node(layer)).shape.width; }
  double values(int layer) const { return dnn::dot_length(graph_, node(layer)); }
  double read(int layer) const { return std::ceil(values(layer) * 2 / 32) * 1.5625; }
  double fetch(int layer) const { return read(layer) + values(layer) * 2 / 20.48; }
  int input_height(int layer) const { return graph_.input_of(node(layer)).shape.height; }

  int needed(int layer, int row) const {
    const dnn::Window& w = node(layer).window;
    const int y = row % height(layer), last = y * w.stride_y + w.kernel_height - 1 - w.pad_top;
    return row / height(layer) * input_height(layer) + std::max(0, std::min(last, input_height(layer) - 1));
  }
  /// First input row that `row` or a later one reads.
  int first_needed(int layer, int row) const {
    const dnn::Window& w = node(layer).window;
    const int first = row % height(layer) * w.stride_y - w.pad_top;
    return row / height(layer) * input_height(layer) + std::max(0, std::min(first, input_height(layer) - 1));
  }
  /// The consumer's first row after which nobody reads row `freed` must have read its last window.
  double space(int layer, int row, int freed) {
    int reader = 0;
    while (first_needed(layer + 1, reader + 1) <= freed) ++reader;
    const double issued = start(layer + 1, reader);
    const double gone = issued + read(layer + 1) + (width(layer + 1) - 1) * kSlices * kCycle;
    double lead = first_write(layer, 0) - start(layer, 0);
    for (int before = 1; before < row; ++before)
      lead = std::min(lead, first_write(layer, before) - start(layer, before));
    return std::max(issued, gone - lead);
  }
  /// The DMA brings one row after the other: latency and bandwidth of memory, one hop and bandwidth of a router.
  double loaded(int row) const {
    const double bytes = double(graph_.input_of(node(0)).shape.row_bytes());
    return kDescriptor + (row + 1) * (100 + bytes / 25.6 + 1 / 1.2 + bytes / 4.8);
  }

  const dnn::Graph& graph_;
  std::map<int, int> rows_;
  std::map<std::pair<int, int>, double> starts_;
};

/// Convolutions one after the other, 8 channels each: 16 filters fit a crossbar and 72 rows are one block.
dnn::Graph chain(int height, int width, const std::vector<dnn::Window>& windows) {
  dnn::GraphBuilder net("chain");
  int last = net.input({height, width, 8});
  for (const dnn::Window& window : windows) last = net.convolution(last, 8, window);
  return net.build();
}

void check_rows(TimedMachine& machine, const dnn::Graph& graph, int inferences) {
  RowCalculus calculus(graph, machine.program());
  for (int layer = 0; layer < calculus.layers(); ++layer) {
    const auto rows = machine.records("tile_0.group_" + std::to_string(layer) + ".crossbars");
    REQUIRE(rows.size() == std::size_t(inferences * calculus.height(layer)));
    for (std::size_t row = 0; row < rows.size(); ++row) {
      INFO("layer " << layer << " row " << row);
      CHECK(rows[row].begin_ns == Approx(calculus.crossbars(layer, int(row))).margin(0.01));
    }
    CHECK(machine.node(layer).rows == rows.size());
    CHECK(ns(machine.node(layer).first_start) + kDescriptor == Approx(calculus.start(layer, 0)).margin(0.01));
  }
}

TEST_CASE("three 3x3 convolutions fill row by row and then run at the rate of one") {
  // 8 rows of 4 windows: 6400 ns a row, 51.2 us an inference. Two input rows are there at 102.5 + 2 x 113.75 = 330, so
  // the first crossbars begin at 400. Each following layer needs two rows of the one before: the second is written at
  // 400 + 6400 + 2100 + 3 x 1600 = 13 700 and the next clock edge that leaves time to fetch is 13 800: 13 400 a layer.
  // The last row of the third layer begins 7 x 6400 later and is written 2100 + 4800 after that:
  // 400 + 2 x 13 400 + 44 800 + 6900 = 78 900, then a router (0.833 + 8 B / 4.8 GB/s = 1.667) and main memory (101.25).
  const dnn::Graph graph = chain(8, 4, std::vector<dnn::Window>(3, dnn::square_window(3, 1, 1)));
  TimedMachine machine("isaac", graph, isaac_16b());
  machine.run(5);
  check_rows(machine, graph, 5);
  const std::vector<double> completions = machine.completions_ns();
  CHECK(completions[0] == Approx(78900 + 2.5 + 101.25 - kDescriptor).margin(0.01));
  for (std::size_t i = 1; i < completions.size(); ++i)
    CHECK(completions[i] - completions[i - 1] == Approx(51200).margin(0.01));
  for (int layer = 0; layer < 3; ++layer) {
    CHECK(ns(machine.node(layer).busy) == Approx(5 * 51200.0));
    CHECK(machine.node(layer).buffer_stall == sc_core::SC_ZERO_TIME);
  }
}

TEST_CASE("behind a stride of two the layers run at half and at a quarter of the rows") {
  // 8x8, then 4x4, then 2x2. Layer 0: 8 x 8 x 1600 = 102.4 us an inference sets the pace.
  const dnn::Graph graph =
      chain(8, 8, {dnn::square_window(3, 1, 1), dnn::square_window(3, 2, 1), dnn::square_window(3, 2, 1)});
  TimedMachine machine("isaac", graph, isaac_16b());
  machine.run(4);
  check_rows(machine, graph, 4);
  CHECK(machine.steady_ns() == Approx(102400).margin(0.01));
  // Layer 1 row y waits for rows 2y and 2y + 1 of layer 0, 2 x 12 800, and computes 4 x 1600 of that.
  CHECK(ns(machine.node(1).input_stall) > 15 * (25600 - 6400) - 3 * 200.0);
}

TEST_CASE("a window without padding at the lower edge waits for the last row it needs") {
  const dnn::Graph graph = chain(9, 5, {dnn::square_window(3), dnn::square_window(2, 2), dnn::square_window(1)});
  TimedMachine machine("isaac", graph, isaac_16b());
  machine.run(3);
  check_rows(machine, graph, 3);
}

TEST_CASE("a slow consumer with a bounded buffer stalls its producer") {
  // Layer 0: 8 rows of 2 windows, 25.6 us. Layer 1 has 3x3 windows on a map padded by two: 10 rows of 4, 64 us. Its
  // buffer holds 4 rows: from then on a row of layer 0 waits until one row has been read for the last time.
  const dnn::Graph graph = chain(8, 2, {dnn::square_window(1), dnn::square_window(3, 1, 2)});
  TimedMachine machine("isaac", graph, isaac_16b());
  machine.run(4);
  check_rows(machine, graph, 4);
  CHECK(machine.steady_ns() == Approx(64000).margin(0.01));
  // By hand. The first input row is there at 102.5 + 104.79 = 207.29, in the crossbars at 300 and written at 300 + 2100
  // + 1600 = 4000. Row y of layer 1 reads rows y - 2 to y, from 4000 + 6400 y on. Row 4 of layer 0 takes the place of
  // row 0, read for the last time by row 2: 16 800 + 7.81 + 3 x 1600 = 21 607.81. It first writes 2400 - 207.29 =
  // 2192.71 after its start, so it starts at 19 415.10 instead of 207.29 + 4 x 3200 = 13 007.29; the next edge is 19
  // 500.
  const auto rows = machine.records("tile_0.group_0.crossbars");
  CHECK(rows[0].begin_ns == Approx(300));
  CHECK(rows[3].begin_ns == Approx(9900));
  CHECK(rows[4].begin_ns == Approx(19500));
  CHECK(ns(machine.node(0).buffer_stall) > 3 * (64000 - 25600) - 6400.0);
  // The stall is what all rows together start later than their crossbars are free.
  double late = 0.0, free = 207.29 + 3200;
  RowCalculus calculus(graph, machine.program());
  for (int row = 1; row < 32; ++row) {
    late += calculus.start(0, row) - free;
    free = calculus.start(0, row) + 3200;
  }
  CHECK(ns(machine.node(0).buffer_stall) == Approx(late).margin(0.1));
  CHECK(machine.node(0).input_stall == sc_core::SC_ZERO_TIME);
}

TEST_CASE("a row never starts before the rows it reads are written nor overwrites what is still read") {
  // The same seen from outside: for every row of layer 1 the last item that layer 0 wrote lies before its first read,
  // and what it reads is not written over before its last read.
  const dnn::Graph graph = chain(8, 4, {dnn::square_window(3, 1, 1), dnn::square_window(3, 1, 1)});
  TimedMachine machine("isaac", graph, isaac_16b());
  machine.run(3);
  const auto rows = machine.records("tile_0.buffer", 0), reads = machine.records("tile_0.buffer", 1);
  std::vector<Occupied> written;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].end_ns - rows[i].begin_ns - 3 * 1600 < 0.1)
      written.push_back(rows[i]);  // writes: no latency of their own
  REQUIRE(written.size() == 24);
  REQUIRE(reads.size() == 24);
  const int capacity = 4;
  for (int row = 0; row < 24; ++row) {
    const int y = row % 8, image = row / 8 * 8;
    const int last = image + std::min(y + 1, 7), first = image + std::max(y - 1, 0);
    CHECK(reads[std::size_t(row)].begin_ns >= written[std::size_t(last)].end_ns - 0.01);
    if (first + capacity < 24)
      CHECK(written[std::size_t(first + capacity)].begin_ns >= reads[std::size_t(row)].end_ns - 0.01);
  }
}

}  // namespace
}  // namespace mho::testbenches
