// SPDX-License-Identifier: Apache-2.0
// Turns a float network into the graph of 8-bit codes that machines run. Weights are int8, symmetric, with one scale a
// filter; biases int32; activations have one scale a tensor, taken from samples: uint8 with zero point 0 where no value
// was negative, else symmetric int8. What the file states in codes stays as it is. Nothing is trained.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "models/dnn/quantisation/float_network.h"
#include "models/dnn/quantisation/float_reference.h"
#include "models/dnn/quantisation/quantise_ranges.h"

namespace mho::dnn {

struct QuantiseOptions {
  RangeMethod range = RangeMethod::kMinMax;
  double percentile = 99.99;  ///< kPercentile: above 0, at most 100
  int threads = 1;            ///< the result does not depend on it
};

/// Gives the inputs of sample `index`, in the order of graph.inputs. Called from several threads at once.
using SampleSource = std::function<std::vector<Reals>(std::size_t index)>;

/// Samples that were run, of how many in all passes; called on the calling thread.
using QuantiseProgress = std::function<void(std::size_t done, std::size_t all)>;

/// Passes over the samples that a method needs.
int passes_of(RangeMethod method);

/// Quantises with the ranges that the first `count` samples take, and validates the result. Throws mho::InputError
/// where the network is not valid, where there is no sample, where a sample leads to a value that is not finite, and
/// where psums would leave 32 bits.
Graph quantise(const FloatNetwork& network, const SampleSource& samples, std::size_t count,
               const QuantiseOptions& options = {}, const QuantiseProgress& progress = {});

/// Type, scale and zero point of every tensor of a network from the distributions of its values.
/// - Outputs of maximum pools, selections and paddings keep their input's format: their values are copies.
/// - A tensor that only a concatenation reads takes the format of the result, and is rounded once.
/// - A softmax has 255 steps between 0 and 1. A tensor that is always zero has the same.
std::vector<Tensor> activation_formats(const FloatNetwork& network, const std::vector<Distribution>& distributions,
                                       const QuantiseOptions& options);

/// Codes, scales and biases of a convolution's real weights, [filters][length], behind an input of scale `x_scale`.
/// A scale is the largest |weight| / 127, or with kMeanSquareError what gives the least mean square error; it is raised
/// where the bias would not fit, and where the filter is too weak to matter beside the layer's strongest.
Weights quantised_weights(const RealWeights& real, std::size_t filters, int groups, double x_scale,
                          const QuantiseOptions& options);

}  // namespace mho::dnn
