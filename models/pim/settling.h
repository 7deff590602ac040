// SPDX-License-Identifier: Apache-2.0
// When a module may pick among requests: once two delta cycles have passed without news. Whoever is freed by what ended
// at a moment asks again one delta cycle later; picking before that would make the result depend on the order in which
// the simulator runs processes.
#pragma once

#include <systemc>

namespace mho::pim {

class Settling {
 public:
  /// The event that a picking process is sensitive to.
  sc_core::sc_event event;

  /// Something has come or has ended.
  void news() {
    quiet_ = 0;
    event.notify(sc_core::SC_ZERO_TIME);
  }
  /// To be asked first by the process: true where it may pick; else it is run again in the next delta cycle.
  bool settled() {
    if (++quiet_ >= kQuietCycles) return true;
    event.notify(sc_core::SC_ZERO_TIME);
    return false;
  }

 private:
  static constexpr int kQuietCycles = 2;
  int quiet_ = 0;
};

}  // namespace mho::pim
