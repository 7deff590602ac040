// SPDX-License-Identifier: Apache-2.0
// A machine between a main memory with latency and bandwidth and a driver outside of all processes, for tests of time:
// what every module was occupied by, when every row of every node ran, when inferences were complete. Values are
// seeded noise; other tests look at them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/observe/recorder.h"
#include "models/pim/pim_accelerator.h"
#include "models/tlm/memory.h"
#include "testbenches/models/tlm/test_initiator.h"

namespace mho::testbenches {

/// One record, times since the doorbell of the job was heard.
struct Occupied {
  std::string module;  ///< without the name of the machine: "tile_0.bus"
  std::uint64_t operation = 0, items = 0;
  int node = -1;
  double begin_ns = 0.0, end_ns = 0.0, interval_ns = 0.0;
};

struct TimedMemory {
  double bytes_per_s = 25.6e9;
  double latency_s = 100e-9;
};

/// Several may live in one simulation; `run_all` runs them side by side.
class TimedMachine : private observe::Recorder {
 public:
  TimedMachine(const std::string& name, const dnn::Graph& graph, const mapping::Machine& machine,
               const TimedMemory& memory = {});

  /// Programs all, then runs `inferences` on all; fails the test where one does not come to its end.
  static void run_all(const std::vector<TimedMachine*>& machines, std::uint64_t inferences);
  void run(std::uint64_t inferences) { run_all({this}, inferences); }

  const mapping::Program& program() const { return program_; }
  const pim::NodeProgress& node(int index) { return core().scheduler().progress()[std::size_t(index)]; }
  /// Completions of the inferences, and their mean interval in the middle, without filling and draining.
  std::vector<double> completions_ns();
  double makespan_ns() { return completions_ns().back(); }
  double steady_ns();
  const observe::Ledger& ledger() { return core().ledger(); }
  /// Records of a module by time; the part of the hierarchical name below the accelerator's core.
  std::vector<Occupied> records(const std::string& module, int node = -2) const;
  const std::vector<Occupied>& all_records() const { return records_; }
  pim::AcceleratorCore& core() { return accelerator_.core(); }

 private:
  void record(const observe::Occupation& occupation) override;
  void ring(const pim::Descriptor& descriptor);
  void start_program();
  void start_run(std::uint64_t inferences);
  void write(const char* name, std::uint64_t value);

  const dnn::Graph graph_;
  mapping::Program program_;
  const std::vector<std::uint8_t> image_;
  const std::string prefix_;
  sc_core::sc_time begin_;
  std::vector<Occupied> records_;
  tlm_kit::Memory<32> memory_;
  pim::PimAccelerator<32> accelerator_;
  TestInitiator<32> driver_;
  sc_core::sc_signal<bool> irq_;
};

/// Nanoseconds of a simulated time.
inline double ns(const sc_core::sc_time& time) { return time.to_seconds() * 1e9; }

/// The 16-bit ISAAC with `tiles` tiles, without replication; and its 8-bit sibling.
mapping::Machine isaac_16b(int tiles = 4);
mapping::Machine isaac_8b(int tiles = 4);

/// One convolution of 1x1 on a map of `height` x `width` x `channels`, and a requantisation behind it whose output is
/// the network's: so the convolution writes its rows into a buffer of its own tile.
dnn::Graph one_layer(int height, int width, int channels, int filters);

}  // namespace mho::testbenches
