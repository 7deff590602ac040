// SPDX-License-Identifier: Apache-2.0
// The key `trace`: a run of single layers of a network on inputs that were recorded before. What the folder holds is
// read later (trace_index.h), what its layers are only the network says (layer_trace.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platforms/config/reader.h"
#include "platforms/scenario/timing_reader.h"

namespace mho {

struct TraceRequest {
  std::string folder;             ///< seen from the working folder; has an index
  std::vector<LayerName> layers;  ///< nodes of the network; none: all in the folder
};

/// Takes the key, `trace: FOLDER` or a mapping with `folder` and `layers`; nothing where it is absent. Throws
/// mho::InputError where the folder has no index.
std::optional<TraceRequest> read_trace(config::Reader& root);

/// The key as effective.yaml has it, for a working folder anywhere.
config::Node trace_node(const TraceRequest& trace);

}  // namespace mho
