// SPDX-License-Identifier: Apache-2.0
// Builds graphs in C++ for testbenches, benchmarks and layer tables: synthetic, seeded weights and scales under which
// activations neither die out nor saturate, however long the chain. The networks compute nothing useful.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "models/dnn/graph.h"
#include "models/dnn/synthetic/moments.h"

namespace mho::dnn {

/// A square window.
Window square_window(int kernel, int stride = 1, int padding = 0);

/// What follows a convolution, and where its weights come from.
struct ConvolutionOptions {
  int groups = 1;
  bool relu = true;                 ///< output uint8 with zero point 0, else int8
  std::vector<std::int8_t> values;  ///< [filters][kernel_height][kernel_width][channels / groups]; empty: synthetic
  std::string name;                 ///< empty: operator and number
};

/// Methods return the index of the new tensor, to be passed on as an input. Shapes follow from inputs and windows;
/// what does not fit is refused by `build`.
class GraphBuilder {
 public:
  explicit GraphBuilder(std::string name, std::uint64_t seed = 1);

  /// A graph input whose codes are expected to be spread over the type's whole range.
  int input(const Shape& shape, CodeType type = CodeType::kUint8, const std::string& name = "");
  /// A graph input of positions, signed.
  int sequence(int positions, int channels);
  int convolution(int input, int filters, const Window& window, const ConvolutionOptions& options = {});
  /// A convolution whose kernel covers the whole map.
  int fully_connected(int input, int outputs, const ConvolutionOptions& options = {});
  int add(int a, int b, bool relu = true);
  int concat(const std::vector<int>& inputs);
  int max_pool(int input, const Window& window);
  int average_pool(int input, const Window& window, bool count_include_pad = false);
  int global_average_pool(int input);
  /// Shapes as add; uint8 where both are.
  int multiply(int a, int b);
  int function(int input, Function function, double parameter = 0.0);
  /// One gain and offset a channel.
  int affine(int input, std::vector<double> gain, std::vector<double> offset);
  int select(int input, std::vector<int> channels);
  /// A frame of window.pad_*.
  int pad(int input, const Window& frame);
  int softmax(int input, int heads = 1);
  /// Gains around 1 and offsets around 0, seeded.
  int layer_norm(int input);
  int matmul(int a, int b, int heads, bool transposed);
  /// softmax(queries keys^T) values, for each head.
  int attention(int queries, int keys, int values, int heads);
  /// Changes the type: uint8 (a stand-alone ReLU where values are signed) or int8.
  int requantise(int input, CodeType type);
  /// Marks a graph output; without any, the last tensor is the output.
  void output(int tensor);
  /// The validated graph; throws mho::InputError. The builder may go on afterwards.
  Graph build() const;

 private:
  const Shape& shape_of(int tensor) const { return graph_.tensors[std::size_t(tensor)].shape; }
  int add_node(Operator op, const std::string& name, std::vector<int> inputs, const Shape& shape, const Window& window);
  int add_pool(Operator op, int input, const Window& window);
  /// Chooses type, scale and clip range of the last node's output, whose values before a ReLU have these moments.
  void calibrate(const Moments& values, bool relu);
  /// An output of [0, 1] or [-1, 1], whatever the values.
  void calibrate_unit(const Moments& values, CodeType type, double largest);

  Graph graph_;
  std::vector<Moments> moments_;  ///< expected distribution of every tensor's real values
  std::mt19937_64 random_;
};

}  // namespace mho::dnn
