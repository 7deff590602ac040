// SPDX-License-Identifier: Apache-2.0
// How far a quantised graph is from the float network it came from, on samples: errors of its outputs, and whether both
// give the same answers and the right ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/dnn/quantisation/quantise.h"

namespace mho::dnn {

/// Of one graph output, over all samples and elements, in real numbers.
struct OutputError {
  double mean_abs_error = 0;  ///< mean of |quantised - float|
  double signal = 0;          ///< mean of float^2
  double noise = 0;           ///< mean of (quantised - float)^2
  /// Signal to quantisation noise in dB; infinite where there is no noise, NaN where there is neither.
  double sqnr_db() const;
};

struct Comparison {
  std::vector<OutputError> outputs;  ///< in the order of graph.outputs
  std::vector<int> float_class;      ///< one a sample: element of the first output that is largest, the first of equals
  std::vector<int> quantised_class;  ///< the same of the codes
  double agreement() const;          ///< share of the samples where both are equal
};

/// Runs samples first .. first + count - 1 through both. `graph` must have the tensors of `network`.
Comparison compare(const FloatNetwork& network, const Graph& graph, const SampleSource& samples, std::size_t first,
                   std::size_t count, int threads, const QuantiseProgress& progress = {});

/// Two shares of right answers to the same questions.
struct PairedShares {
  double first = 0, second = 0;  ///< shares of right answers, 0 to 1
  double lower = 0, upper = 0;   ///< 95 % interval of second - first
};

/// The interval is Agresti and Min's (Statistics in Medicine 24, 2005, 729): Wald's after half a pair was added to each
/// of the four counts, which keeps its coverage where few pairs differ. Answers are compared with labels.
PairedShares paired_shares(const std::vector<int>& first, const std::vector<int>& second,
                           const std::vector<std::int64_t>& labels);

}  // namespace mho::dnn
