// SPDX-License-Identifier: Apache-2.0
// How many rows of each feature map every consumer has to keep. Row granular: rows are produced and released whole.
// The papers' pixel-granular figure (ISAAC, ISCA 2016, section III) is computed beside it, for comparison only.
#pragma once

#include <cstdint>
#include <vector>

#include "models/mapping/program.h"

namespace mho::mapping {

/// One entry for each (tensor, consumer node), by tensor, then node; -1 (a network output) first.
///
/// The least capacity is the most rows alive at once in a demand-driven schedule of one image: network outputs are
/// pulled row by row in turn; a row is alive from its production until the consumer has computed the last output row
/// that reads it. Nodes whose output is kept whole anyway - keys and values of attention - do not wait to be asked, so
/// that their inputs need not be kept as well. To this, or to the consumer's kernel if that is taller, its stride is
/// added so that it computes while the next rows arrive: kernel + stride rows in a chain. Where branches join, every
/// node of the branch beside has such a stride of its own in hand, and a shortcut that is not as deep would stall them
/// (ResNet-50: 1.8 times the interval); so the capacity is at least what is alive when, images back to back, every node
/// has the inputs of its next row brought before it computes a row.
///
/// No execution order can deadlock with the least capacities or larger ones, images back to back included: "row r of t
/// after the output row of consumer c that frees row r - capacity" and "after the input rows it reads" are fixed
/// precedences, and the demand-driven schedule, image after image, satisfies all of them; so they have no cycle.
///
/// A consumer with a single output row has no next window to slide to: it keeps one row more than its kernel, so a
/// fully connected layer keeps its whole map plus one row. A network output keeps two rows: one is stored while the
/// next is written.
///
/// Throws mho::InputError where the feature maps have more than 2^22 rows in all.
std::vector<RowBuffer> row_buffers(const dnn::Graph& graph);

/// The same list with the least capacities, at least 1.
std::vector<RowBuffer> rows_alive(const dnn::Graph& graph);

/// ((Nx (Ky - 1)) + Kx) Nif: values of the input map that a pixel-granular buffer of a convolution or pool holds.
std::int64_t pixel_granular_values(const dnn::Graph& graph, const dnn::Node& node);

}  // namespace mho::mapping
