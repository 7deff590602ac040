// SPDX-License-Identifier: Apache-2.0
// The weight slicing of every layer, found when a network is mapped (RAELLA, ISCA 2023, section 4.3): as few slices as
// keep a layer's 8-bit outputs close to the exact ones on calibration inputs. Crossbars are simulated with 1-bit input
// slices and the machine's converters, as they would be programmed but without noise.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/dnn/graph.h"
#include "models/mapping/machine.h"

namespace mho::mapping {

struct SlicingSearch {
  int positions = 1024;    ///< windows (inference, y, x) of a layer that are looked at, 1 .. kMostSlicingPositions
  std::uint64_t seed = 1;  ///< which ones
  double budget = 0.09;    ///< a slicing is accepted whose mean error lies below; in output codes, >= 0
};
inline constexpr int kMostSlicingPositions = 16384;

/// As Machine::layer_slicings.
using LayerSlicings = std::map<std::string, std::vector<int>>;
/// [inference][graph input]: codes [height][width][channels].
using CalibrationInputs = std::vector<std::vector<std::vector<std::uint8_t>>>;
/// Share of the work that is done, 0 .. 1, and the layer that comes next.
using SlicingProgress = std::function<void(double share, const std::string& layer)>;

/// All ways to cut `bits` into slices of 1 to `widest`: few slices before many, then in lexicographic order.
std::vector<std::vector<int>> slicing_candidates(int bits, int widest);

/// A slicing for every convolution. The error of a slicing is the mean of |code - exact code| over all filters of the
/// sampled windows, counting only outputs whose exact code is not the zero point; 0 where there are none. Codes are
/// those after requantisation and the range of a fused activation. Of the smallest number of slices that has an
/// accepted slicing, the one with the least error is taken, of equal ones the first in lexicographic order; eight 1-bit
/// slices where none is accepted, and always in the last weighted layer. `machine.weight_slicing` and
/// `machine.layer_slicings` do not count. Throws std::invalid_argument where options or machine do not suit (8-bit
/// data, digital sums of inputs), and mho::InputError as dnn::execute.
LayerSlicings search_slicings(const dnn::Graph& graph, const Machine& machine, const CalibrationInputs& inputs,
                              const SlicingSearch& options, const SlicingProgress& progress = {});

}  // namespace mho::mapping
