// SPDX-License-Identifier: Apache-2.0
// Structure of tensors as numbers: nothing here touches elements.
#include "models/dnn/onnx/axis_operands.h"

#include <algorithm>
#include <set>

#include "models/dnn/onnx/stored_tensor.h"

namespace mho::dnn {

namespace {

using Dims = std::vector<std::int64_t>;

/// Each axis once, counted from the front.
std::set<int> axes_of(const NodeReader& node, int rank, const Dims& axes) {
  std::set<int> found;
  for (const std::int64_t axis : axes)
    if (!found.insert(axis_of(node, axis, rank)).second)
      node.refuse("axis " + std::to_string(axis) + " stands twice", "each axis once");
  return found;
}

/// Axes of an attribute or, since opset 13, of input 1.
Dims axes_operand(NodeReader& node) {
  if (node.model().opset() < 13) {
    node.require_inputs(1, 1);
    return node.list("axes");
  }
  node.require_inputs(1, 2);
  return node.has(1) ? node.integers(1) : Dims{};
}

AxisRange range_of(const NodeReader& node, int axis, std::int64_t extent, std::int64_t start, std::int64_t end,
                   std::int64_t step) {
  if (step == 0 || step == INT64_MIN) node.refuse("step is " + std::to_string(step), "steps other than 0");
  const bool forward = step > 0;
  start = std::clamp<std::int64_t>(start < 0 ? start + extent : start, 0, forward ? extent : extent - 1);
  end = std::clamp<std::int64_t>(end < 0 ? end + extent : end, forward ? 0 : -1, extent);
  const std::int64_t span = forward ? end - start : start - end, stride = forward ? step : -step;
  if (span < 1) node.refuse("takes nothing along axis " + std::to_string(axis), "one element or more");
  return {axis, start, step, (span - 1) / stride + 1};
}

}  // namespace

int axis_of(const NodeReader& node, std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    node.refuse("axis is " + std::to_string(axis), "an axis of the input's " + std::to_string(rank));
  return int(axis < 0 ? axis + rank : axis);
}

Dims indices_of(const NodeReader& node, Dims indices, std::int64_t extent) {
  for (std::int64_t& index : indices) {
    if (index < -extent || index >= extent)
      node.refuse("index is " + std::to_string(index), "an index of " + std::to_string(extent));
    if (index < 0) index += extent;
  }
  return indices;
}

Dims AxisRange::indices() const {
  Dims all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back(start + i * step);
  return all;
}

std::vector<AxisRange> slice_ranges(NodeReader& node, const Dims& dims) {
  const bool old = node.model().opset() < 10;
  node.require_inputs(old ? 1 : 3, old ? 1 : 5);
  const Dims starts = old ? node.list("starts") : node.integers(1), ends = old ? node.list("ends") : node.integers(2);
  Dims axes = old ? node.list("axes") : node.has(3) ? node.integers(3) : Dims{};
  Dims steps = !old && node.has(4) ? node.integers(4) : Dims{};
  if (axes.empty())
    for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(std::int64_t(i));
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    node.refuse("starts, ends, axes and steps differ in length", "equal lengths");
  axes_of(node, int(dims.size()), axes);
  std::vector<AxisRange> ranges;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const int axis = axis_of(node, axes[i], int(dims.size()));
    ranges.push_back(range_of(node, axis, dims[std::size_t(axis)], starts[i], ends[i], steps[i]));
  }
  return ranges;
}

Dims target_dims(NodeReader& node, const Dims& dims, Dims target) {
  const bool zero_keeps = node.integer("allowzero", 0) == 0;
  std::int64_t all = 1, known = 1;
  for (const std::int64_t extent : dims) all *= extent;
  int unknown = -1;
  if (target.size() > std::size_t(kMaxRank))
    node.refuse("the new shape has " + std::to_string(target.size()) + " axes", "at most " + std::to_string(kMaxRank));
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] == 0 && zero_keeps && i < dims.size()) target[i] = dims[i];
    if (target[i] == -1 && unknown < 0) {
      unknown = int(i);
      continue;
    }
    if (target[i] < 1 || target[i] > all / known)
      node.refuse("the new shape has " + std::to_string(target[i]) + " at axis " + std::to_string(i),
                  std::to_string(all) + " elements in all");
    known *= target[i];
  }
  if (unknown >= 0) target[std::size_t(unknown)] = all / known;
  if (unknown < 0 ? known != all : all % known != 0)
    node.refuse("the new shape has other elements than the input's " + std::to_string(all), "as many");
  return target;
}

Dims squeezed_dims(NodeReader& node, const Dims& dims) {
  const std::set<int> given = axes_of(node, int(dims.size()), axes_operand(node));
  Dims left;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const bool goes = given.empty() ? dims[i] == 1 : given.count(int(i)) > 0;
    if (goes && dims[i] != 1) node.refuse("axis " + std::to_string(i) + " is not 1", "axes of 1");
    if (!goes) left.push_back(dims[i]);
  }
  return left;
}

Dims unsqueezed_dims(NodeReader& node, const Dims& dims) {
  const Dims axes = axes_operand(node);
  const std::size_t rank = dims.size() + axes.size();
  if (rank > std::size_t(kMaxRank)) node.refuse("adds too many axes", std::to_string(kMaxRank) + " in all");
  const std::set<int> added = axes_of(node, int(rank), axes);
  Dims out;
  std::size_t from = 0;
  for (std::size_t i = 0; i < rank; ++i) out.push_back(added.count(int(i)) > 0 ? 1 : dims[from++]);
  return out;
}

std::vector<int> transpose_order(NodeReader& node, int rank) {
  Dims order = node.list("perm");
  if (order.empty())
    for (int i = rank; i-- > 0;) order.push_back(i);
  if (int(order.size()) != rank || int(axes_of(node, rank, order).size()) != rank)
    node.refuse("attribute `perm` has " + std::to_string(order.size()) + " axes", std::to_string(rank));
  std::vector<int> axes;
  for (const std::int64_t axis : order) axes.push_back(axis_of(node, axis, rank));
  return axes;
}

}  // namespace mho::dnn
