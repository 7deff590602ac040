// SPDX-License-Identifier: Apache-2.0
// How the weight matrix of a layer is cut into row blocks. Only shapes: the same rule tells how many crossbars a
// network needs, what is encoded, and what an image that comes in must contain. Rule of ISAAC (ISCA 2016, section IV):
// dot products spill over crossbars by rows; groups that are small share a crossbar block-diagonally.
#pragma once

#include <cstdint>

#include "models/dnn/graph.h"
#include "models/mapping/machine.h"

namespace mho::mapping {

/// Part of the matrix [groups * dot length][filters] that one row block holds.
struct BlockShape {
  int row_first = 0;  ///< in the order [group][ky][kx][c]
  int filter_first = 0;
  int rows = 0;  ///< 1 .. crossbar.rows
  int filters = 0;
};

/// All row blocks of one convolution, by arithmetic alone: nothing grows with the network. Needs a node whose shapes
/// are valid and whose groups * dot length fits an int.
class BlockLayout {
 public:
  BlockLayout(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine);

  std::int64_t count() const { return count_; }
  BlockShape at(std::int64_t index) const;
  /// Crossbars of one copy of the layer.
  std::int64_t crossbars() const;
  int dot_length() const { return dot_length_; }
  int filters_per_group() const { return filters_per_group_; }

 private:
  std::int64_t crossbars_of(std::int64_t filters) const;

  int rows_, filters_per_crossbar_;
  int groups_, dot_length_, filters_per_group_;
  int groups_per_block_ = 0;  ///< where a dot product fits the rows, else 0
  int blocks_per_group_ = 1;
  std::int64_t count_ = 0;
};

/// Crossbars that `filters` filters of one row block take.
int crossbars_for(int filters, const Machine& machine);

}  // namespace mho::mapping
