// SPDX-License-Identifier: Apache-2.0
// Shape-only networks with branches, for tests of row buffers.
#pragma once

#include "models/dnn/graph.h"

namespace mho::mapping {

/// Chains, joins of branches of unequal depth, pools, strides, padding, dilation, several inputs and outputs, nodes
/// that nobody uses.
dnn::Graph random_network(unsigned seed);

/// ResNet-50 from the image to the classifier: bottleneck blocks with and without a convolution in the shortcut.
dnn::Graph residual_network();

/// Two to four branches of unequal depth, joined, several times over; nothing that would unbalance a pipeline.
dnn::Graph joined_branches(unsigned seed);

}  // namespace mho::mapping
