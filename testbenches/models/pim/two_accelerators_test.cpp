// SPDX-License-Identifier: Apache-2.0
// Several accelerators in one simulation: outputs, counts and times of each are those it has alone.
#include <algorithm>
#include <catch2/catch.hpp>

#include "models/mapping/policies.h"
#include "testbenches/models/pim/device_bench.h"
#include "testbenches/models/pim/network_graphs.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

struct Result {
  std::vector<Tensors> outputs;
  std::vector<std::array<std::uint64_t, observe::kActions>> counts;
  std::vector<sc_core::sc_time> completions;
  std::uint64_t busy_ns = 0;
  bool operator==(const Result& other) const {
    return outputs == other.outputs && counts == other.counts && completions == other.completions &&
           busy_ns == other.busy_ns;
  }
};

Result result_of(Device<>& device) {
  Result result;
  result.outputs = device.outputs(3);
  const pim::AcceleratorCore& core = device.accelerator.core();
  for (int node = -1; node < int(device.graph.nodes.size()); ++node) {
    result.counts.push_back(core.ledger().of(node).values);
    result.counts.push_back(core.programming_ledger().of(node).values);
  }
  result.completions = core.scheduler().completions();
  result.busy_ns = device.read("BUSY_NS");
  return result;
}

/// Jobs start at multiples of 100 ns, the crossbars' cycle: their clock does not begin with a job.
void align() {
  const std::uint64_t cycle = sc_core::sc_time(100, sc_core::SC_NS).value();
  const std::uint64_t late = sc_core::sc_time_stamp().value() % cycle;
  sc_core::sc_start(sc_core::sc_time::from_value(2 * cycle - late));
}

TEST_CASE("two accelerators at work at the same time do what each of them does alone") {
  mapping::Machine small = small_machine(), lossy = small_machine();
  lossy.adc.bits = 5;
  Device<> alone("alone", random_network(4), small), alone_too("alone_too", two_layers(3), lossy);
  Device<> left("left", random_network(4), small), right("right", two_layers(3), lossy);
  const auto run = [](std::vector<Device<>*> devices) {
    for (Device<>* device : devices) device->ring(device->program_job());
    Device<>::settle();
    align();
    for (Device<>* device : devices) device->ring(device->run_job(random_inputs(device->graph, 8, 3)));
    Device<>::settle();
    for (Device<>* device : devices) CHECK(device->finish() == pim::AcceleratorError::kNone);
  };
  run({&alone});
  run({&alone_too});
  run({&right, &left});
  CHECK(result_of(left) == result_of(alone));
  CHECK(result_of(right) == result_of(alone_too));
  CHECK(alone.outputs(3) == reference_outputs(alone.graph, random_inputs(alone.graph, 8, 3)));
  // Once more, with weights in place: the same again.
  align();
  left.ring(left.run_job(random_inputs(left.graph, 8, 3)));
  CHECK(left.finish() == pim::AcceleratorError::kNone);
  CHECK(result_of(left) == result_of(alone));
}

/// Weights above the smallest of their filter: an encoding that no machine comes with.
struct Smallest : arithmetic::WeightEncoding {
  explicit Smallest(const mapping::Machine& machine) : slicing(machine.weight_slicing) {}
  arithmetic::EncodedBlock encode(const std::vector<std::int32_t>& weights, int rows, int filters) const override {
    std::vector<std::int32_t> offsets;
    for (auto first = weights.begin(); first != weights.end(); first += rows)
      offsets.push_back(-*std::min_element(first, first + rows));
    return arithmetic::encode_offset(weights, rows, filters, slicing, offsets);
  }
  arithmetic::Slicing slicing;
};

mapping::EncodingChoice smallest() {
  return mapping::EncodingChoice(mapping::EncodingPolicy{
      "smallest",
      "weights above the smallest of their filter",
      [](const mapping::Machine& machine, const mapping::PolicyValues&) { return std::make_unique<Smallest>(machine); },
      {}});
}

TEST_CASE("two accelerators with encodings of their own run side by side, one of them never having heard of its own") {
  mapping::Machine mine = small_machine();
  mine.encoding = smallest();
  const dnn::Graph graph = random_network(4);
  Device<> own("own", graph, mine), stock("stock", graph, small_machine()), flip("flip", graph, small_machine());
  stock.image = own.image;  // levels and coefficients travel, the policy does not
  const auto inputs = random_inputs(graph, 8, 3);
  for (Device<>* device : {&own, &stock, &flip}) device->ring(device->program_job());
  Device<>::settle();
  align();
  for (Device<>* device : {&own, &stock, &flip}) device->ring(device->run_job(inputs));
  Device<>::settle();
  for (Device<>* device : {&own, &stock, &flip}) {
    CHECK(device->finish() == pim::AcceleratorError::kNone);
    CHECK(device->outputs(3) == reference_outputs(graph, inputs));
  }
  CHECK(result_of(stock) == result_of(own));
  CHECK(result_of(flip).counts != result_of(own).counts);  // other levels: other steps to write them
}

}  // namespace
}  // namespace mho::testbenches
