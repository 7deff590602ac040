// SPDX-License-Identifier: Apache-2.0
// The search for weight slicings as the commands show it: a bar on a terminal while it takes long.
#pragma once

#include "platforms/program/run_main.h"
#include "platforms/scenario/scenario.h"
#include "platforms/scenario/workload.h"

namespace mho {

/// settle_weight_slicing (weight_slicing.h) with a progress bar on the stream of errors.
void settle_weight_slicing(Scenario& scenario, const Workload& workload, const Surroundings& surroundings);

}  // namespace mho
