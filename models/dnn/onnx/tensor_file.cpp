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

std::string text_of(const std::vector<std::int64_t>& dims) {
  std::string text = "[";
  for (const std::int64_t extent : dims) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

std::string expected_dims(const Tensor& tensor) {
  const Shape& s = tensor.shape;
  const std::string channels = std::to_string(s.channels);
  if (tensor.sequence) return "[N, " + std::to_string(s.height * s.width) + ", " + channels + "]";
  const std::string map = "[N, " + channels + ", " + std::to_string(s.height) + ", " + std::to_string(s.width) + "]";
  return s.height == 1 && s.width == 1 ? "[N, " + channels + "] or " + map : map;
}

bool fits(const std::vector<std::int64_t>& dims, const Tensor& tensor) {
  const Shape& s = tensor.shape;
  if (tensor.sequence) return dims.size() == 3 && dims[1] == std::int64_t(s.height) * s.width && dims[2] == s.channels;
  if (dims.size() == 2) return s.height == 1 && s.width == 1 && dims[1] == s.channels;
  return dims.size() == 4 && dims[1] == s.channels && dims[2] == s.height && dims[3] == s.width;
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

Codes quantised(const std::uint8_t* raw, const Tensor& tensor, const std::string& path) {
  const Quantiser quantise(tensor, lowest_code(tensor.type), highest_code(tensor.type));
  Codes codes(tensor.shape.bytes());
  for_each_element(tensor, [&](std::size_t from, std::size_t to) {
    float value;
    std::memcpy(&value, raw + from * sizeof value, sizeof value);
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
  if (!fits(stored.dims, tensor))
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

OnnxTensor from_codes(const std::vector<Codes>& inferences, const Tensor& tensor) {
  const Shape& s = tensor.shape;
  OnnxTensor stored;
  stored.name = tensor.name;
  stored.type = stored_type(tensor.type);
  stored.dims = {std::int64_t(inferences.size()), s.channels};
  if (tensor.sequence)
    stored.dims.insert(stored.dims.begin() + 1, std::int64_t(s.height) * s.width);
  else if (s.height != 1 || s.width != 1)
    stored.dims.insert(stored.dims.end(), {s.height, s.width});
  stored.raw.resize(inferences.size() * s.bytes());
  std::uint8_t* raw = stored.raw.data();
  for (const Codes& codes : inferences) {
    if (codes.size() != s.bytes()) throw std::invalid_argument("from_codes: an inference has the wrong length");
    for_each_element(tensor, [&](std::size_t to, std::size_t from) { raw[to] = codes[from]; });
    raw += s.bytes();
  }
  return stored;
}

}  // namespace mho::dnn
