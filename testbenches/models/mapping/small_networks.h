// SPDX-License-Identifier: Apache-2.0
// A small network with every kind of node, and a machine so small that it fills several tiles and chips.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/dnn/graph.h"
#include "models/mapping/program.h"

namespace mho::mapping {

/// 12x12x5 input of which all zero points differ from 0: 3x3 convolution, depthwise and grouped convolutions, a
/// shortcut, a concatenation, pools, a fully connected layer on signed codes. Weights are seeded and use all of int8.
dnn::Graph every_node(unsigned seed = 1);

/// A sequence of 34 positions of 8 channels through attention with two heads, layer normalisation, a gate and a split;
/// with every_node all operators there are.
dnn::Graph every_activation();

/// One 1x1 convolution named conv1 on 1x1 maps; weights[filter][row].
dnn::Graph one_layer(int rows, int filters, const std::vector<std::int8_t>& weights,
                     dnn::CodeType type = dnn::CodeType::kUint8);
/// Any int8.
std::vector<std::int8_t> random_weights(std::size_t count, unsigned seed);

/// What compile says, or "accepted".
std::string refusal(const dnn::Graph& graph, const Machine& machine);

/// Crossbars of 32 x 16 2-bit cells, 3 in a crossbar_tile, 2 crossbar_tiles in a tile, 40 tiles on a chip; 8-bit data,
/// four filters a crossbar.
Machine small_machine();

/// Weight that row `row` of filter `filter` of a block stands for, by recombination of what a single 1 reads out.
std::int32_t stored_weight(const arithmetic::EncodedBlock& block, int row, int filter);

}  // namespace mho::mapping
