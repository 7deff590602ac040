// SPDX-License-Identifier: Apache-2.0
// Loosely against approximately timed: without contention both give the same latency and interval within 1 %; with
// contention the second is the truth, here against what a small machine gives by hand.
#include <catch2/catch.hpp>
#include <set>

#include "models/dnn/synthetic/graph_builder.h"
#include "testbenches/models/pim/approximate_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

/// Both modes of one machine.
struct Modes {
  Modes(const std::string& name, const dnn::Graph& graph, const mapping::Machine& machine)
      : loose(device_of(name + "_loose", graph, machine, {})),
        approximate(device_of(name, graph, machine, approximately())) {}
  void run(std::size_t inferences) {
    const std::vector<Tensors> inputs = random_inputs(loose->graph, 1, inferences);
    // Jobs begin at an edge of the tiles' clocks.
    for (auto* const device : {loose.get(), approximate.get()}) {
      device->program();
      const sc_core::sc_time edge(1, sc_core::SC_US);
      sc_core::sc_start(edge - sc_core::sc_time::from_value(sc_core::sc_time_stamp().value() % edge.value()));
      (device == loose.get() ? loosely : approximated) = run_job(*device, inputs);
    }
    check_same_work(approximated, loosely);
  }
  std::unique_ptr<Device<>> loose, approximate;
  JobResult loosely, approximated;
};

/// Fast buffers, buses and routers, a converter a crossbar: only crossbars and function units take time.
void check_agreement(mapping::Replication replication, unsigned seeds, bool toeplitz = false) {
  std::vector<std::unique_ptr<Modes>> all;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    std::mt19937 random(seed);
    const dnn::Graph graph = small_network(random);
    mapping::Machine machine = small_random_machine(random);
    machine.replication = replication;
    machine.toeplitz = toeplitz;
    if (toeplitz) machine.crossbar.columns *= 4;
    machine.adc = {};
    machine.adc.converters = machine.crossbar.crossbars;
    machine.adc.queue = machine.bus.queue = 64;
    machine.bus.latency_s = 0;
    machine.bus.bytes_per_s = 1e15;
    machine.edram.line_s = 1e-12;
    machine.router = {};
    machine.function = {};
    all.push_back(std::make_unique<Modes>("seed_" + std::to_string(seed), graph, machine));
  }
  unsigned seed = 0;
  for (const auto& modes : all) {
    INFO("seed " << ++seed);
    modes->run(6);
    // Replicas: a loosely timed row waits for all of them, an approximately timed one for the first that is free, so
    // it gains up to a window where windows are not a multiple of the replicas.
    CHECK(modes->approximated.latency_s < 1.01 * modes->loosely.latency_s);
    CHECK(modes->approximated.interval_s < 1.01 * modes->loosely.interval_s);
    if (replication != mapping::Replication::kNone) continue;
    CHECK(modes->approximated.latency_s > 0.99 * modes->loosely.latency_s);
    CHECK(modes->approximated.interval_s > 0.99 * modes->loosely.interval_s);
  }
}

TEST_CASE("without contention and replicas random networks take as long in both modes within 1 %") {
  check_agreement(mapping::Replication::kNone, 60);
}
TEST_CASE("with replicas rows that are approximately timed are no later than loosely timed ones") {
  check_agreement(mapping::Replication::kBalanced, 60);
}

TEST_CASE("several windows a vector take as long in both modes within 1 %, and give the same outputs and counts") {
  check_agreement(mapping::Replication::kNone, 60, true);
}
TEST_CASE("with replicas several windows a vector are no later approximately timed, and give the same counts") {
  check_agreement(mapping::Replication::kBalanced, 60, true);
}

