// SPDX-License-Identifier: Apache-2.0
// One table of words, operators and inputs.
#include "platforms/scenario/layer_kind.h"

#include <array>

namespace mho {
namespace {

using dnn::Operator;

struct Entry {
  LayerKind kind;
  const char* word;
  Operator op;
  LayerInputs inputs = LayerInputs::kOne;
};

constexpr std::array<Entry, 24> kEntries{{
    {LayerKind::kConvolution, "convolution", Operator::kConvolution},
    {LayerKind::kDepthwise, "depthwise_convolution", Operator::kConvolution},
    {LayerKind::kLinear, "linear", Operator::kConvolution},
    {LayerKind::kFullyConnected, "fully_connected", Operator::kConvolution},
    {LayerKind::kMaxPool, "max_pool", Operator::kMaxPool},
    {LayerKind::kAveragePool, "average_pool", Operator::kAveragePool},
    {LayerKind::kGlobalAveragePool, "global_average_pool", Operator::kAveragePool},
    {LayerKind::kAdd, "add", Operator::kAdd, LayerInputs::kTwo},
    {LayerKind::kMultiply, "multiply", Operator::kMultiply, LayerInputs::kTwo},
    {LayerKind::kConcat, "concat", Operator::kConcat, LayerInputs::kSeveral},
    {LayerKind::kRelu, "relu", Operator::kRequantise},
    {LayerKind::kBatchNorm, "batch_norm", Operator::kAffine},
    {LayerKind::kSlice, "channel_slice", Operator::kSelect},
    {LayerKind::kShuffle, "channel_shuffle", Operator::kSelect},
    {LayerKind::kPad, "pad", Operator::kPad},
    {LayerKind::kSigmoid, "sigmoid", Operator::kFunction},
    {LayerKind::kTanh, "tanh", Operator::kFunction},
    {LayerKind::kLeakyRelu, "leaky_relu", Operator::kFunction},
    {LayerKind::kHardSigmoid, "hard_sigmoid", Operator::kFunction},
    {LayerKind::kHardSwish, "hard_swish", Operator::kFunction},
    {LayerKind::kGelu, "gelu", Operator::kFunction},
    {LayerKind::kSoftmax, "softmax", Operator::kSoftmax},
    {LayerKind::kLayerNorm, "layer_norm", Operator::kLayerNorm},
    {LayerKind::kMatMul, "matmul", Operator::kMatMul, LayerInputs::kTwo},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kEntries.size(); ++i)
    if (std::size_t(kEntries[i].kind) != i) return false;
  return kEntries.size() == std::size_t(LayerKind::kMatMul) + 1;
}
static_assert(in_order(), "kinds index the table");

const Entry& entry_of(LayerKind kind) { return kEntries[std::size_t(kind)]; }

}  // namespace

LayerKind read_kind(config::Reader& row) {
  std::vector<std::pair<std::string, LayerKind>> words;
  for (const Entry& entry : kEntries) words.emplace_back(entry.word, entry.kind);
  return row.get("op", config::choice<LayerKind>(words), config::kRequired, "what the layer computes");
}

Operator operator_of(LayerKind kind) { return entry_of(kind).op; }

LayerInputs inputs_of(LayerKind kind) { return entry_of(kind).inputs; }

bool needs_map(LayerKind kind) {
  const Operator op = operator_of(kind);
  const bool slides = op == Operator::kConvolution || op == Operator::kMaxPool || op == Operator::kAveragePool;
  return (slides && kind != LayerKind::kLinear) || op == Operator::kPad;
}

bool can_be_rectified(LayerKind kind) {
  const Operator op = operator_of(kind);
  return op == Operator::kConvolution || op == Operator::kAdd || op == Operator::kMultiply || op == Operator::kAffine;
}

}  // namespace mho
