// SPDX-License-Identifier: Apache-2.0
// Random networks on odd machines give the integer reference bit for bit, exact and sliced, and what was counted is
// what the network's shapes say.
#include <catch2/catch.hpp>
#include <memory>
#include <set>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/mapping/block_layout.h"
#include "testbenches/models/pim/device_bench.h"
#include "testbenches/models/pim/network_graphs.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;

struct Totals {
  std::size_t forwarded = 0, parts = 0, several_chips = 0, spilled = 0, replicated = 0, signed_inputs = 0;
  std::size_t cropped = 0, shared = 0;  ///< layers of several windows a vector, and what becomes of their rows
  std::set<int> expansions, strides;
};

/// Counts of one layer, from its plan and the shapes alone.
void check_layer(const Device<>& device, const mapping::LayerPlan& layer, const observe::Counts& counts,
                 std::uint64_t inferences) {
  const mapping::Machine& machine = device.machine;
  const dnn::Shape& out = device.graph.output_of(device.graph.nodes[std::size_t(layer.node)]).shape;
  const std::uint64_t pixels = inferences * unsigned(out.height) * unsigned(out.width);
  const std::uint64_t windows =
      inferences * unsigned(out.height) * unsigned(mapping::vectors_of_row(out.width, layer.expansion));
  const auto slices = unsigned((machine.data_bits + machine.dac_bits - 1) / machine.dac_bits);
  std::uint64_t columns = 0, filters = 0;
  for (const mapping::Block& block : layer.blocks) {
    filters += unsigned(block.encoded.filters);
    columns += unsigned(block.encoded.filters) * machine.weight_slicing.size();
  }
  CHECK(counts[Action::kConversions] == windows * slices * columns);
  CHECK(counts[Action::kShiftAdds] == counts[Action::kConversions] + counts[Action::kUnitConversions]);
  CHECK(counts[Action::kArrayCycles] == counts[Action::kUnitConversions]);
  CHECK(counts[Action::kFunctionOutputs] == pixels * unsigned(out.channels));
  CHECK(counts[Action::kTileShiftAdds] >= windows * filters);
  CHECK(counts[Action::kSaturations] == 0);
  if (layer.replicas > 1) return;
  std::uint64_t crossbars = 0, rows = 0, lines = 0;
  const auto value_bytes = unsigned((machine.data_bits + 7) / 8);
  for (const mapping::Placement& p : layer.placements) {
    const auto block_rows = unsigned(layer.blocks[std::size_t(p.block)].encoded.rows);
    crossbars += unsigned(p.crossbars);
    rows += block_rows;
    lines += (block_rows * value_bytes + 31) / 32;
  }
  CHECK(counts[Action::kUnitConversions] == windows * slices * crossbars);
  CHECK(counts[Action::kVectors] == windows * layer.placements.size());
  CHECK(counts[Action::kBusBits] == windows * rows * value_bytes * 8);
  CHECK(counts[Action::kEdramLinesRead] == windows * lines);
}

void check_counts(Device<>& device, std::uint64_t inferences) {
  const pim::AcceleratorCore& core = device.accelerator.core();
  for (const mapping::LayerPlan& layer : device.compiled.layers)
    check_layer(device, layer, core.ledger().of(layer.node), inferences);
  std::uint64_t input_bytes = 0, output_bytes = 0;
  for (const int input : device.graph.inputs) input_bytes += device.graph.tensors[std::size_t(input)].shape.bytes();
  for (const int output : device.graph.outputs) output_bytes += device.graph.tensors[std::size_t(output)].shape.bytes();
  const observe::Counts total = core.ledger().total();
  CHECK(total[Action::kMemoryBytesRead] == 64 + inferences * input_bytes);
  CHECK(total[Action::kMemoryBytesWritten] == inferences * output_bytes);
  CHECK(device.memory.bytes_read == 64 + device.image.size() + 64 + inferences * input_bytes);
  CHECK(device.memory.bytes_written == inferences * output_bytes);
  CHECK((device.compiled.chips > 1 || total[Action::kHyperTransportBits] == 0));
}

