// SPDX-License-Identifier: Apache-2.0
// From ONNX's TensorProto, with its raw and typed fields, to plain tensors, and back.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/dnn/onnx/onnx_proto.h"
#include "models/dnn/onnx/onnx_reader.h"

namespace mho::dnn {

/// What is wrong with a stored tensor, without place; readers turn it into an InputError.
struct TensorFault : std::runtime_error {
  TensorFault(const std::string& problem, std::string allowed_text)
      : std::runtime_error(problem), allowed(std::move(allowed_text)) {}
  std::string allowed;
};

/// More elements than a file of the permitted size can hold are refused, so that products fit 64 bits.
inline constexpr std::int64_t kMaxTensorElements = std::int64_t(1) << 32;

/// Throws TensorFault on unsupported types, dimensions below 1, lengths that do not match. External data is read from
/// `folder`, and refused where that is empty. Bools become uint8, doubles float.
OnnxTensor decode(const onnx::TensorProto& stored, const std::string& folder = {});
/// The way back.
onnx::TensorProto encoded(const OnnxTensor& tensor);

/// ONNX's name of a type: "uint8", "float".
const char* name_of(OnnxTensor::Type type);
/// The same for any of ONNX's types: "float16".
std::string type_name(int onnx_type);

/// Elements as numbers, exact for every supported type but int64 beyond 2^53.
std::vector<double> numbers(const OnnxTensor& tensor);

}  // namespace mho::dnn
