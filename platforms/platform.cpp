// SPDX-License-Identifier: Apache-2.0
// One run of the platform, and its record.
#include "platforms/platform.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "models/input_error.h"
#include "models/mapping/program_image.h"
#include "platforms/host_memory.h"
#include "platforms/observe/wave_file.h"
#include "platforms/platform_modules.h"

namespace mho {
namespace {

/// Processor time of the calling thread so far.
double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

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
  result.column_sums = config.observe.column_sums;
  return result;
}

HostJob make_job(const dnn::Graph& graph, std::vector<std::uint8_t> image,
                 const std::vector<std::vector<std::vector<std::uint8_t>>>& inputs) {
  HostJob job;
  job.image = std::move(image);
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

void simulate_with_waves(Platform& platform, const ObserveConfig& observe) {
  const std::vector<SelectedWave> selected = select_waves(platform, observe.waves);
  const bool follows_power = platform.power && std::any_of(selected.begin(), selected.end(), [&](const auto& wave) {
                               return wave.module == platform.power->name();
                             });
  WaveFile waves(observe.wave_path, selected);
  if (follows_power)
    platform.power->simulate([&] { return platform.host.done(); });
  else
    sc_core::sc_start();
  // The simulator writes the values of a moment when time moves on, so it must move on once more.
  sc_core::sc_start(sc_core::sc_get_time_resolution());
  waves.close();
}

}  // namespace

RunRecord run_platform(const PlatformConfig& config, const dnn::Graph& graph,
                       const std::vector<std::vector<std::vector<std::uint8_t>>>& inputs, const Progress& progress,
                       observe::Recorder* recorder) {
  const auto begin = std::chrono::steady_clock::now();
  RunRecord record;
  record.inferences = inputs.size();
  const double before_plan = thread_seconds();
  mapping::Program planned = mapping::plan(graph, config.machine);
  record.compile_time_s = thread_seconds() - before_plan;
  check_noisy_memory(planned, graph, config.machine, available_memory_bytes());
  const pim::AcceleratorConfig accelerator = accelerator_config(config, planned);
  // Weights are encoded beside the building of the modules, which only the simulator's own thread may do.
  const auto policy = std::thread::hardware_concurrency() > 1 ? std::launch::async : std::launch::deferred;
  auto compiling = std::async(policy, [&graph, &config, &record, program = std::move(planned)]() mutable {
    const double before_image = thread_seconds();
    mapping::CompiledImage image = mapping::compile_image(std::move(program), graph, config.machine);
    record.compile_time_s += thread_seconds() - before_image;
    return image;
  });
  // Stays until the process ends, which can elaborate no other: to take thousands of modules apart costs as long as to
  // build them.
  Platform& platform = *new Platform("platform", config, accelerator, {}, progress, recorder);
  mapping::CompiledImage compiled = compiling.get();
  record.program = std::move(compiled.program);
  HostJob job = make_job(graph, std::move(compiled.bytes), inputs);
  check_memory(config, job, graph.name);
  platform.host.set_job(std::move(job));
  if (config.observe.waves.empty() || config.observe.wave_path.empty())
    sc_core::sc_start();
  else
    simulate_with_waves(platform, config.observe);
  platform.host.check();
  const pim::AcceleratorCore& core = platform.accelerator.core();
  record_outputs(graph, platform.host.outputs(), record);
  record_times(core, record);
  record.ledger = core.ledger();
  record.programming = core.programming_ledger();
  record.statistics = statistics_of(platform);
  record.simulated_s = (platform.host.run_end() - platform.host.run_begin()).to_seconds();
  record.wall_time_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return record;
}

}  // namespace mho
