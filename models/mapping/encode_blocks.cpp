// SPDX-License-Identifier: Apache-2.0
// Gathers the weights of each row block, encodes them, and bounds column sums.
#include "models/mapping/encode_blocks.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "models/arithmetic/level_sums.h"
#include "models/arithmetic/stored_weights.h"
#include "models/input_error.h"
#include "models/mapping/block_layout.h"
#include "models/mapping/encoded_block.h"

namespace mho::mapping {
namespace {

/// Weights of one block, [filter][row]; where a filter's group does not reach, 0.
void gather(const dnn::Node& node, const BlockLayout& layout, const BlockShape& shape,
            std::vector<std::int32_t>& weights) {
  const int length = layout.dot_length();
  weights.assign(std::size_t(shape.rows) * std::size_t(shape.filters), 0);
  for (int f = 0; f < shape.filters; ++f) {
    const int filter = shape.filter_first + f;
    const int group_first = filter / layout.filters_per_group() * length;
    const int first = std::max(shape.row_first, group_first);
    const int last = std::min(shape.row_first + shape.rows, group_first + length);
    const std::int8_t* from = node.weights.values.data() + std::size_t(filter) * std::size_t(length);
    std::int32_t* to = weights.data() + std::size_t(f) * std::size_t(shape.rows);
    std::copy(from + (first - group_first), from + (last - group_first), to + (first - shape.row_first));
  }
}

/// Throws std::invalid_argument where crossbars cannot hold the block or, for a lossless encoding, where it does not
/// hold `weights`.
void check_encoded(const arithmetic::EncodedBlock& block, const BlockShape& shape, const arithmetic::Slicing& slicing,
                   const std::vector<std::int32_t>& weights, bool lossless) {
  if (block.rows != shape.rows || block.filters != shape.filters)
    throw std::invalid_argument("what it gives has another number of rows or filters");
  if (const std::string fault = fault_of(block, slicing); !fault.empty())
    throw std::invalid_argument("what it gives" + fault);
  if (!lossless || arithmetic::stores(block, weights)) return;
  const std::vector<std::int32_t> stored = arithmetic::stored_weights(block);
  const auto wrong = std::mismatch(stored.begin(), stored.end(), weights.begin());
  const std::ptrdiff_t at = wrong.first - stored.begin();
  throw std::invalid_argument(
      "weight " + std::to_string(*wrong.second) + " of filter " + std::to_string(shape.filter_first + at / shape.rows) +
      ", row " + std::to_string(shape.row_first + at % shape.rows) + " is stored as " + std::to_string(*wrong.first) +
      " (an encoding that changes weights overrides lossless())");
}

}  // namespace

arithmetic::InputStream make_stream(const dnn::Tensor& input, const Machine& machine) {
  arithmetic::InputStream stream;
  stream.slicing = arithmetic::Slicing::uniform(machine.data_bits, machine.dac_bits);
  stream.is_signed = input.type == dnn::CodeType::kInt8;
  stream.slicing.weight(0, stream.is_signed);
  return stream;
}

std::vector<Block> encode_blocks(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine) {
  return encode_blocks(graph, node, machine, {});
}

std::vector<Block> encode_blocks(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine,
                                 const BlockVisit& each) {
  const arithmetic::Slicing slicing(machine.weight_slicing);
  const BlockLayout layout(graph, node, machine);
  std::vector<Block> blocks;
  blocks.reserve(std::size_t(layout.count()));
  std::vector<std::int32_t> weights;
  try {
    const auto encoding = machine.encoding.make(machine);
    for (std::int64_t i = 0; i < layout.count(); ++i) {
      const BlockShape shape = layout.at(i);
      gather(node, layout, shape, weights);
      arithmetic::EncodedBlock encoded = encoding->encode(weights, shape.rows, shape.filters);
      check_encoded(encoded, shape, slicing, weights, encoding->lossless());
      blocks.push_back({shape.row_first, shape.filter_first, std::move(encoded)});
      if (each) each(blocks.back(), int(i));
    }
  } catch (const std::invalid_argument& error) {
    throw InputError(graph.name, 0, 0,
                     "layer " + node.name + ", block " + std::to_string(blocks.size()) + ": encoding `" +
                         machine.encoding.name() + "`: " + error.what());
  }
  return blocks;
}

ColumnBound largest_column(const arithmetic::EncodedBlock& block, int index, const arithmetic::InputStream& stream) {
  const std::int64_t top = (std::int64_t{1} << stream.slicing.widest()) - 1;
  const auto columns = std::size_t(block.columns());
  std::vector<std::uint32_t> sums(columns, 0);
  for (std::size_t row = 0; row < std::size_t(block.rows); ++row)
    arithmetic::add_row(block.levels.data() + row * columns, columns, sums.data());
  const auto largest = std::max_element(sums.begin(), sums.end());
  if (*largest < std::uint32_t(block.rows)) return {index, int(columns), block.rows * top};
  return {index, int(largest - sums.begin()), std::int64_t(*largest) * top};
}

ColumnBound largest_column(const std::vector<Block>& blocks, const arithmetic::InputStream& stream) {
  ColumnBound worst;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const ColumnBound bound = largest_column(blocks[i].encoded, int(i), stream);
    if (bound.bound > worst.bound) worst = bound;
  }
  return worst;
}

std::string loss_of(const ColumnBound& bound, const std::vector<Block>& blocks, const AdcConfig& adc) {
  const std::int64_t highest = arithmetic::AdcRange::of(adc.bits, adc.is_signed).highest;
  if (bound.bound <= highest) return {};
  const bool unit = bound.column == blocks[std::size_t(bound.block)].encoded.columns();
  return (unit ? "the unit column" : "column " + std::to_string(bound.column)) + " of block " +
         std::to_string(bound.block) + " may sum to " + std::to_string(bound.bound) + ", the " +
         std::to_string(adc.bits) + "-bit ADC ends at " + std::to_string(highest);
}

int bits_for(const ColumnBound& bound, const AdcConfig& adc) {
  int bits = adc.is_signed ? 2 : 1;
  while (arithmetic::AdcRange::of(bits, adc.is_signed).highest < bound.bound) ++bits;
  return bits;
}

}  // namespace mho::mapping
