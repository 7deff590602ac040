// SPDX-License-Identifier: Apache-2.0
// Assembly of the platform and the record of its run.
#include "platforms/platform.h"

#include <algorithm>
#include <chrono>

#include "models/input_error.h"
#include "models/mapping/program_image.h"
#include "models/pim/pim_accelerator.h"
#include "models/tlm/duration.h"
#include "models/tlm/memory.h"
#include "models/tlm/router.h"
#include "platforms/host.h"

namespace mho {
namespace {

constexpr std::uint64_t kMemoryBase = 0x80000000;
constexpr std::uint64_t kRegisterBytes = 0x1000;

int crossbar_tiles_used(const mapping::Program& program, const mapping::Machine& machine) {
  int used = 1;
  const auto use = [&](int tile, int crossbar_tile) {
    used = std::max(used, tile * machine.crossbar_tiles_per_tile + crossbar_tile + 1);
  };
  for (const mapping::LayerPlan& layer : program.layers)
    for (const mapping::Placement& placement : layer.placements) use(placement.tile, placement.crossbar_tile);
  for (const mapping::FunctionPlan& function : program.functions) use(function.tile, 0);
  return used;
}

pim::AcceleratorConfig accelerator_config(const PlatformConfig& config, const mapping::Program& program) {
  pim::AcceleratorConfig result;
  result.machine = config.machine;
  result.chips = program.chips;
  result.crossbar_tiles_built = crossbar_tiles_used(program, config.machine);
  result.strict_memory = true;
  result.approximate_timing = config.approximate_timing;
  return result;
}

tlm_kit::MemoryConfig memory_config(const MemoryConfig& config) {
  tlm_kit::MemoryConfig result;
  result.size_bytes = config.bytes;
  result.read_latency = result.write_latency = tlm_kit::duration(config.latency_s);
  result.bandwidth_bytes_per_s = config.bytes_per_s;
  return result;
}

tlm_kit::RouterConfig address_map(const PlatformConfig& config) {
  tlm_kit::RouterConfig result;
  result.initiators = 2;
  result.targets = 2;
  result.regions = {{"memory", kMemoryBase, config.memory.bytes, 0, 0},
                    {"accelerator", config.accelerator_base, kRegisterBytes, 1, 0}};
  return result;
}

/// Host and accelerator are initiators, main memory and registers targets of one router.
struct Platform : sc_core::sc_module {
  Platform(sc_core::sc_module_name module_name, const PlatformConfig& config, const mapping::Program& program,
           HostJob job, const Progress& progress, observe::Recorder* recorder)
      : sc_module(module_name),
        host("host", std::move(job), config.accelerator_base, kMemoryBase, progress),
        router("router", address_map(config)),
        memory("memory", memory_config(config.memory)),
        accelerator("pim0", accelerator_config(config, program), recorder) {
    host.socket.bind(router.from_initiator[0]);
    accelerator.memory.bind(router.from_initiator[1]);
    router.to_target[0].bind(memory.socket);
    router.to_target[1].bind(accelerator.registers);
    accelerator.irq.bind(irq);
    host.irq.bind(irq);
  }

  Host host;
  tlm_kit::Router<32> router;
  tlm_kit::Memory<32> memory;
  pim::PimAccelerator<32> accelerator;
  sc_core::sc_signal<bool> irq;
};

HostJob make_job(const dnn::Graph& graph, const mapping::Program& program,
                 const std::vector<std::vector<std::vector<std::uint8_t>>>& inputs) {
  HostJob job;
  job.image = mapping::encode_image(program);
  job.inferences = inputs.size();
  std::size_t input_bytes = 0;
  for (const int input : graph.inputs) input_bytes += graph.tensors[std::size_t(input)].shape.bytes();
  job.inputs.reserve(inputs.size() * input_bytes);
  for (const auto& inference : inputs)
    for (const auto& tensor : inference) job.inputs.insert(job.inputs.end(), tensor.begin(), tensor.end());
  for (const int output : graph.outputs) job.output_bytes += graph.tensors[std::size_t(output)].shape.bytes();
  return job;
}

void check_memory(const PlatformConfig& config, const HostJob& job, const std::string& name) {
  const std::uint64_t needed =
      job.image.size() + job.inputs.size() + job.inferences * job.output_bytes + 4 * std::uint64_t{4096};
  if (needed > config.memory.bytes)
    throw InputError(name, 0, 0,
                     "program, inputs and outputs need " + std::to_string(needed) +
                         " bytes of main memory, there are " + std::to_string(config.memory.bytes),
                     "a larger platform.memory.size, or fewer inferences");
}

void record_outputs(const dnn::Graph& graph, const std::vector<std::uint8_t>& bytes, RunRecord& record) {
  record.outputs.resize(graph.outputs.size());
  auto at = bytes.begin();
  for (std::uint64_t inference = 0; inference < record.inferences; ++inference)
    for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
      const auto size = std::ptrdiff_t(graph.tensors[std::size_t(graph.outputs[i])].shape.bytes());
      record.outputs[i].emplace_back(at, at + size);
      at += size;
    }
}

void record_times(const pim::AcceleratorCore& core, RunRecord& record) {
  record.programming_s = core.programming_time().to_seconds();
  for (const sc_core::sc_time& time : core.scheduler().completions()) record.completions_s.push_back(time.to_seconds());
  for (const pim::NodeProgress& node : core.scheduler().progress()) {
    NodeTiming timing;
    timing.first_start_s = node.first_start.to_seconds();
    timing.last_end_s = node.last_end.to_seconds();
    timing.busy_s = node.busy.to_seconds();
    timing.input_stall_s = node.input_stall.to_seconds();
    timing.buffer_stall_s = node.buffer_stall.to_seconds();
    timing.rows = node.rows;
    timing.interval_s = node.interval.to_seconds();
    timing.limited_by = node.limited_by;
    record.nodes.push_back(std::move(timing));
  }
}

}  // namespace

RunRecord run_platform(const PlatformConfig& config, const dnn::Graph& graph,
                       const std::vector<std::vector<std::vector<std::uint8_t>>>& inputs, const Progress& progress,
                       observe::Recorder* recorder) {
  const auto begin = std::chrono::steady_clock::now();
  RunRecord record;
  record.program = mapping::compile(graph, config.machine);
  record.inferences = inputs.size();
  HostJob job = make_job(graph, record.program, inputs);
  check_memory(config, job, graph.name);
  for (mapping::LayerPlan& layer : record.program.layers)
    for (mapping::Block& block : layer.blocks) block.encoded.levels = {};
  Platform platform("platform", config, record.program, std::move(job), progress, recorder);
  sc_core::sc_start();
  platform.host.check();
  const pim::AcceleratorCore& core = platform.accelerator.core();
  record_outputs(graph, platform.host.outputs(), record);
  record_times(core, record);
  record.ledger = core.ledger();
  record.programming = core.programming_ledger();
  record.simulated_s = (platform.host.run_end() - platform.host.run_begin()).to_seconds();
  record.wall_time_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return record;
}

}  // namespace mho