TEST_CASE("five windows, two a vector, are three vectors a row, dealt out to one, two and six replicas") {
  // 8 rows, 2 filters: a crossbar of 32 x 16 cells, four filters, holds two windows, 16 rows. Rows of 5 windows are
  // three vectors, the last of them half used; 8 slices of 100 ns each. The second layer has no column to spare and 10
  // x 3 vectors, so balance makes two copies of the first: 2 vectors and 1; with stride 4 5 x 2, so that there are six,
  // three of which compute a row while the others compute the next.
  std::vector<std::unique_ptr<Modes>> all;
  const int counts_of_replicas[] = {1, 2, 6};
  for (const int replicas : counts_of_replicas) {
    dnn::GraphBuilder net("wide");
    const int wide = net.convolution(net.input({20, 5, 8}), 2, dnn::square_window(1));
    net.output(net.convolution(wide, 4, dnn::square_window(1, replicas == 6 ? 4 : 2)));
    mapping::Machine machine = small_machine();
    machine.tiles_per_chip = 1;
    machine.crossbar_tiles_per_tile = 3;
    machine.crossbar.crossbars = machine.adc.converters = 3;
    machine.toeplitz = true;
    machine.fidelity = mapping::Fidelity::kSliced;
    machine.replication = replicas == 1 ? mapping::Replication::kNone : mapping::Replication::kBalanced;
    all.push_back(std::make_unique<Modes>("wide_" + std::to_string(replicas), net.build(), machine));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const int replicas = counts_of_replicas[i];
    Modes& modes = *all[i];
    const mapping::LayerPlan& layer = modes.loose->compiled.layers[0];
    REQUIRE(layer.expansion == 2);
    CHECK(layer.replicas == replicas);
    CHECK(layer.placements.size() == std::size_t(replicas));
    modes.run(3);
    CHECK(modes.loosely.outputs == reference_outputs(modes.loose->graph, random_inputs(modes.loose->graph, 1, 3)));
    const double turns_a_row = replicas == 1 ? 3 : replicas == 2 ? 2 : 0.5;
    CHECK(modes.loosely.interval_s * 1e9 == Approx(20 * turns_a_row * 800).epsilon(0.01));
    CHECK(modes.approximated.interval_s * 1e9 == Approx(60.0 / replicas * 800).epsilon(0.01));
    // 3 inferences of 60 vectors: 8 slices of 16 columns and a unit column; psums of four filters, codes of two for
    // 100 pixels; one eDRAM line of 32 bytes and 16 codes on the bus a vector.
    const observe::Counts& counts = modes.loosely.counts[std::size_t(layer.node) + 1];
    CHECK(counts[observe::Action::kVectors] == 180);
    CHECK(counts[observe::Action::kConversions] == 180 * 8 * 16);
    CHECK(counts[observe::Action::kUnitConversions] == 180 * 8);
    CHECK(counts[observe::Action::kTileShiftAdds] == 180 * 4);
    CHECK(counts[observe::Action::kFunctionOutputs] == 3 * 100 * 2);
    CHECK(counts[observe::Action::kEdramLinesRead] == 180);
    CHECK(counts[observe::Action::kBusBits] == 180 * 16 * 8);
  }
}

