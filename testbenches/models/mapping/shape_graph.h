// SPDX-License-Identifier: Apache-2.0
// Networks as shapes only, for tests of what the mapper derives from shapes: crossbar counts, replication, buffers.
// Weights are absent, so dnn::validate would refuse these graphs.
#pragma once

#include <string>
#include <vector>

#include "models/dnn/graph.h"
#include "models/mapping/machine.h"

namespace mho::mapping {

/// Appends nodes; every method returns the index of the new tensor.
class ShapeGraph {
 public:
  explicit ShapeGraph(std::string name = "shapes") { graph.name = std::move(name); }
  int input(int height, int width, int channels);
  int convolution(int input, int filters, const dnn::Window& window, int groups = 1);
  int fully_connected(int input, int filters);
  int pool(int input, const dnn::Window& window);
  int add(int a, int b);
  int multiply(int a, int b);
  /// Scores of attention where transposed, else what they weigh; see dnn::Node::transposed.
  int matmul(int a, int b, int heads, bool transposed);
  int pad(int input, int top, int bottom);
  int concat(const std::vector<int>& inputs);
  void output(int tensor) { graph.outputs.push_back(tensor); }
  const dnn::Shape& shape(int tensor) const { return graph.tensors[std::size_t(tensor)].shape; }

  dnn::Graph graph;

 private:
  int append(dnn::Operator op, const std::vector<int>& inputs, const dnn::Shape& shape, const dnn::Window& window,
             int groups = 1);
};

dnn::Window window(int kernel, int stride = 1, int padding = 0, int dilation = 1);

/// ISAAC as the 8-bit papers use it: four 2-bit slices, 8-bit data, 32 filters a 128x128 crossbar.
Machine isaac_8b();

}  // namespace mho::mapping
