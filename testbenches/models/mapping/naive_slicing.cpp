// SPDX-License-Identifier: Apache-2.0
// Nothing is skipped and nothing is shared with the search but the encoding and the gathering of windows.
#include "testbenches/models/mapping/naive_slicing.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "models/dnn/operators.h"
#include "models/mapping/block_layout.h"
#include "models/mapping/encode_blocks.h"
#include "testbenches/models/mapping/small_networks.h"

namespace mho::mapping {
namespace {

using Codes = std::vector<std::uint8_t>;

/// The code after requantisation, by the formula.
int code_of(const dnn::Graph& graph, const dnn::Node& node, std::size_t filter, std::int64_t psum) {
  const std::int64_t bias = dnn::folded_bias(graph, node)[filter];
  const dnn::Tensor& output = graph.output_of(node);
  const double scale = graph.input_of(node).scale * node.weights.scale[filter] / output.scale;
  const double code = std::nearbyint(double(psum + bias) * scale) + output.zero_point;
  return int(std::min<double>(std::max<double>(code, node.lower), node.upper));
}

struct Psum {
  std::int64_t exact = 0, clipped = 0;
};
using Psums = std::vector<Psum>;

std::vector<int> values_of(const Codes& codes, bool is_signed) {
  std::vector<int> values;
  for (const std::uint8_t code : codes) values.push_back(is_signed ? int(std::int8_t(code)) : int(code));
  return values;
}

/// Bit `bit` of what one pass drives: positive values first and then the magnitudes of negative ones, or two's
/// complement in the first pass alone.
bool is_driven(int value, int bit, int sign, bool two_passes) {
  const int driven = two_passes ? std::max(sign * value, 0) : sign > 0 ? value & 0xff : 0;
  return (driven >> bit & 1) != 0;
}

/// What one window adds to the psums of a block's filters, and centres times the sum of the values.
void add_block(const Block& block, const std::vector<int>& values, const Machine& machine, bool is_signed,
               Psums& psums) {
  const arithmetic::EncodedBlock& cells = block.encoded;
  const bool two_passes = is_signed && machine.signed_inputs == SignedInputs::kTwoPasses;
  const std::int64_t half = std::int64_t{1} << (machine.adc.bits - 1);
  for (int column = 0; column < cells.columns(); ++column) {
    Psum& psum = psums[std::size_t(block.filter_first + column / cells.recombination.columns_per_filter)];
    for (const int sign : {1, -1})
      for (int bit = 0; bit < 8; ++bit) {
        std::int64_t sum = 0;
        for (int row = 0; row < cells.rows; ++row)
          if (is_driven(values[std::size_t(row)], bit, sign, two_passes))
            sum += std::int8_t(cells.levels[std::size_t(row * cells.columns() + column)]);
        const bool sign_bit = is_signed && !two_passes && bit == 7;
        const std::int64_t place =
            (sign_bit ? -1 : sign) * (std::int64_t{1} << bit) * cells.recombination.coefficient[std::size_t(column)];
        psum.exact += place * sum;
        psum.clipped += place * std::clamp<std::int64_t>(sum, -half, half - 1);
      }
  }
  for (int f = 0; f < cells.filters; ++f)
    for (const int value : values) {
      const std::int64_t term = std::int64_t{value} * cells.recombination.unit_coefficient[std::size_t(f)];
      psums[std::size_t(block.filter_first + f)].exact += term;
      psums[std::size_t(block.filter_first + f)].clipped += term;
    }
}

}  // namespace

Machine pairs(int rows, int adc_bits, const char* encoding) {
  Machine machine = small_machine();
  machine.crossbar.cell = CellKind::k2T2R;
  machine.crossbar.rows = rows;
  machine.crossbar.columns = 64;
  machine.crossbar.cell_bits = 4;
  machine.input_sum = InputSum::kDigital;
  machine.signed_inputs = SignedInputs::kTwoPasses;
  machine.adc.bits = adc_bits;
  machine.adc.is_signed = true;
  machine.weight_slicing = {4, 4};
  machine.encoding = encoding;
  return machine;
}

CalibrationInputs random_inputs(const dnn::Graph& graph, int inferences, unsigned seed) {
  CalibrationInputs inputs(static_cast<std::size_t>(inferences));
  for (auto& inference : inputs)
    for (const int index : graph.inputs) {
      const std::size_t bytes = graph.tensors[std::size_t(index)].shape.bytes();
      const auto values = random_weights(bytes, ++seed);
      inference.emplace_back(values.begin(), values.end());
    }
  return inputs;
}

SlicingErrors naive_errors(const dnn::Graph& graph, int index, Machine machine, const CalibrationInputs& inputs,
                           const std::vector<int>& slicing) {
  const dnn::Node& node = graph.nodes[std::size_t(index)];
  machine.weight_slicing = slicing;
  machine.layer_slicings.clear();
  const auto blocks = encode_blocks(graph, node, machine);
  const dnn::Shape& shape = graph.output_of(node).shape;
  const int expansion = BlockLayout(graph, node, machine).expansion();
  const int per_row = (shape.width + expansion - 1) / expansion;
  const dnn::Window window = expanded_window(node.window, expansion);
  const bool is_signed = graph.input_of(node).type == dnn::CodeType::kInt8;
  SlicingErrors errors;
  for (const auto& inference : inputs) {
    const auto tensors = dnn::execute(graph, inference);
    const dnn::RowSource rows = [&](int, int y) {
      return tensors[std::size_t(node.inputs[0])].data() + std::size_t(y) * graph.input_of(node).shape.row_bytes();
    };
    for (int vector = 0; vector < shape.height * per_row; ++vector) {
      const int y = vector / per_row, x = vector % per_row;
      Psums psums(static_cast<std::size_t>(shape.channels * expansion));
      for (const Block& block : blocks) {
        Codes codes(static_cast<std::size_t>(block.encoded.rows));
        dnn::gather_windows(graph.input_of(node), window, node.weights.groups,
                            {y, x, 1, block.row_first, block.encoded.rows}, rows, codes.data());
        add_block(block, values_of(codes, is_signed), machine, is_signed, psums);
      }
      for (int f = 0; f < shape.channels * expansion; ++f) {
        if (x * expansion + f / shape.channels >= shape.width) continue;
        const auto filter = std::size_t(f % shape.channels);
        const int wanted = code_of(graph, node, filter, psums[std::size_t(f)].exact);
        if (wanted == graph.output_of(node).zero_point) continue;
        errors.sum += std::uint64_t(std::abs(code_of(graph, node, filter, psums[std::size_t(f)].clipped) - wanted));
        ++errors.outputs;
      }
    }
  }
  return errors;
}

}  // namespace mho::mapping
