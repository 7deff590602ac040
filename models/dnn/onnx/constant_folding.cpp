// SPDX-License-Identifier: Apache-2.0
// Structure (Reshape, Transpose, Slice, Gather, Concat, ...) moves elements as they are; arithmetic stands in
// constant_arithmetic.cpp.
#include "models/dnn/onnx/constant_folding.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "models/dnn/onnx/axis_operands.h"
#include "models/dnn/onnx/constant_arithmetic.h"
#include "models/dnn/onnx/operator_readers.h"
#include "models/dnn/onnx/stored_tensor.h"

namespace mho::dnn {

namespace {

using Dims = std::vector<std::int64_t>;
using Fold = OnnxTensor (*)(NodeReader& node);

std::int64_t product(const Dims& dims, std::size_t first, std::size_t last) {
  std::int64_t elements = 1;
  for (std::size_t i = first; i < last; ++i) elements *= dims[i];
  return elements;
}

/// Elements `indices` along `axis`, as they are stored.
OnnxTensor taken(NodeReader& node, const OnnxTensor& a, std::size_t axis, const std::vector<std::int64_t>& indices) {
  OnnxTensor out;
  out.type = a.type;
  out.dims = a.dims;
  out.dims[axis] = std::int64_t(indices.size());
  if (indices.empty()) node.refuse("takes nothing", "one element or more");
  const auto inner = std::size_t(product(a.dims, axis + 1, a.dims.size())) * (a.raw.size() / std::size_t(a.elements()));
  const std::size_t outer = std::size_t(product(a.dims, 0, axis)), extent = std::size_t(a.dims[axis]);
  node.model().charge(outer * indices.size() * inner);
  for (std::size_t o = 0; o < outer; ++o)
    for (const std::int64_t i : indices) {
      const std::uint8_t* from = a.raw.data() + (o * extent + std::size_t(i)) * inner;
      out.raw.insert(out.raw.end(), from, from + inner);
    }
  return out;
}

OnnxTensor fold_gather(NodeReader& node) {
  node.require_inputs(2, 2);
  const OnnxTensor a = node.constant(0), chosen = node.constant(1);
  const int axis = axis_of(node, node.integer("axis", 0), int(a.dims.size()));
  OnnxTensor out = taken(node, a, std::size_t(axis), indices_of(node, integers(chosen), a.dims[std::size_t(axis)]));
  out.dims.erase(out.dims.begin() + axis);
  out.dims.insert(out.dims.begin() + axis, chosen.dims.begin(), chosen.dims.end());
  return out;
}

OnnxTensor fold_slice(NodeReader& node) {
  OnnxTensor out = node.constant(0);
  for (const AxisRange& range : slice_ranges(node, out.dims))
    out = taken(node, out, std::size_t(range.axis), range.indices());
  return out;
}

OnnxTensor fold_concat(NodeReader& node) {
  OnnxTensor out = node.constant(0);
  const int axis = axis_of(node, node.integer("axis", 0), int(out.dims.size()));
  const auto outer = std::size_t(product(out.dims, 0, std::size_t(axis)));
  std::vector<OnnxTensor> parts;
  std::int64_t extent = 0;
  for (int i = 0; i < node.inputs(); ++i) {
    parts.push_back(node.constant(i));
    Dims rest = parts.back().dims;
    if (rest.size() == out.dims.size())
      extent += rest[std::size_t(axis)], rest[std::size_t(axis)] = out.dims[std::size_t(axis)];
    if (rest != out.dims || parts.back().type != out.type)
      node.refuse("joins constants of different shapes", "equal ones");
  }
  out.raw.clear();
  for (std::size_t o = 0; o < outer; ++o)
    for (const OnnxTensor& part : parts) {
      const std::size_t bytes = part.raw.size() / outer;
      out.raw.insert(out.raw.end(), part.raw.begin() + std::ptrdiff_t(o * bytes),
                     part.raw.begin() + std::ptrdiff_t((o + 1) * bytes));
    }
  out.dims[std::size_t(axis)] = extent;
  return out;
}

OnnxTensor fold_reshape(NodeReader& node) {
  node.require_inputs(2, 2);
  OnnxTensor out = node.constant(0);
  out.dims = target_dims(node, out.dims, integers(node.constant(1)));
  return out;
}

OnnxTensor fold_squeeze(NodeReader& node) {
  OnnxTensor out = node.constant(0);
  out.dims = node.op_type() == "Squeeze" ? squeezed_dims(node, out.dims) : unsqueezed_dims(node, out.dims);
  return out;
}

OnnxTensor fold_transpose(NodeReader& node) {
  node.require_inputs(1, 1);
  const OnnxTensor a = node.constant(0);
  OnnxTensor out = a;
  const std::vector<int> order = transpose_order(node, int(a.dims.size()));
  std::vector<std::size_t> steps(a.dims.size()), step_of(a.dims.size(), a.raw.size() / std::size_t(a.elements()));
  const std::size_t width = a.raw.size() / std::size_t(a.elements());
  for (std::size_t i = a.dims.size(); i-- > 1;) step_of[i - 1] = step_of[i] * std::size_t(a.dims[i]);
  for (std::size_t i = 0; i < order.size(); ++i) {
    out.dims[i] = a.dims[std::size_t(order[i])];
    steps[i] = step_of[std::size_t(order[i])];
  }
  std::vector<std::int64_t> at(order.size(), 0);
  std::size_t from = 0;
  for (std::size_t to = 0; to < out.raw.size(); to += width) {
    std::memcpy(out.raw.data() + to, a.raw.data() + from, width);
    for (std::size_t i = order.size(); i-- > 0;) {
      from += steps[i];
      if (++at[i] < out.dims[i]) break;
      from -= steps[i] * std::size_t(out.dims[i]);
      at[i] = 0;
    }
  }
  return out;
}

const std::map<std::string, Fold>& table() {
  static const std::map<std::string, Fold> folds = {
      {"Add", fold_binary},          {"Cast", fold_cast},
      {"Concat", fold_concat},       {"ConstantOfShape", fold_constant_of_shape},
      {"Div", fold_binary},          {"Equal", fold_binary},
      {"Expand", fold_expand},       {"Floor", fold_unary},
      {"Gather", fold_gather},       {"Max", fold_binary},
      {"Min", fold_binary},          {"Mul", fold_binary},
      {"Neg", fold_unary},           {"Pow", fold_binary},
      {"Range", fold_range},         {"Reshape", fold_reshape},
      {"Slice", fold_slice},         {"Sqrt", fold_unary},
      {"Squeeze", fold_squeeze},     {"Sub", fold_binary},
      {"Transpose", fold_transpose}, {"Unsqueeze", fold_squeeze},
      {"Where", fold_where}};
  return folds;
}

void define(NodeReader& node, const OnnxTensor& tensor, bool of_batch) {
  node.model().charge(tensor.raw.size());
  Value value;
  value.constant = node.model().keep(encoded(tensor));
  value.of_batch = of_batch;
  node.result(std::move(value));
}

}  // namespace

bool fold_constant(NodeReader& node, const std::string& op_type) {
  const auto fold = table().find(op_type);
  if (fold == table().end() || node.inputs() == 0) return false;
  bool of_batch = false;
  for (int i = 0; i < node.inputs(); ++i) {
    if (!node.has(i)) continue;
    const Value* value = node.model().find(node.input_name(i));
    if (value == nullptr || value->kind != Value::Kind::kConstant) return false;
    of_batch = of_batch || value->of_batch;
  }
  try {
    define(node, fold->second(node), of_batch);
  } catch (const TensorFault& fault) {
    node.refuse(std::string("a constant ") + fault.what(), fault.allowed);
  }
  return true;
}

void read_shape_of(NodeReader& node) {
  node.require_inputs(1, 1);
  const Value& value = node.value_of_any(0);
  const bool is_stored = value.kind == Value::Kind::kConstant;
  const Dims all = is_stored ? node.constant(0).dims : value.view.dims();
  const auto rank = std::int64_t(all.size());
  std::int64_t start = node.integer("start", 0), end = node.integer("end", rank);
  start = std::clamp<std::int64_t>(start < 0 ? start + rank : start, 0, rank);
  end = std::clamp<std::int64_t>(end < 0 ? end + rank : end, 0, rank);
  if (start >= end) node.refuse("asks for no axis", "one or more");
  const std::vector<double> values(all.begin() + start, all.begin() + end);
  define(node, made(OnnxTensor::Type::kInt64, {end - start}, values), !is_stored && !node.model().single_batch());
}

}  // namespace mho::dnn
