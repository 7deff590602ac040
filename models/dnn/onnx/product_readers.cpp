// SPDX-License-Identifier: Apache-2.0
// Conv, Gemm, MatMul with constant weights: each becomes a convolution, of codes or of real numbers. ONNX stores
// weights channel first and flattens maps channel first; the graph is channel last, so weights are permuted here, once.
#include "models/dnn/onnx/product_readers.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "models/dnn/onnx/constants.h"
#include "models/dnn/onnx/stored_tensor.h"

namespace mho::dnn {

namespace {

/// Where weight k of a filter, counted in the graph's order, stands: filter * of_filter + row[k] * of_row.
struct WeightLayout {
  std::int64_t filters, of_filter, of_row;
  std::vector<std::uint32_t> row;
  int filter_axis;  ///< axis of the stored tensor along which scales may differ
};

template <class Number>
std::vector<Number> permuted(const void* stored, const WeightLayout& layout) {
  const auto* in = static_cast<const Number*>(stored);
  const std::size_t length = layout.row.size();
  std::vector<Number> out(std::size_t(layout.filters) * length);
  if (layout.of_row == 1) {  // filters stand one behind the other
    for (std::size_t f = 0; f < std::size_t(layout.filters); ++f)
      for (std::size_t k = 0; k < length; ++k)
        out[f * length + k] = in[f * std::size_t(layout.of_filter) + layout.row[k]];
    return out;
  }
  // A matrix [K, F] is read along its rows, in strips of filters that stay in the cache.
  constexpr std::int64_t kStrip = 32;
  for (std::int64_t first = 0; first < layout.filters; first += kStrip)
    for (std::size_t k = 0; k < length; ++k)
      for (std::int64_t f = first; f < std::min(first + kStrip, layout.filters); ++f)
        out[std::size_t(f) * length + k] =
            in[std::size_t(f * layout.of_filter + std::int64_t(layout.row[k]) * layout.of_row)];
  return out;
}

void place_codes(const NodeReader& node, PendingNode& pending, const ScaledConstant& w, const WeightLayout& layout) {
  if (w.codes.type != OnnxTensor::Type::kInt8)
    node.refuse(std::string("weights are ") + name_of(w.codes.type),
                "int8 with zero point 0: quantise weights symmetrically");
  if (w.scale.size() != 1 && (std::int64_t(w.scale.size()) != layout.filters || w.axis != layout.filter_axis))
    node.refuse("weight scales do not stand along the outputs",
                "one, or one an output channel along axis " + std::to_string(layout.filter_axis));
  Weights& weights = pending.node.weights;
  weights.values = permuted<std::int8_t>(w.codes.raw.data(), layout);
  weights.scale = w.scale;
  if (w.scale.size() == 1) weights.scale.assign(std::size_t(layout.filters), w.scale[0]);
  weights.bias.assign(std::size_t(layout.filters), 0);
}

/// Checks weights and brings them into the graph's order: codes where input and weights have some, else real numbers.
void place_weights(NodeReader& node, PendingNode& pending, const ScaledConstant& w, const WeightLayout& layout) {
  node.model().charge(w.codes.raw.size());
  if (!w.scale.empty() && !node.model().network().is_real(pending.node.inputs[0]))
    return place_codes(node, pending, w, layout);
  if (w.scale.empty() && w.codes.type == OnnxTensor::Type::kFloat) {
    pending.real.values = permuted<float>(w.codes.raw.data(), layout);  // the largest ones are not copied twice
    return require_finite(node, pending.real.values);
  }
  const std::vector<float> values = real_values(node, w);
  pending.real.values = permuted<float>(values.data(), layout);
}

void check_groups(const NodeReader& node, std::int64_t groups, std::int64_t channels, const OnnxTensor& weights) {
  if (groups < 1 || channels % groups != 0 || weights.dims[1] != channels / groups || weights.dims[0] % groups != 0)
    node.refuse(std::to_string(groups) + " groups of " + std::to_string(weights.dims[1]) + " channels and " +
                    std::to_string(weights.dims[0]) + " filters do not fit the input",
                "channels of all groups: " + std::to_string(channels));
}

/// Rows of a matrix product's weights in the order of the stored elements that they multiply.
std::vector<std::uint32_t> rows_of(const Factors& axis) {
  const std::vector<std::uint32_t> place = places(axis);
  std::vector<std::uint32_t> row(place.size());
  for (std::size_t k = 0; k < place.size(); ++k) row[place[k]] = std::uint32_t(k);
  return row;
}

}  // namespace

std::vector<std::int32_t> bias_values(const NodeReader& node, const OnnxTensor& bias, std::size_t filters) {
  if (bias.type != OnnxTensor::Type::kInt32)
    node.refuse(std::string("bias is ") + name_of(bias.type), "int32 with scale x_scale * w_scale");
  const std::vector<std::int64_t> wide = integers(bias);
  if (wide.size() != filters)
    node.refuse("bias has " + std::to_string(wide.size()) + " values", std::to_string(filters));
  return {wide.begin(), wide.end()};
}

std::shared_ptr<PendingNode> convolution(NodeReader& node, const Value& stored, const ScaledConstant& w) {
  const bool is_padded = is_open_pad(stored);
  const Value input = is_padded ? stored : require_map(node, node.closed(stored));
  const std::vector<std::int64_t>& dims = w.codes.dims;
  if (dims.size() != 4)
    node.refuse("weights have " + std::to_string(dims.size()) + " dimensions", "4: [F, C, height, width]");
  const std::vector<std::int64_t> kernel = {dims[2], dims[3]};
  if (node.has_attribute("kernel_shape") && read_kernel(node) != kernel)
    node.refuse("kernel_shape differs from the weights", std::to_string(kernel[0]) + " x " + std::to_string(kernel[1]));
  for (const std::int64_t extent : dims)
    if (extent > kMaxExtent) node.refuse("weights have a dimension of " + std::to_string(extent), "a smaller one");
  const std::int64_t groups = node.integer("group", 1);
  check_groups(node, groups, input.shape.channels, w.codes);
  Window window = read_window(node, input.shape, kernel, false);
  Value source = input;
  if (is_padded && joins_window(*stored.pending, window))
    source.tensor = stored.pending->node.inputs[0];
  else
    source = node.closed(input);
  const auto pending = pending_node(node, Operator::kConvolution, source);
  pending->node.weights.groups = int(groups);
  const Shape unpadded = node.model().network().tensor(source.tensor).shape;
  pending->node.window = window;
  pending->shape = checked_shape(node, unpadded, window, int(dims[0]));
  pending->sequence = false;
  WeightLayout layout = {dims[0], dims[1] * kernel[0] * kernel[1], 1, {}, 0};
  for (std::int64_t tap = 0; tap < kernel[0] * kernel[1]; ++tap)
    for (std::int64_t c = 0; c < dims[1]; ++c) layout.row.push_back(std::uint32_t(c * kernel[0] * kernel[1] + tap));
  place_weights(node, *pending, w, layout);
  return pending;
}

std::shared_ptr<PendingNode> matrix_product(NodeReader& node, const Value& input, const ScaledConstant& w,
                                            bool transposed, View& view) {
  if (w.codes.dims.size() != 2) node.refuse("weights have " + std::to_string(w.codes.dims.size()) + " dimensions", "2");
  const std::int64_t length = w.codes.dims[transposed ? 1 : 0], filters = w.codes.dims[transposed ? 0 : 1];
  const Shape& s = input.shape;
  const std::optional<View> split = split_at_pixels(input.view, s.channels);
  const Factors last = split ? split->axes.back() : Factors{};
  if (length != input.view.extent(input.view.rank() - 1))
    node.refuse("weights have " + std::to_string(length) + " rows",
                std::to_string(input.view.extent(input.view.rank() - 1)) + ", as the input");
  const bool whole_map = length == std::int64_t(s.bytes());
  if (!split || (!whole_map && (length != s.channels || !within_channels(last, s.channels))))
    node.refuse("the last axis of the input is neither its channels nor the whole map",
                "[N, C], [N, positions, C] or a flattened map");
  if (filters > kMaxExtent) node.refuse("has " + std::to_string(filters) + " outputs", "fewer");
  const auto pending = pending_node(node, Operator::kConvolution, input);
  if (whole_map) pending->node.window.kernel_height = s.height, pending->node.window.kernel_width = s.width;
  pending->sequence = pending->sequence && s.channels == length;
  pending->shape = whole_map ? Shape{1, 1, int(filters)} : Shape{s.height, s.width, int(filters)};
  place_weights(node, *pending, w,
                {filters, transposed ? length : 1, transposed ? 1 : filters, rows_of(last), transposed ? 0 : 1});
  view = *split;
  for (Factors& axis : view.axes) axis = with_channels(axis, s.channels, filters);
  view.axes.back() = filters > 1 ? Factors{{filters, 1}} : Factors{};
  return pending;
}

void make_real(PendingNode& pending, double x_scale) {
  Weights& weights = pending.node.weights;
  if (weights.values.empty()) return;
  const std::size_t length = weights.values.size() / weights.scale.size();
  pending.real.values.resize(weights.values.size());
  for (std::size_t i = 0; i < weights.values.size(); ++i)
    pending.real.values[i] = float(weights.values[i] * weights.scale[i / length]);
  if (pending.has_bias)
    for (std::size_t f = 0; f < weights.bias.size(); ++f)
      pending.real.bias.push_back(float(weights.bias[f] * (x_scale * weights.scale[f])));
  weights = {weights.groups, {}, {}, {}};
}

void add_bias(NodeReader& node, PendingNode& pending, const ScaledConstant& bias, int rank) {
  if (pending.node.op != Operator::kConvolution || pending.has_bias || pending.is_bounded())
    node.refuse("a constant is added", "one bias directly behind Conv, Gemm or MatMul");
  Weights& weights = pending.node.weights;
  weights.bias = bias_values(node, bias.codes, weights.scale.size());
  // The filters' axis is the second of the result: [F], [1, F], and for maps [F, 1, 1] or [1, F, 1, 1].
  const std::vector<std::int64_t>& dims = bias.codes.dims;
  const std::size_t trailing = rank == 4 ? 2 : 0;
  const std::size_t axis = dims.size() - 1 - trailing;
  if (dims.size() <= trailing || dims.size() > std::size_t(rank) || dims[axis] != std::int64_t(weights.scale.size()))
    node.refuse("bias does not stand along the outputs", "one value an output channel");
  if (bias.scale.size() != 1 && bias.axis != int(axis))
    node.refuse("scales of the bias do not stand along the outputs", "one, or one an output channel");
  const double x_scale = node.model().network().format(pending.node.inputs[0]).scale;
  for (std::size_t f = 0; f < weights.scale.size(); ++f) {
    const double expected = x_scale * weights.scale[f];
    const double scale = bias.scale.size() == 1 ? bias.scale[0] : bias.scale[f];
    // Tools multiply in float; a few roundings lie within a millionth.
    if (std::abs(scale - expected) > 1e-6 * expected)
      node.refuse("scale of the bias is not x_scale * w_scale for filter " + std::to_string(f),
                  "a bias quantised with that product");
  }
  pending.has_bias = true;
}

}  // namespace mho::dnn
