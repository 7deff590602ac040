// SPDX-License-Identifier: Apache-2.0
// How the weight matrix of a layer is cut into row blocks. Only shapes: the same rule tells how many crossbars a
// network needs, what is encoded, and what an image that comes in must contain. Rule of ISAAC (ISCA 2016, section IV):
// dot products spill over crossbars by rows; groups that are small share a crossbar block-diagonally. Where the machine
// has `toeplitz`, rows and columns that stay free hold copies for neighbouring windows (RAELLA, ISCA 2023).
#pragma once

#include <cstdint>
#include <vector>

#include "models/arithmetic/encoding.h"
#include "models/dnn/graph.h"
#include "models/mapping/machine.h"

namespace mho::mapping {

/// Part of the matrix [groups * dot length][filters] that one row block holds; filters of an expanded layer count
/// [window][filter].
struct BlockShape {
  int row_first = 0;  ///< in the order [group][ky][kx][c]
  int filter_first = 0;
  int rows = 0;  ///< 1 .. crossbar.rows
  int filters = 0;
};

/// All row blocks of one convolution, by arithmetic alone: nothing grows with the network. Needs a node whose shapes
/// are valid and whose groups * dot length fits an int.
///
/// Partial Toeplitz expansion: one vector computes t neighbouring windows of a row. It holds the elements of all of
/// them, so the kernel is kernel_width + (t - 1) stride_x wide and moves by t stride_x; filter f of window p has its
/// weights p stride_x further right, and weight 0 elsewhere. The rule: t is the largest, up to the row's width, for
/// which one copy takes no more crossbars than for t = 1. Both row blocks and crossbars of a block grow with t, so
/// neither may. Only layers without groups that fit into one tile, whose psums all meet there, are expanded [default],
/// and none whose kernel is dilated along the row: its elements would interleave with those of other windows.
class BlockLayout {
 public:
  BlockLayout(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine);

  std::int64_t count() const { return count_; }
  BlockShape at(std::int64_t index) const;
  /// Crossbars of one copy of the layer.
  std::int64_t crossbars() const;
  /// Rows of one group; of all windows that one vector computes.
  int dot_length() const { return dot_length_; }
  /// Of all windows that one vector computes.
  int filters_per_group() const { return filters_per_group_; }
  /// Windows that one vector computes, t.
  int expansion() const { return expansion_; }
  /// EncodedBlock::weighted of a block of this shape.
  std::vector<arithmetic::FilterRange> weighted(const BlockShape& shape) const;

 private:
  int free_expansion(std::int64_t width, std::int64_t most_crossbars) const;
  std::int64_t crossbars_of(std::int64_t filters) const;
  arithmetic::FilterRange weighted_windows(int row) const;

  int rows_, filters_per_crossbar_;
  int groups_, dot_length_, filters_per_group_;
  dnn::Window window_;        ///< of one window, whatever the expansion
  int groups_per_block_ = 0;  ///< where a dot product fits the rows, else 0
  int blocks_per_group_ = 1;
  int expansion_ = 1;
  std::int64_t count_ = 0;
};

/// The window that a vector of `expansion` windows slides: its padding grows to the right as far as it must.
dnn::Window expanded_window(const dnn::Window& window, int expansion);
/// Vectors that compute a row of `width` windows; the last one is cropped.
inline int vectors_of_row(int width, int expansion) { return (width - 1) / expansion + 1; }

/// Crossbars that `filters` filters of one row block take, `slices` columns each.
int crossbars_for(int filters, int slices, const Machine& machine);

}  // namespace mho::mapping
