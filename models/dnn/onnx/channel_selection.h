// SPDX-License-Identifier: Apache-2.0
// Choosing and reordering channels: what Split, Slice, Gather and a channel shuffle come down to.
#pragma once

#include <optional>
#include <vector>

#include "models/dnn/onnx/model_reader.h"

namespace mho::dnn {

/// Channels of `x` in the order of its axes, of axis `axis` only `indices` (all where `axis` is negative).
struct ChannelSelection {
  std::vector<int> channels;
  View view;  ///< of the result
};
/// Empty where the axis does not lie within the channels of a pixel.
std::optional<ChannelSelection> select_channels(ModelReader& model, const Value& x, int axis,
                                                const std::vector<std::int64_t>& indices);

/// `x`, a tensor's value, with its channels stored in the order of its axes: itself, or that of a new kSelect node.
Value in_plain_order(ModelReader& model, const Value& x);

}  // namespace mho::dnn
