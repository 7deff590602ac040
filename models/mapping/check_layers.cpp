// SPDX-License-Identifier: Apache-2.0
// Checks of weighted layers: what the blocks hold and where they stand.
#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "models/mapping/block_layout.h"
#include "models/mapping/encode_blocks.h"
#include "models/mapping/encoded_block.h"
#include "models/mapping/parts.h"
#include "models/mapping/program_checks.h"

namespace mho::mapping {
namespace {

std::string name_of(const Program& program, const LayerPlan& layer) {
  return "layer " + program.graph.nodes[std::size_t(layer.node)].name;
}

void check_block(const Program& program, const std::string& where, const Block& block, const BlockLayout& layout,
                 int index, const arithmetic::Slicing& slicing) {
  const arithmetic::EncodedBlock& e = block.encoded;
  const BlockShape shape = layout.at(index);
  if (block.row_first != shape.row_first || block.filter_first != shape.filter_first || e.rows != shape.rows ||
      e.filters != shape.filters)
    refuse_program(program, where + " does not hold its part of the weights",
                   std::to_string(shape.rows) + " rows from " + std::to_string(shape.row_first) + ", " +
                       std::to_string(shape.filters) + " filters from " + std::to_string(shape.filter_first));
  if (const std::string fault = fault_of(e, slicing); !fault.empty()) refuse_program(program, where + fault);
  if (e.weighted != layout.weighted(shape)) refuse_program(program, where + " has its weights in other cells");
}

void check_stream(const Program& program, const LayerPlan& layer, const Machine& machine) {
  const dnn::Node& node = program.graph.nodes[std::size_t(layer.node)];
  arithmetic::InputStream expected;
  try {
    expected = make_stream(program.graph.input_of(node), machine);
  } catch (const std::invalid_argument& error) {
    refuse_program(program, name_of(program, layer) + ": " + error.what());
  }
  if (!(layer.stream == expected))
    refuse_program(program, name_of(program, layer) + " has another input stream than the machine");
}

void check_loss(const Program& program, const LayerPlan& layer, const ColumnBound& bound, const Machine& machine) {
  const std::string loss = loss_of(bound, layer.blocks, layer.stream, machine.adc);
  if (layer.lossless && !loss.empty())
    refuse_program(program, name_of(program, layer) + " is marked lossless, but " + loss);
  if (machine.fidelity == Fidelity::kExact && !layer.lossless)
    refuse_program(program, name_of(program, layer) + " is not compiled for exact products",
                   "fidelity: auto or sliced");
}

/// Walks the placements of a layer in their order and says what must come next.
class PlacementOrder {
 public:
  PlacementOrder(const Program& program, const LayerPlan& layer, const Machine& machine)
      : program_(program), layer_(layer), machine_(machine), where_(name_of(program, layer)) {}

  void check() {
    for (int replica = 0; replica < layer_.replicas; ++replica)
      for (int part = 0; part < int(layer_.parts.size()); ++part) {
        const std::size_t home = next_;
        for (int block = 0; block < int(layer_.blocks.size()); ++block) check_block(replica, part, block);
        if (layer_.home_of(replica, part) != layer_.placements[home].tile)
          refuse_program(program_,
                         where_ + ", replica " + std::to_string(replica) + ", part " + std::to_string(part) +
                             " is at home on another tile",
                         "the tile of its first placement");
      }
    if (next_ != layer_.placements.size()) refuse_program(program_, where_ + " has placements to spare");
  }

 private:
  void check_block(int replica, int part, int index) {
    const Block& block = layer_.blocks[std::size_t(index)];
    const arithmetic::FilterRange range =
        filters_in_block(layer_.parts[std::size_t(part)], block.filter_first, block.encoded.filters);
    for (int first = range.first; first < range.first + range.count; ++next_) {
      if (next_ == layer_.placements.size()) refuse_program(program_, where_ + " is not placed completely");
      const Placement& p = layer_.placements[next_];
      if (p.replica != replica || p.part != part || p.block != index || p.first_filter != first || p.filters < 1 ||
          p.filters > range.first + range.count - first)
        refuse_program(program_, where_ + ", placement " + std::to_string(next_) + " is out of order",
                       "replica " + std::to_string(replica) + ", part " + std::to_string(part) + ", block " +
                           std::to_string(index) + ", filter " + std::to_string(first));
      const int crossbars = crossbars_for(p.filters, layer_.weight_slicing.count(), machine_);
      if (p.crossbars != crossbars)
        refuse_program(
            program_,
            where_ + ", placement " + std::to_string(next_) + " has " + std::to_string(p.crossbars) + " crossbars",
            std::to_string(crossbars));
      first += p.filters;
    }
  }

