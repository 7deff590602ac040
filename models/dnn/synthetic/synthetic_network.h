// SPDX-License-Identifier: Apache-2.0
// A quantised graph from a layer table: synthetic weights, and scales under which no layer dies or saturates. It
// computes nothing useful, but its tensors have the statistics that cost and accuracy of a machine depend on.
#pragma once

#include <cstdint>
#include <vector>

#include "models/dnn/synthetic/calibration.h"
#include "models/dnn/synthetic/layer_table.h"

namespace mho::dnn {

/// The validated graph; throws mho::InputError. The same for equal arguments on every machine,
/// but for codes that hang on the last bit of the C library's exp, tanh and erf. `table` is used up.
Graph synthetic_network(LayerTable table, std::uint64_t seed, const CalibrationOptions& options = {});

/// Codes for every input of `graph`, for inference `index` (0, 1, ...): images where the input is a map,
/// embedded tokens where it is a sequence.
std::vector<std::vector<std::uint8_t>> synthetic_inputs(const Graph& graph, std::uint64_t seed, std::uint64_t index);

}  // namespace mho::dnn
