// SPDX-License-Identifier: Apache-2.0
// A whole ReRAM accelerator as one peripheral: registers, one memory socket through which programs, inputs and outputs
// pass, a level interrupt and an optional reset. A driver opens DMA windows, points DESCRIPTOR at a job and rings the
// doorbell; the accelerator fetches, works and interrupts. Weights survive reset, ReRAM is non-volatile.
#pragma once

#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

#include "models/mapping/machine.h"
#include "models/pim/accelerator_registers.h"
#include "models/pim/approximate_timing.h"
#include "models/pim/dma.h"
#include "models/pim/pim_tile.h"
#include "models/pim/scheduler.h"
#include "models/pim/tile_network.h"
#include "models/tlm/register_bank.h"

namespace mho::pim {

struct AcceleratorConfig {
  mapping::Machine machine;
  int chips = 1;
  /// crossbar_tiles that are simulated, counted from the first; 0: all. A program that needs more is refused.
  int crossbar_tiles_built = 0;
  /// Memory must set a response; else TLM_INCOMPLETE_RESPONSE on return counts as success.
  bool strict_memory = false;
  ApproximateTiming approximate_timing;
  observe::ColumnSumRecorder* column_sums = nullptr;  ///< sees what converters sample; null: nobody
};

/// Everything but the width of the external sockets.
class AcceleratorCore : public sc_core::sc_module, public observe::Instrument {
 public:
  using observe::Instrument::trace;  // sc_object has one of its own
  AcceleratorCore(sc_core::sc_module_name name, const AcceleratorConfig& config, observe::Recorder* recorder);

  tlm_kit::RegisterBank& bank() { return bank_; }
  Dma& dma() { return dma_; }
  const Scheduler& scheduler() const { return *scheduler_; }
  const std::vector<std::unique_ptr<PimTile>>& tiles() const { return tiles_; }
  /// Of the last job, and of programming.
  const observe::Ledger& ledger() const { return ledger_; }
  const observe::Ledger& programming_ledger() const { return programming_; }
  sc_core::sc_time programming_time() const { return programming_time_; }

  std::vector<observe::Wave> waves() const override;

  sc_core::sc_out<bool> irq;
  void reset();

 private:
  void connect_registers();
  void work();
  void drive_irq();
  AcceleratorError execute();
  AcceleratorError execute_program(const Descriptor& descriptor);
  AcceleratorError execute_run(const Descriptor& descriptor);
  AcceleratorError fetch_image(const Descriptor& descriptor, std::vector<std::uint8_t>& image);
  AcceleratorError load(mapping::Program program);
  /// From main memory; false on a fault, and where the job was abandoned meanwhile.
  bool fetch(std::uint64_t address, std::uint8_t* bytes, std::size_t length);
  void finish_job(AcceleratorError error);
  void open_windows();
  std::uint64_t count(observe::Action action) const { return ledger_.total()[action]; }

  const AcceleratorConfig config_;
  tlm_kit::RegisterBank bank_;
  observe::Ledger ledger_, programming_;
  WeightStore store_;
  Observation observation_;
  Dma dma_;
  std::vector<std::unique_ptr<PimTile>> tiles_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<TileNetwork> network_;
  sc_core::sc_event doorbell_, irq_changed_;
  bool busy_ = false;       ///< from doorbell to interrupt
  bool working_ = false;    ///< the worker has heard the doorbell
  bool abandoned_ = false;  ///< by a reset, which the worker has not yet noticed
  bool programmed_ = false;
  bool irq_level_ = false;
  sc_core::sc_time job_begin_, job_time_, programming_time_;
};

/// The peripheral with sockets of BUSWIDTH bits: 32 or 64.
template <unsigned int BUSWIDTH = 32>
class PimAccelerator : public sc_core::sc_module {
  AcceleratorCore core_;

 public:
  PimAccelerator(sc_core::sc_module_name name, const AcceleratorConfig& config, observe::Recorder* recorder = nullptr);

  tlm_kit::CheckedTargetSocket<BUSWIDTH> registers;  ///< local addresses, see accelerator_registers.h
  tlm::tlm_initiator_socket<BUSWIDTH> memory;
  sc_core::sc_out<bool> irq;
  sc_core::sc_port<sc_core::sc_signal_in_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND> reset;  ///< active high

  AcceleratorCore& core() { return core_; }
  /// Adds the waves of all modules of the accelerator to an integrator's trace file: on large machines, trace the
  /// modules of interest instead.
  void trace(sc_core::sc_trace_file* file) const;

 private:
  void end_of_elaboration() override;

  tlm_utils::simple_initiator_socket<PimAccelerator, BUSWIDTH> dma_socket_;
};

extern template class PimAccelerator<32>;
extern template class PimAccelerator<64>;

}  // namespace mho::pim
