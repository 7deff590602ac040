// SPDX-License-Identifier: Apache-2.0
// Tensors whose elements stand in a file beside the model. Only regular files inside of the model's folder are read,
// and only as many bytes as the tensor's dimensions ask for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/dnn/onnx/onnx_proto.h"

namespace mho::dnn {

/// `expected` bytes of `stored`, whose data lies outside of the model in `folder`; an empty folder permits none.
/// Throws TensorFault.
std::vector<std::uint8_t> read_external(const onnx::TensorProto& stored, const std::string& folder,
                                        std::int64_t expected);

}  // namespace mho::dnn
