// SPDX-License-Identifier: Apache-2.0
// Increase of counts, window by window.
#include "platforms/observe/power_probe.h"

#include <algorithm>
#include <stdexcept>

namespace mho {

PowerProbe::PowerProbe(sc_core::sc_module_name module_name, const sc_core::sc_time& window,
                       std::function<observe::Counts()> counts, std::function<double(const observe::Counts&)> energy_j)
    : sc_module(module_name), irq("irq"), window_(window), counts_(std::move(counts)), energy_j_(std::move(energy_j)) {
  if (window == sc_core::SC_ZERO_TIME) throw std::invalid_argument("power in a window of no time");
  SC_HAS_PROCESS(PowerProbe);
  SC_METHOD(end_job);
  sensitive << irq.pos();
  dont_initialize();
}

std::vector<observe::Wave> PowerProbe::waves() const {
  return {{"watts", "power of everything counted, mean of the window before", "W", &watts_}};
}

void PowerProbe::collect() {
  const observe::Counts now = counts_();
  bool restarted = ended_ && now.values != last_.values;
  for (std::size_t i = 0; i < observe::kActions; ++i) restarted = restarted || now.values[i] < last_.values[i];
  observe::Counts increase = now;
  if (!restarted)
    for (std::size_t i = 0; i < observe::kActions; ++i) increase.values[i] -= last_.values[i];
  joules_ += energy_j_(increase);
  ended_ = ended_ && !restarted;
  last_ = now;
}

void PowerProbe::end_job() {
  collect();
  ended_ = true;
}

void PowerProbe::simulate(const std::function<bool()>& done) {
  do {
    sc_core::sc_start(window_);
    if (done()) return;
    collect();
    watts_ = joules_ / window_.to_seconds();
    joules_ = 0.0;
  } while (sc_core::sc_pending_activity());
}

}  // namespace mho
