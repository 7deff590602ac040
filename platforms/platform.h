// SPDX-License-Identifier: Apache-2.0
// The platform of `mho run`: a host, main memory, a router and one accelerator; the host uses nothing but the sockets.
// One platform a process, because a process can elaborate SystemC only once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/dnn/graph.h"
#include "models/mapping/machine.h"
#include "models/observe/recorder.h"
#include "models/pim/approximate_timing.h"
#include "platforms/observe/observe_config.h"
#include "platforms/run_record.h"

namespace mho {

struct MemoryConfig {
  std::uint64_t bytes = std::uint64_t{4} << 30;
  double bytes_per_s = 25.6e9;
  double latency_s = 100e-9;  ///< [default] one DRAM access
};

struct PlatformConfig {
  mapping::Machine machine;
  MemoryConfig memory;
  pim::ApproximateTiming approximate_timing;
  ObserveConfig observe;
  std::uint64_t accelerator_base = 0x40000000;
};

/// Called with (inferences done, inferences in all) now and then.
using Progress = std::function<void(std::uint64_t, std::uint64_t)>;

/// Compiles the network, writes image and inputs to main memory, programs the machine, runs all inferences in one job
/// and reads the outputs back. inputs[inference][graph input]: codes [height][width][channels].
/// Throws mho::InputError where the network does not fit or a pattern names no wave, std::runtime_error where the
/// accelerator reports an error.
RunRecord run_platform(const PlatformConfig& config, const dnn::Graph& graph,
                       const std::vector<std::vector<std::vector<std::uint8_t>>>& inputs, const Progress& progress = {},
                       observe::Recorder* recorder = nullptr);

}  // namespace mho