TEST_CASE("several windows a vector on pairs of devices that speculate equal the reference in both modes") {
  // 7 bits are too few for 4-bit slices of codes and weights (32 x 15 x 15), and enough for what is read again.
  std::vector<std::unique_ptr<Modes>> all;
  for (const char* encoding : {"centre_offset", "zero_offset"})
    for (unsigned seed = 1; seed <= 8; ++seed) {
      std::mt19937 random(seed);
      const dnn::Graph graph = small_network(random);
      mapping::Machine machine = small_machine();
      machine.tiles_per_chip = 64;
      machine.toeplitz = true;
      machine.fidelity = mapping::Fidelity::kSliced;
      machine.encoding = encoding;
      machine.crossbar.cell = mapping::CellKind::k2T2R;
      machine.crossbar.columns = 48;
      machine.crossbar.cell_bits = machine.dac_bits = 4;
      machine.weight_slicing = machine.speculation = {4, 2, 2};
      machine.input_slicing = std::vector<int>(8, 1);
      machine.input_sum = mapping::InputSum::kDigital;
      machine.signed_inputs = mapping::SignedInputs::kTwoPasses;
      machine.adc.bits = 7;
      machine.adc.is_signed = true;
      all.push_back(std::make_unique<Modes>(encoding + std::to_string(seed), graph, machine));
    }
  std::uint64_t expanded = 0, recovered = 0;
  for (const auto& modes : all) {
    const std::vector<Tensors> inputs = random_inputs(modes->loose->graph, 1, 3);
    for (Device<>* const device : {modes->loose.get(), modes->approximate.get()}) device->program();
    const JobResult loosely = run_job(*modes->loose, inputs), approximated = run_job(*modes->approximate, inputs);
    CHECK(loosely.outputs == reference_outputs(modes->loose->graph, inputs));
    CHECK(approximated.outputs == loosely.outputs);
    for (std::size_t row = 0; row < loosely.counts.size(); ++row)
      CHECK(approximated.counts[row].values == loosely.counts[row].values);
    for (const mapping::LayerPlan& layer : modes->loose->compiled.layers) {
      expanded += layer.expansion > 1;
      recovered += loosely.counts[std::size_t(layer.node) + 1][observe::Action::kRecoveryConversions];
      for (const mapping::Block& block : layer.blocks) CHECK(block.encoded.paired);
    }
  }
  CHECK(expanded > 10);
  CHECK(recovered > 0);
}

TEST_CASE("parts of a layer give the same in both modes, in a tile each, straddling tiles, or larger than one") {
  // Rows: 72 in 3 blocks, 144 in 5; filters: 16 in 4 crossbars, 20 in 5. A tile of 6 crossbars holds two columns of the
  // first layer and one of the second, a tile of 3 one of the first and none of the second. 13 tiles of 2 x 3 hold four
  // copies of the first layer, 16 crossbar_tiles, and 9 for the second, so one is left: it lets the
  // second part of the second layer begin in its second tile, the others straddle, at home in tiles 0, 1, 1, 2, 3 of
  // it.
  std::vector<std::unique_ptr<Modes>> all;
  for (const auto& [crossbar_tiles, tiles] : std::vector<std::pair<int, int>>{{2, 64}, {2, 13}, {1, 26}}) {
    dnn::GraphBuilder net("parts", unsigned(tiles));
    net.output(net.convolution(net.convolution(net.input({6, 6, 8}), 16, dnn::square_window(3, 1, 1)), 20,
                               dnn::square_window(3, 2, 1)));
    mapping::Machine machine = small_machine();
    machine.chips = 1;
    machine.tiles_per_chip = tiles;
    machine.crossbar_tiles_per_tile = crossbar_tiles;
    machine.bus.bytes_per_s = 1e15;
    machine.edram.line_s = 1e-12;
    machine.adc.queue = machine.bus.queue = 64;
    all.push_back(std::make_unique<Modes>("parts_" + std::to_string(all.size()), net.build(), machine));
  }
  const std::vector<std::size_t> parts = {2, 5, 2, 5, 4, 5}, homes = {8, 5, 8, 4, 16, 5};
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO("machine " << i);
    Modes& modes = *all[i];
    for (std::size_t layer = 0; layer < 2; ++layer) {
      const mapping::LayerPlan& plan = modes.loose->compiled.layers[layer];
      CHECK(plan.replicas == (layer == 0 ? 4 : 1));
      CHECK(plan.parts.size() == parts[2 * i + layer]);
      CHECK(std::set<int>(plan.home_tiles.begin(), plan.home_tiles.end()).size() == homes[2 * i + layer]);
    }
    modes.run(4);
    CHECK(modes.loosely.outputs == reference_outputs(modes.loose->graph, random_inputs(modes.loose->graph, 1, 4)));
    CHECK(modes.approximated.latency_s < 1.01 * modes.loosely.latency_s);
    CHECK(modes.approximated.interval_s < 1.01 * modes.loosely.interval_s);
  }
}