void note(const Device<>& device, Totals& totals) {
  for (const mapping::LayerPlan& layer : device.compiled.layers) {
    totals.replicated += layer.replicas > 1;
    if (layer.expansion > 1) {
      const dnn::Node& node = device.graph.nodes[std::size_t(layer.node)];
      totals.cropped += device.graph.output_of(node).shape.width % layer.expansion != 0;
      totals.shared += layer.replicas > 1;
      totals.strides.insert(node.window.stride_x);
    }
    totals.expansions.insert(layer.expansion);
    for (const mapping::Placement& p : layer.placements) totals.forwarded += p.tile != layer.home_of(p.replica, p.part);
    totals.parts += layer.parts.size() > 1;
  }
  totals.several_chips += device.compiled.chips > 1;
  for (const mapping::Ring& ring : device.compiled.rings) totals.spilled += ring.spilled_to >= 0;
  for (const int input : device.graph.inputs)
    totals.signed_inputs += device.graph.tensors[std::size_t(input)].type == dnn::CodeType::kInt8;
}

/// Networks `first` .. on every machine, all in one simulation: none touches another.
Totals check_networks(unsigned first, unsigned count, mapping::Fidelity fidelity, bool toeplitz = false) {
  std::vector<std::unique_ptr<Device<>>> devices;
  for (unsigned seed = first; seed < first + count; ++seed)
    for (const mapping::Machine& odd : odd_machines()) {
      mapping::Machine machine = odd;
      machine.fidelity = fidelity;
      machine.toeplitz = toeplitz;
      if (toeplitz) machine.crossbar.columns *= 4;
      DeviceOptions options;
      const dnn::Graph graph = random_network(seed);
      options.skew = seed % 4;
      options.crossbar_tiles_built = crossbar_tiles_used(mapping::compile(graph, machine), machine);
      const std::string name = "pim_" + std::to_string(devices.size());
      devices.push_back(std::make_unique<Device<>>(name, graph, machine, options));
    }
  Totals totals;
  for (const auto& device : devices) {
    INFO(device->graph.name << ", " << device->machine.data_bits << " bits, " << device->machine.crossbar.rows
                            << " rows");
    for (const mapping::LayerPlan& layer : device->compiled.layers)
      CHECK(layer.lossless == (fidelity == mapping::Fidelity::kExact));
    device->program();
    const std::vector<Tensors> inputs = random_inputs(device->graph, 5, 3);
    CHECK(device->infer(inputs) == reference_outputs(device->graph, inputs));
    check_counts(*device, 3);
    note(*device, totals);
  }
  if (toeplitz) return totals;
  CHECK(totals.forwarded > 0);
  CHECK(totals.parts > 0);
  CHECK(totals.several_chips > 0);
  CHECK(totals.spilled > 0);
  CHECK(totals.replicated > 0);
  CHECK(totals.signed_inputs > 0);
  return totals;
}

TEST_CASE("random networks on odd machines equal the integer reference with exact products") {
  check_networks(1, 6, mapping::Fidelity::kExact);
}

TEST_CASE("random networks on odd machines equal the integer reference slice by slice") {
  check_networks(7, 6, mapping::Fidelity::kSliced);
}

/// On machines with free columns.
void check_wide_networks(unsigned first, mapping::Fidelity fidelity) {
  const Totals totals = check_networks(first, 6, fidelity, true);
  CHECK(totals.expansions.size() >= 5);
  CHECK(totals.strides.size() == 2);
  CHECK(totals.cropped > 0);
  CHECK(totals.shared > 0);
}

TEST_CASE("several windows a vector equal the integer reference with exact products") {
  check_wide_networks(13, mapping::Fidelity::kExact);
}

TEST_CASE("several windows a vector equal the integer reference slice by slice") {
  check_wide_networks(19, mapping::Fidelity::kSliced);
}

