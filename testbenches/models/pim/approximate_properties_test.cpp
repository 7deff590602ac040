// SPDX-License-Identifier: Apache-2.0
// Random small networks on random small machines, loosely and approximately timed: both end, give what the integer
// reference gives, count the same and keep every module busy for the same time; nothing is left under way.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "models/dnn/synthetic/graph_builder.h"
#include "testbenches/models/pim/approximate_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using mapping::Arbitration;

constexpr std::size_t kInferences = 3;

struct Pair {
  std::unique_ptr<Device<>> loose, approximate;
};

void check_seeds(unsigned first, unsigned count) {
  std::vector<Pair> pairs;
  for (unsigned seed = first; seed < first + count; ++seed) {
    std::mt19937 random(seed);
    const dnn::Graph graph = small_network(random);
    const mapping::Machine machine = small_random_machine(random);
    pim::ApproximateTiming timing = approximately();
    timing.psum_registers = 1 + int(random() % 4);
    const std::string name = "seed_" + std::to_string(seed);
    pairs.push_back({device_of(name + "_loose", graph, machine, {}), device_of(name, graph, machine, timing)});
  }
  for (unsigned i = 0; i < count; ++i) {
    INFO("seed " << first + i);
    const std::vector<Tensors> inputs = random_inputs(pairs[i].loose->graph, first + i, kInferences);
    pairs[i].loose->program();
    pairs[i].approximate->program();
    const JobResult loose = run_job(*pairs[i].loose, inputs), approximate = run_job(*pairs[i].approximate, inputs);
    check_same_work(approximate, loose);
    CHECK(loose.outputs == reference_outputs(pairs[i].loose->graph, inputs));
  }
}

TEST_CASE("random networks and machines 1 to 40 do the same work in both modes") { check_seeds(1, 40); }
TEST_CASE("random networks and machines 41 to 80 do the same work in both modes") { check_seeds(41, 40); }

TEST_CASE("seeds from the environment", "[.]") {
  check_seeds(unsigned(std::atoi(std::getenv("FIRST"))), unsigned(std::atoi(std::getenv("COUNT"))));
}

/// Layers of four replicas over several tiles that share a slow converter and one slow bus in each crossbar_tile.
mapping::Machine contended_machine() {
  mapping::Machine machine = small_machine();
  machine.crossbar_tiles_per_tile = 1;
  machine.crossbar.crossbars = 4;
  machine.adc.converters = 1;
  machine.adc.rate_hz = 100e6;
  machine.adc.queue = 1;
  machine.bus.queue = 1;
  machine.bus.latency_s = 130e-9;
  return machine;
}

TEST_CASE("arbitration changes neither values nor counts, and the same run twice is the same to the picosecond") {
  std::vector<std::unique_ptr<Device<>>> devices;
  for (const Arbitration rule :
       {Arbitration::kRoundRobin, Arbitration::kFixedPriority, Arbitration::kFirstCome, Arbitration::kFirstCome}) {
    mapping::Machine machine = contended_machine();
    machine.adc.arbitration = machine.bus.arbitration = rule;
    devices.push_back(device_of("pim_" + std::to_string(devices.size()), two_layers(), machine, approximately()));
  }
  const std::vector<Tensors> inputs = random_inputs(devices[0]->graph, 1, 4);
  std::vector<JobResult> results;
  for (const auto& device : devices) {
    device->program();
    results.push_back(run_job(*device, inputs));
  }
  CHECK(results[0].outputs == reference_outputs(devices[0]->graph, inputs));
  for (const JobResult& each : results) check_same_work(each, results[0]);
  CHECK(results[2].last_s == Approx(results[3].last_s).epsilon(1e-12));
}

TEST_CASE("a second job of the same machine does the same work as the first") {
  const auto device = device_of("pim", two_layers(), contended_machine(), approximately());
  device->program();
  const std::vector<Tensors> inputs = random_inputs(device->graph, 1, 3);
  const JobResult first = run_job(*device, inputs);
  const JobResult next = run_job(*device, inputs);
  CHECK(first.outputs == next.outputs);
  for (std::size_t row = 0; row < first.counts.size(); ++row)
    CHECK(first.counts[row].values == next.counts[row].values);
  for (const auto& [module, busy] : first.busy)
    if (module.find("writer") == std::string::npos) CHECK(next.busy.at(module) == Approx(2 * busy));
}

/// Conversions from the plan alone: windows x slices x columns, and one unit column a crossbar.
TEST_CASE("each window is converted once: windows x 8 slices x 4 columns a filter and row block") {
  mapping::Machine machine = contended_machine();
  machine.replication = mapping::Replication::kNone;
  Records records;
  const auto device = device_of("pim", two_layers(), machine, approximately(), &records);
  device->program();
  records.all.clear();
  const JobResult result = run_job(*device, random_inputs(device->graph, 1, 2));
  // 6 x 6 windows each. 3x3x3 = 27 codes in one block of 32 rows, 5 filters: 20 columns in 2 crossbars of 16; 1x1x5: 5
  // codes, 4 filters: 16 columns in one crossbar.
  const std::uint64_t windows = 2 * 36;
  const auto counted = [&](int node, observe::Action action) { return result.counts[std::size_t(node + 1)][action]; };
  CHECK(counted(0, observe::Action::kConversions) == windows * 8 * 20);
  CHECK(counted(0, observe::Action::kUnitConversions) == windows * 8 * 2);
  CHECK(counted(1, observe::Action::kConversions) == windows * 8 * 16);
  CHECK(counted(0, observe::Action::kBusBits) == windows * 27 * 8);
  CHECK(counted(1, observe::Action::kBusBits) == windows * 5 * 8);
  std::uint64_t converted = 0;
  for (const observe::Occupation& each : records.of(observe::Kind::kConversion)) converted += each.work;
  CHECK(converted == windows * 8 * (20 + 2 + 16 + 1));
  // One record a slice of every vector, none twice.
  const auto slices = records.of(observe::Kind::kArray);
  CHECK(slices.size() == windows * 2 * 8);
  for (const observe::Occupation& each : slices) CHECK((each.items == 1 && each.work == 1));
  CHECK(records.of(observe::Kind::kShiftAdd).size() == windows * 2 * 8);
  CHECK(records.of(observe::Kind::kTransfer).size() == windows * 2);
}

TEST_CASE("a row that nobody reads is computed and counted to its end in both modes") {
  // Windows of 2 x 2 with stride 2 leave the last of five rows out, which takes longer than to store the outputs of
  // those before: 32 windows, 5 filters of 4 columns each.
  dnn::GraphBuilder builder("odd");
  const int x = builder.convolution(builder.input({5, 32, 3}), 5, dnn::square_window(1));
  builder.max_pool(x, dnn::square_window(2, 2));
  const dnn::Graph graph = builder.build();
  mapping::Machine machine = contended_machine();
  machine.replication = mapping::Replication::kNone;
  const auto loose = device_of("loose", graph, machine, {});
  const auto approximate = device_of("approximate", graph, machine, approximately());
  for (Device<>* const device : {loose.get(), approximate.get()}) {
    device->program();
    const std::vector<Tensors> inputs = random_inputs(device->graph, 1, 3);
    const JobResult result = run_job(*device, inputs);
    CHECK(result.counts[1][observe::Action::kConversions] == 3 * 5 * 32 * 8 * 20);
    CHECK(result.outputs == reference_outputs(device->graph, inputs));
  }
}

}  // namespace
}  // namespace mho::testbenches
