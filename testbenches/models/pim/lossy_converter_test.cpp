// SPDX-License-Identifier: Apache-2.0
// Machines whose converters have too few bits, compared with a naive simulation of slicing, clipping and recombining
// that is written out here and shares nothing with the models: outputs, clipped conversions, and which layers stay
// exact.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "models/dnn/synthetic/graph_builder.h"
#include "testbenches/models/pim/device_bench.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using observe::Action;

/// A convolution on crossbars of `rows` rows with 2-bit cells and 1-bit inputs of 8 bits, in plain loops.
class NaiveLayer {
 public:
  /// `flip_at`: columns whose levels sum to as much are stored inverted; 0: none are.
  NaiveLayer(const dnn::Graph& graph, const dnn::Node& node, int rows, int highest_code, int flip_at)
      : graph_(graph), node_(node), rows_(rows), highest_(highest_code), flip_at_(flip_at) {}

  std::vector<std::uint8_t> run(const std::vector<std::uint8_t>& map) {
    const dnn::Tensor& out = graph_.output_of(node_);
    std::vector<std::uint8_t> codes;
    for (int y = 0; y < out.shape.height; ++y)
      for (int x = 0; x < out.shape.width; ++x) {
        const std::vector<int> window = gather(map, y, x);
        for (int f = 0; f < out.shape.channels; ++f) codes.push_back(requantised(psum(window, f), f));
        for (std::size_t k = 0; k < window.size(); k += std::size_t(rows_)) count_unit(window, k);
      }
    return codes;
  }
  std::uint64_t clipped = 0;

 private:
  /// Codes of a window as 8-bit patterns, in the order [ky][kx][c], padding as the zero point.
  std::vector<int> gather(const std::vector<std::uint8_t>& map, int y, int x) const {
    const dnn::Tensor& in = graph_.input_of(node_);
    std::vector<int> window;
    for (int ky = 0; ky < node_.window.kernel_height; ++ky)
      for (int kx = 0; kx < node_.window.kernel_width; ++kx)
        for (int c = 0; c < in.shape.channels; ++c) {
          const int row = y * node_.window.stride_y + ky - node_.window.pad_top;
          const int column = x * node_.window.stride_x + kx - node_.window.pad_left;
          const bool inside = row >= 0 && row < in.shape.height && column >= 0 && column < in.shape.width;
          const int at = (row * in.shape.width + column) * in.shape.channels + c;
          window.push_back(inside ? map[std::size_t(at)] : in.zero_point & 0xff);
        }
    return window;
  }
  int weight(int filter, std::size_t k, std::size_t length) const {
    return node_.weights.values[std::size_t(filter) * length + k];
  }
  int clip(int sum, bool counted) {
    if (counted) clipped += sum > highest_;
    return std::min(sum, highest_);
  }
  std::int64_t place(int bit) const {
    return bit == 7 && graph_.input_of(node_).type == dnn::CodeType::kInt8 ? -128 : std::int64_t{1} << bit;
  }
  int unit_sum(const std::vector<int>& window, std::size_t first, int bit) const {
    int sum = 0;
    for (std::size_t k = first; k < std::min(window.size(), first + std::size_t(rows_)); ++k)
      sum += window[k] >> bit & 1;
    return sum;
  }
  /// The unit column of a block is converted once, whatever the number of filters.
  void count_unit(const std::vector<int>& window, std::size_t first) {
    for (int bit = 0; bit < 8; ++bit) clip(unit_sum(window, first, bit), true);
  }
  std::int64_t psum(const std::vector<int>& window, int filter) {
    std::int64_t psum = 0;
    for (std::size_t first = 0; first < window.size(); first += std::size_t(rows_))
      for (int shift = 0; shift < 8; shift += 2) {
        const std::size_t end = std::min(window.size(), first + std::size_t(rows_));
        int levels = 0;
        for (std::size_t k = first; k < end; ++k) levels += (weight(filter, k, window.size()) + 128) >> shift & 3;
        const bool flipped = flip_at_ > 0 && levels >= flip_at_;
        for (int bit = 0; bit < 8; ++bit) {
          int sum = 0;
          for (std::size_t k = first; k < end; ++k) {
            const int level = (weight(filter, k, window.size()) + 128) >> shift & 3;
            sum += (window[k] >> bit & 1) * (flipped ? 3 - level : level);
          }
          const int code = clip(sum, true), unit = clip(unit_sum(window, first, bit), false);
          psum += place(bit) * (std::int64_t{1} << shift) * (flipped ? 3 * unit - code : code);
          if (shift == 0) psum -= place(bit) * 128 * unit;  // the bias, once a block
        }
      }
    return psum;
  }
  std::uint8_t requantised(std::int64_t psum, int filter) const {
    const dnn::Tensor &in = graph_.input_of(node_), &out = graph_.output_of(node_);
    const std::size_t length = node_.weights.values.size() / std::size_t(out.shape.channels);
    std::int64_t sum = psum + node_.weights.bias[std::size_t(filter)];
    for (std::size_t k = 0; k < length; ++k) sum -= std::int64_t{in.zero_point} * weight(filter, k, length);
    const double real = double(sum) * (in.scale * node_.weights.scale[std::size_t(filter)] / out.scale);
    const double code = std::nearbyint(std::min(1e6, std::max(-1e6, real))) + out.zero_point;
    return std::uint8_t(int(std::min<double>(node_.upper, std::max<double>(node_.lower, code))));
  }

