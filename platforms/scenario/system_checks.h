// SPDX-License-Identifier: Apache-2.0
// Whether the parts of a machine fit together, said in the words of a scenario: the mapper's checks name the members
// of its structs, a user wrote keys.
#pragma once

#include <string>

#include "models/mapping/machine.h"
#include "platforms/config/reader.h"

namespace mho {

/// Runs mapping::validate. Throws mho::InputError at the first key the complaint names.
void check_machine(const config::Reader& root, const mapping::Machine& machine);

/// A complaint about members of mapping::Machine (`dac_bits is 3 ...`) in terms of keys (`dac.bits is 3 ...`).
std::string in_words_of_keys(const std::string& complaint);

/// Where the value of a key with dots was written; the mapping around it where it was not.
const config::Position& position_of(const config::Reader& root, const std::string& path);

}  // namespace mho
