// SPDX-License-Identifier: Apache-2.0
// Jobs in both modes, and random networks and machines that are small enough for hundreds of them.
#include "testbenches/models/pim/approximate_bench.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/observe/instrument.h"

namespace mho::testbenches {

std::vector<observe::Occupation> Records::of(observe::Kind kind, const std::string& module) const {
  std::vector<observe::Occupation> found;
  for (const observe::Occupation& each : all)
    if (each.kind == kind && std::string(each.module).find(module) != std::string::npos) found.push_back(each);
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  return found;
}

pim::ApproximateTiming approximately() {
  pim::ApproximateTiming timing;
  timing.enabled = true;
  return timing;
}

std::unique_ptr<Device<>> device_of(const std::string& name, const dnn::Graph& graph, const mapping::Machine& machine,
                                    const pim::ApproximateTiming& timing, observe::Recorder* recorder) {
  DeviceOptions options;
  options.timing = timing;
  options.recorder = recorder;
  options.crossbar_tiles_built = crossbar_tiles_used(mapping::compile(graph, machine), machine);
  return std::make_unique<Device<>>(name, graph, machine, options);
}

JobResult run_job(Device<>& device, const std::vector<Tensors>& inputs) {
  JobResult result;
  result.outputs = device.infer(inputs);
  pim::AcceleratorCore& core = device.accelerator.core();
  for (int node = -1; node < int(core.ledger().nodes()); ++node) result.counts.push_back(core.ledger().of(node));
  const std::string prefix = std::string(core.name()) + ".";
  observe::for_each_instrument(&core, [&](const sc_core::sc_object& object, const observe::Instrument& instrument) {
    for (const observe::Statistic& each : instrument.statistics())
      if (each.name == std::string("busy")) result.busy[std::string(object.name()).substr(prefix.size())] = each.value;
  });
  const std::vector<sc_core::sc_time>& completions = core.scheduler().completions();
  REQUIRE(completions.size() == inputs.size());
  result.latency_s = completions.front().to_seconds();
  result.last_s = completions.back().to_seconds();
  if (completions.size() > 1) result.interval_s = (result.last_s - result.latency_s) / double(completions.size() - 1);
  check_nothing_under_way(device);
  return result;
}

void check_nothing_under_way(Device<>& device) {
  observe::for_each_instrument(
      &device.accelerator.core(), [&](const sc_core::sc_object& object, const observe::Instrument& instrument) {
        for (const observe::Wave& wave : instrument.waves()) {
          const std::string name = wave.name;
          const bool under_way =
              name == "busy" || name == "queue" || name == "open_windows" || name.find(".state") != std::string::npos;
          if (!under_way) continue;
          INFO(object.name() << "." << name);
          std::visit([](const auto* variable) { CHECK(double(*variable) == 0.0); }, wave.variable);
        }
      });
}

double statistic_of(sc_core::sc_object& whole, const std::string& module, const std::string& wanted) {
  double value = -1.0;
  observe::for_each_instrument(&whole, [&](const sc_core::sc_object& object, const observe::Instrument& instrument) {
    const std::string name = object.name();
    if (name.size() < module.size() || name.compare(name.size() - module.size(), module.size(), module) != 0) return;
    for (const observe::Statistic& each : instrument.statistics())
      if (each.name == wanted) value = each.value;
  });
  return value;
}

double statistic(Device<>& device, const std::string& module, const std::string& wanted) {
  return statistic_of(device.accelerator.core(), module, wanted);
}

void check_same_work(const JobResult& one, const JobResult& other) {
  CHECK(one.outputs == other.outputs);
  REQUIRE(one.counts.size() == other.counts.size());
  for (std::size_t row = 0; row < one.counts.size(); ++row)
    for (std::size_t action = 0; action < observe::kActions; ++action) {
      INFO("node " << int(row) - 1 << ", " << observe::describe(observe::Action(action)).name);
      CHECK(one.counts[row].values[action] == other.counts[row].values[action]);
    }
  REQUIRE(one.busy.size() == other.busy.size());
  for (const auto& [module, busy] : one.busy) {
    INFO(module);
    CHECK(busy == Approx(other.busy.at(module)).epsilon(1e-9));
  }
}

bool JobResult::operator==(const JobResult& other) const {
  const auto equal = [](const observe::Counts& a, const observe::Counts& b) { return a.values == b.values; };
  return outputs == other.outputs && counts.size() == other.counts.size() &&
         std::equal(counts.begin(), counts.end(), other.counts.begin(), equal) && busy == other.busy &&
         latency_s == other.latency_s && last_s == other.last_s;
}

dnn::Graph small_network(std::mt19937& random) {
  const auto pick = [&](int most) { return 1 + int(random() % unsigned(most)); };
  dnn::GraphBuilder net("small", random());
  int last = net.input({2 + pick(5), 2 + pick(5), pick(6)});
  for (int nodes = 1 + pick(3); nodes > 0; --nodes) {
    const int filters = 2 * pick(5);
    switch (random() % 6) {
      case 0:
        last = net.convolution(last, filters, dnn::square_window(3, pick(2), 1));
        break;
      case 1: {
        const int from = net.convolution(last, filters, dnn::square_window(1));
        last = net.add(net.convolution(from, filters, dnn::square_window(3, 1, 1)), from, pick(2) == 1);
        break;
      }
      case 2: {
        const int left = net.convolution(last, pick(5), dnn::square_window(3, 1, 1));
        last = net.concat({left, net.convolution(last, pick(5), dnn::square_window(1))});
        break;
      }
      case 3:
        last = net.max_pool(last, dnn::square_window(3, pick(2), 1));
        break;
      case 4: {
        dnn::ConvolutionOptions grouped;
        grouped.groups = 2;
        last =
            net.convolution(net.convolution(last, 4, dnn::square_window(1)), 6, dnn::square_window(3, 1, 1), grouped);
        break;
      }
      default:
        last = net.convolution(last, filters, dnn::square_window(1));
        break;
    }
  }
  if (random() % 3 == 0) last = net.fully_connected(net.global_average_pool(last), 5);
  net.output(net.convolution(last, 3, dnn::square_window(1)));
  dnn::Graph graph = net.build();
  for (dnn::Tensor& tensor : graph.tensors) tensor.zero_point = pick(40);
  return graph;
}

mapping::Machine small_random_machine(std::mt19937& random) {
  const auto pick = [&](int most) { return 1 + int(random() % unsigned(most)); };
  mapping::Machine machine;
  machine.data_bits = 8;
  machine.weight_slicing = {2, 2, 2, 2};
  machine.tiles_per_chip = 48;
  machine.crossbar.rows = 8 * pick(6);
  machine.crossbar.columns = 4 * pick(6);
  machine.crossbar.crossbars = pick(4);
  machine.crossbar_tiles_per_tile = pick(3);
  machine.adc.converters = machine.crossbar.crossbars;
  if (random() % 2 == 0)
    while (machine.crossbar.crossbars % (machine.adc.converters = pick(machine.crossbar.crossbars)) != 0) continue;
  const auto rule = [&] { return mapping::Arbitration(random() % 3); };
  machine.adc.arbitration = rule();
  machine.bus.arbitration = rule();
  machine.adc.queue = pick(4);
  machine.bus.queue = pick(4);
  machine.edram.bytes = random() % 4 == 0 ? 512 : 8192;
  machine.router.tiles_per_router = pick(3);
  machine.replication = random() % 3 == 0 ? mapping::Replication::kNone : mapping::Replication::kBalanced;
  machine.fidelity = random() % 2 == 0 ? mapping::Fidelity::kSliced : mapping::Fidelity::kAuto;
  if (random() % 3 == 0) machine.adc.rate_hz = 1e6 * pick(400);
  if (random() % 3 == 0) machine.bus.latency_s = pick(400) * 1e-9;
  if (random() % 3 == 0) machine.edram.line_s = pick(100) * 1e-9;
  if (random() % 3 == 0) machine.router.bytes_per_s = pick(100) * 1e6;
  if (random() % 3 == 0) machine.function.outputs_per_s = pick(100) * 1e6;
  return machine;
}

}  // namespace mho::testbenches
