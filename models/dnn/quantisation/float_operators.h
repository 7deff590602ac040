// SPDX-License-Identifier: Apache-2.0
// The operators of a graph on real numbers, whole feature maps at a time. Convolutions are not among them: their
// weights are packed first. Sums of many terms are taken in double, results are float.
#pragma once

#include <vector>

#include "models/dnn/quantisation/float_reference.h"

namespace mho::dnn {

/// Computes a node that is no convolution; `inputs` in the node's order, `output` has its size already. The range of
/// the output is not applied.
void compute(const Graph& graph, const Node& node, const std::vector<const Reals*>& inputs, Reals& output);

}  // namespace mho::dnn
