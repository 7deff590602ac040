// SPDX-License-Identifier: Apache-2.0
// Products of two activations, as attention has them.
#pragma once

#include "models/dnn/onnx/operator_readers.h"

namespace mho::dnn {

/// MatMul of two activations.
void read_activation_product(NodeReader& node);

}  // namespace mho::dnn
