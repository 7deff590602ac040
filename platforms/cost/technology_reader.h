// SPDX-License-Identifier: Apache-2.0
// Reads `technology:`: components with their power, area, leakage and the energy of every action they perform.
#pragma once

#include "platforms/config/reader.h"
#include "platforms/cost/technology.h"

namespace mho {

/// Takes `technology` from the root of a scenario. Throws mho::InputError at the first mistake, an action that nobody
/// counts among them.
Technology read_technology(config::Reader& root);

}  // namespace mho
