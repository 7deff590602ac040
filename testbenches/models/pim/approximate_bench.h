// SPDX-License-Identifier: Apache-2.0
// The same networks on the same machines in the loosely and in the approximately timed mode, side by side in one
// simulation, and everything that both must agree on: outputs, counts by node and action, busy times by module, nothing
// left under way.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "testbenches/models/pim/device_bench.h"

namespace mho::testbenches {

/// Keeps all records.
class Records : public observe::Recorder {
 public:
  void record(const observe::Occupation& occupation) override { all.push_back(occupation); }
  /// Of one kind, of modules whose name contains `module`, by their begin.
  std::vector<observe::Occupation> of(observe::Kind kind, const std::string& module = "") const;

  std::vector<observe::Occupation> all;
};

/// The approximately timed mode with all else as it is by default.
pim::ApproximateTiming approximately();

/// A programmed device of which only the crossbar_tiles are built that the network needs.
std::unique_ptr<Device<>> device_of(const std::string& name, const dnn::Graph& graph, const mapping::Machine& machine,
                                    const pim::ApproximateTiming& timing, observe::Recorder* recorder = nullptr);

/// What one job left behind.
struct JobResult {
  std::vector<Tensors> outputs;
  std::vector<observe::Counts> counts;  ///< [node + 1]
  std::map<std::string, double> busy;   ///< by module, of all jobs so far, in s
  double latency_s = 0.0, last_s = 0.0;
  double interval_s = 0.0;  ///< between completions without the first
  bool operator==(const JobResult& other) const;
};

/// Runs a job to its end; fails the test where that does not work or where something is left under way.
JobResult run_job(Device<>& device, const std::vector<Tensors>& inputs);
/// No window is open, no vector or slice on its way, in any module.
void check_nothing_under_way(Device<>& device);
/// Statistic of the instrument below `whole` whose name ends with `module`; -1 where there is none.
double statistic_of(sc_core::sc_object& whole, const std::string& module, const std::string& name);
double statistic(Device<>& device, const std::string& module, const std::string& name);
/// All but the times: outputs, counts by node and action, busy times by module.
void check_same_work(const JobResult& one, const JobResult& other);

/// Two to five nodes of all kinds: convolutions with strides and groups, sums, pools, concatenation.
dnn::Graph small_network(std::mt19937& random);
/// 8-bit machines with few rows, columns, crossbars, converters and tiles, queues from 1, any rule of arbitration.
mapping::Machine small_random_machine(std::mt19937& random);

}  // namespace mho::testbenches
