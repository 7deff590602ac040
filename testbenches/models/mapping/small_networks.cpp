// SPDX-License-Identifier: Apache-2.0
// Small networks and machines for tests.
#include "testbenches/models/mapping/small_networks.h"

#include <random>

#include "models/dnn/synthetic/graph_builder.h"
#include "models/input_error.h"

namespace mho::mapping {

dnn::Graph every_node(unsigned seed) {
  using dnn::square_window;
  dnn::GraphBuilder net("every_node", seed);
  dnn::ConvolutionOptions depthwise, grouped, with_sign;
  depthwise.groups = 8;
  grouped.groups = 2;
  with_sign.relu = false;
  const int stem = net.convolution(net.input({12, 12, 5}), 8, square_window(3, 1, 1));
  const int deep = net.convolution(stem, 8, square_window(3, 1, 1), depthwise);
  const int sum = net.add(net.convolution(deep, 8, square_window(1)), stem);
  const int half = net.max_pool(sum, square_window(2, 2));
  const int wide = net.convolution(half, 12, square_window(3, 1, 1), grouped);
  const int both = net.concat({wide, net.convolution(half, 6, square_window(1), with_sign)});
  const int pooled = net.average_pool(both, square_window(2, 2));
  const int vector = net.fully_connected(net.requantise(pooled, dnn::CodeType::kInt8), 10, with_sign);
  net.output(vector);
  net.output(pooled);
  dnn::Graph graph = net.build();
  std::mt19937 random(seed);
  for (dnn::Tensor& tensor : graph.tensors) tensor.zero_point = 1 + int(random() % 20);
  for (dnn::Node& node : graph.nodes)
    for (std::int8_t& weight : node.weights.values) weight = std::int8_t(int(random() % 256) - 128);
  return graph;
}

dnn::Graph every_activation() {
  using dnn::square_window;
  dnn::GraphBuilder net("every_activation");
  dnn::ConvolutionOptions with_sign;
  with_sign.relu = false;
  const auto project = [&](int x) { return net.convolution(x, 8, square_window(1), with_sign); };
  const int x = net.sequence(34, 8);
  const int values = project(x), keys = project(x);
  const int context = net.attention(project(x), keys, values, 2);
  const int normal = net.layer_norm(net.add(context, x, false));
  const int gate = net.function(net.global_average_pool(normal), dnn::Function::kLeakyRelu, 0.25);
  const int gated = net.affine(net.multiply(normal, gate), {1, 2, 3, 4, 5, 6, 7, 8}, {8, 7, 6, 5, 4, 3, 2, 1});
  dnn::Window frame;
  frame.pad_top = 2, frame.pad_right = 1;
  net.output(net.pad(net.select(gated, {7, 0, 7}), frame));
  return net.build();
}

dnn::Graph one_layer(int rows, int filters, const std::vector<std::int8_t>& weights, dnn::CodeType type) {
  dnn::GraphBuilder net("one_layer");
  dnn::ConvolutionOptions options;
  options.values = weights;
  options.name = "conv1";
  net.convolution(net.input({1, 1, rows}, type), filters, dnn::square_window(1), options);
  return net.build();
}

std::vector<std::int8_t> random_weights(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::int8_t> weights(count);
  for (std::int8_t& weight : weights) weight = std::int8_t(int(random() % 256) - 128);
  return weights;
}

std::string refusal(const dnn::Graph& graph, const Machine& machine) {
  try {
    compile(graph, machine);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

Machine small_machine() {
  Machine machine;
  machine.name = "small";
  machine.tiles_per_chip = 40;
  machine.crossbar_tiles_per_tile = 2;
  machine.data_bits = 8;
  machine.weight_slicing = {2, 2, 2, 2};
  machine.crossbar.crossbars = 3;
  machine.crossbar.rows = 32;
  machine.crossbar.columns = 16;
  machine.edram.bytes = 2048;
  machine.edram.line_bytes = 32;
  return machine;
}

std::int32_t stored_weight(const arithmetic::EncodedBlock& block, int row, int filter) {
  const int columns = block.columns();
  arithmetic::InputStream one_bit;
  one_bit.slicing = arithmetic::Slicing({1});
  std::vector<std::int16_t> codes(std::size_t(columns) + 1, 1);  // the unit column reads the 1 itself
  for (int c = 0; c < columns; ++c)
    codes[std::size_t(c)] = block.levels[std::size_t(row) * std::size_t(columns) + std::size_t(c)];
  std::vector<std::int32_t> psums(std::size_t(block.filters));
  arithmetic::recombine(block.recombination, block.filters, one_bit, codes.data(), nullptr, 1, columns + 1,
                        psums.data());
  return psums[std::size_t(filter)];
}

}  // namespace mho::mapping
