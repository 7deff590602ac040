// SPDX-License-Identifier: Apache-2.0
// The section `noise`: how far cells and column sums of a noisy run differ from their ideal values.
#pragma once

#include "models/mapping/machine.h"
#include "platforms/config/reader.h"

namespace mho {

/// Takes the section and fills noise and noise_seed of the machine, whose fidelity is known. Throws mho::InputError,
/// also where the section is written and the run is not noisy: nobody may believe it had an effect.
void read_noise(config::Reader& root, mapping::Machine& machine);

}  // namespace mho
