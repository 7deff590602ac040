// SPDX-License-Identifier: Apache-2.0
// What a value of an ONNX graph stands for while the graph is read. In a quantised graph real numbers only describe
// codes, so a real value is either codes seen through a DequantizeLinear or the result of a node that a QuantizeLinear
// will finish.
#pragma once

#include <limits>
#include <memory>
#include <vector>

#include "models/dnn/graph.h"
#include "models/dnn/onnx/onnx_proto.h"
#include "models/dnn/onnx/onnx_reader.h"

namespace mho::dnn {

/// A constant behind a DequantizeLinear: weights or bias.
struct ScaledConstant {
  OnnxTensor codes;
  std::vector<double> scale;  ///< one, or one an index of `axis`
  int axis = 0;
};

/// A node whose output codes are not known yet.
struct PendingNode {
  Node node;
  bool has_bias = false;
  double lower = -std::numeric_limits<double>::infinity();  ///< real bounds set by Relu and Clip
  double upper = std::numeric_limits<double>::infinity();
};

struct Value {
  enum class Kind : std::uint8_t {
    kConstant,        ///< `constant` as stored
    kScaledConstant,  ///< `scaled`
    kFloatInput,      ///< a graph input in float, `shape`; becomes the tensor that its QuantizeLinear writes
    kCodes,           ///< codes of `tensor`
    kReal,            ///< the real values of `tensor`
    kPending,         ///< the real result of `pending`
  };
  Kind kind = Kind::kConstant;
  int rank = 0;  ///< 4: [N, C, H, W]; 2: [N, C], or a flattened map where shape has more than one pixel
  Shape shape;
  int tensor = -1;
  const onnx::TensorProto* constant = nullptr;
  std::shared_ptr<const ScaledConstant> scaled;
  std::shared_ptr<PendingNode> pending;
};

}  // namespace mho::dnn
