// SPDX-License-Identifier: Apache-2.0
// The keys that cut numbers into slices: what reaches the word lines in which cycles, and which bits of a weight go to
// which cells. A weight slicing may be one for all layers, one for each, or left to a search that needs the network
// (weight_slicing.h).
#pragma once

#include <string>
#include <vector>

#include "models/mapping/machine.h"
#include "models/mapping/slicing_search.h"
#include "platforms/config/reader.h"
#include "platforms/scenario/timing_reader.h"

namespace mho {

/// What of a weight slicing only the network can settle.
struct SlicingChoice {
  bool adaptive = false;                          ///< searched layer by layer
  std::vector<LayerName> layers;                  ///< that are given a slicing by name
  mapping::SlicingSearch search;                  ///< of `adaptive`
  int inputs = 10;                                ///< calibration inferences of the search
  config::Position at = config::Position("run");  ///< of the key
};

/// Takes data_bits, dac, input_slicing, speculation, signed_inputs, input_sum, weight_slicing and slicing_search, and
/// fills the members of the machine that belong to them; crossbar.cell_bits is known by then. Throws mho::InputError.
SlicingChoice read_slicing(config::Reader& root, mapping::Machine& machine);

/// Slicings by layer as `weight_slicing` holds them.
config::Node slicings_node(const std::map<std::string, std::vector<int>>& slicings);

}  // namespace mho
