// SPDX-License-Identifier: Apache-2.0
// Patterns of hierarchical names: components between dots, `*` for any text within a component, `**` for any number of
// components.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mho {

/// True where `pattern` names `path`: `pim0.core.tile_3.*.adc.busy`, `**.irq` (which names `irq` as well). Takes time
/// in proportion to the product of both lengths, whatever the pattern.
bool matches(std::string_view pattern, std::string_view path);

/// The path with a star for every number at the end of a component (`tile_3` becomes `tile_*`): what parts of a machine
/// have in common that are built many times.
std::string kind_of(std::string_view path);

/// At most `count` kinds of `paths` that read like `pattern`, nearest first.
std::vector<std::string> nearest_patterns(std::string_view pattern, const std::vector<std::string>& paths,
                                          std::size_t count);

}  // namespace mho
