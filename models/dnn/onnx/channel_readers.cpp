// SPDX-License-Identifier: Apache-2.0
// Concat, Split, Slice and Gather along channels. A single pixel, or every n-th from the first, is a pool whose window
// is one element.
#include "models/dnn/onnx/axis_operands.h"
#include "models/dnn/onnx/channel_selection.h"
#include "models/dnn/onnx/operator_readers.h"

namespace mho::dnn {

namespace {

bool is_product(const Value& x) {
  return x.kind == Value::Kind::kPending && x.pending->is_open() && x.pending->node.op == Operator::kConvolution &&
         x.pending->node.weights.groups == 1;
}

/// Input 0: the open result of a product, whose filters can be chosen instead of its channels, or a tensor.
Value source_of(const NodeReader& node) {
  const Value x = node.activation(0);
  return is_product(x) ? x : node.closed(x);
}

template <class Number>
std::vector<Number> chosen_of(const std::vector<Number>& all, std::size_t filters, const std::vector<int>& chosen) {
  std::vector<Number> out;
  const std::size_t length = all.size() / filters;
  for (const int filter : chosen)
    out.insert(out.end(), all.begin() + std::ptrdiff_t(std::size_t(filter) * length),
               all.begin() + std::ptrdiff_t((std::size_t(filter) + 1) * length));
  return out;
}

/// A product of its own with some filters of `product`: queries, keys and values of one projection.
std::shared_ptr<PendingNode> some_filters(NodeReader& node, const PendingNode& product,
                                          const std::vector<int>& chosen) {
  const auto filters = std::size_t(product.shape.channels);
  const Weights& weights = product.node.weights;
  node.model().charge((weights.values.size() + product.real.values.size() * sizeof(float)) / filters * chosen.size());
  auto part = std::make_shared<PendingNode>();
  part->node.name = node.name();
  part->node.op = product.node.op;
  part->node.inputs = product.node.inputs;
  part->node.window = product.node.window;
  part->node.weights = {1, chosen_of(weights.values, filters, chosen), chosen_of(weights.bias, filters, chosen),
                        chosen_of(weights.scale, filters, chosen)};
  part->real = {chosen_of(product.real.values, filters, chosen), chosen_of(product.real.bias, filters, chosen)};
  part->has_bias = product.has_bias;
  part->range = product.range;
  part->shape = product.shape;
  part->sequence = product.sequence;
  return part;
}

/// Output `which` of the node: `indices` along `axis` of `x`.
void select(NodeReader& node, const Value& x, int axis, const std::vector<std::int64_t>& indices, bool drop_axis,
            int which = 0) {
  std::optional<ChannelSelection> selection = select_channels(node.model(), x, axis, indices);
  if (!selection) {
    node.refuse("chooses along axis " + std::to_string(axis) + ", which is not within the channels of a pixel",
                "channels, or every n-th pixel from the first");
  }
  const bool from_product = is_product(x) && selection->channels.size() <= std::size_t(x.shape.channels);
  const auto pending = from_product ? some_filters(node, *x.pending, selection->channels)
                                    : pending_node(node, Operator::kSelect, node.closed(x));
  if (which > 0) pending->node.name += "/" + std::to_string(which);
  pending->shape.channels = int(selection->channels.size());
  if (!from_product) pending->node.channels = std::move(selection->channels);
  if (drop_axis) selection->view.axes.erase(selection->view.axes.begin() + axis);
  node.result(pending, selection->view, which);
}

/// Every `step`-th position of a pixel axis from the first on; false where the axis is no such axis.
bool select_pixels(NodeReader& node, const Value& x, const AxisRange& range, bool drop_axis) {
  const Factors& axis = x.view.axes[std::size_t(range.axis)];
  const std::int64_t channels = x.shape.channels, extent = extent_of(axis);
  if (range.start != 0 || range.step < 1 || axis.size() != 1) return false;
  const bool rows = axis[0] == Factor{x.shape.height, channels * x.shape.width};
  const bool columns = axis[0] == Factor{x.shape.width, channels};
  const bool pixels = axis[0] == Factor{std::int64_t(x.shape.height) * x.shape.width, channels} && range.count == 1;
  if (!(rows || columns || pixels)) return false;
  // The window takes all it can: fewer positions than that only where it is one.
  const std::int64_t step = range.count == 1 ? extent : range.step;
  if ((extent - 1) / step + 1 != range.count) return false;
  const auto pending = pending_node(node, Operator::kMaxPool, node.closed(x));
  Window& window = pending->node.window;
  if (rows || pixels) window.stride_y = int(pixels ? x.shape.height : step);
  if ((columns && !rows) || pixels) window.stride_x = int(pixels ? x.shape.width : step);
  pending->shape = windowed_shape(x.shape, window, x.shape.channels);
  pending->sequence = false;
  View view = x.view;
  const std::int64_t width = pending->shape.width;
  for (Factors& factors : view.axes)
    for (Factor& factor : factors)
      if (factor.stride >= channels * x.shape.width)
        factor.stride = factor.stride / (channels * x.shape.width) * (channels * width);
  view.axes[std::size_t(range.axis)].clear();
  if (range.count > 1) view.axes[std::size_t(range.axis)] = {{range.count, rows ? channels * width : channels}};
  if (drop_axis) view.axes.erase(view.axes.begin() + range.axis);
  node.result(pending, view);
  return true;
}

}  // namespace

Open concatenation(NodeReader& node, const std::vector<Value>& inputs) {
  const Value& first = inputs[0];
  if (!node.has_attribute("axis")) node.refuse("attribute `axis` is missing", "the channels");
  const std::int64_t given = node.integer("axis", 1);
  const int axis = axis_of(node, given, first.view.rank());
  const auto pending = pending_node(node, Operator::kConcat, first);
  pending->node.inputs.clear();
  std::int64_t channels = 0;
  View pixels;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Value input = in_plain_order(node.model(), inputs[i]);
    View view = input.view;
    const std::int64_t c = input.shape.channels;
    if (axis >= view.rank() || !(view.axes[std::size_t(axis)] == (c > 1 ? Factors{{c, 1}} : Factors{})))
      node.refuse("axis is " + std::to_string(given), "the channels: 1 of [N, C, H, W], 2 of [N, positions, C]");
    for (Factors& factors : view.axes) factors = with_channels(factors, c, 1);
    view.axes[std::size_t(axis)].clear();
    if (i == 0) pixels = view;
    if (!(view == pixels) || input.shape.height != first.shape.height || input.shape.width != first.shape.width)
      node.refuse("input " + std::to_string(i) + " has other pixels than the first", "equal heights and widths");
    pending->node.inputs.push_back(input.tensor);
    channels += c;
    if (channels > kMaxExtent) node.refuse("joins too many channels", "at most " + std::to_string(kMaxExtent));
  }
  pending->shape.channels = int(channels);
  for (Factors& factors : pixels.axes) factors = with_channels(factors, 1, channels);
  pixels.axes[std::size_t(axis)] = {{channels, 1}};
  return {pending, pixels};
}

