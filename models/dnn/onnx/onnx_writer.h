// SPDX-License-Identifier: Apache-2.0
// Writes a quantised graph as an ONNX model in QDQ form, with standard operators only, which read_onnx turns into the
// same codes again: for other tools, and for the independent executor that checks them.
#pragma once

#include <string>

#include "models/dnn/graph.h"

namespace mho::dnn {

/// Writes a valid graph that holds its weight values; nothing half-written stays behind. Opset 13 (14 for HardSwish, 17
/// for layer normalisation), IR 8; inputs and outputs are codes, maps [N, C, H, W], outputs of fully connected layers
/// [N, C], sequences [N, positions, C]. Throws mho::InputError where the file cannot be written or the model is too
/// large for one.
void write_onnx(const std::string& path, const Graph& graph);

}  // namespace mho::dnn
