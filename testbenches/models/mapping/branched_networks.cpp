// SPDX-License-Identifier: Apache-2.0
// Shape-only networks with branches.
#include "testbenches/models/mapping/branched_networks.h"

#include <algorithm>
#include <random>
#include <vector>

#include "testbenches/models/mapping/shape_graph.h"

namespace mho::mapping {
namespace {

class RandomNetwork {
 public:
  explicit RandomNetwork(unsigned seed) : random_(seed) {}

  dnn::Graph make() {
    std::vector<int> ends{net_.input(pick(6, 40), 4, 1 + pick(0, 3))};
    if (pick(0, 3) == 0) ends.push_back(net_.input(pick(6, 40), 4, 2));
    for (int i = pick(2, 7); i > 0; --i) {
      const auto which = std::size_t(pick(0, int(ends.size()) - 1));
      const int end = ends[which];
      if (pick(0, 4) == 0) ends.push_back(end);  // a branch that ends in an output of its own
      const int kind = pick(0, 5);
      ends[which] = kind < 2 ? slide(end) : kind == 2 ? squeeze(end) : kind == 3 ? attend(end) : fork_and_join(end);
    }
    for (const int end : ends)
      if (std::find(net_.graph.outputs.begin(), net_.graph.outputs.end(), end) == net_.graph.outputs.end())
        net_.output(end);
    if (pick(0, 3) == 0) net_.fully_connected(ends.front(), 3);  // computed, and used by nobody
    return net_.graph;
  }

 private:
  int pick(int low, int high) { return low + int(random_() % unsigned(high - low + 1)); }

  /// A window with any stride, padding and dilation that fits.
  int slide(int x) {
    const int height = net_.shape(x).height;
    dnn::Window w;
    w.kernel_height = pick(1, 5);
    w.dilation_y = pick(1, 2);
    w.stride_y = pick(1, 4);
    const int extent = (w.kernel_height - 1) * w.dilation_y + 1;
    w.pad_top = pick(0, extent - 1);
    w.pad_bottom = pick(0, extent - 1);
    if (extent > height + w.pad_top + w.pad_bottom) return x;
    return pick(0, 2) == 0 ? net_.pool(x, w) : net_.convolution(x, pick(1, 4), w);
  }

  /// `depth` convolutions that keep the height, kernels of any odd size.
  int chain(int x, int depth) {
    for (; depth > 0; --depth) {
      dnn::Window w;
      w.dilation_y = pick(1, 2);
      w.kernel_height = 2 * pick(0, 2) + 1;
      w.pad_top = w.pad_bottom = (w.kernel_height - 1) / 2 * w.dilation_y;
      x = net_.convolution(x, net_.shape(x).channels, w);
    }
    return x;
  }

  /// The whole map decides by what every pixel is multiplied.
  int squeeze(int x) {
    const dnn::Shape shape = net_.shape(x);
    dnn::Window whole;
    whole.kernel_height = shape.height, whole.kernel_width = shape.width;
    return net_.multiply(pick(0, 1) == 0 ? x : chain(x, 1), net_.fully_connected(net_.pool(x, whole), shape.channels));
  }

  /// Every pixel looks at all pixels of a map, which may be its own, or in a frame and higher.
  int attend(int x) {
    const int kind = pick(0, 3);
    const int keys = kind == 0   ? x
                     : kind == 1 ? net_.add(x, chain(x, pick(1, 3)))
                                 : net_.pad(chain(x, pick(0, 1)), pick(0, 2), pick(0, 2));
    const int values = chain(keys, pick(0, 2));
    const int context = net_.matmul(net_.matmul(x, keys, 1, true), values, 1, false);
    return pick(0, 1) == 0 ? net_.add(context, x) : context;
  }

  int fork_and_join(int x) {
    const int stride = pick(1, 3);
    dnn::Window down;
    down.stride_y = stride;
    std::vector<int> branches;
    for (int i = pick(2, 3); i > 0; --i) {
      int branch = chain(x, pick(0, 3));
      if (stride > 1) branch = net_.convolution(branch, net_.shape(x).channels, down);
      branches.push_back(chain(branch, pick(0, 3)));
    }
    const int joined = net_.concat(branches);
    return pick(0, 1) == 0 ? joined : net_.add(branches[0], branches[1]);
  }

  ShapeGraph net_;
  std::mt19937 random_;
};

}  // namespace

dnn::Graph random_network(unsigned seed) { return RandomNetwork(seed).make(); }

dnn::Graph residual_network() {
  ShapeGraph net;
  int x = net.pool(net.convolution(net.input(224, 224, 3), 64, window(7, 2, 3)), window(3, 2, 1));
  const int blocks[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage)
    for (int i = 0; i < blocks[stage]; ++i) {
      const int filters = 64 << stage, stride = stage > 0 && i == 0 ? 2 : 1;
      int a = net.convolution(net.convolution(x, filters, window(1)), filters, window(3, stride, 1));
      a = net.convolution(a, 4 * filters, window(1));
      x = net.add(a, i == 0 ? net.convolution(x, 4 * filters, window(1, stride)) : x);
    }
  net.output(net.fully_connected(net.pool(x, window(7)), 1000));
  return net.graph;
}

dnn::Graph joined_branches(unsigned seed) {
  std::mt19937 random(seed);
  const auto pick = [&](int low, int high) { return low + int(random() % unsigned(high - low + 1)); };
  ShapeGraph net;
  const auto chain = [&](int x, int depth) {
    for (; depth > 0; --depth) {
      dnn::Window w;
      w.kernel_height = 2 * pick(0, 2) + 1;
      w.pad_top = w.pad_bottom = w.kernel_height / 2;
      x = net.convolution(x, 2, w);
    }
    return x;
  };
  int x = net.input(pick(24, 64), 4, 2);
  for (int joins = pick(1, 4); joins > 0; --joins) {
    const int stride = pick(1, 2);
    std::vector<int> branches;
    for (int i = pick(2, 4); i > 0; --i) {
      int branch = chain(x, pick(0, 3));
      if (stride == 2) branch = net.convolution(branch, 2, window(1, 2));
      branches.push_back(chain(branch, pick(0, 2)));
    }
    x = net.concat(branches);
  }
  net.output(x);
  return net.graph;
}

}  // namespace mho::mapping
