// SPDX-License-Identifier: Apache-2.0
// validate(Program): the graph, the totals and the commands; the other parts are in check_layers.cpp and
// check_buffers.cpp.
#include <algorithm>
#include <cstdint>
#include <limits>

#include "models/input_error.h"
#include "models/mapping/program_checks.h"
#include "models/mapping/replicate.h"

namespace mho::mapping {
namespace {

/// Weights of a convolution, or -1 where the node is not fit to tell; dnn::validate then says why.
std::int64_t weight_count(const dnn::Graph& graph, const dnn::Node& node) {
  const auto known = [&](int tensor) { return tensor >= 0 && std::size_t(tensor) < graph.tensors.size(); };
  if (node.inputs.size() != 1 || !known(node.inputs[0]) || !known(node.output) || node.weights.groups < 1) return -1;
  std::int64_t count = 1;
  for (const int factor : {graph.output_of(node).shape.channels, node.window.kernel_height, node.window.kernel_width,
                           graph.input_of(node).shape.channels / node.weights.groups}) {
    if (factor < 1 || count > std::numeric_limits<std::int64_t>::max() / factor) return -1;
    count *= factor;
  }
  return count;
}

std::int64_t cells_of(const LayerPlan& layer) {
  std::int64_t cells = 0;
  for (const Block& block : layer.blocks) cells += std::int64_t(stored_levels(block));
  return cells;
}

/// Chips that chips: auto may have added for the rings: those whose eDRAM they fill, and as many again, because a
/// spilled ring leaves what is free on its own tile unused. Numbers of rings are not checked yet.
std::int64_t chips_for_rings(const Program& program, const Machine& machine) {
  constexpr double kMost = 1 << 16;
  double bytes = 0;
  for (const Ring& ring : program.rings)
    if (ring.tensor >= 0 && std::size_t(ring.tensor) < program.graph.tensors.size() && ring.rows > 0)
      bytes += double(program.graph.tensors[std::size_t(ring.tensor)].shape.row_bytes()) * ring.rows;
  return std::int64_t(std::min(kMost, 2 * bytes / machine.edram.bytes / machine.tiles_per_chip));
}

bool names_layer(const Command& command) {
  return command.kind == Command::Kind::kWrite || command.kind == Command::Kind::kCompute;
}

/// What has been commanded so far; each of them exactly once.
class CommandRecord {
 public:
  explicit CommandRecord(const Program& program)
      : program_(program),
        computed_(program.layers.size()),
        functions_(program.functions.size()),
        loaded_(program.graph.tensors.size()),
        stored_(program.graph.tensors.size()) {
    for (const LayerPlan& layer : program.layers) written_.emplace_back(layer.placements.size());
  }

  void play(const Command& command) {
    const std::string what = "command " + std::to_string(number_++);
    if (names_layer(command) && !within(command.index, program_.layers.size()))
      refuse_program(program_, what + " names layer " + std::to_string(command.index));
    switch (command.kind) {
      case Command::Kind::kWrite: {
        if (computed_[std::size_t(command.index)]) refuse_program(program_, what + " writes a layer after its compute");
        once(written_[std::size_t(command.index)], command.placement, what + " (write)");
        break;
      }
      case Command::Kind::kCompute:
        for (const bool written : written_[std::size_t(command.index)])
          if (!written) refuse_program(program_, what + " computes a layer before all of it is written");
        once(computed_, command.index, what + " (compute)");
        break;
      case Command::Kind::kFunction:
        once(functions_, command.index, what + " (function)");
        break;
      case Command::Kind::kLoad:
        once(loaded_, command.index, what + " (load)");
        break;
      case Command::Kind::kStore:
        once(stored_, command.index, what + " (store)");
        break;
    }
  }

