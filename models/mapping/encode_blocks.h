// SPDX-License-Identifier: Apache-2.0
// Weights of a layer as cells store them, and the proof that a converter loses nothing of their column sums. The
// encoding follows the machine's crossbars alone: another ADC reads the same cells.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/arithmetic/adc_transfer.h"
#include "models/arithmetic/encoding.h"
#include "models/mapping/program.h"

namespace mho::mapping {

/// The machine's weight encoding. "flip" turns over every column whose all-ones response would set the top bit of the
/// lossless code (ISAAC, section V), whatever ADC is bound.
std::unique_ptr<arithmetic::WeightEncoding> make_encoding(const Machine& machine);

/// How codes of a tensor are streamed. Throws std::invalid_argument where their sign bit would share a slice.
arithmetic::InputStream make_stream(const dnn::Tensor& input, const Machine& machine);

/// Row blocks of one convolution, encoded in the order of BlockLayout.
std::vector<Block> encode_blocks(const dnn::Graph& graph, const dnn::Node& node, const Machine& machine);

/// The column of a layer whose sum can leave a converter's range by most.
struct ColumnBound {
  int block = 0;
  int column = 0;          ///< the block's column count: the unit column
  std::int64_t bound = 0;  ///< largest sum over all inputs; the smallest is 0 because levels and slices are >= 0
};
ColumnBound largest_column(const std::vector<Block>& blocks, const arithmetic::InputStream& stream);

/// Empty where the bound fits the ADC, else one sentence.
std::string loss_of(const ColumnBound& bound, const std::vector<Block>& blocks, const AdcConfig& adc);
/// Bits of an ADC of this kind (signed or not) that convert the bound.
int bits_for(const ColumnBound& bound, const AdcConfig& adc);

}  // namespace mho::mapping
