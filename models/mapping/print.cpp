// SPDX-License-Identifier: Apache-2.0
// A Program as tables for people: layers, functions, row buffers, spilled bytes.
#include <iomanip>
#include <ostream>
#include <string>

#include "models/input_error.h"
#include "models/mapping/program.h"
#include "models/mapping/rings.h"
#include "models/mapping/row_buffers.h"

namespace mho::mapping {
namespace {

/// Names come from whoever made the network.
std::string column(const std::string& name) { return printable(name, 24); }

std::string name_of_node(const Program& program, int node) {
  return node < 0 ? "(network output)" : column(program.graph.nodes[std::size_t(node)].name);
}

/// "a vector": windows that one computes.
void print_layers(std::ostream& out, const Program& program) {
  out << std::left << std::setw(28) << "layer" << std::right << std::setw(8) << "rows" << std::setw(9) << "filters"
      << std::setw(10) << "a vector" << std::setw(8) << "blocks" << std::setw(10) << "replicas" << std::setw(11)
      << "crossbars" << std::setw(7) << "tiles"
      << "  products\n";
  for (const LayerPlan& layer : program.layers) {
    const dnn::Node& node = program.graph.nodes[std::size_t(layer.node)];
    std::int64_t crossbars = 0;
    int tiles = 0, last = -1;
    for (const Placement& p : layer.placements) {
      crossbars += p.crossbars;
      tiles += p.tile != last ? 1 : 0;
      last = p.tile;
    }
    out << std::left << std::setw(28) << column(node.name) << std::right << std::setw(8)
        << std::int64_t(dnn::dot_length(program.graph, node)) << std::setw(9) << dnn::filters_of(program.graph, node)
        << std::setw(10) << layer.expansion << std::setw(8) << layer.blocks.size() << std::setw(10) << layer.replicas
        << std::setw(11) << crossbars << std::setw(7) << tiles
        << (layer.lossless ? "  exact" : "  sliced: " + printable(layer.loss, 100)) << '\n';
  }
}

void print_buffers(std::ostream& out, const Program& program) {
  out << '\n'
      << std::left << std::setw(28) << "tensor" << std::setw(28) << "kept for" << std::right << std::setw(7) << "rows"
      << std::setw(10) << "bytes" << std::setw(15) << "pixel granular" << '\n';
  for (const RowBuffer& buffer : program.buffers) {
    const dnn::Tensor& tensor = program.graph.tensors[std::size_t(buffer.tensor)];
    out << std::left << std::setw(28) << column(tensor.name) << std::setw(28) << name_of_node(program, buffer.consumer)
        << std::right << std::setw(7) << buffer.rows << std::setw(10)
        << std::uint64_t(buffer.rows) * tensor.shape.row_bytes() << std::setw(15);
    if (buffer.consumer < 0)
      out << "-" << '\n';
    else
      out << pixel_granular_values(program.graph, program.graph.nodes[std::size_t(buffer.consumer)]) << '\n';
  }
}

}  // namespace

void print(std::ostream& out, const Program& program, const Machine& machine) {
  out << printable(program.graph.name, 60) << " on " << machine.name << ": " << program.crossbars_used << " of "
      << program.crossbars_total << " crossbars, " << program.chips << (program.chips == 1 ? " chip" : " chips") << ", "
      << program.commands.size() << " commands\n\n";
  print_layers(out, program);
  if (!program.functions.empty()) out << '\n' << std::left << std::setw(28) << "function" << std::right << "   tile\n";
  for (const FunctionPlan& function : program.functions)
    out << std::left << std::setw(28) << name_of_node(program, function.node) << std::right << std::setw(7)
        << function.tile << '\n';
  print_buffers(out, program);
  std::int64_t bytes = 0, spilled = 0;
  for (const Ring& ring : program.rings) {
    bytes += ring_bytes(program.graph, ring);
    if (ring.spilled_to >= 0) spilled += ring_bytes(program.graph, ring);
  }
  out << "\nrings take " << bytes << " bytes of eDRAM, " << spilled << " of them spilled to other tiles\n";
}

}  // namespace mho::mapping
