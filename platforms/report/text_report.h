// SPDX-License-Identifier: Apache-2.0
// What people read after a run: one page with the figures in engineering units, energy by component, and where the
// time went.
#pragma once

#include <iosfwd>
#include <vector>

#include "platforms/report/layer_rows.h"
#include "platforms/report/summary.h"

namespace mho {

/// Writes the page; `duration_s` is that of the run.
void write_text_report(std::ostream& out, const Summary& summary, const std::vector<LayerRow>& rows, double duration_s);

}  // namespace mho
