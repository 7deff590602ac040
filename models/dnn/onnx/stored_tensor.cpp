// SPDX-License-Identifier: Apache-2.0
// Decodes TensorProto. Dimensions are multiplied with an eye on overflow and compared with the data that is really
// there before anything is allocated.
#include "models/dnn/onnx/stored_tensor.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "models/dnn/onnx/external_data.h"

namespace mho::dnn {

namespace {

using Type = OnnxTensor::Type;

constexpr const char* kTypes = "uint8, int8, int32, int64, float, double, bool";

Type type_of(int onnx_type) {
  switch (onnx_type) {
    case onnx::TensorProto::UINT8:
    case onnx::TensorProto::BOOL:
      return Type::kUint8;
    case onnx::TensorProto::INT8:
      return Type::kInt8;
    case onnx::TensorProto::INT32:
      return Type::kInt32;
    case onnx::TensorProto::INT64:
      return Type::kInt64;
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::DOUBLE:
      return Type::kFloat;
    default:
      throw TensorFault("has elements of type " + type_name(onnx_type), kTypes);
  }
}

int onnx_type(Type type) {
  switch (type) {
    case Type::kUint8:
      return onnx::TensorProto::UINT8;
    case Type::kInt8:
      return onnx::TensorProto::INT8;
    case Type::kInt32:
      return onnx::TensorProto::INT32;
    case Type::kInt64:
      return onnx::TensorProto::INT64;
    case Type::kFloat:
      break;
  }
  return onnx::TensorProto::FLOAT;
}

std::size_t width_of(Type type) {
  switch (type) {
    case Type::kInt64:
      return 8;
    case Type::kInt32:
    case Type::kFloat:
      return 4;
    default:
      return 1;
  }
}

std::int64_t checked_elements(const onnx::TensorProto& stored) {
  std::int64_t elements = 1;
  for (const std::int64_t extent : stored.dims()) {
    if (extent < 1) throw TensorFault("has a dimension of " + std::to_string(extent), "1 or more");
    if (extent > kMaxTensorElements / elements)
      throw TensorFault("has too many elements", "at most " + std::to_string(kMaxTensorElements));
    elements *= extent;
  }
  return elements;
}

[[noreturn]] void wrong_length(std::int64_t found, std::int64_t expected, const char* unit) {
  throw TensorFault("holds " + std::to_string(found) + unit, std::to_string(expected) + " for its dimensions");
}

template <class Element, class Field>
std::vector<std::uint8_t> from_field(const Field& field, std::int64_t elements) {
  if (field.size() != elements) wrong_length(field.size(), elements, " elements");
  std::vector<std::uint8_t> raw(std::size_t(elements) * sizeof(Element));
  std::uint8_t* out = raw.data();
  for (const auto value : field) {
    const auto element = Element(value);
    if (static_cast<decltype(value)>(element) != value && value == value)
      throw TensorFault("holds " + std::to_string(value), "values of its type");
    std::memcpy(out, &element, sizeof element);
    out += sizeof element;
  }
  return raw;
}

std::vector<std::uint8_t> from_fields(const onnx::TensorProto& stored, Type type, std::int64_t elements) {
  switch (type) {
    case Type::kUint8:
      return from_field<std::uint8_t>(stored.int32_data(), elements);
    case Type::kInt8:
      return from_field<std::int8_t>(stored.int32_data(), elements);
    case Type::kInt32:
      return from_field<std::int32_t>(stored.int32_data(), elements);
    case Type::kInt64:
      return from_field<std::int64_t>(stored.int64_data(), elements);
    case Type::kFloat:
      return from_field<float>(stored.float_data(), elements);
  }
  return {};
}

/// Doubles as floats: constants that nothing here computes with more digits.
std::vector<std::uint8_t> from_doubles(const onnx::TensorProto& stored, std::int64_t elements) {
  if (stored.data_location() == onnx::TensorProto::EXTERNAL || stored.external_data_size() > 0)
    throw TensorFault("keeps its data in another file and is double", "float");
  const std::string& raw = stored.raw_data();
  const std::int64_t found =
      stored.has_raw_data() ? std::int64_t(raw.size() / sizeof(double)) : stored.double_data_size();
  if (found != elements || raw.size() % sizeof(double) != 0) wrong_length(found, elements, " elements");
  std::vector<std::uint8_t> out(std::size_t(elements) * sizeof(float));
  for (std::int64_t i = 0; i < elements; ++i) {
    double wide = 0;
    if (stored.has_raw_data())
      std::memcpy(&wide, raw.data() + std::size_t(i) * sizeof wide, sizeof wide);
    else
      wide = stored.double_data(int(i));
    constexpr double kLargest = std::numeric_limits<float>::max();
    if (std::abs(wide) > kLargest) throw TensorFault("holds " + std::to_string(wide), "numbers that fit float");
    const auto narrow = float(wide);
    std::memcpy(out.data() + std::size_t(i) * sizeof narrow, &narrow, sizeof narrow);
  }
  return out;
}

template <class Number, class Element>
std::vector<Number> converted(const OnnxTensor& tensor) {
  std::vector<Number> out(tensor.raw.size() / sizeof(Element));
  for (std::size_t i = 0; i < out.size(); ++i) {
    Element element;
    std::memcpy(&element, tensor.raw.data() + i * sizeof element, sizeof element);
    out[i] = Number(element);
  }
  return out;
}

template <class Number>
std::vector<Number> converted_integers(const OnnxTensor& tensor) {
  switch (tensor.type) {
    case Type::kUint8:
      return converted<Number, std::uint8_t>(tensor);
    case Type::kInt8:
      return converted<Number, std::int8_t>(tensor);
    case Type::kInt32:
      return converted<Number, std::int32_t>(tensor);
    case Type::kInt64:
      return converted<Number, std::int64_t>(tensor);
    case Type::kFloat:
      break;
  }
  throw TensorFault("has elements of type float", "integers");
}

}  // namespace

const char* name_of(Type type) {
  switch (type) {
    case Type::kUint8:
      return "uint8";
    case Type::kInt8:
      return "int8";
    case Type::kInt32:
      return "int32";
    case Type::kInt64:
      return "int64";
    case Type::kFloat:
      return "float";
  }
  return "unknown";
}

std::string type_name(int onnx_type) {
  if (!onnx::TensorProto::DataType_IsValid(onnx_type)) return std::to_string(onnx_type);
  std::string name = onnx::TensorProto::DataType_Name(onnx::TensorProto::DataType(onnx_type));
  for (char& c : name) c = char(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return name;
}

onnx::TensorProto encoded(const OnnxTensor& tensor) {
  onnx::TensorProto stored;
  stored.set_name(tensor.name);
  stored.set_data_type(onnx_type(tensor.type));
  for (const std::int64_t extent : tensor.dims) stored.add_dims(extent);
  stored.set_raw_data(tensor.raw.data(), tensor.raw.size());
  return stored;
}

OnnxTensor decode(const onnx::TensorProto& stored, const std::string& folder) {
  if (stored.has_segment()) throw TensorFault("is a segment of a larger tensor", "whole tensors");
  OnnxTensor tensor;
  tensor.name = stored.name();
  tensor.type = type_of(stored.data_type());
  tensor.dims.assign(stored.dims().begin(), stored.dims().end());
  const std::int64_t elements = checked_elements(stored);
  if (stored.data_type() == onnx::TensorProto::DOUBLE) {
    tensor.raw = from_doubles(stored, elements);
    return tensor;
  }
  if (stored.data_location() == onnx::TensorProto::EXTERNAL || stored.external_data_size() > 0) {
    tensor.raw = read_external(stored, folder, elements * std::int64_t(width_of(tensor.type)));
    return tensor;
  }
  if (!stored.has_raw_data()) {
    tensor.raw = from_fields(stored, tensor.type, elements);
    return tensor;
  }
  const std::string& raw = stored.raw_data();
  const std::int64_t expected = elements * std::int64_t(width_of(tensor.type));
  if (std::int64_t(raw.size()) != expected) wrong_length(std::int64_t(raw.size()), expected, " bytes");
  tensor.raw.assign(raw.begin(), raw.end());
  return tensor;
}

std::int64_t OnnxTensor::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : dims) product *= extent;
  return product;
}

std::vector<double> numbers(const OnnxTensor& tensor) {
  return tensor.type == Type::kFloat ? converted<double, float>(tensor) : converted_integers<double>(tensor);
}

std::vector<std::int64_t> integers(const OnnxTensor& tensor) { return converted_integers<std::int64_t>(tensor); }

}  // namespace mho::dnn
