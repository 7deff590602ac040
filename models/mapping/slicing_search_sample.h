// SPDX-License-Identifier: Apache-2.0
// What the search for slicings looks at: windows drawn from the calibration inputs, as the codes that drive the row
// blocks of each layer. Exact values: every layer sees what the integer reference computes before it.
#pragma once

#include <cstdint>
#include <vector>

#include "models/mapping/block_layout.h"
#include "models/mapping/slicing_search.h"

namespace mho::mapping {

/// One row block and what drives it.
struct SampledBlock {
  BlockShape shape;
  std::vector<std::uint8_t> codes;  ///< [vectors][shape.rows], of the layer's input
};

struct LayerSample {
  int node = 0;        ///< index in graph.nodes
  BlockLayout layout;  ///< of which the blocks are
  int vectors = 0;
  std::vector<int> windows;          ///< of each vector: layout.expansion(), fewer at the end of a row
  std::vector<SampledBlock> blocks;  ///< in the order of BlockLayout
};

/// A layer cut into so many slices: where machines expand layers, the number of slices decides how far.
struct SampledLayer {
  int node = 0, slices = 1;
};

/// `count` of the numbers 0 .. total - 1, ascending, every choice equally likely; all where there are fewer.
std::vector<std::int64_t> draw_positions(std::int64_t total, int count, std::uint64_t seed);

/// Layouts of a layer cut into `slices` slices, whatever slicing the machine gives it.
BlockLayout layout_of(const dnn::Graph& graph, const SampledLayer& layer, const Machine& machine);

/// Samples of convolutions of the graph. The vectors that a layer computes are numbered (inference * height + y) *
/// vectors of a row + x and drawn with the seed mix(options.seed, node): as many as have options.positions windows.
std::vector<LayerSample> sample_layers(const dnn::Graph& graph, const std::vector<SampledLayer>& layers,
                                       const Machine& machine, const CalibrationInputs& inputs,
                                       const SlicingSearch& options);

}  // namespace mho::mapping
