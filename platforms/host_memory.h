// SPDX-License-Identifier: Apache-2.0
// Whether this computer has the memory that devices with conductances of their own take: each replica of a layer is an
// array of its own then, and a large machine has thousands of millions of cells. For everything else that a
// run needs a round figure stands.
#pragma once

#include <cstdint>

#include "models/dnn/graph.h"
#include "models/mapping/program.h"

namespace mho {

/// Bytes of all arrays of a planned network under the machine's noise; 0 where noise changes no cell, since replicas
/// share arrays then. Within a fifth of what a run takes for large layers.
std::uint64_t noisy_array_bytes(const mapping::Program& planned, const dnn::Graph& graph,
                                const mapping::Machine& machine);

/// Bytes that this process can still get: of the computer and of the limits it runs under, what is left of the least.
std::uint64_t available_memory_bytes();

/// Throws InputError in the name of the network where such arrays, and all else, need more than `available` bytes.
void check_noisy_memory(const mapping::Program& planned, const dnn::Graph& graph, const mapping::Machine& machine,
                        std::uint64_t available);

}  // namespace mho
