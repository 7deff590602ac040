// SPDX-License-Identifier: Apache-2.0
// Reads one figure of a technology: a value, the configuration it is stated at, and the laws by which it follows other
// configurations.
#pragma once

#include "platforms/config/reader.h"
#include "platforms/cost/technology.h"

namespace mho {

/// Takes the keys of a figure whose value has `type` (an energy, a power, an area). Throws mho::InputError on unknown
/// parameters, on a parameter with two laws or none `at` which the value is stated, and on tables without an entry
/// there.
Figure read_figure(config::Reader reader, const config::ValueType<double>& type);

}  // namespace mho
