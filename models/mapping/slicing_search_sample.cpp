// SPDX-License-Identifier: Apache-2.0
// One inference after the other through the reference, so that only one is in memory at a time.
#include "models/mapping/slicing_search_sample.h"

#include <algorithm>

#include "models/arithmetic/noise.h"
#include "models/dnn/operators.h"
#include "models/dnn/reference.h"

namespace mho::mapping {
namespace {

using Tensors = std::vector<std::vector<std::uint8_t>>;

/// A layer on its way to a sample: the vectors that were drawn, and how many have been gathered.
struct Drawing {
  LayerSample sample;
  int vectors_of_row = 0;
  std::int64_t vectors_of_map = 0;
  std::vector<std::int64_t> positions;
  std::size_t gathered = 0;
};

Drawing start(const dnn::Graph& graph, const SampledLayer& layer, const Machine& machine, std::int64_t inferences,
              const SlicingSearch& options) {
  const dnn::Shape& shape = graph.output_of(graph.nodes[std::size_t(layer.node)]).shape;
  Drawing drawing{{layer.node, layout_of(graph, layer, machine), 0, {}, {}}, 0, 0, {}, 0};
  const BlockLayout& layout = drawing.sample.layout;
  const int expansion = layout.expansion();
  drawing.vectors_of_row = vectors_of_row(shape.width, expansion);
  drawing.vectors_of_map = std::int64_t(shape.height) * drawing.vectors_of_row;
  drawing.positions =
      draw_positions(inferences * drawing.vectors_of_map, (options.positions + expansion - 1) / expansion,
                     arithmetic::mix(options.seed, std::uint64_t(layer.node)));
  drawing.sample.vectors = int(drawing.positions.size());
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    const BlockShape block = layout.at(i);
    drawing.sample.blocks.push_back({block, {}});
    drawing.sample.blocks.back().codes.resize(drawing.positions.size() * std::size_t(block.rows));
  }
  return drawing;
}

bool needs(const Drawing& drawing, std::int64_t inference) {
  return drawing.gathered < drawing.positions.size() &&
         drawing.positions[drawing.gathered] < (inference + 1) * drawing.vectors_of_map;
}

/// The vectors of one inference.
void gather(const dnn::Graph& graph, const Tensors& tensors, std::int64_t inference, Drawing& drawing) {
  const dnn::Node& node = graph.nodes[std::size_t(drawing.sample.node)];
  const dnn::Tensor& input = graph.input_of(node);
  const int expansion = drawing.sample.layout.expansion();
  const dnn::Window window = expanded_window(node.window, expansion);
  const std::uint8_t* codes = tensors[std::size_t(node.inputs[0])].data();
  const dnn::RowSource rows = [&](int, int y) { return codes + std::size_t(y) * input.shape.row_bytes(); };
  for (; needs(drawing, inference); ++drawing.gathered) {
    const std::int64_t vector = drawing.positions[drawing.gathered] - inference * drawing.vectors_of_map;
    const int y = int(vector / drawing.vectors_of_row), x = int(vector % drawing.vectors_of_row);
    drawing.sample.windows.push_back(std::min(expansion, graph.output_of(node).shape.width - x * expansion));
    for (SampledBlock& block : drawing.sample.blocks)
      dnn::gather_windows(input, window, node.weights.groups, {y, x, 1, block.shape.row_first, block.shape.rows}, rows,
                          block.codes.data() + drawing.gathered * std::size_t(block.shape.rows));
  }
}

}  // namespace

/// Selection sampling (Knuth, The Art of Computer Programming, 3.4.2, algorithm S).
std::vector<std::int64_t> draw_positions(std::int64_t total, int count, std::uint64_t seed) {
  std::vector<std::int64_t> positions;
  std::int64_t missing = std::min<std::int64_t>(total, count);
  for (std::int64_t i = 0; missing > 0; ++i) {
    // Uniform in 0 .. left - 1 for left below 2^32: the bias is below 2^-32.
    const auto left = std::uint64_t(total - i);
    const std::uint64_t drawn = (arithmetic::mix(seed, std::uint64_t(i)) >> 32) * left >> 32;
    if (std::int64_t(drawn) >= missing) continue;
    positions.push_back(i);
    --missing;
  }
  return positions;
}

BlockLayout layout_of(const dnn::Graph& graph, const SampledLayer& layer, const Machine& machine) {
  const dnn::Node& node = graph.nodes[std::size_t(layer.node)];
  Machine cut = machine;
  cut.layer_slicings = {{node.name, std::vector<int>(std::size_t(layer.slices), 1)}};
  return {graph, node, cut};
}

std::vector<LayerSample> sample_layers(const dnn::Graph& graph, const std::vector<SampledLayer>& layers,
                                       const Machine& machine, const CalibrationInputs& inputs,
                                       const SlicingSearch& options) {
  std::vector<Drawing> drawings;
  for (const SampledLayer& layer : layers)
    drawings.push_back(start(graph, layer, machine, std::int64_t(inputs.size()), options));
  const dnn::Reference reference(graph);
  for (std::size_t n = 0; n < inputs.size(); ++n) {
    const Tensors tensors = reference.run(inputs[n]);
    for (Drawing& drawing : drawings) gather(graph, tensors, std::int64_t(n), drawing);
  }
  std::vector<LayerSample> samples;
  for (Drawing& drawing : drawings) samples.push_back(std::move(drawing.sample));
  return samples;
}

}  // namespace mho::mapping
