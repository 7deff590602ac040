// SPDX-License-Identifier: Apache-2.0
// The parts of validate(Program): each counts on the ones before it, because a Program may come from anybody's memory.
// Limits and expected shapes come from the same functions that compile() uses; placements and tiles are free as long as
// they respect the machine.
#pragma once

#include <string>

#include "models/mapping/program.h"

namespace mho::mapping {

/// Throws mho::InputError with file = graph.name.
[[noreturn]] void refuse_program(const Program& program, const std::string& problem, const std::string& allowed = {});

/// The graph; the weight values it lacks are taken as 0. Never allocates more than the blocks hold.
void check_graph(const Program& program);
/// Chips, tiles, and one plan a weighted node.
void check_totals(const Program& program, const Machine& machine);
/// Replicas, stream, blocks, levels, coefficients, the proof of losslessness.
void check_layer(const Program& program, const LayerPlan& layer, const Machine& machine);
/// Placements in order and complete, home tiles; no crossbar used twice, no crossbar_tile in two layers.
void check_placements(const Program& program, const Machine& machine);
void check_functions(const Program& program);
void check_buffers(const Program& program);
void check_rings(const Program& program, const Machine& machine);
void check_commands(const Program& program);

}  // namespace mho::mapping
