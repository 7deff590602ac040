// SPDX-License-Identifier: Apache-2.0
// Chains of nodes that exporters write for one operator: layer normalisation, GELU, hard swish. They are found before
// the graph is read, by their operators and constants, and replaced by one node. Nodes that something outside of the
// chain reads stay as they are.
#pragma once

#include <deque>
#include <vector>

#include "models/dnn/onnx/onnx_proto.h"

namespace mho::dnn {

/// The nodes to be read, in order. Those that stand for chains are kept in `made`.
std::vector<const onnx::NodeProto*> fused_nodes(const onnx::GraphProto& graph, std::deque<onnx::NodeProto>& made);

}  // namespace mho::dnn
