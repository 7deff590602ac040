// SPDX-License-Identifier: Apache-2.0
// The outputs of the integer reference, computed by a thread of their own while the simulation, which has only one,
// goes on. On a computer with a single core they are computed when somebody asks for them.
#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <vector>

#include "models/dnn/graph.h"

namespace mho {

/// Outputs of a run, [graph output][inference].
using Outputs = std::vector<std::vector<std::vector<std::uint8_t>>>;

class ExpectedOutputs {
 public:
  /// Begins with inputs[inference][graph input]; both must stay where they are until this object is gone.
  ExpectedOutputs(const dnn::Graph& graph, const std::vector<std::vector<std::vector<std::uint8_t>>>& inputs);
  /// Gives up what is not computed yet.
  ~ExpectedOutputs();
  ExpectedOutputs(const ExpectedOutputs&) = delete;
  ExpectedOutputs& operator=(const ExpectedOutputs&) = delete;

  /// Waits for them. Throws what the reference throws.
  const Outputs& get() { return outputs_.get(); }

 private:
  std::atomic<bool> wanted_{true};
  std::shared_future<Outputs> outputs_;
};

}  // namespace mho
