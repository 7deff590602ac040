// SPDX-License-Identifier: Apache-2.0
// The numbers of a machine that a technology figure may depend on, by the key they are read from. Energies and areas
// are stated `at` values of these and scaled to the machine at hand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/mapping/machine.h"
#include "platforms/config/quantity.h"

namespace mho {

/// One number of a machine.
struct MachineParameter {
  const char* key;                           ///< "crossbar.rows"
  std::optional<config::Quantity> quantity;  ///< none: a count or a number of bits, written without a unit
  double (*value)(const mapping::Machine&);  ///< in SI units
  std::vector<std::string> words{};          ///< of a key that takes words: those for 1, 2, ...
};

const std::vector<MachineParameter>& machine_parameters();

/// The parameter of a key, or nullptr.
const MachineParameter* find_parameter(const std::string& key);

/// A value of a parameter as a user would write it.
std::string format_parameter(const MachineParameter& parameter, double value);

}  // namespace mho
