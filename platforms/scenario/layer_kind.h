// SPDX-License-Identifier: Apache-2.0
// The words that rows of a layer table may hold behind `op`, and what the graph makes of them.
#pragma once

#include "models/dnn/graph.h"
#include "platforms/config/reader.h"

namespace mho {

enum class LayerKind {
  kConvolution,
  kDepthwise,
  kLinear,
  kFullyConnected,
  kMaxPool,
  kAveragePool,
  kGlobalAveragePool,
  kAdd,
  kMultiply,
  kConcat,
  kRelu,
  kBatchNorm,
  kSlice,
  kShuffle,
  kPad,
  kSigmoid,
  kTanh,
  kLeakyRelu,
  kHardSigmoid,
  kHardSwish,
  kGelu,
  kSoftmax,
  kLayerNorm,
  kMatMul,
};

/// The key `op` of a row.
LayerKind read_kind(config::Reader& row);

dnn::Operator operator_of(LayerKind kind);

/// How many layers a row of this kind reads: one, two, or two and more.
enum class LayerInputs { kOne, kTwo, kSeveral };
LayerInputs inputs_of(LayerKind kind);

/// True where the kind's window would slide over the pixels of a map, which a sequence does not have.
bool needs_map(LayerKind kind);
/// True where a ReLU can be fused behind the layer.
bool can_be_rectified(LayerKind kind);

}  // namespace mho
