// SPDX-License-Identifier: Apache-2.0
// Generator of random networks, and the list of machines.
#include "testbenches/models/pim/network_graphs.h"

#include <random>

#include "models/dnn/synthetic/graph_builder.h"

namespace mho::testbenches {
namespace {

using dnn::CodeType;

/// Adds nodes at random; `tensors` are those that may be read.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed), net_("random_" + std::to_string(seed), seed) {}

  dnn::Graph run() {
    const dnn::Shape shape = {5 + pick(4), 5 + pick(4), 1 + pick(5)};
    last_ = net_.input(shape, type());
    if (pick(2) == 1) {
      const int other = net_.input(shape, type());
      last_ = pick(2) == 1 ? net_.concat({last_, other}) : net_.add(last_, other, pick(2) == 1);
    }
    for (int nodes = 3 + pick(4); nodes > 0; --nodes) grow();
    if (pick(2) == 1) net_.output(last_);
    if (pick(2) == 1) last_ = net_.global_average_pool(last_);
    net_.output(net_.fully_connected(last_, 3 + pick(6), convolution(1)));
    return spiced(net_.build());
  }

 private:
  int pick(int below) { return int(random_() % unsigned(below)); }
  CodeType type() { return pick(2) == 1 ? CodeType::kUint8 : CodeType::kInt8; }

  dnn::ConvolutionOptions convolution(int groups) {
    dnn::ConvolutionOptions options;
    options.groups = groups;
    options.relu = pick(2) == 1;
    return options;
  }
  dnn::Window window(int kernel) {
    dnn::Window window = dnn::square_window(kernel, 1, kernel / 2);
    if (pick(3) == 0) window.kernel_width = 1, window.pad_left = window.pad_right = 0;
    return window;
  }

  void grow() {
    switch (pick(7)) {
      case 0:
        last_ = net_.convolution(last_, 2 + 2 * pick(5), window(3), convolution(1));
        break;
      case 1:
        shortcut();
        break;
      case 2:
        last_ = net_.convolution(last_, 4, dnn::square_window(1), convolution(1));
        depthwise();
        break;
      case 3:
        branch();
        break;
      case 4:
        pool();
        break;
      case 5:
        last_ = net_.requantise(last_, type());
        break;
      default:
        last_ = net_.convolution(last_, 9, dnn::square_window(3, 1 + pick(2), 1), convolution(1));
        break;
    }
  }
  void depthwise() {
    last_ = net_.convolution(last_, 8, window(3), convolution(4));
    last_ = net_.convolution(last_, 6, dnn::square_window(1), convolution(2));
  }
  void shortcut() {
    const int from = net_.convolution(last_, 6, dnn::square_window(1), convolution(1));
    const int through = net_.convolution(from, 6, window(3), convolution(1));
    last_ = net_.add(through, from, pick(2) == 1);
  }
  void branch() {
    const int left = net_.convolution(last_, 3, window(3), convolution(1));
    const int right = net_.convolution(last_, 5, dnn::square_window(1), convolution(1));
    last_ = net_.concat({left, last_, right});
  }
  void pool() {
    const dnn::Window reach = dnn::square_window(3, 1 + pick(2), 1);
    last_ = pick(2) == 1 ? net_.max_pool(last_, reach) : net_.average_pool(last_, reach, pick(2) == 1);
  }

  /// Full-range weights and zero points other than 0; the scales stay, so outputs saturate now and then.
  dnn::Graph spiced(dnn::Graph graph) {
    for (dnn::Tensor& tensor : graph.tensors) tensor.zero_point = 1 + pick(40);
    for (dnn::Node& node : graph.nodes)
      for (std::int8_t& weight : node.weights.values) weight = std::int8_t(pick(256) - 128);
    return graph;
  }

  std::mt19937 random_;
  dnn::GraphBuilder net_;
  int last_ = 0;
};

mapping::Machine machine(int data_bits, std::vector<int> slicing, int cell_bits, int rows, int columns, int crossbars) {
  mapping::Machine result;
  result.name = "odd";
  result.data_bits = data_bits;
  result.weight_slicing = std::move(slicing);
  result.crossbar.cell_bits = cell_bits;
  result.crossbar.rows = rows;
  result.crossbar.columns = columns;
  result.crossbar.crossbars = crossbars;
  result.adc.bits = 14;
  result.adc.converters = crossbars;
  result.edram.bytes = 8192;
  return result;
}

}  // namespace

dnn::Graph random_network(unsigned seed) { return Generator(seed).run(); }

std::vector<mapping::Machine> odd_machines() {
  std::vector<mapping::Machine> machines = {
      machine(8, {2, 2, 2, 2}, 2, 32, 18, 3),  // two columns of a crossbar stay empty
      machine(8, {1, 1, 1, 1, 1, 1, 1, 1}, 1, 64, 32, 2),
      machine(8, {4, 4}, 4, 128, 6, 1),                     // a filter or three a crossbar_tile
      machine(16, {2, 2, 2, 2, 2, 2, 2, 2}, 2, 40, 24, 2),  // rows that are no power of two
      machine(16, {4, 4, 4, 4}, 4, 256, 16, 2),
      machine(9, {1, 2, 2, 2, 2}, 2, 48, 25, 4),  // slices of 1, 2, 2, 2, 2 bits for inputs as well
      machine(8, {3, 3, 2}, 3, 33, 9, 5),
  };
  for (std::size_t i = 0; i < machines.size(); ++i) {
    machines[i].crossbar_tiles_per_tile = 1 + int(i % 3);
    machines[i].tiles_per_chip = i % 2 == 0 ? 7 : 1024;  // several chips, or one
    machines[i].router.tiles_per_router = 1 + int(i % 4);
    machines[i].encoding = i % 3 == 1 ? "biased" : "flip";
    machines[i].replication = i % 4 == 3 ? mapping::Replication::kNone : mapping::Replication::kBalanced;
    machines[i].adc.converters = 1 + int(i) % machines[i].crossbar.crossbars;
  }
  machines[5].dac_bits = 2;
  machines[2].edram.bytes = 700;  // rings are spilled
  return machines;
}

}  // namespace mho::testbenches