  const Program& program_;
  const LayerPlan& layer_;
  const Machine& machine_;
  const std::string where_;
  std::size_t next_ = 0;
};

/// Crossbars of a placement, numbered over all chips, and its owner.
struct Span {
  std::int64_t crossbar_tile = 0;
  int first = 0, crossbars = 0, layer = 0;
  bool operator<(const Span& o) const {
    return crossbar_tile != o.crossbar_tile ? crossbar_tile < o.crossbar_tile : first < o.first;
  }
};

Span span_of(const Program& program, int layer, const Placement& p, const Machine& machine) {
  if (p.tile < 0 || p.tile >= program.tiles || p.crossbar_tile < 0 ||
      p.crossbar_tile >= machine.crossbar_tiles_per_tile || p.first_crossbar < 0 ||
      p.first_crossbar >= machine.crossbar.crossbars || p.crossbars > machine.crossbar.crossbars - p.first_crossbar)
    refuse_program(program,
                   name_of(program, program.layers[std::size_t(layer)]) + " has a placement outside the machine");
  return {std::int64_t(p.tile) * machine.crossbar_tiles_per_tile + p.crossbar_tile, p.first_crossbar, p.crossbars,
          layer};
}

}  // namespace

void check_layer(const Program& program, const LayerPlan& layer, const Machine& machine) {
  const dnn::Node& node = program.graph.nodes[std::size_t(layer.node)];
  const dnn::Shape& output = program.graph.output_of(node).shape;
  const std::string where = name_of(program, layer);
  const BlockLayout layout(program.graph, node, machine);
  if (layer.expansion != layout.expansion())
    refuse_program(program, where + " computes " + std::to_string(layer.expansion) + " windows with one vector",
                   std::to_string(layout.expansion()));
  const std::int64_t vectors = std::int64_t(output.height) * vectors_of_row(output.width, layer.expansion);
  if (layer.replicas < 1 || layer.replicas > vectors)
    refuse_program(program, where + " has " + std::to_string(layer.replicas) + " replicas",
                   "1 to " + std::to_string(vectors));
  check_stream(program, layer, machine);
  if (std::int64_t(layer.blocks.size()) != layout.count())
    refuse_program(program, where + " has " + std::to_string(layer.blocks.size()) + " blocks",
                   std::to_string(layout.count()));
  const arithmetic::Slicing& slicing = layer.weight_slicing;
  if (!(slicing == arithmetic::Slicing(machine.slicing_of(node.name))))
    refuse_program(program, where + " has another weight slicing than the machine");
  if (layer.parts != parts_of(layout, slicing.count(), machine))
    refuse_program(program, where + " is cut into other parts than the machine's tiles ask for");
  if (layer.home_tiles.size() != std::size_t(layer.replicas) * layer.parts.size())
    refuse_program(program, where + " needs one home tile for each part of each replica");
  ColumnBound worst;
  for (std::size_t i = 0; i < layer.blocks.size(); ++i) {
    const Block block = unpacked(layer.blocks[i]);
    check_block(program, where + ", block " + std::to_string(i), block, layout, int(i), slicing);
    worst.add(largest_column(block.encoded, int(i), layer.stream));
  }
  check_loss(program, layer, worst, machine);
}

void check_placements(const Program& program, const Machine& machine) {
  std::vector<Span> spans;
  std::uint64_t used = 0;
  for (std::size_t i = 0; i < program.layers.size(); ++i) {
    PlacementOrder(program, program.layers[i], machine).check();
    for (const Placement& p : program.layers[i].placements) {
      spans.push_back(span_of(program, int(i), p, machine));
      used += std::uint64_t(p.crossbars);
    }
  }
  std::sort(spans.begin(), spans.end());
  for (std::size_t i = 1; i < spans.size(); ++i) {
    const Span &before = spans[i - 1], &span = spans[i];
    if (before.crossbar_tile != span.crossbar_tile) continue;
    if (before.layer != span.layer) refuse_program(program, "two layers share a crossbar_tile");
    if (before.first + before.crossbars > span.first) refuse_program(program, "two placements share a crossbar");
  }
  const std::uint64_t total = std::uint64_t(program.chips) * std::uint64_t(machine.crossbars_per_chip());
  if (program.crossbars_used != used || program.crossbars_total != total)
    refuse_program(program,
                   "counts " + std::to_string(program.crossbars_used) + " of " +
                       std::to_string(program.crossbars_total) + " crossbars",
                   std::to_string(used) + " of " + std::to_string(total));
}

}  // namespace mho::mapping
