// SPDX-License-Identifier: Apache-2.0
// Changes a model as a protobuf message, so that mutants get past the parser: any field of any message may take a value
// that readers get wrong, nodes and tensors are dropped, doubled and swapped, names rewired, operators exchanged.
#pragma once

#include <cstdint>
#include <random>

#include "models/dnn/onnx/onnx_proto.h"

namespace mho::fuzz {

/// One change; none where the message it meets has no fields.
void mutate(onnx::ModelProto& model, std::mt19937_64& random);

}  // namespace mho::fuzz
