// SPDX-License-Identifier: Apache-2.0
// Where the time of a run went: which layers are busy all the time and hold up the others, and which module holds up
// them. Part of the printed report.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "platforms/report/layer_rows.h"

namespace mho {

/// The busiest layers and one sentence about what sets the pace. `duration_s` is that of the run.
void write_pace(std::ostream& out, const std::vector<LayerRow>& rows, double duration_s);

/// One line a layer, for `--report`.
void write_layer_table(std::ostream& out, const std::vector<LayerRow>& rows);

/// The part of the machine behind a module's name: "converters" for "platform.pim0.tile_3.group_1.adc"; the name's
/// last part where it means nothing to us.
std::string part_called(const std::string& module);

}  // namespace mho
