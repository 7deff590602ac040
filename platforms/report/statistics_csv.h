// SPDX-License-Identifier: Apache-2.0
// statistics.csv: what every module gathered, a line a number.
#pragma once

#include <string>
#include <vector>

#include "platforms/observe/module_statistics.h"

namespace mho {

/// Comma-separated values under a header, with enough digits to read back the same double.
std::string to_csv(const std::vector<ModuleStatistic>& statistics);

}  // namespace mho