  void finish() const {
    for (const bool done : computed_)
      if (!done) refuse_program(program_, "a layer is never computed");
    for (const bool done : functions_)
      if (!done) refuse_program(program_, "a function is never computed");
    check_exactly(loaded_, program_.graph.inputs, "loaded", "input");
    check_exactly(stored_, program_.graph.outputs, "stored", "output");
  }

 private:
  static bool within(int index, std::size_t size) { return index >= 0 && std::size_t(index) < size; }

  void once(std::vector<bool>& done, int index, const std::string& what) const {
    if (!within(index, done.size())) refuse_program(program_, what + " has index " + std::to_string(index));
    if (done[std::size_t(index)]) refuse_program(program_, what + " repeats index " + std::to_string(index));
    done[std::size_t(index)] = true;
  }

  void check_exactly(std::vector<bool> done, const std::vector<int>& wanted, const char* verb, const char* kind) const {
    for (const int tensor : wanted) {
      if (!done[std::size_t(tensor)])
        refuse_program(program_, std::string("an ") + kind + " of the network is never " + verb);
      done[std::size_t(tensor)] = false;
    }
    for (const bool extra : done)
      if (extra) refuse_program(program_, std::string("a tensor that is no ") + kind + " of the network is " + verb);
  }

  const Program& program_;
  std::vector<std::vector<bool>> written_;
  std::vector<bool> computed_, functions_, loaded_, stored_;
  int number_ = 0;
};

}  // namespace

void refuse_program(const Program& program, const std::string& problem, const std::string& allowed) {
  throw InputError(program.graph.name, 0, 0, "program: " + problem, allowed);
}

void check_graph(const Program& program) {
  dnn::Graph whole = program.graph;
  std::size_t layer = 0;
  for (dnn::Node& node : whole.nodes) {
    if (!node.weights.values.empty())
      refuse_program(program, "the graph has weight values", "none, crossbars hold them");
    if (node.op != dnn::Operator::kConvolution) continue;
    if (layer == program.layers.size()) refuse_program(program, "a weighted node has no plan");
    const std::int64_t weights = weight_count(whole, node);
    if (weights > cells_of(program.layers[layer]))
      refuse_program(program, "layer " + node.name + " has fewer cells than weights");
    if (weights > 0) node.weights.values.assign(std::size_t(weights), 0);
    ++layer;
  }
  dnn::validate(whole);
}

void check_totals(const Program& program, const Machine& machine) {
  std::size_t layer = 0;
  for (std::size_t i = 0; i < program.graph.nodes.size(); ++i) {
    if (program.graph.nodes[i].op != dnn::Operator::kConvolution) continue;
    if (program.layers[layer].node != int(i))
      refuse_program(program,
                     "plan " + std::to_string(layer) + " is of node " + std::to_string(program.layers[layer].node),
                     std::to_string(i));
    ++layer;
  }
  if (layer != program.layers.size()) refuse_program(program, "more plans than weighted nodes");
  const std::int64_t fewest = fewest_chips(layer_demands(program.graph, machine), machine);
  const std::int64_t most = machine.chips > 0 ? machine.chips : fewest + chips_for_rings(program, machine);
  if (program.chips < fewest || program.chips > most)
    refuse_program(program, "is compiled for " + std::to_string(program.chips) + " chips",
                   std::to_string(fewest) + " to " + std::to_string(most));
  if (program.tiles != std::int64_t(program.chips) * machine.tiles_per_chip)
    refuse_program(program, "has " + std::to_string(program.tiles) + " tiles", "chips times tiles_per_chip");
}

void check_commands(const Program& program) {
  CommandRecord record(program);
  for (const Command& command : program.commands) record.play(command);
  record.finish();
}

void validate(const Program& program, const Machine& machine) {
  validate(machine);
  check_graph(program);
  check_totals(program, machine);
  for (const LayerPlan& layer : program.layers) check_layer(program, layer, machine);
  check_placements(program, machine);
  check_functions(program);
  check_buffers(program);
  check_rings(program, machine);
  check_commands(program);
}

}  // namespace mho::mapping
