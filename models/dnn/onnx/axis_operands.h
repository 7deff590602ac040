// SPDX-License-Identifier: Apache-2.0
// Axes, indices and extents that operators of structure get as attributes or constants, alike for constants and
// activations, with the changes of form between opsets.
#pragma once

#include <vector>

#include "models/dnn/onnx/node_reader.h"

namespace mho::dnn {

/// An axis counted from the front. Refuses others.
int axis_of(const NodeReader& node, std::int64_t axis, int rank);
/// Indices counted from the front. Refuses those beyond `extent`.
std::vector<std::int64_t> indices_of(const NodeReader& node, std::vector<std::int64_t> indices, std::int64_t extent);

/// A regular choice of elements along an axis.
struct AxisRange {
  int axis = 0;
  std::int64_t start = 0, step = 1, count = 0;
  std::vector<std::int64_t> indices() const;
};
/// What a Slice takes, axis by axis.
std::vector<AxisRange> slice_ranges(NodeReader& node, const std::vector<std::int64_t>& dims);

/// Extents that a Reshape asks for, with 0 and -1 filled in.
std::vector<std::int64_t> target_dims(NodeReader& node, const std::vector<std::int64_t>& dims,
                                      std::vector<std::int64_t> target);
std::vector<std::int64_t> squeezed_dims(NodeReader& node, const std::vector<std::int64_t>& dims);
std::vector<std::int64_t> unsqueezed_dims(NodeReader& node, const std::vector<std::int64_t>& dims);
/// The order of axes of a Transpose.
std::vector<int> transpose_order(NodeReader& node, int rank);

}  // namespace mho::dnn
