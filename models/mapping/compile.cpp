// SPDX-License-Identifier: Apache-2.0
// From a network and a machine to a Program: refuse early what cannot work, then encode, place, buffer and order.
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "models/dnn/operators.h"
#include "models/input_error.h"
#include "models/mapping/block_layout.h"
#include "models/mapping/encode_blocks.h"
#include "models/mapping/parts.h"
#include "models/mapping/place.h"
#include "models/mapping/program.h"
#include "models/mapping/replicate.h"
#include "models/mapping/rings.h"
#include "models/mapping/row_buffers.h"

namespace mho::mapping {
namespace {

constexpr std::int64_t kMostChips = 1 << 16;  // as the key `chips`

arithmetic::InputStream stream_of(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine) try {
  return make_stream(graph.input_of(node), machine);
} catch (const std::invalid_argument& error) {
  throw InputError(graph.name, 0, 0, "layer " + node.name + ": " + error.what(),
                   "signed_inputs: two_passes, or a first slice of 1 bit, or unsigned activations");
}

/// What can be told of a layer without its weights: the shapes of its blocks among it.
LayerPlan plan_layer(const dnn::Graph& graph, int index, const Machine& machine) {
  const dnn::Node& node = graph.nodes[std::size_t(index)];
  LayerPlan plan;
  plan.node = index;
  plan.stream = stream_of(graph, node, machine);
  const BlockLayout layout(graph, node, machine);
  const arithmetic::Slicing slicing(machine.slicing_of(node.name));
  plan.weight_slicing = slicing;
  plan.expansion = layout.expansion();
  plan.parts = parts_of(layout, slicing.count(), machine);
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    const BlockShape shape = layout.at(i);
    Block block;
    block.row_first = shape.row_first;
    block.filter_first = shape.filter_first;
    block.encoded.rows = shape.rows;
    block.encoded.filters = shape.filters;
    block.encoded.cell_bits = slicing.widest();
    block.encoded.recombination.columns_per_filter = slicing.count();
    plan.blocks.push_back(std::move(block));
  }
  return plan;
}

/// The levels of a planned layer, packed where that is asked for, and whether a converter could lose something of their
/// sums.
void encode_layer(const dnn::Graph& graph, LayerPlan& plan, const Machine& machine, bool packed) {
  const dnn::Node& node = graph.nodes[std::size_t(plan.node)];
  ColumnBound bound;
  plan.blocks = encode_blocks(graph, node, machine, [&](Block& block, int index) {
    bound.add(largest_column(block.encoded, index, plan.stream));
    if (packed) pack_levels(block);
  });
  plan.loss = loss_of(bound, plan.blocks, plan.stream, machine.adc);
  if (!plan.loss.empty() && machine.fidelity == Fidelity::kExact)
    throw InputError(graph.name, 0, 0, "layer " + node.name + ": " + plan.loss,
                     "use fidelity: auto or sliced, or adc.bits: " + std::to_string(bits_for(bound, machine.adc)));
  if (plan.loss.empty() && machine.fidelity == Fidelity::kSliced) plan.loss = "fidelity: sliced was asked for";
  if (machine.fidelity == Fidelity::kNoisy) plan.loss = "fidelity: noisy was asked for";
  plan.lossless = plan.loss.empty();
}

/// A copy of everything but weight values and biases, which may be large.
dnn::Node without_weights(const dnn::Node& node) {
  dnn::Node copy;
  copy.name = node.name, copy.op = node.op;
  copy.inputs = node.inputs, copy.output = node.output;
  copy.window = node.window, copy.count_include_pad = node.count_include_pad;
  copy.weights.groups = node.weights.groups;
  copy.weights.scale = node.weights.scale;
  copy.lower = node.lower, copy.upper = node.upper;
  copy.function = node.function, copy.parameter = node.parameter;
  copy.gain = node.gain, copy.offset = node.offset, copy.epsilon = node.epsilon;
  copy.channels = node.channels;
  copy.heads = node.heads, copy.transposed = node.transposed;
  return copy;
}

/// The graph without weight values; x_zero * sum(w) leaves the bias, because the crossbars multiply codes as they are.
dnn::Graph folded(const dnn::Graph& graph) {
  dnn::Graph result{graph.name, graph.tensors, {}, graph.inputs, graph.outputs};
  for (const dnn::Node& node : graph.nodes) {
    result.nodes.push_back(without_weights(node));
    if (node.op == dnn::Operator::kConvolution)
      for (const std::int64_t bias : dnn::folded_bias(graph, node))
        result.nodes.back().weights.bias.push_back(std::int32_t(bias));
  }
  return result;
}

std::vector<Command> commands_of(const Program& program) {
  std::vector<Command> commands;
  for (std::size_t layer = 0; layer < program.layers.size(); ++layer)
    for (std::size_t i = 0; i < program.layers[layer].placements.size(); ++i)
      commands.push_back({Command::Kind::kWrite, int(layer), int(i)});
  for (const int tensor : program.graph.inputs) commands.push_back({Command::Kind::kLoad, tensor, -1});
  int layer = 0, function = 0;
  for (const dnn::Node& node : program.graph.nodes) {
    const bool weighted = node.op == dnn::Operator::kConvolution;
    commands.push_back(weighted ? Command{Command::Kind::kCompute, layer++, -1}
                                : Command{Command::Kind::kFunction, function++, -1});
  }
  for (const int tensor : program.graph.outputs) commands.push_back({Command::Kind::kStore, tensor, -1});
  return commands;
}

/// Tiles, placements and functions of a program whose layers are planned.
void lay_out(Program& program, const Machine& machine, const Allocation& allocation) {
  program.chips = allocation.chips;
  program.tiles = allocation.chips * machine.tiles_per_chip;
  program.crossbars_used = 0;
  program.crossbars_total = std::uint64_t(program.chips) * std::uint64_t(machine.crossbars_per_chip());
  Placer placer(machine, allocation.spare_crossbar_tiles);
  for (std::size_t i = 0; i < program.layers.size(); ++i) {
    LayerPlan& plan = program.layers[i];
    plan.replicas = allocation.replicas[i];
    plan.placements.clear();
    plan.home_tiles.clear();
    placer.place(plan);
    for (const Placement& p : plan.placements) program.crossbars_used += std::uint64_t(p.crossbars);
  }
  program.functions = place_functions(program.graph, program.layers);
}

/// Lays out with rings; returns the bytes of row buffers for which there is no room.
std::int64_t try_out(Program& program, const Machine& machine, const Allocation& allocation) {
  lay_out(program, machine, allocation);
  std::int64_t missing = 0;
  program.rings = make_rings(program, machine, missing);
  return missing;
}

/// Copies beyond the first of each layer, as many as their row buffers leave room for: a quarter of the crossbar_tiles
/// that copies may take is given up at a time, so that few layouts have to be tried.
void copy_greedily(Program& program, const dnn::Graph& graph, const Machine& machine, const Allocation& one_copy) {
  for (std::int64_t spare = one_copy.spare_crossbar_tiles; spare > 0; spare -= (spare + 3) / 4)
    if (try_out(program, machine, replicate_greedily(graph, machine, one_copy, spare)) == 0) return;
  try_out(program, machine, one_copy);
}

/// Where chips: auto is too few for the row buffers, as many more as the missing bytes fill; more chips may hold more
/// replicas, each with buffers of its own, so the question is asked again.
void lay_out_with_rings(Program& program, const dnn::Graph& graph, const Machine& machine, Allocation allocation) {
  const std::int64_t edram_per_chip = std::int64_t(machine.tiles_per_chip) * machine.edram.bytes;
  for (;;) {
    const std::int64_t missing = try_out(program, machine, allocation);
    if (missing == 0 && machine.replication == Replication::kGreedy)
      return copy_greedily(program, graph, machine, allocation);
    if (missing == 0) return;
    const std::int64_t chips = allocation.chips + std::max<std::int64_t>(1, missing / edram_per_chip);
    if (machine.chips > 0 || chips > kMostChips) break;
    allocation = allocate(graph, machine, chips);
  }
  make_rings(program, machine);  // refuses with the bytes that are missing
}

}  // namespace

Program compile(const dnn::Graph& graph, const Machine& machine) {
  return encode(plan(graph, machine), graph, machine);
}

Program plan(const dnn::Graph& graph, const Machine& machine) {
  validate(machine);
  dnn::validate(graph);
  const Allocation allocation = allocate(graph, machine);
  for (const dnn::Node& node : graph.nodes)
    if (node.op == dnn::Operator::kConvolution) stream_of(graph, node, machine);
  Program program;
  program.graph = folded(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].op == dnn::Operator::kConvolution) program.layers.push_back(plan_layer(graph, int(i), machine));
  program.buffers = row_buffers(program.graph);
  lay_out_with_rings(program, graph, machine, allocation);
  program.commands = commands_of(program);
  return program;
}

Program encode(Program program, const dnn::Graph& graph, const Machine& machine, const LayerVisit& visit) {
  for (LayerPlan& layer : program.layers) {
    encode_layer(graph, layer, machine, visit != nullptr);
    if (!visit) continue;
    visit(program, layer);
    for (Block& block : layer.blocks) drop_levels(block);
  }
  return program;
}

}  // namespace mho::mapping