void read_concat(NodeReader& node) {
  node.require_inputs(1, kMaxExtent);
  std::vector<Value> inputs;
  for (int i = 0; i < node.inputs(); ++i) inputs.push_back(node.real(i));
  if (inputs.size() == 1) {
    node.integer("axis", 1);
    return node.result(inputs[0]);
  }
  const Open open = concatenation(node, inputs);
  node.result(open.pending, open.view);
}

void read_split(NodeReader& node) {
  const bool old = node.model().opset() < 13;
  node.require_inputs(1, old ? 1 : 2);
  const Value x = source_of(node);
  const int axis = axis_of(node, node.integer("axis", 0), x.view.rank());
  std::vector<std::int64_t> parts = old           ? node.list("split")
                                    : node.has(1) ? node.integers(1)
                                                  : std::vector<std::int64_t>();
  const std::int64_t extent = x.view.extent(axis);
  if (parts.empty() && extent % node.outputs() == 0) parts.assign(std::size_t(node.outputs()), extent / node.outputs());
  std::int64_t first = 0;
  if (int(parts.size()) != node.outputs())
    node.refuse("has " + std::to_string(node.outputs()) + " outputs",
                "as many as parts, of equal length if not stated");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] < 1 || parts[i] > extent - first)
      node.refuse("part " + std::to_string(i) + " has " + std::to_string(parts[i]) + " elements",
                  std::to_string(extent) + " in all");
    if (node.is_read(int(i))) select(node, x, axis, AxisRange{axis, first, 1, parts[i]}.indices(), false, int(i));
    first += parts[i];
  }
  if (first != extent) node.refuse("takes " + std::to_string(first) + " elements", std::to_string(extent) + " in all");
}

void read_slice(NodeReader& node) {
  const Value x = source_of(node);
  std::vector<AxisRange> ranges;
  for (const AxisRange& range : slice_ranges(node, x.view.dims()))
    if (range.count != x.view.extent(range.axis) || range.step != 1) ranges.push_back(range);
  if (ranges.empty()) return node.result(node.closed(x));
  if (ranges.size() > 1) node.refuse("takes parts of several axes", "one axis at a time");
  if (!select_pixels(node, x, ranges[0], false)) select(node, x, ranges[0].axis, ranges[0].indices(), false);
}

void read_gather(NodeReader& node) {
  node.require_inputs(2, 2);
  const Value x = source_of(node);
  const int axis = axis_of(node, node.integer("axis", 0), x.view.rank());
  const std::vector<std::int64_t> indices = indices_of(node, node.integers(1), x.view.extent(axis));
  if (indices.size() > std::size_t(kMaxExtent)) node.refuse("takes too many", std::to_string(kMaxExtent));
  const bool drop_axis = node.constant(1).dims.empty();
  if (indices.size() == 1 && select_pixels(node, x, {axis, indices[0], 1, 1}, drop_axis)) return;
  select(node, x, axis, indices, drop_axis);
}

}  // namespace mho::dnn
