// SPDX-License-Identifier: Apache-2.0
// The graph in a program image: tensors, nodes and their integer semantics, without weight values.
#include <stdexcept>
#include <string>

#include "models/mapping/image_parts.h"

namespace mho::mapping {
namespace {

constexpr unsigned kSequence = 2;  // beside the code type

void write(ImageWriter& out, const dnn::Tensor& t) {
  out.text(t.name);
  for (const int value : {t.shape.height, t.shape.width, t.shape.channels}) out.i32(value);
  out.u8(std::uint8_t(unsigned(t.type) | (t.sequence ? kSequence : 0u)));
  out.f64(t.scale);
  out.i32(t.zero_point);
}

dnn::Tensor read_tensor(ImageReader& in) {
  dnn::Tensor t;
  t.name = in.text();
  for (int* value : {&t.shape.height, &t.shape.width, &t.shape.channels}) *value = in.i32();
  const std::uint8_t type = in.u8();
  if (type > (std::uint8_t(dnn::CodeType::kInt8) | kSequence)) in.refuse("has no code type " + std::to_string(type));
  t.type = dnn::CodeType(type & ~kSequence);
  t.sequence = (type & kSequence) != 0;
  t.scale = in.f64();
  t.zero_point = in.i32();
  return t;
}

template <class WindowOrConst, class Visit>
void for_each_extent(WindowOrConst& w, const Visit& visit) {
  for (auto* value : {&w.kernel_height, &w.kernel_width, &w.stride_y, &w.stride_x, &w.pad_top, &w.pad_left,
                      &w.pad_bottom, &w.pad_right, &w.dilation_y, &w.dilation_x})
    visit(*value);
}

/// Convolutions, pools, additions, concatenations and requantisations have none of these fields.
bool has_parameters(const dnn::Node& node) { return node.op > dnn::Operator::kRequantise; }

void write_parameters(ImageWriter& out, const dnn::Node& node) {
  out.u8(std::uint8_t(node.function));
  out.f64(node.parameter);
  out.f64s(node.gain);
  out.f64s(node.offset);
  out.f64(node.epsilon);
  out.i32s(node.channels);
  out.i32(node.heads);
  out.u8(node.transposed ? 1 : 0);
}

void read_parameters(ImageReader& in, dnn::Node& node) {
  const std::uint8_t function = in.u8();
  if (function > std::uint8_t(dnn::kLastFunction)) in.refuse("has no function " + std::to_string(function));
  node.function = dnn::Function(function);
  node.parameter = in.f64();
  node.gain = in.f64s();
  node.offset = in.f64s();
  node.epsilon = in.f64();
  node.channels = in.i32s();
  node.heads = in.i32();
  node.transposed = in.boolean();
}

void write(ImageWriter& out, const dnn::Node& node) {
  if (!node.weights.values.empty()) throw std::invalid_argument("a program image holds levels, not weight values");
  out.text(node.name);
  out.u8(std::uint8_t(node.op));
  out.i32s(node.inputs);
  out.i32(node.output);
  for_each_extent(node.window, [&](int value) { out.i32(value); });
  out.u8(node.count_include_pad ? 1 : 0);
  out.i32(node.weights.groups);
  out.i32s(node.weights.bias);
  out.f64s(node.weights.scale);
  out.i32(node.lower);
  out.i32(node.upper);
  if (has_parameters(node)) write_parameters(out, node);
}

dnn::Node read_node(ImageReader& in) {
  dnn::Node node;
  node.name = in.text();
  const std::uint8_t op = in.u8();
  if (op > std::uint8_t(dnn::kLastOperator)) in.refuse("has no operator " + std::to_string(op));
  node.op = dnn::Operator(op);
  node.inputs = in.i32s();
  node.output = in.i32();
  for_each_extent(node.window, [&](int& value) { value = in.i32(); });
  node.count_include_pad = in.boolean();
  node.weights.groups = in.i32();
  node.weights.bias = in.i32s();
  node.weights.scale = in.f64s();
  node.lower = in.i32();
  node.upper = in.i32();
  if (has_parameters(node)) read_parameters(in, node);
  return node;
}

}  // namespace

void write_graph(ImageWriter& out, const dnn::Graph& graph) {
  out.text(graph.name);
  out.count(graph.tensors.size());
  for (const dnn::Tensor& tensor : graph.tensors) write(out, tensor);
  out.count(graph.nodes.size());
  for (const dnn::Node& node : graph.nodes) write(out, node);
  out.i32s(graph.inputs);
  out.i32s(graph.outputs);
}

dnn::Graph read_graph(ImageReader& in) {
  constexpr std::size_t kTensorBytes = 4 + 3 * 4 + 1 + 8 + 4, kNodeBytes = 4 + 1 + 4 + 4 + 40 + 1 + 4 + 4 + 4 + 8;
  dnn::Graph graph;
  graph.name = in.text();
  for (std::size_t n = in.count(kTensorBytes); n > 0; --n) graph.tensors.push_back(read_tensor(in));
  for (std::size_t n = in.count(kNodeBytes); n > 0; --n) graph.nodes.push_back(read_node(in));
  graph.inputs = in.i32s();
  graph.outputs = in.i32s();
  return graph;
}

}  // namespace mho::mapping
