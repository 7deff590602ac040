// SPDX-License-Identifier: Apache-2.0
// Parts of a run in the approximately timed mode: exactly the chosen rows are cut into slices, values stay, the time
// lies between that of both modes, and nothing blocks where a row of one kind follows a row of the other.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "testbenches/models/pim/approximate_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

constexpr std::size_t kInferences = 2;

struct Part {
  pim::ApproximateTiming timing;
  Records records;
  std::unique_ptr<Device<>> device;
};

struct Slices {
  std::uint64_t single = 0, batches = 0;  ///< records of crossbar cycles
};

Slices slices_of(const Records& records, int node) {
  Slices slices;
  for (const observe::Occupation& each : records.of(observe::Kind::kArray))
    if (each.node == node) (each.items == 1 && each.work == 1 ? slices.single : slices.batches) += 1;
  return slices;
}

TEST_CASE("exactly the chosen rows and nodes are simulated slice by slice") {
  // two_layers(): rows of 6 windows, 8 slices; without replication one placement of each layer. All rows of two
  // inferences: 0 to 11.
  mapping::Machine machine = small_machine();
  machine.replication = mapping::Replication::kNone;
  struct Choice {
    std::function<void(pim::ApproximateTiming&)> choose;
    std::uint64_t rows_of_0, rows_of_1;
  };
  const std::vector<Choice> choices = {
      {[](auto&) {}, 12, 12},
      {[](auto& timing) { timing.enabled = false; }, 0, 0},
      {[](auto& timing) { timing.nodes = {1}; }, 0, 12},
      {[](auto& timing) {
         timing.nodes = {0, 99};
       },
       12, 0},
      {[](auto& timing) { timing.first_row = 3, timing.last_row = 7; }, 5, 5},
      {[](auto& timing) { timing.nodes = {0}, timing.first_row = timing.last_row = 11; }, 1, 0},
      {[](auto& timing) { timing.first_row = 12; }, 0, 0},
      {[](auto& timing) { timing.tiles = {7}; }, 0, 0},
      {[](auto& timing) { timing.tiles = {0}; }, 12, 12},
      {[](auto& timing) { timing.from_s = 1.0; }, 0, 0},
      {[](auto& timing) { timing.to_s = 0.0; }, 0, 0},
  };
  std::vector<std::unique_ptr<Part>> parts;
  for (const Choice& choice : choices) {
    parts.push_back(std::make_unique<Part>());
    Part& part = *parts.back();
    part.timing = approximately();
    choice.choose(part.timing);
    part.device = device_of("pim_" + std::to_string(parts.size()), two_layers(), machine, part.timing, &part.records);
  }
  const std::vector<Tensors> inputs = random_inputs(parts[0]->device->graph, 1, kInferences);
  JobResult loose;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    INFO("choice " << i);
    parts[i]->device->program();
    parts[i]->records.all.clear();
    const JobResult result = run_job(*parts[i]->device, inputs);
    CHECK(result.outputs == reference_outputs(parts[i]->device->graph, inputs));
    const Slices first = slices_of(parts[i]->records, 0), second = slices_of(parts[i]->records, 1);
    CHECK(first.single == choices[i].rows_of_0 * 6 * 8);
    CHECK(second.single == choices[i].rows_of_1 * 6 * 8);
    CHECK(first.batches == 12 - choices[i].rows_of_0);
    CHECK(second.batches == 12 - choices[i].rows_of_1);
    if (i == 0) loose = result;
    check_same_work(result, loose);
  }
}

TEST_CASE("rows that start within a window of time are simulated slice by slice, those before and after are not") {
  mapping::Machine machine = small_machine();
  machine.replication = mapping::Replication::kNone;
  Part part;
  part.timing = approximately();
  part.timing.from_s = 8e-6;
  part.timing.to_s = 24e-6;
  part.device = device_of("pim", two_layers(), machine, part.timing, &part.records);
  part.device->program();
  part.records.all.clear();
  const sc_core::sc_time begin = sc_core::sc_time_stamp();
  const std::vector<Tensors> inputs = random_inputs(part.device->graph, 1, kInferences);
  CHECK(run_job(*part.device, inputs).outputs == reference_outputs(part.device->graph, inputs));
  // The job begins when its descriptor is there, at once here: memory has no latency.
  std::set<std::uint64_t> chosen;
  std::size_t rows_before = 0, rows_after = 0;
  for (const observe::Occupation& row : part.records.of(observe::Kind::kCommand)) {
    const double start = (row.begin - begin).to_seconds();
    if (start >= 8e-6 && start < 24e-6) chosen.insert(row.id);
    rows_before += start < 8e-6;
    rows_after += start >= 24e-6;
  }
  CHECK((!chosen.empty() && rows_before > 0 && rows_after > 0));
  for (const observe::Occupation& each : part.records.of(observe::Kind::kArray))
    CHECK((each.work == 1) == (chosen.count(each.parent) > 0));
}

TEST_CASE("random parts of random runs end with the same work, about as late as a run in one mode") {
  struct Case {
    std::vector<std::unique_ptr<Device<>>> devices;  ///< loose, approximate, mixed ones
  };
  constexpr int kMixed = 3;
  std::vector<Case> cases;
  for (unsigned seed = 300; seed < 330; ++seed) {
    std::mt19937 random(seed);
    const dnn::Graph graph = small_network(random);
    const mapping::Machine machine = small_random_machine(random);
    Case each;
    for (int i = 0; i < 2 + kMixed; ++i) {
      pim::ApproximateTiming timing = approximately();
      timing.enabled = i > 0;
      timing.psum_registers = 1 + int(random() % 3);
      if (i > 1 && random() % 2 == 0)
        timing.first_row = random() % 6, timing.last_row = timing.first_row + random() % 6;
      if (i > 1 && random() % 2 == 0) timing.from_s = 1e-6 * double(random() % 40);
      if (i > 1 && random() % 2 == 0) timing.to_s = timing.from_s + 1e-6 * double(random() % 60);
      for (int node = 0; i > 1 && node < int(graph.nodes.size()); ++node)
        if (random() % 3 == 0) timing.nodes.push_back(node);
      each.devices.push_back(
          device_of("seed_" + std::to_string(seed) + "_" + std::to_string(i), graph, machine, timing));
    }
    cases.push_back(std::move(each));
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO("seed " << 300 + i);
    const std::vector<Tensors> inputs = random_inputs(cases[i].devices[0]->graph, unsigned(i), 3);
    std::vector<JobResult> results;
    for (const auto& device : cases[i].devices) {
      device->program();
      results.push_back(run_job(*device, inputs));
      check_same_work(results.back(), results.front());
    }
    const double least = std::min(results[0].last_s, results[1].last_s);
    const double most = std::max(results[0].last_s, results[1].last_s);
    for (const JobResult& mixed : results) {
      // At every border the rows of one kind wait for all those of the other: 1.7 times as long at worst here.
      CHECK(mixed.last_s > 0.9 * least);
      CHECK(mixed.last_s < 2.0 * most);
    }
  }
}

}  // namespace
}  // namespace mho::testbenches
