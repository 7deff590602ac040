// SPDX-License-Identifier: Apache-2.0
// Command-line changes to a configuration tree (`--set crossbar.rows=256`). Their mistakes, and those found later in a
// value they set, are reported at `--set crossbar.rows` instead of a line of a file.
#pragma once

#include <string>
#include <vector>

#include "platforms/config/node.h"

namespace mho::config {

/// Applies `key.path=value` to the mapping `root`. A key with dots in it is written in double quotes
/// (`layers."layer1.0".bits=4`), an element of a sequence by its index from 0 (`accelerators.0.name=pim1`). The value
/// is a YAML scalar, a flow sequence `[1, 2]` or a flow mapping `{a: 1}`; a mapping merges as a child file would, `~`
/// removes the key. Missing mappings on the way are made; a missing element of a sequence is an InputError.
void apply_override(Node& root, const std::string& argument);

/// Applies all, in order; later ones win.
void apply_overrides(Node& root, const std::vector<std::string>& arguments);

}  // namespace mho::config
