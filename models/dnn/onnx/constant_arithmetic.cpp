// SPDX-License-Identifier: Apache-2.0
// Arithmetic on constants: done in double, rounded to the constant's type.
#include "models/dnn/onnx/constant_arithmetic.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "models/dnn/onnx/constant_folding.h"
#include "models/dnn/onnx/stored_tensor.h"

namespace mho::dnn {

namespace {

using Dims = std::vector<std::int64_t>;

constexpr const char* kSmall = "at most 4194304 elements";

/// Refuses results that are larger than what constants need.
std::int64_t checked_size(const NodeReader& node, const Dims& dims) {
  std::int64_t elements = 1;
  for (const std::int64_t extent : dims) {
    if (extent < 1 || extent > kMaxFoldedElements / elements) node.refuse("makes a constant of another size", kSmall);
    elements *= extent;
  }
  return elements;
}

double apply(const std::string& op, double a, double b, bool real) {
  if (op == "Add") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return real ? a / b : std::trunc(a / b);
  if (op == "Pow") return std::pow(a, b);
  if (op == "Min") return std::min(a, b);
  if (op == "Max") return std::max(a, b);
  return a == b ? 1 : 0;  // Equal
}

/// Extents of two constants broadcast against each other; empty where they do not fit.
std::optional<Dims> broadcast(const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    out[out.size() - 1 - i] = std::max(x, y);
  }
  return out;
}

/// Index into a constant of extents `dims` of element `i` of a result of extents `all`.
std::size_t broadcast_index(const Dims& dims, const Dims& all, std::size_t i) {
  std::size_t index = 0, step = 1;
  for (std::size_t k = 0; k < dims.size(); ++k) {
    const auto extent = std::size_t(all[all.size() - 1 - k]);
    const std::size_t own = std::size_t(dims[dims.size() - 1 - k]);
    if (own > 1) index += i % extent * step;
    step *= own;
    i /= extent;
  }
  return index;
}

}  // namespace

OnnxTensor made(OnnxTensor::Type type, const Dims& dims, const std::vector<double>& values) {
  OnnxTensor out;
  out.type = type;
  out.dims = dims;
  const auto append = [&](auto element) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&element);
    out.raw.insert(out.raw.end(), bytes, bytes + sizeof element);
  };
  constexpr double kLimit = 9.2e18;
  for (const double value : values) {
    if (type == OnnxTensor::Type::kFloat)
      append(float(value));
    else if (type == OnnxTensor::Type::kInt64)
      append(std::int64_t(std::isnan(value) ? 0 : std::clamp(value, -kLimit, kLimit)));
    else
      append(std::int32_t(std::isnan(value) ? 0 : std::clamp(value, -2147483648.0, 2147483647.0)));
  }
  return out;
}

OnnxTensor fold_binary(NodeReader& node) {
  node.require_inputs(2, 2);
  const OnnxTensor a = node.constant(0), b = node.constant(1);
  const std::optional<Dims> dims = broadcast(a.dims, b.dims);
  if (!dims || dims->size() > std::size_t(kMaxRank)) node.refuse("joins constants of different shapes", "equal shapes");
  std::vector<double> values(std::size_t(checked_size(node, *dims)));
  const std::vector<double> x = numbers(a), y = numbers(b);
  const bool real = a.type == OnnxTensor::Type::kFloat;
  node.model().charge(values.size() * sizeof(double));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double divisor = y[broadcast_index(b.dims, *dims, i)];
    if (!real && divisor == 0 && node.op_type() == "Div") node.refuse("divides by 0", "other numbers");
    values[i] = apply(node.op_type(), x[broadcast_index(a.dims, *dims, i)], divisor, real);
  }
  return made(node.op_type() == "Equal" ? OnnxTensor::Type::kInt32 : a.type, *dims, values);
}

