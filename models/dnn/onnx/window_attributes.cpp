// SPDX-License-Identifier: Apache-2.0
// Kernel, strides, pads, dilations, auto_pad and ceil_mode of two-dimensional windows, as ONNX defines them.
#include <algorithm>

#include "models/dnn/onnx/operator_readers.h"

namespace mho::dnn {

namespace {

/// A list attribute of `size` values from `least` on, or `otherwise` throughout.
std::vector<std::int64_t> extents(NodeReader& node, const char* name, std::size_t size, std::int64_t least,
                                  std::int64_t otherwise) {
  std::vector<std::int64_t> values = node.list(name);
  if (values.empty()) values.assign(size, otherwise);
  if (values.size() != size)
    node.refuse(std::string("attribute `") + name + "` has " + std::to_string(values.size()) + " values",
                std::to_string(size) + ": maps have two dimensions");
  for (const std::int64_t value : values)
    if (value < least || value > kMaxExtent)
      node.refuse(std::string("attribute `") + name + "` holds " + std::to_string(value),
                  std::to_string(least) + " to " + std::to_string(kMaxExtent));
  return values;
}

struct Axis {
  std::int64_t length, kernel, stride, dilation, before, after;
  std::int64_t span() const { return (kernel - 1) * dilation + 1; }
};

/// Padding so that the output has ceil(length / stride) elements; an odd one goes to the end or to the beginning.
void pad_same(Axis& axis, bool upper) {
  const std::int64_t count = (axis.length + axis.stride - 1) / axis.stride;
  const std::int64_t padding = std::max<std::int64_t>((count - 1) * axis.stride + axis.span() - axis.length, 0);
  axis.before = upper ? padding / 2 : padding - padding / 2;
  axis.after = padding - axis.before;
}

/// Lets the last, partial window fit; true where that took padding.
bool pad_to_ceiling(Axis& axis) {
  const std::int64_t room = axis.length + axis.before + axis.after - axis.span();
  if (room < 0) return false;
  std::int64_t last = (room + axis.stride - 1) / axis.stride * axis.stride;
  if (last >= axis.length + axis.before) last -= axis.stride;
  if (last <= room) return false;
  axis.after += last - room;
  return true;
}

}  // namespace

std::vector<std::int64_t> read_kernel(NodeReader& node) {
  if (!node.has_attribute("kernel_shape")) node.refuse("attribute `kernel_shape` is missing", "[height, width]");
  return extents(node, "kernel_shape", 2, 1, 1);
}

Window read_window(NodeReader& node, const Shape& input, const std::vector<std::int64_t>& kernel, bool ceil) {
  const std::vector<std::int64_t> strides = extents(node, "strides", 2, 1, 1);
  const std::vector<std::int64_t> dilations = extents(node, "dilations", 2, 1, 1);
  const std::vector<std::int64_t> pads = extents(node, "pads", 4, 0, 0);
  const std::string auto_pad = node.text("auto_pad", "NOTSET");
  if (auto_pad != "NOTSET" && auto_pad != "VALID" && auto_pad != "SAME_UPPER" && auto_pad != "SAME_LOWER")
    node.refuse("auto_pad is `" + auto_pad + "`", "NOTSET, VALID, SAME_UPPER, SAME_LOWER");
  if (auto_pad != "NOTSET" && std::any_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad != 0; }))
    node.refuse("has both pads and auto_pad", "one of them");
  Axis y = {input.height, kernel[0], strides[0], dilations[0], pads[0], pads[2]};
  Axis x = {input.width, kernel[1], strides[1], dilations[1], pads[1], pads[3]};
  for (Axis* axis : {&y, &x}) {
    if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") pad_same(*axis, auto_pad == "SAME_UPPER");
    // Beyond the padding there is nothing to count.
    if (ceil && pad_to_ceiling(*axis) && node.has_attribute("count_include_pad") &&
        node.integer("count_include_pad", 0) != 0)
      node.refuse("ceil_mode reaches beyond padding that counts", "count_include_pad = 0 or ceil_mode = 0");
    if (axis->span() > axis->length + axis->before + axis->after || axis->before > kMaxExtent ||
        axis->after > kMaxExtent)
      node.refuse("kernel spans " + std::to_string(axis->span()),
                  "at most the padded input's " + std::to_string(axis->length + axis->before + axis->after));
  }
  return {int(y.kernel), int(x.kernel), int(y.stride), int(x.stride),   int(y.before),
          int(x.before), int(y.after),  int(x.after),  int(y.dilation), int(x.dilation)};
}

Shape checked_shape(const NodeReader& node, const Shape& input, const Window& window, int channels) {
  const Shape shape = windowed_shape(input, window, channels);
  if (shape.height < 1) node.refuse("window does not fit its input", "an output of one pixel or more");
  return shape;
}

}  // namespace mho::dnn
