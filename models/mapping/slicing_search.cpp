// SPDX-License-Identifier: Apache-2.0
// Candidates with equally many slices race: always the one with the smallest error so far looks at its next filters,
// because no other can win before it is done. Errors only grow, so what has reached the budget or the best complete
// candidate is out. The order of the race decides nothing but how much work it is.
#include "models/mapping/slicing_search.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <stdexcept>

#include "models/arithmetic/encoding.h"
#include "models/mapping/slicing_search_layer.h"
#include "models/mapping/slicing_search_sample.h"

namespace mho::mapping {
namespace {

constexpr int kBits = 8, kWidest = 4;
const std::vector<int> kFinest(kBits, 1);

struct Runner {
  const std::vector<int>* slicing = nullptr;
  std::unique_ptr<arithmetic::WeightEncoding> encoding;
  std::uint64_t error = 0;
  int parts = 0;  ///< done
};

/// The best accepted one among candidates of equally many slices, or nothing. Of equal errors the first leads.
const std::vector<int>* race(const LayerTrial& trial, const Machine& machine, double budget,
                             std::vector<std::vector<int>>::const_iterator first,
                             std::vector<std::vector<int>>::const_iterator last) {
  std::vector<Runner> runners;
  Machine with_slicing = machine;
  for (; first != last; ++first) {
    with_slicing.weight_slicing = *first;
    runners.push_back({&*first, machine.encoding.make(with_slicing)});
  }
  const std::uint64_t outputs = std::max<std::uint64_t>(trial.outputs(), 1);
  const auto accepted = [&](const Runner& runner) { return double(runner.error) / double(outputs) < budget; };
  for (;;) {
    const auto leader = std::min_element(runners.begin(), runners.end(),
                                         [](const Runner& a, const Runner& b) { return a.error < b.error; });
    if (!accepted(*leader)) return nullptr;
    if (leader->parts == trial.parts()) return leader->slicing;
    leader->error += trial.error(*leader->encoding, leader->parts++);
  }
}

/// `samples` are those of one layer.
std::vector<int> search_layer(const dnn::Graph& graph, const Machine& machine, const std::vector<LayerSample>& samples,
                              double budget, const std::vector<std::vector<int>>& candidates) {
  std::map<int, LayerTrial> trials;  // by expansion
  for (auto first = candidates.begin(); first != candidates.end();) {
    const auto last = std::find_if(first, candidates.end(),
                                   [&](const std::vector<int>& other) { return other.size() != first->size(); });
    const int node = samples.front().node;
    const int expansion = layout_of(graph, {node, int(first->size())}, machine).expansion();
    const auto sample = std::find_if(samples.begin(), samples.end(),
                                     [&](const LayerSample& each) { return each.layout.expansion() == expansion; });
    const LayerTrial& trial = trials.try_emplace(expansion, graph, machine, *sample).first->second;
    if (const std::vector<int>* found = race(trial, machine, budget, first, last)) return *found;
    first = last;
  }
  return kFinest;
}

/// One for each expansion that some number of slices leads to.
std::vector<SampledLayer> samples_for(const dnn::Graph& graph, int node, const Machine& machine,
                                      const std::vector<std::vector<int>>& candidates) {
  std::vector<SampledLayer> samples;
  std::set<int> expansions;
  for (const std::vector<int>& slicing : candidates) {
    const SampledLayer layer{node, int(slicing.size())};
    if (expansions.insert(layout_of(graph, layer, machine).expansion()).second) samples.push_back(layer);
  }
  return samples;
}

void cut(int bits, int widest, std::vector<int>& begun, std::vector<std::vector<int>>& all) {
  if (bits == 0) return all.push_back(begun);
  for (int width = 1; width <= std::min(bits, widest); ++width) {
    begun.push_back(width);
    cut(bits - width, widest, begun, all);
    begun.pop_back();
  }
}

void check(const Machine& machine, const CalibrationInputs& inputs, const SlicingSearch& options) {
  if (machine.data_bits != kBits)
    throw std::invalid_argument("data_bits is " + std::to_string(machine.data_bits) +
                                " (8 where weight slicings are searched for)");
  if (machine.input_sum != InputSum::kDigital)
    throw std::invalid_argument("input_sum is unit_column (digital where weight slicings are searched for)");
  if (machine.crossbar.columns < kBits)
    throw std::invalid_argument("crossbar.columns is " + std::to_string(machine.crossbar.columns) +
                                " (8 or more where weight slicings are searched for, for filters of eight slices)");
  if (options.positions < 1 || options.positions > kMostSlicingPositions)
    throw std::invalid_argument(std::to_string(options.positions) + " positions to search weight slicings (1 to " +
                                std::to_string(kMostSlicingPositions) + ")");
  if (!(options.budget >= 0.0)) throw std::invalid_argument("a negative error budget of weight slicings (0 or more)");
  if (inputs.empty()) throw std::invalid_argument("no calibration inputs to search weight slicings (1 or more)");
}

}  // namespace

std::vector<std::vector<int>> slicing_candidates(int bits, int widest) {
  std::vector<std::vector<int>> all;
  std::vector<int> begun;
  cut(bits, widest, begun, all);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  return all;
}

LayerSlicings search_slicings(const dnn::Graph& graph, const Machine& machine, const CalibrationInputs& inputs,
                              const SlicingSearch& options, const SlicingProgress& progress) {
  check(machine, inputs, options);
  std::vector<int> nodes;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].op == dnn::Operator::kConvolution) nodes.push_back(int(i));
  LayerSlicings slicings;
  if (nodes.empty()) return slicings;
  slicings[graph.nodes[std::size_t(nodes.back())].name] = kFinest;
  nodes.pop_back();
  const auto candidates = slicing_candidates(kBits, std::min(kWidest, machine.crossbar.cell_bits));
  std::vector<SampledLayer> layers;
  for (const int node : nodes)
    for (const SampledLayer& layer : samples_for(graph, node, machine, candidates)) layers.push_back(layer);
  std::vector<LayerSample> samples = sample_layers(graph, layers, machine, inputs, options);
  double work = 0.0, done = 0.0;
  for (const int node : nodes) work += double(graph.nodes[std::size_t(node)].weights.values.size());
  for (auto first = samples.begin(); first != samples.end();) {
    const dnn::Node& node = graph.nodes[std::size_t(first->node)];
    const auto last =
        std::find_if(first, samples.end(), [&](const LayerSample& sample) { return sample.node != first->node; });
    if (progress) progress(done / work, node.name);
    const std::vector<LayerSample> of_layer(std::make_move_iterator(first), std::make_move_iterator(last));
    slicings[node.name] = search_layer(graph, machine, of_layer, options.budget, candidates);
    done += double(node.weights.values.size());
    first = last;
  }
  return slicings;
}

}  // namespace mho::mapping
