// SPDX-License-Identifier: Apache-2.0
// Reads ONNX models, quantised ones (QDQ and QLinear nodes) and float ones, and ONNX tensor files into models/dnn.
// Shapes are inferred by our own operators, never by the library's shape inference. What is not supported is refused
// with node and operator.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/dnn/graph.h"
#include "models/dnn/quantisation/float_network.h"

namespace mho::dnn {

/// Reads a model as it is: real where the file states no codes. Batch normalisation and constant factors stand in the
/// weights before them; what remains is validated. Throws mho::InputError (file = path, no line) naming the node.
FloatNetwork read_network(const std::string& path);
/// Reads a quantised model; refuses one in which something is still real.
Graph read_onnx(const std::string& path);

/// A tensor file (.pb): dimensions and codes or numbers as stored, row-major.
struct OnnxTensor {
  enum class Type : std::uint8_t { kUint8, kInt8, kInt32, kInt64, kFloat };
  std::string name;
  Type type = Type::kUint8;
  std::vector<std::int64_t> dims;
  std::vector<std::uint8_t> raw;  ///< little endian elements
  std::int64_t elements() const;
};

/// Throws mho::InputError on anything that is not one tensor of a supported type with matching length.
OnnxTensor read_tensor(const std::string& path);
/// Writes to a temporary file and renames it, so nothing half-written stays behind.
void write_tensor(const std::string& path, const OnnxTensor& tensor);

/// Elements of an integer tensor. Throws TensorFault (stored_tensor.h), a std::runtime_error, on floats.
std::vector<std::int64_t> integers(const OnnxTensor& tensor);

/// Dimensions of one inference of `tensor` in files: [C, H, W], [C] of a vector, [positions, C] of a sequence.
std::vector<std::int64_t> dims_of(const Tensor& tensor);
/// True where `dims` are those of inferences of `tensor`: one axis that counts them, then dims_of; a vector may stand
/// as [N, C, 1, 1] as well.
bool hold_inferences(const std::vector<std::int64_t>& dims, const Tensor& tensor);
/// "[2, 3]".
std::string text_of(const std::vector<std::int64_t>& dims);

/// Real values [H][W][C] of inference `index` of a stored tensor whose dimensions and type fit: numbers as they are,
/// codes by scale and zero point of `tensor`.
std::vector<float> to_reals(const OnnxTensor& stored, const Tensor& tensor, std::size_t index);

/// Inferences of a stored tensor [N, C, H, W] (or [N, C], or [N, positions, C] of a sequence) as codes of graph input
/// `tensor`, each [H][W][C]. Float
/// tensors are quantised with the input's scale. At most `limit` inferences where limit > 0.
/// Throws mho::InputError where type or shape does not fit.
std::vector<std::vector<std::uint8_t>> to_codes(const OnnxTensor& stored, const Tensor& tensor, std::int64_t limit,
                                                const std::string& path);
/// The way back: inferences of [H][W][C] codes as one ONNX tensor [N, C, H, W], [N, C] where H = W = 1, or
/// [N, positions, C] of a sequence.
OnnxTensor from_codes(const std::vector<std::vector<std::uint8_t>>& inferences, const Tensor& tensor);

}  // namespace mho::dnn
