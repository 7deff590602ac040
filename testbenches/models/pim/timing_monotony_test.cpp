// SPDX-License-Identifier: Apache-2.0
// Random small networks on random small machines: no resource may do more than it can, and a slower resource may not
// make a run shorter, but for the anomalies of list scheduling (Graham 1969), which are bounded here.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <random>

#include "testbenches/models/pim/timing_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;

constexpr std::uint64_t kInferences = 3;
/// By how much a run may become shorter when something becomes slower. Rows are issued as soon as they can, so one that
/// comes later may leave a gap in which another, more urgent one goes first. Most seeds show none; seed 54 with a
/// slower eDRAM gains 2.6 %, seed 149 3.1 %, the most in 1120 runs.
constexpr double kAnomaly = 0.05;

dnn::Graph random_network(std::mt19937& random) {
  dnn::GraphBuilder net("random", random());
  const auto pick = [&](int most) { return 1 + int(random() % unsigned(most)); };
  int last = net.input({4 + pick(6), 4 + pick(6), pick(8)});
  for (int layer = 0, layers = 1 + pick(3); layer < layers; ++layer) {
    const int filters = pick(12);
    last = net.convolution(last, filters, dnn::square_window(3, layer == 1 ? pick(2) : 1, 1));
    if (random() % 3 == 0) last = net.add(last, net.convolution(last, filters, dnn::square_window(3, 1, 1)));
  }
  if (random() % 2 == 0) last = net.max_pool(last, dnn::square_window(2, 1));
  net.output(last);
  return net.build();
}

mapping::Machine random_machine(std::mt19937& random) {
  mapping::Machine machine = isaac_8b(40);
  const auto pick = [&](int most) { return 1 + int(random() % unsigned(most)); };
  machine.crossbar_tiles_per_tile = 1 + pick(4);
  machine.crossbar.crossbars = machine.adc.converters = pick(4);
  machine.crossbar.rows = 32;
  machine.crossbar.columns = 16 * pick(2);
  machine.replication = random() % 2 == 0 ? mapping::Replication::kBalanced : mapping::Replication::kNone;
  machine.router.tiles_per_router = pick(3);
  // Resources that are slow enough to matter, some of them.
  if (random() % 3 == 0) machine.bus.latency_s = pick(200) * 1e-9;
  if (random() % 3 == 0) machine.edram.line_s = pick(40) * 1e-9;
  if (random() % 3 == 0) machine.router.bytes_per_s = pick(100) * 1e6;
  if (random() % 3 == 0) machine.function.outputs_per_s = pick(100) * 1e6;
  return machine;
}

struct Slower {
  const char* what;
  std::function<void(mapping::Machine&, TimedMemory&)> change;
};

const std::vector<Slower>& slower_resources() {
  static const std::vector<Slower> all{{"bus",
                                        [](auto& m, auto&) {
                                          m.bus.bytes_per_s /= 2;
                                          m.bus.latency_s = m.bus.latency_s * 2 + 20e-9;
                                        }},
                                       {"eDRAM", [](auto& m, auto&) { m.edram.line_s *= 3; }},
                                       {"converter", [](auto& m, auto&) { m.adc.rate_hz /= 8; }},
                                       {"crossbar", [](auto& m, auto&) { m.crossbar.cycle_s *= 1.5; }},
                                       {"function unit",
                                        [](auto& m, auto&) {
                                          m.function.outputs_per_s /= 3;
                                          m.function.pooled_per_s /= 3;
                                        }},
                                       {"router",
                                        [](auto& m, auto&) {
                                          m.router.bytes_per_s /= 3;
                                          m.router.hop_s *= 5;
                                        }},
                                       {"main memory", [](auto&, auto& memory) {
                                          memory.bytes_per_s /= 50;
                                          memory.latency_s *= 3;
                                        }}};
  return all;
}

/// One network on one machine and on as many slower ones.
struct Family {
  std::vector<std::unique_ptr<TimedMachine>> members;  ///< the first is the machine itself
};

Family family(unsigned seed) {
  std::mt19937 random(seed);
  const dnn::Graph graph = random_network(random);
  const mapping::Machine machine = random_machine(random);
  Family result;
  const std::string name = "s" + std::to_string(seed) + "_";
  result.members.push_back(std::make_unique<TimedMachine>(name + "base", graph, machine));
  for (const Slower& slower : slower_resources()) {
    mapping::Machine changed = machine;
    TimedMemory memory;
    slower.change(changed, memory);
    const std::string member = name + std::to_string(result.members.size());
    result.members.push_back(std::make_unique<TimedMachine>(member, graph, changed, memory));
  }
  return result;
}

