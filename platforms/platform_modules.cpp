// SPDX-License-Identifier: Apache-2.0
// Netlist of the platform.
#include "platforms/platform_modules.h"

#include "models/tlm/duration.h"

namespace mho {
namespace {

constexpr std::uint64_t kMemoryBase = 0x80000000;
constexpr std::uint64_t kRegisterBytes = 0x1000;

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

}  // namespace

Platform::Platform(sc_core::sc_module_name module_name, const PlatformConfig& config,
                   const pim::AcceleratorConfig& accelerator_config, HostJob job, const Progress& progress,
                   observe::Recorder* recorder)
    : sc_module(module_name),
      host("host", std::move(job), config.accelerator_base, kMemoryBase, progress),
      router("router", address_map(config)),
      memory("memory", memory_config(config.memory)),
      accelerator("pim0", accelerator_config, recorder) {
  host.socket.bind(router.from_initiator[0]);
  accelerator.memory.bind(router.from_initiator[1]);
  router.to_target[0].bind(memory.socket);
  router.to_target[1].bind(accelerator.registers);
  accelerator.irq.bind(irq);
  host.irq.bind(irq);
  if (!config.observe.energy_j) return;
  power.emplace(
      "power", tlm_kit::duration(config.observe.power_window_s), [this] { return accelerator.core().ledger().total(); },
      config.observe.energy_j);
  power->irq.bind(irq);
}

std::vector<observe::Wave> Platform::waves() const {
  return {{"irq", "interrupt of the accelerator", "", &irq.read()}};
}

std::vector<ModuleKind> platform_module_kinds() {
  PlatformConfig config;
  config.memory.bytes = std::uint64_t{1} << 20;
  config.observe.energy_j = [](const observe::Counts&) { return 0.0; };
  pim::AcceleratorConfig accelerator;
  accelerator.crossbar_tiles_built = 1;
  return module_kinds(Platform("platform", config, accelerator, {}, {}, nullptr));
}

}  // namespace mho