TEST_CASE("operators between products equal the integer reference on odd machines in both timing modes") {
  std::vector<std::unique_ptr<Device<>>> devices;
  const std::vector<mapping::Machine> machines = odd_machines();
  for (unsigned seed = 1; seed <= 30; ++seed)
    for (const bool approximate : {false, true}) {
      const mapping::Machine& machine = machines[seed % machines.size()];
      const dnn::Graph graph = activation_network(seed);
      DeviceOptions options;
      options.timing.enabled = approximate;
      options.crossbar_tiles_built = crossbar_tiles_used(mapping::compile(graph, machine), machine);
      const std::string name = "pim_" + std::to_string(devices.size());
      devices.push_back(std::make_unique<Device<>>(name, graph, machine, options));
    }
  std::set<dnn::Operator> seen;
  for (const auto& device : devices) {
    INFO(device->graph.name << ", " << device->machine.data_bits << " bits");
    device->program();
    const std::vector<Tensors> inputs = random_inputs(device->graph, 5, 4);
    CHECK(device->infer(inputs) == reference_outputs(device->graph, inputs));
    for (std::size_t node = 0; node < device->graph.nodes.size(); ++node) {
      seen.insert(device->graph.nodes[node].op);
      const observe::Counts& counts = device->accelerator.core().ledger().of(int(node));
      CHECK(counts[Action::kFunctionProducts] == 4 * dnn::digital_macs(device->graph, device->graph.nodes[node]));
    }
  }
  CHECK(seen.size() == std::size_t(dnn::kLastOperator));  // all but requantise
}

TEST_CASE("what every row reads stays until the last row has read it, however fast the next inference comes") {
  // Main memory brings keys and factors of the next inferences while slow function units read those of this one.
  dnn::GraphBuilder net("slow");
  const int queries = net.input({4, 2, 8}), keys = net.input({3, 2, 8}), factors = net.input({1, 1, 8});
  net.output(net.matmul(queries, keys, 2, true));
  net.output(net.multiply(queries, factors));
  mapping::Machine machine = small_machine();
  machine.function.products_per_s = machine.function.pooled_per_s = 1e6;
  DeviceOptions approximately;
  approximately.timing.enabled = true;
  Device<> loose("loose", net.build(), machine), approximate("approximate", net.build(), machine, approximately);
  const std::vector<Tensors> inputs = random_inputs(loose.graph, 5, 12);
  for (Device<>* const device : {&loose, &approximate}) {
    device->program();
    CHECK(device->infer(inputs) == reference_outputs(device->graph, inputs));
  }
}

TEST_CASE("many inferences in flight come out in order and unmixed") {
  Device<> device("pim", random_network(3), odd_machines()[0]);
  device.program();
  const std::vector<Tensors> inputs = random_inputs(device.graph, 5, 40);
  CHECK(device.infer(inputs) == reference_outputs(device.graph, inputs));
}

TEST_CASE("output rows wait for a memory that is slower than the machine") {
  // One input row gives five output rows: the others are ready long before the first is stored.
  dnn::GraphBuilder net("tall", 2);
  net.convolution(net.input({1, 6, 3}), 4, {5, 1, 1, 1, 4, 0, 4, 0, 1, 1});
  Device<> device("pim", net.build(), small_machine());
  REQUIRE(device.graph.tensors[1].shape.height == 5);
  device.program();
  const std::vector<Tensors> inputs = random_inputs(device.graph, 5, 3);
  const pim::Descriptor job = device.run_job(inputs);
  device.memory.late_at = job.destination;
  device.memory.late = sc_core::sc_time(1, sc_core::SC_MS);
  CHECK(device.run(job) == pim::AcceleratorError::kNone);
  CHECK(device.outputs(3) == reference_outputs(device.graph, inputs));
}

