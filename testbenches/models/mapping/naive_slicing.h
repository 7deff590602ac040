// SPDX-License-Identifier: Apache-2.0
// Machines with pairs for tests of weight slicings, and the error of a slicing once more, in plain loops over windows,
// columns, bits and rows.
#pragma once

#include <cstdint>
#include <vector>

#include "models/mapping/slicing_search.h"

namespace mho::mapping {

/// Pairs in crossbars of `rows` x 64 with a signed ADC.
Machine pairs(int rows, int adc_bits, const char* encoding = "centre_offset");

/// Any codes.
CalibrationInputs random_inputs(const dnn::Graph& graph, int inferences, unsigned seed);

struct SlicingErrors {
  std::uint64_t sum = 0, outputs = 0;
  double mean() const { return outputs == 0 ? 0.0 : double(sum) / double(outputs); }
};

/// Of node `index`, over all windows of all inferences, through blocks as they are encoded for a compiled network.
SlicingErrors naive_errors(const dnn::Graph& graph, int index, Machine machine, const CalibrationInputs& inputs,
                           const std::vector<int>& slicing);

}  // namespace mho::mapping
