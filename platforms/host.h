// SPDX-License-Identifier: Apache-2.0
// What a driver does, as one thread: writes image, descriptor and inputs to main memory, opens the DMA windows, rings
// the doorbell, waits for the interrupt, reads the outputs. It uses nothing but its socket and the interrupt line.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <cstdint>
#include <exception>
#include <systemc>
#include <vector>

#include "models/observe/instrument.h"
#include "models/pim/accelerator_registers.h"
#include "platforms/platform.h"

namespace mho {

struct HostJob {
  std::vector<std::uint8_t> image;   ///< emptied once written
  std::vector<std::uint8_t> inputs;  ///< all inferences, as the accelerator expects them
  std::uint64_t inferences = 0;
  std::size_t output_bytes = 0;  ///< of one inference
};

class Host : public sc_core::sc_module, public observe::Instrument {
 public:
  Host(sc_core::sc_module_name name, HostJob job, std::uint64_t registers, std::uint64_t memory, Progress progress);

  tlm_utils::simple_initiator_socket<Host> socket;
  sc_core::sc_in<bool> irq;

  /// Before the simulation starts: what to do instead of what the constructor was given.
  void set_job(HostJob job) { job_ = std::move(job); }
  /// The driver is through with its work or has failed, and the simulation has paused.
  bool done() const { return done_; }
  /// All inferences, once the simulation paused.
  const std::vector<std::uint8_t>& outputs() const { return outputs_; }
  sc_core::sc_time run_begin() const { return run_begin_; }
  sc_core::sc_time run_end() const { return run_end_; }
  std::vector<observe::Statistic> statistics() const override;
  std::vector<observe::Wave> waves() const override;
  /// Rethrows what went wrong, if anything did.
  void check() const {
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  enum State : std::uint32_t { kLoad, kProgram, kInfer, kRead, kDone };
  void run();
  void drive();
  void move(tlm::tlm_command command, std::uint64_t address, std::uint8_t* bytes, std::size_t length);
  std::uint64_t read_register(const char* name, bool debug = false);
  void write_register(const char* name, std::uint64_t value);
  void submit(const pim::Descriptor& descriptor);
  void await_interrupt();

  HostJob job_;
  const std::uint64_t registers_, memory_;
  const Progress progress_;
  const tlm_kit::RegisterTable table_ = pim::accelerator_registers();
  std::vector<std::uint8_t> outputs_;
  sc_core::sc_time run_begin_, run_end_, interrupted_at_;
  bool done_ = false;
  std::uint32_t state_ = kLoad;
  std::uint64_t bytes_read_ = 0, bytes_written_ = 0, interrupts_ = 0;
  sc_core::sc_time waited_;  ///< for interrupts
  std::exception_ptr error_;
};

}  // namespace mho