TEST_CASE("a cropped vector passes the function unit behind the others and takes nothing from them") {
  // A row of five windows as above: two vectors of four outputs, 700 ns each, and one of two outputs, 350 ns, every
  // 800 ns. Taking turns with the others it would hold them up to 1050 ns.
  dnn::GraphBuilder net("cropped");
  net.output(net.convolution(net.input({1, 5, 8}), 2, dnn::square_window(1)));
  mapping::Machine machine = small_machine();
  machine.toeplitz = true;
  machine.replication = mapping::Replication::kNone;
  machine.function.outputs_per_s = 4 / 700e-9;
  Records records;
  const auto device = device_of("cropped", net.build(), machine, {}, &records);
  device->program();
  run_job(*device, random_inputs(device->graph, 1, 1));
  const std::vector<observe::Occupation> passed = records.of(observe::Kind::kFunction);
  REQUIRE(passed.size() == 2);
  const sc_core::sc_time ns(1, sc_core::SC_NS);
  CHECK(passed[0].items == 2);
  CHECK(passed[0].work == 8);
  CHECK(passed[0].service == 700 * ns);
  CHECK(passed[0].interval == 800 * ns);
  CHECK(passed[1].items == 1);
  CHECK(passed[1].work == 2);
  CHECK(passed[1].service == 350 * ns);
  CHECK(passed[1].interval == 800 * ns);
  CHECK(passed[1].begin == passed[0].begin + 1600 * ns);
}

TEST_CASE("five windows on two replicas take two and a half turns a row, three where rows wait for all replicas") {
  // A second layer with a quarter of the windows makes the first worth two replicas. Rows of 5 windows, 8 slices of 100
  // ns each, two replicas: 3 and 2 windows in turn. Loosely timed, a row begins when both replicas are free: 3 x 800.
  // Approximately timed, as soon as one is: 20 rows of 5 windows are 50 on each.
  dnn::GraphBuilder net("rows");
  net.output(
      net.convolution(net.convolution(net.input({20, 5, 8}), 2, dnn::square_window(1)), 2, dnn::square_window(1, 2)));
  mapping::Machine machine = small_machine();
  machine.tiles_per_chip = 1;
  machine.crossbar_tiles_per_tile = 1;
  machine.crossbar.crossbars = machine.adc.converters = 3;
  machine.replication = mapping::Replication::kBalanced;
  Modes modes("rows", net.build(), machine);
  REQUIRE(modes.loose->compiled.layers[0].replicas == 2);
  modes.run(3);
  CHECK(modes.loosely.interval_s * 1e9 == Approx(20 * 3 * 800).epsilon(0.01));
  CHECK(modes.approximated.interval_s * 1e9 == Approx(50 * 800).epsilon(0.01));
}

TEST_CASE("crossbars that share converters give the interval worked by hand") {
  // A 1x1 convolution of 32 codes on 8 filters, 4 crossbars of 8 columns (2 filters each, one region of 4 crossbars):
  // at 80 MS/s a crossbar's 8 columns take 100 ns. c crossbars behind one converter: 100 c ns a slice, 8 slices a
  // window, 6 windows a row of 4.
  std::vector<std::unique_ptr<Modes>> all;
  const int counts[] = {4, 2, 1};
  for (const int converters : counts) {
    dnn::GraphBuilder net("shared");
    net.output(net.convolution(net.input({4, 6, 32}), 8, dnn::square_window(1)));
    mapping::Machine machine = small_machine();
    machine.crossbar.columns = 8;
    machine.crossbar.crossbars = 4;
    machine.adc.converters = converters;
    machine.adc.rate_hz = 80e6;
    machine.replication = mapping::Replication::kNone;
    all.push_back(std::make_unique<Modes>("shared_" + std::to_string(converters), net.build(), machine));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(counts[i] << " converters");
    all[i]->run(4);
    const double interval_ns = 24.0 * 8 * 100 * (4.0 / counts[i]);
    CHECK(all[i]->approximated.interval_s * 1e9 == Approx(interval_ns).epsilon(0.01));
    CHECK(all[i]->loosely.interval_s * 1e9 == Approx(interval_ns).epsilon(0.01));
  }
}

}  // namespace
}  // namespace mho::testbenches
