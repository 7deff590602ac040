// SPDX-License-Identifier: Apache-2.0
// Section `observe`: what a run records of itself. Nothing here changes a result.
#pragma once

#include "platforms/config/reader.h"
#include "platforms/observe/observe_config.h"

namespace mho {

/// Takes the keys; where files are written and what counts cost is left to others. Throws mho::InputError.
ObserveConfig read_observe(config::Reader& root);

}  // namespace mho
