// SPDX-License-Identifier: Apache-2.0
// Settles how the weights of each layer are cut once the network is known: layers that a scenario names must exist, and
// `adaptive` is replaced by what a search finds on calibration inputs.
#pragma once

#include "models/mapping/slicing_search.h"
#include "platforms/scenario/scenario.h"
#include "platforms/scenario/workload.h"

namespace mho {

/// Fills Machine::layer_slicings of the scenario and, in the effective tree, `weight_slicing` with the map that gives
/// the same machine again. Throws mho::InputError where a layer is unknown or has no weights, and where the machine
/// does not suit the search.
void settle_weight_slicing(Scenario& scenario, const Workload& workload, const mapping::SlicingProgress& progress = {});

}  // namespace mho
