// SPDX-License-Identifier: Apache-2.0
// One inference after the other; between two of them the thread looks whether anybody still wants them.
#include "platforms/scenario/expected_outputs.h"

#include <thread>
#include <utility>

#include "models/dnn/reference.h"

namespace mho {
namespace {

using Inputs = std::vector<std::vector<std::vector<std::uint8_t>>>;

Outputs compute(const dnn::Graph& graph, const Inputs& inputs, const std::atomic<bool>& wanted) {
  const dnn::Reference reference(graph);
  Outputs outputs(graph.outputs.size());
  for (const auto& inference : inputs) {
    if (!wanted) break;
    std::vector<std::vector<std::uint8_t>> tensors = reference.run(inference);
    for (std::size_t i = 0; i < graph.outputs.size(); ++i) outputs[i].push_back(tensors[std::size_t(graph.outputs[i])]);
  }
  return outputs;
}

}  // namespace

ExpectedOutputs::ExpectedOutputs(const dnn::Graph& graph, const Inputs& inputs) {
  const auto policy = std::thread::hardware_concurrency() > 1 ? std::launch::async : std::launch::deferred;
  outputs_ = std::async(policy, [this, &graph, &inputs] { return compute(graph, inputs, wanted_); }).share();
}

ExpectedOutputs::~ExpectedOutputs() { wanted_ = false; }

}  // namespace mho
