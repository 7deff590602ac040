// SPDX-License-Identifier: Apache-2.0
// Writes trees as YAML that document.h reads back to the same values in the same order: `effective.yaml`. Comments and
// positions are not kept.
#pragma once

#include <string>
#include <string_view>

#include "platforms/config/node.h"

namespace mho::config {

/// A mapping or sequence as block YAML, two spaces a level; sequences of scalars stand in brackets on one line.
std::string write_yaml(const Node& tree);

/// Any node on one line: `[4, 2, 2]`, `{bits: 8}`, `100 ns`.
std::string write_flow(const Node& node);

/// True if `text` needs no quotes to be read back as this text, in any place of a YAML file.
bool stands_plain(std::string_view text);

}  // namespace mho::config