OnnxTensor fold_unary(NodeReader& node) {
  node.require_inputs(1, 1);
  const OnnxTensor a = node.constant(0);
  checked_size(node, a.dims);
  std::vector<double> values = numbers(a);
  for (double& value : values)
    value = node.op_type() == "Sqrt" ? std::sqrt(value) : node.op_type() == "Neg" ? -value : std::floor(value);
  return made(a.type, a.dims, values);
}

OnnxTensor fold_cast(NodeReader& node) {
  node.require_inputs(1, 1);
  const OnnxTensor a = node.constant(0);
  const std::int64_t to = node.integer("to", 0);
  checked_size(node, a.dims);
  std::vector<double> values = numbers(a);
  if (to == onnx::TensorProto::FLOAT) return made(OnnxTensor::Type::kFloat, a.dims, values);
  for (double& value : values) value = to == onnx::TensorProto::BOOL ? double(value != 0) : std::trunc(value);
  if (to == onnx::TensorProto::INT64) return made(OnnxTensor::Type::kInt64, a.dims, values);
  if (to == onnx::TensorProto::INT32 || to == onnx::TensorProto::BOOL)
    return made(OnnxTensor::Type::kInt32, a.dims, values);
  node.refuse("changes a constant to " + type_name(int(to)), "float, int32, int64, bool");
}

OnnxTensor fold_constant_of_shape(NodeReader& node) {
  node.require_inputs(1, 1);
  const Dims dims = integers(node.constant(0));
  if (dims.size() > std::size_t(kMaxRank)) node.refuse("makes too many axes", std::to_string(kMaxRank));
  OnnxTensor fill;
  fill.type = OnnxTensor::Type::kFloat;
  double value = 0;
  if (const onnx::TensorProto* given = node.tensor("value")) {
    fill = node.decoded(*given);
    value = numbers(fill).at(0);
  }
  return made(fill.type, dims, std::vector<double>(std::size_t(checked_size(node, dims)), value));
}

OnnxTensor fold_expand(NodeReader& node) {
  node.require_inputs(2, 2);
  const OnnxTensor a = node.constant(0);
  const std::optional<Dims> dims = broadcast(a.dims, integers(node.constant(1)));
  if (!dims || dims->size() > std::size_t(kMaxRank)) node.refuse("does not fit the new shape", "extents of 1");
  const std::vector<double> x = numbers(a);
  std::vector<double> values(std::size_t(checked_size(node, *dims)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = x[broadcast_index(a.dims, *dims, i)];
  return made(a.type, *dims, values);
}

OnnxTensor fold_where(NodeReader& node) {
  node.require_inputs(3, 3);
  const OnnxTensor c = node.constant(0), a = node.constant(1), b = node.constant(2);
  std::optional<Dims> dims = broadcast(a.dims, b.dims);
  if (dims) dims = broadcast(*dims, c.dims);
  if (!dims || dims->size() > std::size_t(kMaxRank)) node.refuse("joins constants of different shapes", "equal shapes");
  const std::vector<double> x = numbers(a), y = numbers(b), which = numbers(c);
  std::vector<double> values(std::size_t(checked_size(node, *dims)));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = which[broadcast_index(c.dims, *dims, i)] != 0 ? x[broadcast_index(a.dims, *dims, i)]
                                                              : y[broadcast_index(b.dims, *dims, i)];
  return made(a.type, *dims, values);
}

OnnxTensor fold_range(NodeReader& node) {
  node.require_inputs(3, 3);
  const double first = node.constant_number(0), limit = node.constant_number(1), step = node.constant_number(2);
  const double count = step != 0 ? std::ceil((limit - first) / step) : 0;
  if (!(count >= 1 && count <= double(kMaxFoldedElements))) node.refuse("makes a constant of another size", kSmall);
  std::vector<double> values;
  for (std::int64_t i = 0; i < std::int64_t(count); ++i) values.push_back(first + double(i) * step);
  return made(node.constant(0).type, {std::int64_t(count)}, values);
}

}  // namespace mho::dnn
