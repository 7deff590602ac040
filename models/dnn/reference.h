// SPDX-License-Identifier: Apache-2.0
// The integer reference, made once for a graph and run for many inferences: what every machine is compared with.
// Packs the weights once and multiplies many windows at a time; it models no time and no hardware.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/dnn/graph.h"

namespace mho::dnn {

class Reference {
 public:
  /// Validates the graph (throws mho::InputError) and packs its weights. `graph` must outlive this object.
  explicit Reference(const Graph& graph);
  ~Reference();
  Reference(Reference&&) noexcept;

  /// One inference: `inputs` in the order of graph.inputs, each [height][width][channels]; returns every tensor of the
  /// graph. Throws mho::InputError where an input has the wrong size. Const and safe from several threads.
  std::vector<std::vector<std::uint8_t>> run(const std::vector<std::vector<std::uint8_t>>& inputs) const;

 private:
  struct Packed;
  const Graph* graph_;
  std::vector<std::unique_ptr<Packed>> packed_;  ///< one a node, null where it is no convolution
};

}  // namespace mho::dnn
