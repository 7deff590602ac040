// SPDX-License-Identifier: Apache-2.0
// Layers and tables in a program image: what the crossbars hold, where it stands, and what the scheduler plays.
#include <climits>
#include <stdexcept>
#include <string>

#include "models/mapping/image_parts.h"

namespace mho::mapping {
namespace {

void write(ImageWriter& out, const Block& block) {
  out.i32(block.row_first);
  out.i32(block.filter_first);
  out.i32(block.encoded.rows);
  out.i32(block.encoded.filters);
  out.i32(block.encoded.cell_bits);
  out.u8(block.encoded.paired ? 1 : 0);
  out.u8(block.encoded.recombination.digital_unit ? 1 : 0);
  out.count(block.encoded.weighted.size());
  for (const arithmetic::FilterRange& range : block.encoded.weighted)
    for (const std::int32_t value : {range.first, range.count}) out.i32(value);
  out.i32(block.encoded.recombination.columns_per_filter);
  out.i32s(block.encoded.recombination.coefficient);
  out.i32s(block.encoded.recombination.unit_coefficient);
  const std::size_t cells = std::size_t(block.encoded.rows) * std::size_t(block.encoded.columns());
  if (stored_levels(block) != cells) throw std::invalid_argument("a block's levels do not match its shape");
  if (block.packed.cells > 0)
    out.levels(block.packed);
  else
    out.levels(block.encoded.levels, block.encoded.level_bits());
}

Block read_block(ImageReader& in) {
  Block block;
  block.row_first = in.i32();
  block.filter_first = in.i32();
  arithmetic::EncodedBlock& encoded = block.encoded;
  encoded.rows = in.i32();
  encoded.filters = in.i32();
  encoded.cell_bits = in.i32();
  encoded.paired = in.boolean();
  encoded.recombination.digital_unit = in.boolean();
  encoded.weighted.resize(in.count(8));
  for (arithmetic::FilterRange& range : encoded.weighted)
    for (std::int32_t* value : {&range.first, &range.count}) *value = in.i32();
  encoded.recombination.columns_per_filter = in.i32();
  encoded.recombination.coefficient = in.i32s();
  encoded.recombination.unit_coefficient = in.i32s();
  const std::int64_t rows = encoded.rows, filters = encoded.filters, k = encoded.recombination.columns_per_filter;
  if (rows < 1 || filters < 1 || k < 1 || filters > INT_MAX / k) in.refuse("has a block of impossible shape");
  block.packed = in.packed_levels(std::size_t(rows) * std::size_t(filters * k), encoded.level_bits());
  return block;
}

template <class PlacementOrConst, class Visit>
void for_each_field(PlacementOrConst& p, const Visit& visit) {
  for (auto* value : {&p.block, &p.replica, &p.part, &p.tile, &p.crossbar_tile, &p.first_crossbar, &p.crossbars,
                      &p.first_filter, &p.filters})
    visit(*value);
}

arithmetic::Slicing read_slicing(ImageReader& in) try {
  return arithmetic::Slicing(in.i32s());
} catch (const std::invalid_argument& error) {
  in.refuse(error.what());
}

}  // namespace

void write_layer(ImageWriter& out, const LayerPlan& layer) {
  out.i32(layer.node);
  out.i32(layer.replicas);
  out.u8(layer.lossless ? 1 : 0);
  out.text(layer.loss);
  out.i32s(layer.stream.slicing.widths());
  out.u8(layer.stream.is_signed ? 1 : 0);
  out.u8(layer.stream.two_passes ? 1 : 0);
  out.i32s(layer.stream.speculation);
  out.i32s(layer.weight_slicing.widths());
  out.i32(layer.expansion);
  out.count(layer.blocks.size());
  for (const Block& block : layer.blocks) write(out, block);
  out.count(layer.parts.size());
  for (const arithmetic::FilterRange& part : layer.parts)
    for (const std::int32_t value : {part.first, part.count}) out.i32(value);
  out.count(layer.placements.size());
  for (const Placement& placement : layer.placements) for_each_field(placement, [&](int value) { out.i32(value); });
  out.i32s(layer.home_tiles);
}

LayerPlan read_layer(ImageReader& in) {
  LayerPlan layer;
  layer.node = in.i32();
  layer.replicas = in.i32();
  layer.lossless = in.boolean();
  layer.loss = in.text();
  layer.stream.slicing = read_slicing(in);
  layer.stream.is_signed = in.boolean();
  layer.stream.two_passes = in.boolean();
  layer.stream.speculation = in.i32s();
  layer.weight_slicing = read_slicing(in);
  layer.expansion = in.i32();
  constexpr std::size_t kBlockBytes = 8 * 4, kPlacementBytes = 9 * 4;
  for (std::size_t n = in.count(kBlockBytes); n > 0; --n) layer.blocks.push_back(read_block(in));
  layer.parts.resize(in.count(8));
  for (arithmetic::FilterRange& part : layer.parts)
    for (std::int32_t* value : {&part.first, &part.count}) *value = in.i32();
  layer.placements.resize(in.count(kPlacementBytes));
  for (Placement& placement : layer.placements) for_each_field(placement, [&](int& value) { value = in.i32(); });
  layer.home_tiles = in.i32s();
  return layer;
}

void write_tables(ImageWriter& out, const Program& p) {
  out.count(p.functions.size());
  for (const FunctionPlan& f : p.functions) {
    out.i32(f.node);
    out.i32(f.tile);
  }
  out.count(p.buffers.size());
  for (const RowBuffer& b : p.buffers)
    for (const int value : {b.tensor, b.consumer, b.rows}) out.i32(value);
  out.count(p.rings.size());
  for (const Ring& r : p.rings) {
    for (const int value : {r.tensor, r.tile, r.rows}) out.i32(value);
    out.u32(r.offset);
    out.i32(r.spilled_to);
  }
  out.count(p.commands.size());
  for (const Command& c : p.commands) {
    out.u8(std::uint8_t(c.kind));
    out.i32(c.index);
    out.i32(c.placement);
  }
}

void read_tables(ImageReader& in, Program& p) {
  p.functions.resize(in.count(8));
  for (FunctionPlan& f : p.functions)
    for (int* value : {&f.node, &f.tile}) *value = in.i32();
  p.buffers.resize(in.count(12));
  for (RowBuffer& b : p.buffers)
    for (int* value : {&b.tensor, &b.consumer, &b.rows}) *value = in.i32();
  p.rings.resize(in.count(20));
  for (Ring& r : p.rings) {
    for (int* value : {&r.tensor, &r.tile, &r.rows}) *value = in.i32();
    r.offset = in.u32();
    r.spilled_to = in.i32();
  }
  p.commands.resize(in.count(9));
  for (Command& c : p.commands) {
    const std::uint8_t kind = in.u8();
    if (kind > std::uint8_t(Command::Kind::kStore)) in.refuse("has no command " + std::to_string(kind));
    c.kind = Command::Kind(kind);
    for (int* value : {&c.index, &c.placement}) *value = in.i32();
  }
}

}  // namespace mho::mapping
