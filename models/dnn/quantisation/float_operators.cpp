// SPDX-License-Identifier: Apache-2.0
// One function an operator, after the comments of graph.h.
#include "models/dnn/quantisation/float_operators.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "models/arithmetic/float_product.h"

namespace mho::dnn {

namespace {

/// What an operator works on.
struct Operands {
  const Graph& graph;
  const Node& node;
  const std::vector<const Reals*>& inputs;
  Reals& output;

  const Shape& shape(std::size_t i = 0) const { return graph.input_of(node, i).shape; }
  const Shape& output_shape() const { return graph.output_of(node).shape; }
  const float* pixel(std::size_t p, std::size_t i = 0) const {
    return inputs[i]->data() + p * std::size_t(shape(i).channels);
  }
  float* output_pixel(std::size_t p) const { return output.data() + p * std::size_t(output_shape().channels); }
};

std::size_t pixels(const Shape& shape) { return std::size_t(shape.height) * std::size_t(shape.width); }

/// Calls visit(output pixel, input pixel) for every element of every window that lies inside the map.
template <class Visit>
void for_each_tap(const Operands& o, const Visit& visit) {
  const Window& w = o.node.window;
  const Shape &in = o.shape(), &out = o.output_shape();
  for (int y = 0; y < out.height; ++y)
    for (int ky = 0; ky < w.kernel_height; ++ky) {
      const int row = y * w.stride_y - w.pad_top + ky * w.dilation_y;
      if (row < 0 || row >= in.height) continue;
      for (int x = 0; x < out.width; ++x)
        for (int kx = 0; kx < w.kernel_width; ++kx) {
          const int column = x * w.stride_x - w.pad_left + kx * w.dilation_x;
          if (column < 0 || column >= in.width) continue;
          visit(std::size_t(y) * std::size_t(out.width) + std::size_t(x),
                std::size_t(row) * std::size_t(in.width) + std::size_t(column));
        }
    }
}

void max_pool(const Operands& o) {
  const auto channels = std::size_t(o.output_shape().channels);
  std::fill(o.output.begin(), o.output.end(), -std::numeric_limits<float>::infinity());
  for_each_tap(o, [&](std::size_t to, std::size_t from) {
    float* const largest = o.output_pixel(to);
    const float* const values = o.pixel(from);
    for (std::size_t c = 0; c < channels; ++c) largest[c] = std::max(largest[c], values[c]);
  });
}

void average_pool(const Operands& o) {
  const auto channels = std::size_t(o.output_shape().channels);
  std::vector<double> sums(o.output.size(), 0.0);
  std::vector<int> taps(pixels(o.output_shape()), 0);
  for_each_tap(o, [&](std::size_t to, std::size_t from) {
    double* const sum = sums.data() + to * channels;
    const float* const values = o.pixel(from);
    for (std::size_t c = 0; c < channels; ++c) sum[c] += double(values[c]);
    ++taps[to];
  });
  const int whole = o.node.window.kernel_height * o.node.window.kernel_width;
  for (std::size_t i = 0; i < sums.size(); ++i)
    o.output[i] = float(sums[i] / (o.node.count_include_pad ? whole : taps[i / channels]));
}

/// Applies a function of two numbers; a second operand of one pixel stands beside every pixel of the first.
template <class Combine>
void combine(const Operands& o, const Combine& combined) {
  const Reals &a = *o.inputs[0], &b = *o.inputs[1];
  for (std::size_t i = 0; i < a.size(); ++i) o.output[i] = combined(a[i], b[b.size() == a.size() ? i : i % b.size()]);
}

void concat(const Operands& o) {
  for (std::size_t p = 0; p < pixels(o.output_shape()); ++p) {
    float* out = o.output_pixel(p);
    for (std::size_t i = 0; i < o.inputs.size(); ++i)
      out = std::copy_n(o.pixel(p, i), std::size_t(o.shape(i).channels), out);
  }
}

void affine(const Operands& o) {
  const std::size_t channels = o.node.gain.size();
  for (std::size_t i = 0; i < o.output.size(); ++i)
    o.output[i] = float(o.node.gain[i % channels] * double((*o.inputs[0])[i]) + o.node.offset[i % channels]);
}

void select(const Operands& o) {
  for (std::size_t p = 0; p < pixels(o.output_shape()); ++p)
    for (std::size_t c = 0; c < o.node.channels.size(); ++c)
      o.output_pixel(p)[c] = o.pixel(p)[std::size_t(o.node.channels[c])];
}

void pad(const Operands& o) {
  std::fill(o.output.begin(), o.output.end(), 0.0f);
  const Shape& in = o.shape();
  const Window& w = o.node.window;
  for (int y = 0; y < in.height; ++y) {
    const std::size_t to = std::size_t(y + w.pad_top) * std::size_t(o.output_shape().width) + std::size_t(w.pad_left);
    std::copy_n(o.pixel(std::size_t(y) * std::size_t(in.width)), in.row_bytes(), o.output_pixel(to));
  }
}

void softmax(const Operands& o) {
  const std::size_t run = std::size_t(o.shape().channels) / std::size_t(o.node.heads);
  std::vector<double> powers(run);
  for (std::size_t first = 0; first < o.output.size(); first += run) {
    const float* const x = o.inputs[0]->data() + first;
    const double largest = double(*std::max_element(x, x + run));
    double sum = 0;
    for (std::size_t i = 0; i < run; ++i) sum += powers[i] = std::exp(double(x[i]) - largest);
    for (std::size_t i = 0; i < run; ++i) o.output[first + i] = float(powers[i] / sum);
  }
}

void layer_norm(const Operands& o) {
  const auto channels = std::size_t(o.shape().channels);
  for (std::size_t p = 0; p < pixels(o.shape()); ++p) {
    const float* const x = o.pixel(p);
    double mean = 0, variance = 0;
    for (std::size_t c = 0; c < channels; ++c) mean += double(x[c]);
    mean /= double(channels);
    for (std::size_t c = 0; c < channels; ++c) variance += (double(x[c]) - mean) * (double(x[c]) - mean);
    const double factor = 1.0 / std::sqrt(variance / double(channels) + o.node.epsilon);
    for (std::size_t c = 0; c < channels; ++c)
      o.output_pixel(p)[c] = float(o.node.gain[c] * ((double(x[c]) - mean) * factor) + o.node.offset[c]);
  }
}

void matmul(const Operands& o) {
  const int heads = o.node.heads, of_head = o.shape(1).channels / heads;
  const int rows = int(pixels(o.shape(0))), positions = int(pixels(o.shape(1)));
  const bool scores = o.node.transposed;
  const int length = scores ? of_head : positions, columns = scores ? positions : of_head;
  for (int h = 0; h < heads; ++h)
    arithmetic::multiply({o.inputs[0]->data() + std::size_t(h) * std::size_t(length), o.shape(0).channels},
                         {o.inputs[1]->data() + std::size_t(h) * std::size_t(of_head), o.shape(1).channels}, scores,
                         rows, length, columns, o.output.data() + std::size_t(h) * std::size_t(columns),
                         o.output_shape().channels);
}

void function(const Operands& o) {
  for (std::size_t i = 0; i < o.output.size(); ++i)
    o.output[i] = float(value_of(o.node.function, o.node.parameter, double((*o.inputs[0])[i])));
}

}  // namespace

void compute(const Graph& graph, const Node& node, const std::vector<const Reals*>& inputs, Reals& output) {
  const Operands o{graph, node, inputs, output};
  switch (node.op) {
    case Operator::kMaxPool:
      return max_pool(o);
    case Operator::kAveragePool:
      return average_pool(o);
    case Operator::kAdd:
      return combine(o, [](float a, float b) { return a + b; });
    case Operator::kMultiply:
      return combine(o, [](float a, float b) { return a * b; });
    case Operator::kConcat:
      return concat(o);
    case Operator::kRequantise:
      output = *inputs[0];
      return;
    case Operator::kFunction:
      return function(o);
    case Operator::kAffine:
      return affine(o);
    case Operator::kSelect:
      return select(o);
    case Operator::kPad:
      return pad(o);
    case Operator::kSoftmax:
      return softmax(o);
    case Operator::kLayerNorm:
      return layer_norm(o);
    case Operator::kMatMul:
      return matmul(o);
    case Operator::kConvolution:
      break;
  }
  throw std::logic_error("compute: a convolution has packed weights, see FloatReference");
}

}  // namespace mho::dnn
