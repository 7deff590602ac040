// SPDX-License-Identifier: Apache-2.0
// Reads `technology:`: components with their power, area, leakage and the energy of every action they perform.
#pragma once

#include "platforms/config/reader.h"
#include "platforms/technology.h"

namespace mho {

/// Takes `technology` from the root of a scenario. Throws mho::InputError on unknown actions and parameters, on a
/// parameter with two laws or none `at` which it is stated, and on tables without an entry there.
Technology read_technology(config::Reader& root);

}  // namespace mho
