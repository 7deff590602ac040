// SPDX-License-Identifier: Apache-2.0
// Runs a float network in float32: what a quantised network is measured against, and where the ranges of its
// activations come from. Tensors and weights that a file states in codes count with their real values, and no
// activation is rounded, though it ends where its codes do. It models no time and no hardware.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "models/dnn/quantisation/float_network.h"

namespace mho::dnn {

/// A feature map of real numbers, [height][width][channels].
using Reals = std::vector<float>;

/// Checks shapes, order and weights of a network as `validate` does. Throws mho::InputError.
void validate(const FloatNetwork& network);

class FloatReference {
 public:
  /// Validates the network and packs its weights; `network` must outlive this object.
  explicit FloatReference(const FloatNetwork& network);
  ~FloatReference();
  FloatReference(FloatReference&&) noexcept;

  /// Is given a tensor of the graph and its values.
  using Visit = std::function<void(int tensor, const Reals& values)>;
  /// One inference: `inputs` in the order of graph.inputs. Visits every tensor once, inputs first, then in the order of
  /// the nodes; values nobody reads any more are dropped. Throws mho::InputError where an input has the wrong size.
  /// Const and safe from several threads; runs on the calling thread alone.
  void run(std::vector<Reals> inputs, const Visit& visit) const;
  /// The graph's outputs alone, in their order.
  std::vector<Reals> run(std::vector<Reals> inputs) const;

 private:
  struct Packed;
  const FloatNetwork& network_;
  std::vector<std::unique_ptr<Packed>> packed_;  ///< one a node, null where it is no convolution
  std::vector<std::size_t> last_reader_;         ///< node, one a tensor
};

/// Range of a node's output in real numbers: the network's own, or that of the codes where the file states them. A
/// ReLU6 whose codes end at 6 is nothing but such a range.
RealRange output_range(const FloatNetwork& network, std::size_t node);

}  // namespace mho::dnn