TEST_CASE("an input that nobody reads is not fetched, a result that nobody reads disturbs nobody") {
  // Inputs of 36 codes each and outputs of 108 codes; only the second input has a reader.
  dnn::GraphBuilder net("dead_ends", 2);
  net.input({6, 6, 1});
  const int read = net.input({6, 6, 1});
  net.convolution(read, 4, dnn::square_window(3, 1, 1));
  net.output(net.convolution(read, 3, dnn::square_window(3, 1, 1)));
  Device<> device("pim", net.build(), small_machine());
  device.program();
  const std::vector<Tensors> inputs = random_inputs(device.graph, 5, 20);
  CHECK(device.infer(inputs) == reference_outputs(device.graph, inputs));
  CHECK(device.read("BYTES_READ") == 64 + 20 * 36);
}

TEST_CASE("the next program replaces the one before it, and it is the levels that change") {
  // The same two layers with other weights, written over the first ones.
  Device<> device("pim", two_layers(1), small_machine());
  Device<> other("other", two_layers(2), small_machine());
  device.program();
  const std::uint64_t first = device.accelerator.core().programming_ledger().total()[Action::kCellWriteSteps];
  CHECK(first > 0);
  device.image = other.image;
  device.program();
  CHECK(device.accelerator.core().programming_ledger().total()[Action::kCellWriteSteps] < first);
  const std::vector<Tensors> inputs = random_inputs(device.graph, 5, 2);
  CHECK(device.infer(inputs) == reference_outputs(other.graph, inputs));
  device.program();
  CHECK(device.accelerator.core().programming_ledger().total()[Action::kCellWriteSteps] == 0);
  CHECK(device.infer(inputs) == reference_outputs(other.graph, inputs));
}

/// Raises or lowers one level of the first layer's placement `index`.
void alter(Device<>& device, std::size_t index) {
  const mapping::Placement& placement = device.compiled.layers[0].placements[index];
  const std::uint8_t level = device.level(placement, 4, 1);
  device.set_level(placement, 4, 1, level >= 2 ? 0 : 3);
}

TEST_CASE("one altered cell of one replica changes exact and sliced outputs alike, and only where it computes") {
  // 36 windows in the first layer, as many in the second, so replicas come from a second layer with stride 2.
  mapping::Machine exact_machine = small_machine(), sliced_machine = small_machine();
  exact_machine.adc.bits = sliced_machine.adc.bits = 12;
  exact_machine.fidelity = mapping::Fidelity::kExact;
  sliced_machine.fidelity = mapping::Fidelity::kSliced;
  dnn::Graph graph = two_layers();
  graph.outputs.insert(graph.outputs.begin(), graph.nodes[0].output);  // the first layer's map as well
  graph.nodes[1].window.stride_x = graph.nodes[1].window.stride_y = 2;
  graph.tensors.back().shape = {3, 3, 4};
  Device<> exact("exact", graph, exact_machine), sliced("sliced", graph, sliced_machine);
  REQUIRE(exact.compiled.layers[0].replicas == 4);
  const std::vector<Tensors> inputs = random_inputs(graph, 5, 1), expected = reference_outputs(graph, inputs);
  for (Device<>* device : {&exact, &sliced}) {
    device->program();
    CHECK(device->infer(inputs) == expected);
    alter(*device, device->compiled.layers[0].placements.size() - 1);  // of the last replica
  }
  const std::vector<Tensors> altered = exact.infer(inputs);
  CHECK(altered == sliced.infer(inputs));
  CHECK(altered != expected);
  // 6 windows a row are dealt to 4 replicas as 2, 2, 1, 1, and 6 y modulo 4 is the replica that comes first.
  const std::vector<int> shares[] = {{0, 0, 1, 1, 2, 3}, {2, 2, 3, 3, 0, 1}};
  const int channels = graph.tensors[1].shape.channels;
  bool touched = false;
  for (int y = 0; y < 6; ++y)
    for (int x = 0; x < 6; ++x)
      for (int c = 0; c < channels; ++c) {
        const auto at = std::size_t((y * 6 + x) * channels + c);
        const bool by_the_last = shares[y % 2][std::size_t(x)] == 3;
        touched = touched || altered[0][0][at] != expected[0][0][at];
        if (!by_the_last) CHECK(int(altered[0][0][at]) == int(expected[0][0][at]));
      }
  CHECK(touched);
}

}  // namespace
}  // namespace mho::testbenches