  const dnn::Graph& graph_;
  const dnn::Node& node_;
  const int rows_, highest_, flip_at_;
};

/// 60 rows, then 4 rows, on a signed map; weights over all of int8.
dnn::Graph network() {
  dnn::GraphBuilder net("lossy", 4);
  dnn::ConvolutionOptions with_sign;
  with_sign.relu = false;
  const int wide =
      net.convolution(net.input({7, 6, 15}, dnn::CodeType::kInt8), 4, {2, 2, 2, 1, 1, 0, 0, 1, 1, 1}, with_sign);
  net.convolution(wide, 3, dnn::square_window(1));
  net.output(wide);
  net.output(wide + 1);
  dnn::Graph graph = net.build();
  graph.tensors[0].zero_point = -9;
  graph.tensors[1].zero_point = 5;
  int i = 0;
  for (dnn::Node& node : graph.nodes)
    for (std::int8_t& weight : node.weights.values) weight = std::int8_t(++i * 89 % 256 - 128);
  return graph;
}

/// A 5-bit converter, whose highest code is 31: crossbars of 32 rows have blocks of 32 and 28 rows, which need up to
/// 96; a block of 4 rows needs 12 at most and stays exact.
void check_lossy(const char* encoding, int flip_at) {
  mapping::Machine machine = small_machine();
  machine.encoding = encoding;
  machine.adc.bits = 5;
  const dnn::Graph graph = network();
  Device<> device("pim", graph, machine);
  REQUIRE_FALSE(device.compiled.layers[0].lossless);
  REQUIRE(device.compiled.layers[1].lossless);
  device.program();
  const std::vector<Tensors> inputs = random_inputs(graph, 6, 2), outputs = device.infer(inputs);
  NaiveLayer first(graph, graph.nodes[0], 32, 31, flip_at), second(graph, graph.nodes[1], 32, 31, flip_at);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::vector<std::uint8_t> map = first.run(inputs[i][0]);
    CHECK(outputs[i][0] == map);
    CHECK(outputs[i][1] == second.run(map));
  }
  CHECK(outputs != reference_outputs(graph, inputs));
  CHECK(first.clipped > 0);
  CHECK(second.clipped == 0);
  const observe::Ledger& ledger = device.accelerator.core().ledger();
  CHECK(ledger.of(0)[Action::kSaturations] == first.clipped);
  CHECK(ledger.of(1)[Action::kSaturations] == 0);
  CHECK(device.read("SATURATIONS") == first.clipped);
}

TEST_CASE("a 5-bit converter clips biased weights as a naive simulation does, and only where it must") {
  check_lossy("biased", 0);
}

TEST_CASE("a 5-bit converter clips flipped columns as a naive simulation does") {
  // 32 rows of 2-bit cells need 7 bits without flipping: columns that sum to 64 or more are stored inverted.
  check_lossy("flip", 64);
}

}  // namespace
}  // namespace mho::testbenches
