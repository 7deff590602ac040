// SPDX-License-Identifier: Apache-2.0
// An accelerator between a main memory, as kind or unkind as a test wants it, and a driver that runs outside of all
// processes: it writes registers, and lets the simulation run until nothing happens any more. So whoever hangs is found
// by its register STATUS, not by a time limit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/mapping/program.h"
#include "models/pim/pim_accelerator.h"
#include "testbenches/models/tlm/test_initiator.h"

namespace mho::testbenches {

/// Bytes from address `base` on. Fails the test where a payload is not initialised as a DMA must.
template <unsigned int BUSWIDTH>
class UnkindMemory : public sc_core::sc_module {
 public:
  UnkindMemory(sc_core::sc_module_name name, std::uint64_t base, std::size_t size);

  tlm_utils::simple_target_socket<UnkindMemory, BUSWIDTH> socket;
  const std::uint64_t base;
  std::vector<std::uint8_t> bytes;

  bool silent = false;  ///< never sets a response
  bool waits = false;   ///< calls wait() instead of adding to the delay
  sc_core::sc_time latency;
  std::uint64_t refuse_at = ~std::uint64_t{0};  ///< an access to this address gets an error
  std::uint64_t late_at = ~std::uint64_t{0};    ///< the next access to this address takes `late`
  sc_core::sc_time late;
  std::uint64_t bytes_read = 0, bytes_written = 0, accesses = 0;

 private:
  void access(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
};

using Tensors = std::vector<std::vector<std::uint8_t>>;  ///< of one inference, in the graph's order

/// Where a job's parts lie in memory, and how memory and machine are.
struct DeviceOptions {
  std::uint64_t base = 0x80000000;
  std::size_t memory_bytes = std::size_t{1} << 20;
  std::uint64_t skew = 0;  ///< added to every address, to make them odd
  bool strict = false;
  int chips = 0;                 ///< 0: as the program says
  int crossbar_tiles_built = 0;  ///< 0: all
  observe::Recorder* recorder = nullptr;
  pim::ApproximateTiming timing;
};

template <unsigned int BUSWIDTH = 32>
class Device {
 public:
  /// Compiles `graph` for `machine`; `name` tells several in one simulation apart.
  Device(const std::string& name, const dnn::Graph& graph, const mapping::Machine& machine,
         const DeviceOptions& options = {});

  std::uint64_t read(const char* name);
  void write(const char* name, std::uint64_t value);
  std::uint64_t offset(const char* name) const;

  /// Writes the descriptor to memory and rings the doorbell.
  void ring(const pim::Descriptor& descriptor);
  /// Runs until nothing happens any more.
  static void settle();
  /// Settles, fails the test where the accelerator is still busy, and gives the error register.
  pim::AcceleratorError finish();
  pim::AcceleratorError run(const pim::Descriptor& descriptor);

  /// Puts the image, or inputs, into memory and describes the job.
  pim::Descriptor program_job();
  pim::Descriptor run_job(const std::vector<Tensors>& inputs);
  /// Programs, fails the test where that does not work.
  void program();
  /// Runs, fails the test where that does not work, and gives the outputs.
  std::vector<Tensors> infer(const std::vector<Tensors>& inputs);
  std::vector<Tensors> outputs(std::size_t inferences) const;

  /// Debug access to one stored level.
  std::uint8_t level(const mapping::Placement& placement, int row, int column);
  void set_level(const mapping::Placement& placement, int row, int column, std::uint8_t level);

  const dnn::Graph graph;
  const mapping::Machine machine;
  mapping::Program compiled;
  std::vector<std::uint8_t> image;
  UnkindMemory<BUSWIDTH> memory;
  pim::PimAccelerator<BUSWIDTH> accelerator;
  TestInitiator<BUSWIDTH> driver;
  sc_core::sc_signal<bool> irq, reset;

 private:
  std::uint64_t put(std::uint64_t offset, const std::vector<std::uint8_t>& bytes);
  tlm_utils::simple_initiator_socket<pim::WeightWriter>& cells_of(const mapping::Placement& placement);
  std::uint64_t cell_address(const mapping::Placement& placement, int row, int column) const;

  const DeviceOptions options_;
  std::uint64_t outputs_at_ = 0;
  std::size_t output_bytes_ = 0;
};

/// crossbar_tiles from the first one on that a program needs.
int crossbar_tiles_used(const mapping::Program& program, const mapping::Machine& machine);

/// Seeded inputs, and what the integer reference makes of them.
std::vector<Tensors> random_inputs(const dnn::Graph& graph, unsigned seed, std::size_t inferences);
std::vector<Tensors> reference_outputs(const dnn::Graph& graph, const std::vector<Tensors>& inputs);

/// A 3x3 convolution on a map of 6 x 6 x 3 and a 1x1 convolution behind it, zero points other than 0: a few rows, two
/// layers, for whatever has nothing to do with the shape of a network.
dnn::Graph two_layers(unsigned seed = 1);
/// Crossbars of 32 x 16 cells, 3 in a crossbar_tile, 2 crossbar_tiles in a tile; 8-bit data.
mapping::Machine small_machine();

extern template class UnkindMemory<32>;
extern template class UnkindMemory<64>;
extern template class Device<32>;
extern template class Device<64>;

}  // namespace mho::testbenches
