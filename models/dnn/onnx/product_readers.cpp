// SPDX-License-Identifier: Apache-2.0
// Conv, Gemm, MatMul and their QLinear forms: each becomes a convolution. ONNX stores weights channel first and
// flattens maps channel first; the graph is channel last, so weights are permuted here, once.
#include <cmath>
#include <cstring>

#include "models/dnn/onnx/operator_readers.h"
#include "models/dnn/onnx/stored_tensor.h"

namespace mho::dnn {

namespace {

/// Where weight (filter, channel, ky, kx) stands: filter * of_filter + ((channel * height + ky) * width + kx) * of_row.
struct WeightLayout {
  std::int64_t filters, channels, height, width;  ///< channels of one group
  std::int64_t of_filter, of_row;
  int filter_axis;  ///< axis of the stored tensor along which scales may differ
};

/// Checks weights and brings them into the graph's order.
void place_weights(const NodeReader& node, PendingNode& pending, const OnnxTensor& codes,
                   const std::vector<double>& scale, int scale_axis, const WeightLayout& layout) {
  if (codes.type != OnnxTensor::Type::kInt8)
    node.refuse(std::string("weights are ") + name_of(codes.type),
                "int8 with zero point 0: quantise weights symmetrically");
  if (scale.size() != 1 && (std::int64_t(scale.size()) != layout.filters || scale_axis != layout.filter_axis))
    node.refuse("weight scales do not stand along the outputs",
                "one, or one an output channel along axis " + std::to_string(layout.filter_axis));
  Weights& weights = pending.node.weights;
  node.model().charge(codes.raw.size());
  weights.values.resize(codes.raw.size());
  std::size_t out = 0;
  for (std::int64_t f = 0; f < layout.filters; ++f)
    for (std::int64_t ky = 0; ky < layout.height; ++ky)
      for (std::int64_t kx = 0; kx < layout.width; ++kx)
        for (std::int64_t c = 0; c < layout.channels; ++c) {
          const std::int64_t row = (c * layout.height + ky) * layout.width + kx;
          weights.values[out++] = std::int8_t(codes.raw[std::size_t(f * layout.of_filter + row * layout.of_row)]);
        }
  weights.scale = scale;
  if (scale.size() == 1) weights.scale.assign(std::size_t(layout.filters), scale[0]);
  weights.bias.assign(std::size_t(layout.filters), 0);
}

std::vector<std::int32_t> bias_values(const NodeReader& node, const OnnxTensor& bias, std::size_t filters) {
  if (bias.type != OnnxTensor::Type::kInt32)
    node.refuse(std::string("bias is ") + name_of(bias.type), "int32 with scale x_scale * w_scale");
  const std::vector<std::int64_t> wide = integers(bias);
  if (wide.size() != filters)
    node.refuse("bias has " + std::to_string(wide.size()) + " values", std::to_string(filters));
  return {wide.begin(), wide.end()};
}

std::shared_ptr<PendingNode> convolution(NodeReader& node, const Value& input, const OnnxTensor& codes,
                                         const std::vector<double>& scale, int scale_axis, Shape& shape) {
  if (input.rank != 4) node.refuse("input is a vector", "a map [N, C, H, W]");
  if (codes.dims.size() != 4)
    node.refuse("weights have " + std::to_string(codes.dims.size()) + " dimensions", "4: [F, C, height, width]");
  const std::vector<std::int64_t> kernel = {codes.dims[2], codes.dims[3]};
  if (node.has_attribute("kernel_shape") && read_kernel(node) != kernel)
    node.refuse("kernel_shape differs from the weights", std::to_string(kernel[0]) + " x " + std::to_string(kernel[1]));
  for (const std::int64_t extent : codes.dims)
    if (extent > kMaxExtent) node.refuse("weights have a dimension of " + std::to_string(extent), "a smaller one");
  const std::int64_t groups = node.integer("group", 1);
  const std::int64_t channels = input.shape.channels;
  if (groups < 1 || channels % groups != 0 || codes.dims[1] != channels / groups || codes.dims[0] % groups != 0)
    node.refuse(std::to_string(groups) + " groups of " + std::to_string(codes.dims[1]) + " channels and " +
                    std::to_string(codes.dims[0]) + " filters do not fit the input",
                "channels of all groups: " + std::to_string(channels));
  const auto pending = pending_node(node, Operator::kConvolution, input);
  pending->node.weights.groups = int(groups);
  pending->node.window = read_window(node, input.shape, kernel, false);
  shape = checked_shape(node, input.shape, pending->node.window, int(codes.dims[0]));
  place_weights(node, *pending, codes, scale, scale_axis,
                {codes.dims[0], codes.dims[1], kernel[0], kernel[1], codes.dims[1] * kernel[0] * kernel[1], 1, 0});
  return pending;
}

/// A product with a matrix [K, F], or [F, K] if `transposed`; K runs over the input's elements, channel first.
std::shared_ptr<PendingNode> matrix_product(NodeReader& node, const Value& input, const OnnxTensor& codes,
                                            const std::vector<double>& scale, int scale_axis, bool transposed,
                                            Shape& shape) {
  if (input.rank != 2) node.refuse("input is a map", "a vector [N, C], for example behind Flatten");
  if (codes.dims.size() != 2) node.refuse("weights have " + std::to_string(codes.dims.size()) + " dimensions", "2");
  const std::int64_t length = codes.dims[transposed ? 1 : 0], filters = codes.dims[transposed ? 0 : 1];
  const Shape& s = input.shape;
  if (length != std::int64_t(s.bytes()))
    node.refuse("weights have " + std::to_string(length) + " rows", std::to_string(s.bytes()) + ", as the input");
  if (filters > kMaxExtent) node.refuse("has " + std::to_string(filters) + " outputs", "fewer");
  const auto pending = pending_node(node, Operator::kConvolution, input);
  pending->node.window.kernel_height = s.height;
  pending->node.window.kernel_width = s.width;
  shape = {1, 1, int(filters)};
  place_weights(
      node, *pending, codes, scale, scale_axis,
      {filters, s.channels, s.height, s.width, transposed ? length : 1, transposed ? 1 : filters, transposed ? 0 : 1});
  return pending;
}

/// Operands of a QLinear node: x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero.
struct QLinear {
  explicit QLinear(NodeReader& node)
      : input(node.codes(0)), weights(node.constant(3)), scale(node.scales(4)), output(node.format(6, 7)) {
    if (!node.model().agree_on_format(input.tensor, node.format(1, 2)))
      node.refuse("scale, zero point or type of x differ from those that its codes were written with", "equal ones");
    const OnnxTensor zero = node.constant(5);
    if (weights.type != OnnxTensor::Type::kInt8 || zero.type != weights.type)
      node.refuse(std::string("weights are ") + name_of(weights.type),
                  "int8 with zero point 0: quantise weights symmetrically");
    for (const std::int64_t value : integers(zero))
      if (value != 0)
        node.refuse("zero point of the weights is " + std::to_string(value), "0: quantise weights symmetrically");
  }
  Value input;
  OnnxTensor weights;
  std::vector<double> scale;
  CodeFormat output;
};

Value shaped(const Value& like, const Shape& shape) {
  Value value = like;
  value.shape = shape;
  return value;
}

}  // namespace

void add_bias(NodeReader& node, PendingNode& pending, const ScaledConstant& bias, int rank) {
  const bool is_bounded = !std::isinf(pending.lower) || !std::isinf(pending.upper);
  if (pending.node.op != Operator::kConvolution || pending.has_bias || is_bounded)
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
  const double x_scale = node.model().format(pending.node.inputs[0]).scale;
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

void read_conv(NodeReader& node) {
  node.require_inputs(2, 3);
  const Value& input = node.real(0);
  const ScaledConstant& w = node.scaled_constant(1);
  Shape shape;
  const auto pending = convolution(node, input, w.codes, w.scale, w.axis, shape);
  // The bias of Conv has one dimension, the filters: rank 2 is the rule without trailing pixels.
  if (node.has(2)) add_bias(node, *pending, node.scaled_constant(2), 2);
  node.result(pending, shape, 4);
}

void read_gemm(NodeReader& node) {
  node.require_inputs(2, 3);
  const bool plain =
      node.number("alpha", 1.0) == 1.0 && node.number("beta", 1.0) == 1.0 && node.integer("transA", 0) == 0;
  if (!plain) node.refuse("scales or transposes its input", "alpha = 1, beta = 1, transA = 0");
  const bool transposed = node.integer("transB", 0) != 0;
  const ScaledConstant& w = node.scaled_constant(1);
  Shape shape;
  const auto pending = matrix_product(node, node.real(0), w.codes, w.scale, w.axis, transposed, shape);
  if (node.has(2)) add_bias(node, *pending, node.scaled_constant(2), 2);
  node.result(pending, shape, 2);
}

void read_matmul(NodeReader& node) {
  node.require_inputs(2, 2);
  const ScaledConstant& w = node.scaled_constant(1);
  Shape shape;
  const auto pending = matrix_product(node, node.real(0), w.codes, w.scale, w.axis, false, shape);
  node.result(pending, shape, 2);
}

void read_qlinear_conv(NodeReader& node) {
  node.require_inputs(8, 9);
  const QLinear operands(node);
  Shape shape;
  const auto pending = convolution(node, operands.input, operands.weights, operands.scale, 0, shape);
  if (node.has(8)) pending->node.weights.bias = bias_values(node, node.constant(8), std::size_t(shape.channels));
  finish(node, *pending, shaped(operands.input, shape), operands.output);
}

void read_qlinear_matmul(NodeReader& node) {
  node.require_inputs(8, 8);
  const QLinear operands(node);
  Shape shape;
  const auto pending = matrix_product(node, operands.input, operands.weights, operands.scale, 1, false, shape);
  finish(node, *pending, shaped(operands.input, shape), operands.output);
}

}  // namespace mho::dnn
