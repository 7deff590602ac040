// SPDX-License-Identifier: Apache-2.0
// The parts of a program image: each is written and read by one pair of functions. A reader checks that the bytes are
// such as a writer could have written; whether they make sense is the business of validate(Program).
#pragma once

#include "models/mapping/image_stream.h"
#include "models/mapping/program.h"

namespace mho::mapping {

/// Name, tensors, nodes, inputs, outputs. Throws std::invalid_argument where a node has weight values.
void write_graph(ImageWriter& out, const dnn::Graph& graph);
dnn::Graph read_graph(ImageReader& in);

/// Node, replicas, losslessness, stream, blocks, parts, placements, home tiles.
void write_layer(ImageWriter& out, const LayerPlan& layer);
LayerPlan read_layer(ImageReader& in);

/// Functions, row buffers, rings, commands.
void write_tables(ImageWriter& out, const Program& program);
void read_tables(ImageReader& in, Program& program);

/// Least bytes of a layer in an image.
constexpr std::size_t kLeastLayerBytes = 4 + 4 + 1 + 4 + 4 + 1 + 4 + 4 + 4 + 4;

}  // namespace mho::mapping
