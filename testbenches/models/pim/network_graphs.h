// SPDX-License-Identifier: Apache-2.0
// Random small networks and machines of many geometries, so that everything a compiled network can ask of the modules
// turns up somewhere: padding, strides, groups, branches, signed codes, spilled rings, forwarded psums, several chips.
#pragma once

#include <vector>

#include "models/dnn/graph.h"
#include "models/mapping/machine.h"

namespace mho::testbenches {

/// One or two inputs, four to eight nodes of every kind, one to three outputs; weights over all of int8, zero points
/// other than 0.
dnn::Graph random_network(unsigned seed);

/// Two to four blocks of operators between products on 8 channels: attention with one to four heads, squeeze and
/// excitation, split and shuffled channels, frames, gates; zero points other than 0.
dnn::Graph activation_network(unsigned seed);

/// Machines of 8, 9 and 16 bits, cells of 1 to 4 bits, 32 to 256 rows, few crossbars to a crossbar_tile and few tiles
/// to a chip. Converters lose nothing.
std::vector<mapping::Machine> odd_machines();

}  // namespace mho::testbenches
