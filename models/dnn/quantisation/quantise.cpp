// SPDX-License-Identifier: Apache-2.0
// Samples to distributions to formats to codes.
#include "models/dnn/quantisation/quantise.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "models/dnn/share_out.h"
#include "models/input_error.h"

namespace mho::dnn {

namespace {

using Distributions = std::vector<Distribution>;

/// Runs the samples and gathers what they show of every tensor.
class Calibrator {
 public:
  Calibrator(const FloatNetwork& network, const SampleSource& samples, std::size_t count,
             const QuantiseOptions& options, const QuantiseProgress& progress)
      : network_(network),
        reference_(network),
        samples_(samples),
        count_(count),
        options_(options),
        progress_(progress) {}

  Distributions run() {
    Distributions result = pass(
        Distributions(network_.graph.tensors.size()),
        [&](Distribution& d, int t, const Reals& v) {
          if (d.widen(v)) return;
          throw InputError(network_.graph.name, 0, 0,
                           "a sample gives tensor " + excerpt(network_.graph.tensors[std::size_t(t)].name) +
                               " a value that is not finite",
                           "samples like those that the network was trained on");
        },
        &Distribution::merge_extremes);
    if (options_.range == RangeMethod::kMinMax) return result;
    return pass(
        result, [](Distribution& d, int, const Reals& v) { d.count(v); }, &Distribution::merge_counts);
  }

 private:
  template <class See, class Merge>
  Distributions pass(const Distributions& start, const See& see, const Merge& merge) {
    std::vector<Distributions> parts(std::size_t(std::max(options_.threads, 1)), start);
    share_out(
        count_, options_.threads,
        [&](std::size_t index, int worker) {
          Distributions& part = parts[std::size_t(worker)];
          reference_.run(samples_(index),
                         [&](int tensor, const Reals& values) { see(part[std::size_t(tensor)], tensor, values); });
        },
        [&](std::size_t done) {
          if (progress_) progress_(before_ + done, count_ * std::size_t(passes_of(options_.range)));
        });
    before_ += count_;
    for (std::size_t w = 1; w < parts.size(); ++w)
      for (std::size_t t = 0; t < start.size(); ++t) (parts[0][t].*merge)(parts[w][t]);
    return parts[0];
  }

  const FloatNetwork& network_;
  const FloatReference reference_;
  const SampleSource& samples_;
  std::size_t count_, before_ = 0;
  const QuantiseOptions& options_;
  const QuantiseProgress& progress_;
};

/// A bound of a real range as a code; bounds beyond the type end where it ends.
int code_of(double bound, const Tensor& tensor) {
  const double low = lowest_code(tensor.type), high = highest_code(tensor.type);
  return int(std::nearbyint(std::clamp(bound / tensor.scale + tensor.zero_point, low, high)));
}

/// Files store real numbers of operators as float.
void store_as_float(Node& node) {
  for (double& gain : node.gain) gain = double(float(gain));
  for (double& offset : node.offset) offset = double(float(offset));
  node.epsilon = double(float(node.epsilon));
  node.parameter = double(float(node.parameter));
}

}  // namespace

int passes_of(RangeMethod method) { return method == RangeMethod::kMinMax ? 1 : 2; }

Graph quantise(const FloatNetwork& network, const SampleSource& samples, std::size_t count,
               const QuantiseOptions& options, const QuantiseProgress& progress) {
  if (count == 0) throw InputError(network.graph.name, 0, 0, "no samples to take ranges from", "one or more");
  const Distributions distributions = Calibrator(network, samples, count, options, progress).run();
  Graph graph = network.graph;
  graph.tensors = activation_formats(network, distributions, options);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    Node& node = graph.nodes[n];
    store_as_float(node);
    if (const RealWeights& real = network.real_weights[n]; !real.values.empty())
      node.weights = quantised_weights(real, std::size_t(filters_of(graph, node)), node.weights.groups,
                                       graph.input_of(node).scale, options);
    if (network.quantised[std::size_t(node.output)]) continue;
    node.lower = code_of(network.range[n].lower, graph.output_of(node));
    node.upper = code_of(network.range[n].upper, graph.output_of(node));
  }
  validate(graph);
  return graph;
}

}  // namespace mho::dnn
