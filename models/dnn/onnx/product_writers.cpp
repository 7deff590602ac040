// SPDX-License-Identifier: Apache-2.0
// Products with weights: Conv for maps, Gemm for fully connected layers, MatMul and Add for sequences. Weights go back
// to ONNX's channel-first order.
#include "models/dnn/onnx/graph_writer.h"

namespace mho::dnn {

void GraphWriter::add_weights(const std::string& name, const Dims& dims, int axis,
                              const std::vector<std::int8_t>& codes, const std::vector<double>& scales) {
  const Dims per_filter = {std::int64_t(scales.size())};
  const std::vector<std::int8_t> zeros(scales.size(), 0);
  constant(name + "/weight", onnx::TensorProto::INT8, dims, codes.data(), codes.size());
  numbers(name + "/weight_scale", per_filter, scales);
  constant(name + "/weight_zero", onnx::TensorProto::INT8, per_filter, zeros.data(), zeros.size());
  set_integer(
      add("DequantizeLinear", {name + "/weight", name + "/weight_scale", name + "/weight_zero"}, name + "/weight_real"),
      "axis", axis);
}

/// Weights as the written operator reads them: [filter][channel][ky][kx], [filter][element] of a Gemm, which reads maps
/// channel by channel and sequences as they are, or [channel][filter] of a MatMul.
std::string GraphWriter::weights_of(const Node& node, const std::string& name, bool columns_first) {
  const Weights& w = node.weights;
  const auto filters = std::size_t(filters_of(graph_, node)), length = std::size_t(dot_length(graph_, node));
  const auto taps = std::size_t(node.window.kernel_height) * std::size_t(node.window.kernel_width);
  const std::size_t channels = length / taps;
  const auto rows = std::int64_t(filters), columns = std::int64_t(length);
  std::vector<std::int8_t> codes;
  if (columns_first) {
    codes.resize(w.values.size());
    for (std::size_t f = 0; f < filters; ++f)
      for (std::size_t k = 0; k < length; ++k) codes[k * filters + f] = w.values[f * length + k];
    add_weights(name, {columns, rows}, 1, codes, w.scale);
    return name + "/weight_real";
  }
  const bool gemm = own_form(node) == Form::kVector;
  const bool in_order = taps == 1 || (gemm && form_of(node.inputs[0]) == Form::kSequence);
  if (!in_order) {
    codes.resize(w.values.size());
    for (std::size_t f = 0; f < filters; ++f)
      for (std::size_t tap = 0; tap < taps; ++tap)
        for (std::size_t c = 0; c < channels; ++c)
          codes[(f * channels + c) * taps + tap] = w.values[(f * taps + tap) * channels + c];
  }
  Dims dims = {rows, std::int64_t(channels), node.window.kernel_height, node.window.kernel_width};
  if (gemm) dims = {rows, columns};
  add_weights(name, dims, 0, in_order ? w.values : codes, w.scale);
  return name + "/weight_real";
}

std::string GraphWriter::bias_of(const Node& node, const std::string& name) {
  const Weights& w = node.weights;
  std::vector<double> scales;
  for (const double scale : w.scale) scales.push_back(graph_.input_of(node).scale * scale);
  const Dims dims = {std::int64_t(w.bias.size())};
  constant(name + "/bias", onnx::TensorProto::INT32, dims, w.bias.data(), w.bias.size() * sizeof(std::int32_t));
  numbers(name + "/bias_scale", dims, scales);
  set_integer(add("DequantizeLinear", {name + "/bias", name + "/bias_scale"}, name + "/bias_real"), "axis", 0);
  return name + "/bias_real";
}

GraphWriter::Result GraphWriter::write_product(const Node& node, const std::string& name) {
  const int from = node.inputs[0];
  const std::string result = name + "/result";
  const Window& w = node.window;
  const bool of_positions = w.kernel_height * w.kernel_width == 1 && w.stride_y * w.stride_x == 1 &&
                            w.pad_top + w.pad_left + w.pad_bottom + w.pad_right == 0 && node.weights.groups == 1;
  if (own_form(node) == Form::kSequence && of_positions) {
    add("MatMul", {real_as(from, Form::kSequence), weights_of(node, name, true)}, name + "/product");
    add("Add", {name + "/product", bias_of(node, name)}, result);
    return {result, Form::kSequence};
  }
  if (own_form(node) == Form::kVector) {
    std::string input = real(from);
    if (form_of(from) != Form::kVector) {
      add("Flatten", {input}, name + "/flat");
      input = name + "/flat";
    }
    const std::string weights = weights_of(node, name, false), bias = bias_of(node, name);
    set_integer(add("Gemm", {input, weights, bias}, result), "transB", 1);
    return {result, Form::kVector};
  }
  const std::string input = real_as(from, Form::kMap), weights = weights_of(node, name, false),
                    bias = bias_of(node, name);
  onnx::NodeProto& written = add("Conv", {input, weights, bias}, result);
  set_window(written, w, true);
  set_integer(written, "group", node.weights.groups);
  return {result, Form::kMap};
}

}  // namespace mho::dnn
