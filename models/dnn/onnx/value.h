// SPDX-License-Identifier: Apache-2.0
// What a value of an ONNX graph stands for while the graph is read: a constant, codes, the real numbers behind codes,
// or the result of a node that is still open: a QuantizeLinear, a Relu or a batch normalisation behind it may join it.
#pragma once

#include <limits>
#include <memory>
#include <vector>

#include "models/dnn/onnx/onnx_proto.h"
#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/onnx/view.h"
#include "models/dnn/quantisation/float_network.h"

namespace mho::dnn {

/// A constant behind a DequantizeLinear: weights or bias.
struct ScaledConstant {
  OnnxTensor codes;
  std::vector<double> scale;  ///< one, or one an index of `axis`
  int axis = 0;
};

/// A node whose output is no tensor yet.
struct PendingNode {
  Node node;
  RealWeights real;       ///< of a convolution without codes
  bool has_bias = false;  ///< of a convolution with codes
  RealRange range;        ///< set by Relu and Clip
  std::string name;       ///< of the last ONNX value that joined
  Shape shape;
  bool sequence = false;
  int tensor = -1;        ///< the output, once the node is closed
  int sole_product = -1;  ///< kMatMul: its first input, if nothing else reads that
  bool is_open() const { return tensor < 0; }
  bool is_bounded() const { return !(range.lower < -kHuge && range.upper > kHuge); }

 private:
  static constexpr double kHuge = std::numeric_limits<double>::max();
};

struct Value {
  enum class Kind : std::uint8_t {
    kConstant,        ///< `constant` as stored
    kScaledConstant,  ///< `scaled`
    kFloatInput,      ///< a float graph input that QuantizeLinear alone reads, `shape`; it becomes what that writes
    kCodes,           ///< codes of `tensor`
    kReal,            ///< the real values of `tensor`
    kPending,         ///< the real result of `pending`
  };
  Kind kind = Kind::kConstant;
  View view;    ///< of activations
  Shape shape;  ///< as stored, of activations
  int tensor = -1;
  const onnx::TensorProto* constant = nullptr;
  bool of_batch = false;  ///< a constant that a leading axis without number went into, as 1
  std::shared_ptr<const ScaledConstant> scaled;
  std::shared_ptr<PendingNode> pending;
};

}  // namespace mho::dnn
