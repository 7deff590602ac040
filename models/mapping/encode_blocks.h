// SPDX-License-Identifier: Apache-2.0
// Weights of a layer as cells store them, and the proof that a converter loses nothing of their column sums. The
// encoding follows the machine's crossbars alone: another ADC reads the same cells.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/arithmetic/adc_transfer.h"
#include "models/arithmetic/encoding.h"
#include "models/mapping/block_layout.h"
#include "models/mapping/program.h"

namespace mho::mapping {

/// How codes of a tensor are streamed. Throws std::invalid_argument where their sign bit would share a slice.
arithmetic::InputStream make_stream(const dnn::Tensor& input, const Machine& machine);

/// Weights of one block or of some of its filters, [filter][row]; where a filter's group or window does not reach, 0.
std::vector<std::int32_t> weights_of(const dnn::Node& node, const BlockLayout& layout, const BlockShape& shape);

/// Row blocks of one convolution, encoded by the machine's policy in the order of BlockLayout. Throws mho::InputError
/// that names layer, encoding and the first wrong weight where the policy refuses, or gives what crossbars cannot hold
/// or, unless it is lossy, other weights than it was given.
std::vector<Block> encode_blocks(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine);
/// The same; each block is shown to `each`, with its number, before the next one is encoded, and may be packed there.
using BlockVisit = std::function<void(Block& block, int index)>;
std::vector<Block> encode_blocks(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine,
                                 const BlockVisit& each);

/// The column of a layer whose sum can leave a converter's range by most.
struct ColumnBound {
  int block = 0;
  int column = 0;                                ///< the block's column count: the unit column
  std::int64_t bound = 0;                        ///< largest sum over all inputs
  std::int64_t lowest = 0;                       ///< smallest; below 0 only where cells are pairs
  std::int64_t all_highest = 0, all_lowest = 0;  ///< the ends of all columns that were added, 0 among them
  /// Keeps the column that reaches furthest from 0; of equals the first.
  void add(ColumnBound other) {
    other.all_highest = std::max({all_highest, other.all_highest, other.bound});
    other.all_lowest = std::min({all_lowest, other.all_lowest, other.lowest});
    if (std::max(other.bound, -other.lowest) > std::max(bound, -lowest))
      *this = other;
    else
      all_highest = other.all_highest, all_lowest = other.all_lowest;
  }
};
ColumnBound largest_column(const std::vector<Block>& blocks, const arithmetic::InputStream& stream);
/// Of one block, number `index`, with its levels unpacked.
ColumnBound largest_column(const arithmetic::EncodedBlock& block, int index, const arithmetic::InputStream& stream);

/// Empty where the bound fits the ADC - and, of a stream that speculates, no code can lie at the ADC's ends - else one
/// sentence.
std::string loss_of(const ColumnBound& bound, const std::vector<Block>& blocks, const arithmetic::InputStream& stream,
                    const AdcConfig& adc);
/// Bits of an ADC of this kind (signed or not) that convert the bound.
int bits_for(const ColumnBound& bound, const AdcConfig& adc);

}  // namespace mho::mapping
