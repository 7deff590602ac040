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

/// Weights of one block, [filter][row]; where a filter's group or window does not reach, 0.
void gather(const dnn::Node& node, const BlockLayout& layout, const BlockShape& shape,
            std::vector<std::int32_t>& weights) {
  const dnn::Window wide = expanded_window(node.window, layout.expansion());
  const int channels = layout.dot_length() / wide.kernel_height / wide.kernel_width;
  const int run = node.window.kernel_width * channels;  // neighbours in the wide window as well
  const int all = layout.filters_per_group() * node.weights.groups / layout.expansion();
  weights.assign(std::size_t(shape.rows) * std::size_t(shape.filters), 0);
  for (int f = 0; f < shape.filters; ++f) {
    const int copy = (shape.filter_first + f) / all, filter = (shape.filter_first + f) % all;
    const int group = filter / layout.filters_per_group();
    const std::int8_t* from = node.weights.values.data() + std::size_t(filter) * std::size_t(wide.kernel_height * run);
    std::int32_t* to = weights.data() + std::size_t(f) * std::size_t(shape.rows);
    for (int ky = 0; ky < wide.kernel_height; ++ky, from += run) {
      const int row = group * layout.dot_length() + (ky * wide.kernel_width + copy * node.window.stride_x) * channels;
      const int first = std::max(shape.row_first, row), last = std::min(shape.row_first + shape.rows, row + run);
      if (first < last) std::copy(from + (first - row), from + (last - row), to + (first - shape.row_first));
    }
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

std::vector<std::int32_t> weights_of(const dnn::Node& node, const BlockLayout& layout, const BlockShape& shape) {
  std::vector<std::int32_t> weights;
  gather(node, layout, shape, weights);
  return weights;
}

arithmetic::InputStream make_stream(const dnn::Tensor& input, const Machine& machine) {
  arithmetic::InputStream stream;
  stream.slicing = machine.input_slicing.empty() ? arithmetic::Slicing::uniform(machine.data_bits, machine.dac_bits)
                                                 : arithmetic::Slicing(machine.input_slicing);
  stream.is_signed = input.type == dnn::CodeType::kInt8;
  stream.two_passes = stream.is_signed && machine.signed_inputs == SignedInputs::kTwoPasses;
  stream.speculation = machine.speculation;
  stream.cycles();
  return stream;
}

std::vector<Block> encode_blocks(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine) {
  return encode_blocks(graph, node, machine, {});
}

std::vector<Block> encode_blocks(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine,
                                 const BlockVisit& each) {
  Machine of_layer = machine;
  of_layer.weight_slicing = machine.slicing_of(node.name);
  const arithmetic::Slicing slicing(of_layer.weight_slicing);
  const BlockLayout layout(graph, node, machine);
  std::vector<Block> blocks;
  blocks.reserve(std::size_t(layout.count()));
  std::vector<std::int32_t> weights;
  try {
    const auto encoding = machine.encoding.make(of_layer);
    for (std::int64_t i = 0; i < layout.count(); ++i) {
      const BlockShape shape = layout.at(i);
      gather(node, layout, shape, weights);
      arithmetic::EncodedBlock encoded = encoding->encode(weights, shape.rows, shape.filters);
      encoded.weighted = layout.weighted(shape);
      if (machine.input_sum == InputSum::kDigital) encoded.recombination.digital_unit = true;
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
  const std::int64_t top = arithmetic::largest_slice(stream);
  const auto columns = std::size_t(block.columns());
  ColumnBound worst{index, 0};
  if (block.paired) {
    std::vector<std::uint32_t> above(columns, 0), below(columns, 0);
    for (std::size_t row = 0; row < std::size_t(block.rows); ++row)
      arithmetic::add_signs(block.levels.data() + row * columns, columns, above.data(), below.data());
    for (std::size_t c = 0; c < columns; ++c)
      worst.add({index, int(c), std::int64_t{above[c]} * top, -std::int64_t{below[c]} * top});
    return worst;
  }
  std::vector<std::uint32_t> sums(columns, 0);
  for (std::size_t row = 0; row < std::size_t(block.rows); ++row)
    arithmetic::add_row(block.levels.data() + row * columns, columns, sums.data());
  const auto largest = std::max_element(sums.begin(), sums.end());
  if (*largest < std::uint32_t(block.rows) && !block.recombination.digital_unit)
    worst.add({index, int(columns), block.rows * top});
  else
    worst.add({index, int(largest - sums.begin()), std::int64_t(*largest) * top});
  return worst;
}

ColumnBound largest_column(const std::vector<Block>& blocks, const arithmetic::InputStream& stream) {
  ColumnBound worst;
  for (std::size_t i = 0; i < blocks.size(); ++i) worst.add(largest_column(blocks[i].encoded, int(i), stream));
  return worst;
}

std::string loss_of(const ColumnBound& bound, const std::vector<Block>& blocks, const arithmetic::InputStream& stream,
                    const AdcConfig& adc) {
  const arithmetic::AdcRange range = arithmetic::AdcRange::of(adc.bits, adc.is_signed);
  const int ends = stream.speculates() ? 1 : 0;  // a code at an end counts as failed
  const bool low_enough = bound.all_highest <= range.highest - ends;
  if (low_enough && bound.all_lowest >= range.lowest + ends) return {};
  if (low_enough && range.lowest == 0)
    return "columns may sum to " + std::to_string(bound.all_lowest) + ", an unsigned ADC " +
           (bound.all_lowest < 0 ? "converts no sums below 0" : "that speculates takes 0 for a failure");
  const bool unit = bound.column == blocks[std::size_t(bound.block)].encoded.columns();
  const std::string from = bound.lowest < 0 ? std::to_string(bound.lowest) + " to " : "";
  return (unit ? "the unit column" : "column " + std::to_string(bound.column)) + " of block " +
         std::to_string(bound.block) + " may sum to " + from + std::to_string(bound.bound) + ", the " +
         std::to_string(adc.bits) + "-bit ADC ends at " + std::to_string(range.highest);
}

int bits_for(const ColumnBound& bound, const AdcConfig& adc) {
  int bits = adc.is_signed ? 2 : 1;
  while (arithmetic::AdcRange::of(bits, adc.is_signed).highest < std::max(bound.bound, -bound.lowest)) ++bits;
  return bits;
}

}  // namespace mho::mapping
