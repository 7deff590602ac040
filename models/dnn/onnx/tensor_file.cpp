// SPDX-License-Identifier: Apache-2.0
// Tensor files (one TensorProto each) and the step between ONNX's channel-first order and the graph's channel-last one.
#include <cmath>
#include <cstring>

#include "models/dnn/codes.h"
#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/onnx/protobuf_file.h"
#include "models/dnn/onnx/stored_tensor.h"
#include "models/input_error.h"

namespace mho::dnn {

namespace {

using Type = OnnxTensor::Type;
using Codes = std::vector<std::uint8_t>;

constexpr const char* kTensorFile = "an ONNX tensor file";

std::string expected_dims(const Tensor& tensor) {
  const Shape& s = tensor.shape;
  const std::string channels = std::to_string(s.channels);
  if (tensor.sequence) return "[N, " + std::to_string(s.height * s.width) + ", " + channels + "]";
  const std::string map = "[N, " + channels + ", " + std::to_string(s.height) + ", " + std::to_string(s.width) + "]";
  return s.height == 1 && s.width == 1 ? "[N, " + channels + "] or " + map : map;
}

/// Moves elements of one inference between the file's order and the graph's, [H][W][C]: move(index in the file, index
/// in the graph). Files hold maps as [C][H][W] and sequences as the graph does.
template <class Move>
void for_each_element(const Tensor& tensor, const Move& move) {
  const Shape& shape = tensor.shape;
  if (tensor.sequence) {
    for (std::size_t i = 0; i < shape.bytes(); ++i) move(i, i);
    return;
  }
  const auto pixels = std::size_t(shape.height) * std::size_t(shape.width);
  const auto channels = std::size_t(shape.channels);
  for (std::size_t p = 0; p < pixels; ++p)
    for (std::size_t c = 0; c < channels; ++c) move(c * pixels + p, p * channels + c);
}

float number_at(const std::uint8_t* raw, std::size_t index) {
  float value;
  std::memcpy(&value, raw + index * sizeof value, sizeof value);
  return value;
}

Codes quantised(const std::uint8_t* raw, const Tensor& tensor, const std::string& path) {
  const Quantiser quantise(tensor, lowest_code(tensor.type), highest_code(tensor.type));
  Codes codes(tensor.shape.bytes());
  for_each_element(tensor, [&](std::size_t from, std::size_t to) {
    const float value = number_at(raw, from);
    if (std::isnan(value)) throw InputError(path, 0, 0, "holds a value that is not a number", "numbers");
    codes[to] = quantise(value);
  });
  return codes;
}

Codes copied(const std::uint8_t* raw, const Tensor& tensor) {
  Codes codes(tensor.shape.bytes());
  for_each_element(tensor, [&](std::size_t from, std::size_t to) { codes[to] = raw[from]; });
  return codes;
}

Type stored_type(CodeType type) { return type == CodeType::kUint8 ? Type::kUint8 : Type::kInt8; }

}  // namespace

std::string text_of(const std::vector<std::int64_t>& dims) {
  std::string text = "[";
  for (const std::int64_t extent : dims) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

std::vector<std::int64_t> dims_of(const Tensor& tensor) {
  const Shape& s = tensor.shape;
  if (tensor.sequence) return {std::int64_t(s.height) * s.width, s.channels};
  if (s.height == 1 && s.width == 1) return {s.channels};
  return {s.channels, s.height, s.width};
}

bool hold_inferences(const std::vector<std::int64_t>& dims, const Tensor& tensor) {
  if (dims.empty()) return false;
  const Shape& s = tensor.shape;
  const std::vector<std::int64_t> inference(dims.begin() + 1, dims.end());
  const std::vector<std::int64_t> map{s.channels, s.height, s.width};
  return inference == dims_of(tensor) || (!tensor.sequence && inference == map);
}

OnnxTensor read_tensor(const std::string& path) {
  onnx::TensorProto stored;
  read_message(path, kTensorFile, stored);
  try {
    return decode(stored);
  } catch (const TensorFault& fault) {
    throw InputError(path, 0, 0, fault.what(), fault.allowed);
  }
}

void write_tensor(const std::string& path, const OnnxTensor& tensor) {
  const onnx::TensorProto stored = encoded(tensor);
  std::string bytes;
  if (tensor.raw.size() > std::size_t(kMaxFileBytes) || !stored.SerializeToString(&bytes))
    throw InputError(path, 0, 0, "tensor is too large for a file", "at most " + std::to_string(kMaxFileBytes));
  write_whole_file(path, bytes);
}

std::vector<Codes> to_codes(const OnnxTensor& stored, const Tensor& tensor, std::int64_t limit,
                            const std::string& path) {
  if (!hold_inferences(stored.dims, tensor))
    throw InputError(path, 0, 0, "has dimensions " + text_of(stored.dims) + " for input " + excerpt(tensor.name),
                     expected_dims(tensor));
  if (stored.type != Type::kFloat && stored.type != stored_type(tensor.type))
    throw InputError(path, 0, 0, std::string("holds ") + name_of(stored.type) + " for input " + excerpt(tensor.name),
                     std::string(name_of(stored_type(tensor.type))) + " or float");
  const std::size_t width = stored.type == Type::kFloat ? sizeof(float) : 1;
  const std::size_t bytes = tensor.shape.bytes() * width;
  if (stored.raw.size() != std::size_t(stored.dims[0]) * bytes)
    throw InputError(path, 0, 0, "holds " + std::to_string(stored.raw.size()) + " bytes", "one per element");
  const std::int64_t count = limit > 0 ? std::min(limit, stored.dims[0]) : stored.dims[0];
  std::vector<Codes> inferences;
  inferences.reserve(std::size_t(count));
  for (std::size_t n = 0; n < std::size_t(count); ++n) {
    const std::uint8_t* raw = stored.raw.data() + n * bytes;
    inferences.push_back(stored.type == Type::kFloat ? quantised(raw, tensor, path) : copied(raw, tensor));
  }
  return inferences;
}

std::vector<float> to_reals(const OnnxTensor& stored, const Tensor& tensor, std::size_t index) {
  const std::size_t first = index * tensor.shape.bytes();
  const std::uint8_t* raw = stored.raw.data();
  std::vector<float> reals(tensor.shape.bytes());
  for_each_element(tensor, [&](std::size_t from, std::size_t to) {
    if (stored.type == Type::kFloat) {
      reals[to] = number_at(raw, first + from);
    } else {
      const std::uint8_t code = raw[first + from];
      reals[to] =
          float(((stored.type == Type::kInt8 ? std::int8_t(code) : int(code)) - tensor.zero_point) * tensor.scale);
    }
  });
  return reals;
}

OnnxTensor from_codes(const std::vector<Codes>& inferences, const Tensor& tensor) {
  OnnxTensor stored;
  stored.name = tensor.name;
  stored.type = stored_type(tensor.type);
  stored.dims = dims_of(tensor);
  stored.dims.insert(stored.dims.begin(), std::int64_t(inferences.size()));
  const std::size_t bytes = tensor.shape.bytes();
  stored.raw.resize(inferences.size() * bytes);
  std::uint8_t* raw = stored.raw.data();
  for (const Codes& codes : inferences) {
    if (codes.size() != bytes) throw std::invalid_argument("from_codes: an inference has the wrong length");
    for_each_element(tensor, [&](std::size_t to, std::size_t from) { raw[to] = codes[from]; });
    raw += bytes;
  }
  return stored;
}

}  // namespace mho::dnn
