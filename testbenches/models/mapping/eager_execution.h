// SPDX-License-Identifier: Apache-2.0
// An independent execution of a network's row dependencies with bounded buffers, for tests: whoever can compute a row
// does so, in any order, images back to back. Windows are walked tap by tap here, not by the functions under test.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "models/dnn/graph.h"
#include "models/mapping/program.h"

namespace mho::mapping {

/// Rows of input `input` that output row `y` of a node reads.
std::vector<int> rows_read(const dnn::Graph& graph, const dnn::Node& node, int y, std::size_t input = 0);

/// A schedule without a plan: actions are loading, computing and storing one row.
class EagerExecution {
 public:
  EagerExecution(const dnn::Graph& graph, const std::vector<RowBuffer>& buffers, int images);

  /// Takes enabled actions until none is left, one at random or - `lifo` - always the last in node order. True where
  /// every row of every image has been produced and every network output stored; false is a deadlock.
  bool run(std::mt19937& random, bool lifo);

 private:
  /// A consumer's view of one tensor; rows count through all images.
  struct Reader {
    int tensor = 0, consumer = -1, capacity = 0;
    std::int64_t released = 0;
  };

  bool can_produce(int tensor) const;
  void produce(int tensor);
  void release_after(int node);
  int height(int tensor) const { return graph_.tensors[std::size_t(tensor)].shape.height; }

  const dnn::Graph& graph_;
  int images_;
  std::vector<int> producer_;           ///< node of each tensor, -1 for network inputs
  std::vector<std::int64_t> produced_;  ///< rows of each tensor
  std::vector<Reader> readers_;
  std::vector<std::vector<std::size_t>> of_tensor_, of_node_;      ///< indices of readers
  std::vector<std::vector<std::vector<std::vector<int>>>> reads_;  ///< [node][input][y]: rows read
  std::vector<std::vector<std::vector<int>>> needed_from_;  ///< [node][input][y]: first row that y and later ones read
};

}  // namespace mho::mapping
