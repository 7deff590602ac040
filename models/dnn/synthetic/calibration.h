// SPDX-License-Identifier: Apache-2.0
// Gives the nodes of a graph scales and biases from what they compute on one example: each convolution's psums are
// normalised filter by filter as batch normalisation does, and every output gets the range its values need. Nodes are
// taken in order, so that each sees the codes the network really sends it. Nothing is trained.
#pragma once

#include <cstdint>
#include <vector>

#include "models/dnn/synthetic/layer_table.h"
#include "models/dnn/synthetic/synthetic_tensors.h"

namespace mho::dnn {

/// How values sit in the range of their codes, and how filters differ. Defaults are fitted to a trained network.
struct CalibrationOptions {
  double percentile = 0.999;  ///< share of |values| (after the activation) that the range is measured by
  double headroom = 2.6;      ///< the range ends at this multiple of that percentile: other inputs are larger
  double mean_offset = -0.1;  ///< of normalised psums over filters, before the activation
  double spread_of_offsets = 0.4;
};

/// One inference of a graph that is being calibrated. The first operand of attention's scores gets the
/// usual divisor, sqrt(channels of a head), folded into its weights.
class Calibration {
 public:
  /// `table` has input scales and types, and is changed by `calibrate`; it must outlive this object.
  Calibration(LayerTable& table, std::vector<std::vector<std::uint8_t>> inputs, const CalibrationOptions& options = {});

  /// Sets the output's type and scale, the clip range, of a convolution (whose weight values are there) biases and
  /// weight scales, and of a normalisation gains and offsets; then computes the output. Nodes in order, each once.
  void calibrate(std::size_t node, RandomBits random);

 private:
  using Codes = std::vector<std::uint8_t>;
  // calibration.cpp
  void calibrate_convolution(Node& node, Activation activation, RandomBits& random);
  // calibration_rows.cpp
  void calibrate_rows(Node& node, Activation activation);
  void normalise_channels(Node& node, RandomBits& random) const;
  void find_range(Node& node, Activation activation);
  Codes computed(const Node& node, int step) const;
  void set_range(Node& node, Activation activation, double largest);

  LayerTable& table_;
  CalibrationOptions options_;
  std::vector<Codes> codes_;              ///< one a tensor, emptied behind its last reader
  std::vector<std::size_t> last_reader_;  ///< node, one a tensor
  std::vector<double> unit_;              ///< deviation of normalised psums, one a tensor
};

}  // namespace mho::dnn
