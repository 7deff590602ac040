// SPDX-License-Identifier: Apache-2.0
// Integer operators, one output row at a time: the function unit of a machine and the integer reference call the
// same code; the independent check is the numpy executor of the testbenches. Requantisation follows ONNX:
// clip(rint(acc * (x_scale * w_scale / y_scale)) + y_zero), doubles, ties to even, one rounding.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "models/dnn/graph.h"

namespace mho::dnn {

/// Gives row `y` of input `input` of a node (width * channels codes); never asked for rows outside the map, nor for any
/// but those from first_input_row to last_input_row. All of them must stay where they are until the row is computed.
using RowSource = std::function<const std::uint8_t*(int input, int y)>;

/// A piece of the dot products of windows (y, x_first .. x_first + count - 1): elements k_first .. k_first +
/// k_count - 1 in the order [group][ky][kx][c of the group]; a grouped convolution thus has groups * dot_length
/// elements, and a slice may span groups.
struct WindowSlice {
  int y = 0, x_first = 0, count = 0;
  int k_first = 0, k_count = 0;
};

/// Writes codes[count][k_count] of the input's type; padding is the input's zero point.
void gather_windows(const Tensor& input, const Window& window, int groups, const WindowSlice& slice,
                    const RowSource& rows, std::uint8_t* codes);

/// bias - x_zero * sum(w) of every filter of a convolution; `validate` has checked that it fits 32 bits. Where the
/// weight values were dropped, as in a compiled graph, the bias has been folded before and is returned as it is.
std::vector<std::int64_t> folded_bias(const Graph& graph, const Node& node);

/// Requantisation of one convolution's psums. The zero-point term x_zero * sum(w) is folded into the bias.
class Requantiser {
 public:
  Requantiser(const Graph& graph, const Node& node);
  /// psums[count][filters] of filters first .. first + filters - 1 -> codes[count][filters] with row stride
  /// `code_stride` bytes between windows.
  void apply(const std::int32_t* psums, int count, int first_filter, int filters, std::uint8_t* codes,
             std::size_t code_stride) const;

 private:
  std::vector<double> bias_;  ///< integers; doubles because the sum with a psum is exact and vectorises
  std::vector<double> multiplier_;
  int zero_point_, lower_, upper_;
};

/// Computes output row `y` of a node that is not a convolution into `out` (width * channels codes).
void compute_row(const Graph& graph, const Node& node, int y, const RowSource& rows, std::uint8_t* out);

/// One inference by the integer reference: `inputs` in the order of graph.inputs, each [height][width][channels];
/// returns every tensor of the graph. Uses models/arithmetic's exact integer product.
std::vector<std::vector<std::uint8_t>> execute(const Graph& graph,
                                               const std::vector<std::vector<std::uint8_t>>& inputs);

}  // namespace mho::dnn
