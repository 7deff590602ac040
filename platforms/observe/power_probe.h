// SPDX-License-Identifier: Apache-2.0
// Power of an accelerator as a wave: every window of time, the increase of its counts times what they cost. Static
// power is left out, and so is programming. Counts move when a transaction is issued, so in loosely timed runs energy
// appears up to one output row of the network early. The probe has no timed process: one more event in the simulator's
// queue could change the order of others that happen at the same time.
#pragma once

#include <functional>
#include <systemc>
#include <vector>

#include "models/observe/instrument.h"
#include "models/observe/ledger.h"

namespace mho {

class PowerProbe : public sc_core::sc_module, public observe::Instrument {
 public:
  /// `counts` of the current job, or of the last; they begin at 0 with every job. `window` is above zero.
  PowerProbe(sc_core::sc_module_name name, const sc_core::sc_time& window, std::function<observe::Counts()> counts,
             std::function<double(const observe::Counts&)> energy_j);

  /// The accelerator's interrupt: a rising edge ends a job.
  sc_core::sc_in<bool> irq;

  /// Simulates as sc_start() does, until sc_pause() or until nothing is left to happen, and moves the wave at the end
  /// of every window. `done` is true once the simulation has paused by itself.
  void simulate(const std::function<bool()>& done);
  /// The wave is constant within a window and shows the mean of the window before.
  std::vector<observe::Wave> waves() const override;

 private:
  void end_job();
  /// Adds what was counted since the last call to the energy of the window.
  void collect();

  const sc_core::sc_time window_;
  const std::function<observe::Counts()> counts_;
  const std::function<double(const observe::Counts&)> energy_j_;
  bool ended_ = false;    ///< the job that `last_` belongs to
  observe::Counts last_;  ///< when collected last
  double joules_ = 0.0;   ///< of the window so far
  double watts_ = 0.0;
};

}  // namespace mho
