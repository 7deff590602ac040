// SPDX-License-Identifier: Apache-2.0
// Random networks of the operators between products: attention, squeeze and excitation, split and shuffled channels,
// frames, normalisation, functions.
#include <random>

#include "models/dnn/synthetic/graph_builder.h"
#include "testbenches/models/pim/network_graphs.h"

namespace mho::testbenches {
namespace {

using dnn::CodeType;
using dnn::Function;

class ActivationGenerator {
 public:
  explicit ActivationGenerator(unsigned seed) : random_(seed), net_("activations_" + std::to_string(seed), seed) {}

  dnn::Graph run() {
    const bool sequence = pick(3) == 0;
    int x = sequence ? net_.sequence(4 + 6 * pick(5), 8) : net_.input({3 + pick(6), 2 + pick(4), 8}, CodeType::kInt8);
    for (int blocks = 2 + pick(3); blocks > 0; --blocks) x = grow(x);
    if (pick(2) == 1) x = net_.softmax(x, 2);
    net_.output(x);
    return spiced(net_.build());
  }

 private:
  int pick(int below) { return int(random_() % unsigned(below)); }

  int grow(int x) {
    switch (pick(6)) {
      case 0:
        return attention(x);
      case 1:
        return squeeze_and_excitation(x);
      case 2:
        return shuffled(x);
      case 3:
        return framed(x);
      case 4:
        return gated(x);
      default:
        return net_.affine(project(x), numbers(8), numbers(8));
    }
  }

  /// Signed products of 8 channels, so that any two maps of one size go together.
  int project(int x, int filters = 8) {
    dnn::ConvolutionOptions options;
    options.relu = false;
    return net_.convolution(x, filters, dnn::square_window(1), options);
  }

  int attention(int x) {
    const int heads = 1 << pick(3);
    const int keys = pick(4) == 0 ? x : project(x);
    const int context = net_.attention(pick(4) == 0 ? keys : project(x), keys, project(x), heads);
    return net_.layer_norm(net_.add(project(context), x, false));
  }

  int squeeze_and_excitation(int x) {
    dnn::ConvolutionOptions last;
    last.relu = false;
    const int squeezed = net_.convolution(net_.global_average_pool(x), 4, dnn::square_window(1));
    const int factors = net_.function(net_.convolution(squeezed, 8, dnn::square_window(1), last),
                                      pick(2) == 0 ? Function::kSigmoid : Function::kHardSigmoid, 1.0 / 6);
    return pick(3) == 0 ? net_.add(x, factors, false) : net_.multiply(pick(2) == 0 ? x : project(x), factors);
  }

  /// ShuffleNet: one half passes a branch, the other goes by, then channels change places.
  int shuffled(int x) {
    const int left = net_.select(x, {0, 1, 2, 3}), right = net_.select(x, {4, 5, 6, 7});
    const int joined = net_.concat({left, project(project(right), 4)});
    return net_.select(joined, {0, 4, 1, 5, 2, 6, 3, 7});
  }

  int framed(int x) {
    dnn::Window frame;
    frame.pad_top = pick(3), frame.pad_bottom = 1, frame.pad_left = 1, frame.pad_right = pick(2);
    return net_.max_pool(net_.pad(x, frame), dnn::square_window(2));
  }

  int gated(int x) {
    const Function functions[] = {Function::kTanh, Function::kLeakyRelu, Function::kHardSwish, Function::kGelu};
    return net_.multiply(net_.function(project(x), functions[pick(4)], 0.1), net_.layer_norm(x));
  }

  std::vector<double> numbers(int count) {
    std::vector<double> numbers;
    for (int i = 0; i < count; ++i) numbers.push_back((pick(17) - 8) / 8.0);
    return numbers;
  }

  /// Zero points other than 0.
  dnn::Graph spiced(dnn::Graph graph) {
    for (dnn::Tensor& tensor : graph.tensors) tensor.zero_point = 1 + pick(30);
    return graph;
  }

  std::mt19937 random_;
  dnn::GraphBuilder net_;
};

}  // namespace

dnn::Graph activation_network(unsigned seed) { return ActivationGenerator(seed).run(); }

}  // namespace mho::testbenches
