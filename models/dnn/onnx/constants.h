// SPDX-License-Identifier: Apache-2.0
// Constants that enter a network as real numbers, and how they lie over an activation: one a channel.
#pragma once

#include <vector>

#include "models/dnn/onnx/node_reader.h"

namespace mho::dnn {

void require_finite(const NodeReader& node, const std::vector<float>& values);

/// Real values of a constant, float or behind a DequantizeLinear, all finite.
std::vector<float> real_values(const NodeReader& node, const ScaledConstant& constant);

/// `values` of dimensions `dims`, broadcast over `like` as ONNX does it, one a stored channel; refuses what differs
/// from pixel to pixel or would enlarge the activation.
std::vector<double> per_channel(const NodeReader& node, const Value& like, const std::vector<std::int64_t>& dims,
                                const std::vector<float>& values);

}  // namespace mho::dnn
