// SPDX-License-Identifier: Apache-2.0
// A balanced pipeline with bounded row buffers, for tests: every node takes one unit of time an image, spread evenly
// over its rows, single rows almost nothing. Everybody starts as soon as inputs, space and the row before allow; no
// buses, no converters.
#pragma once

#include <vector>

#include "models/dnn/graph.h"
#include "models/mapping/program.h"

namespace mho::mapping {

/// Time between completions of the first network output once the pipeline is full; 1 where nothing stalls, 0 where
/// the execution deadlocks.
double steady_interval(const dnn::Graph& graph, const std::vector<RowBuffer>& buffers);

}  // namespace mho::mapping
