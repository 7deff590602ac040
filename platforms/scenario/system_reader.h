// SPDX-License-Identifier: Apache-2.0
// The keys that describe a machine (`crossbar.rows`, `adc.bits`, ...): every field of mapping::Machine with its unit,
// range and meaning, and the values that follow from others where the user leaves them open. Energies and areas are
// read by technology_reader.h.
#pragma once

#include "models/mapping/machine.h"
#include "models/mapping/policies.h"
#include "platforms/config/reader.h"
#include "platforms/scenario/slicing_reader.h"

namespace mho {

/// Takes all keys of a machine from the root of a scenario. Throws mho::InputError with one line at the key that is
/// wrong; parts that do not fit together are reported at the key named first in the sentence. Policies are those that
/// `policies` knows. `slicing` gets what of the weight slicing waits for the network.
mapping::Machine read_machine(config::Reader& root, const mapping::Policies& policies, SlicingChoice& slicing);

}  // namespace mho
