// SPDX-License-Identifier: Apache-2.0
// Shares of the search's work in per cent, which is what the bar counts.
#include "platforms/program/slicing_progress.h"

#include <cstdint>

#include "platforms/program/progress_bar.h"
#include "platforms/scenario/weight_slicing.h"

namespace mho {

void settle_weight_slicing(Scenario& scenario, const Workload& workload, const Surroundings& surroundings) {
  ProgressBar bar(*surroundings.err, surroundings.err_is_terminal, std::chrono::steady_clock::now,
                  "per cent of the search for weight slicings");
  settle_weight_slicing(scenario, workload, [&bar](double share, const std::string& /*layer*/) {
    bar.update(std::uint64_t(share * 100.0), 100);
  });
}

}  // namespace mho
