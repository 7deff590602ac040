// SPDX-License-Identifier: Apache-2.0
// The platform of `mho run` as a netlist: host and accelerator are initiators, main memory and registers targets of
// one router. Whatever is recorded is recorded through what its modules show of themselves.
#pragma once

#include <optional>
#include <systemc>
#include <vector>

#include "models/mapping/program.h"
#include "models/observe/instrument.h"
#include "models/pim/pim_accelerator.h"
#include "models/tlm/memory.h"
#include "models/tlm/router.h"
#include "platforms/host.h"
#include "platforms/observe/module_statistics.h"
#include "platforms/observe/power_probe.h"
#include "platforms/platform.h"

namespace mho {

struct Platform : sc_core::sc_module, observe::Instrument {
  Platform(sc_core::sc_module_name name, const PlatformConfig& config, const pim::AcceleratorConfig& accelerator_config,
           HostJob job, const Progress& progress, observe::Recorder* recorder);
  std::vector<observe::Wave> waves() const override;

  Host host;
  tlm_kit::Router<32> router;
  tlm_kit::Memory<32> memory;
  pim::PimAccelerator<32> accelerator;
  sc_core::sc_signal<bool> irq;
  std::optional<PowerProbe> power;  ///< where the configuration says what counts cost
};

/// The kinds of module that a platform has, from the smallest one, which is elaborated for this and never simulated.
/// Once a process: a simulator keeps the processes of modules that are gone.
std::vector<ModuleKind> platform_module_kinds();

}  // namespace mho