std::vector<Family> run_families(unsigned first, unsigned count) {
  std::vector<Family> families;
  std::vector<TimedMachine*> all;
  for (unsigned seed = first; seed < first + count; ++seed) {
    families.push_back(family(seed));
    for (const auto& member : families.back().members) all.push_back(member.get());
  }
  TimedMachine::run_all(all, kInferences);
  return families;
}

TEST_CASE("a slower resource makes no run shorter but for a small anomaly") {
  const std::vector<Family> families = run_families(50, 8);
  for (std::size_t f = 0; f < families.size(); ++f) {
    const double base = families[f].members[0]->makespan_ns();
    for (std::size_t i = 1; i < families[f].members.size(); ++i) {
      const double gain = 1.0 - families[f].members[i]->makespan_ns() / base;
      INFO("seed " << f + 50 << ", slower " << slower_resources()[i - 1].what << ", shorter by " << gain);
      CHECK(gain <= kAnomaly);
    }
  }
}

TEST_CASE("no run is shorter than the work of any of its layers and of its memory") {
  const std::vector<Family> families = run_families(101, 7);
  for (const Family& each : families)
    for (const auto& member : each.members) {
      const double makespan = member->makespan_ns();
      for (std::size_t node = 0; node < member->program().graph.nodes.size(); ++node)
        CHECK(makespan >= ns(member->node(int(node)).busy) - ns(member->node(int(node)).interval));
      const auto total = member->ledger().total();
      const double bytes = double(total[Action::kMemoryBytesRead] + total[Action::kMemoryBytesWritten]);
      CHECK(makespan >= bytes / 25.6);
    }
}

TEST_CASE("no resource of a tile does more than it can") {
  // One tile that holds everything: bits of the bus, lines of the buffer and outputs of the function unit are counted,
  // and each takes its time. Rows cut into items round up, so what is counted is at least what was moved.
  std::vector<std::unique_ptr<TimedMachine>> machines;
  std::vector<mapping::Machine> configs;
  std::vector<TimedMachine*> all;
  for (unsigned i = 0; i < 40; ++i) {
    std::mt19937 random(200 + i);
    const dnn::Graph graph = random_network(random);
    configs.push_back(isaac_8b(1));
    mapping::Machine& machine = configs.back();
    machine.crossbar_tiles_per_tile = 64;
    machine.replication = mapping::Replication::kBalanced;
    if (i % 3 == 0) machine.bus.bytes_per_s = 0.01e9 * double(1 + random() % 20);
    if (i % 3 == 1) machine.function.outputs_per_s = 2e6 * double(1 + random() % 20);
    if (i % 3 == 2) machine.edram.line_s = 20e-9 * double(1 + random() % 20);
    machines.push_back(std::make_unique<TimedMachine>("m" + std::to_string(i), graph, machine));
    all.push_back(machines.back().get());
  }
  TimedMachine::run_all(all, kInferences);
  double tightest = 1e9;
  for (std::size_t i = 0; i < machines.size(); ++i) {
    const auto counts = machines[i]->ledger().total();
    const double bus = double(counts[Action::kBusBits]) / 8 / configs[i].bus.bytes_per_s * 1e9;
    const double lines = double(counts[Action::kEdramLinesRead] + counts[Action::kEdramLinesWritten]);
    double outputs = 0.0;
    for (std::size_t node = 0; node < machines[i]->program().graph.nodes.size(); ++node)
      if (machines[i]->program().graph.nodes[node].op == dnn::Operator::kConvolution)
        outputs += double(machines[i]->ledger().of(int(node))[Action::kFunctionOutputs]);
    INFO("machine " << i);
    const double makespan = machines[i]->makespan_ns();
    const double work =
        std::max({bus, lines * configs[i].edram.line_s * 1e9, outputs / configs[i].function.outputs_per_s * 1e9});
    CHECK(makespan >= work);
    tightest = std::min(tightest, makespan / work);
  }
  CHECK(tightest < 1.25);  // some of these machines are limited by nothing else
}

}  // namespace
}  // namespace mho::testbenches
