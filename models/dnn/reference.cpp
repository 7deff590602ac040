// SPDX-License-Identifier: Apache-2.0
// Convolutions as matrix products over many windows at once, everything else row by row through compute_row.
#include "models/dnn/reference.h"

#include <algorithm>

#include "models/arithmetic/integer_product.h"
#include "models/dnn/operators.h"
#include "models/input_error.h"

namespace mho::dnn {

namespace {

using Codes = std::vector<std::uint8_t>;

/// Gathered windows of one product stay within this, so that they are still in the cache when they are multiplied.
constexpr std::size_t kBatchBytes = std::size_t(1) << 18;

/// weights[f][k] -> [k][f] as the product wants them, for the filters of one group.
std::vector<std::int32_t> transposed(const std::int8_t* weights, int filters, int length) {
  std::vector<std::int32_t> out(std::size_t(filters) * std::size_t(length));
  for (std::size_t f = 0; f < std::size_t(filters); ++f)
    for (std::size_t k = 0; k < std::size_t(length); ++k)
      out[k * std::size_t(filters) + f] = weights[f * std::size_t(length) + k];
  return out;
}

}  // namespace

/// One convolution: a product per group (none for a depthwise one, whose products are too thin) and the requantisation.
struct Reference::Packed {
  Packed(const Graph& graph, const Node& n)
      : input(graph.input_of(n)),
        output(graph.output_of(n)),
        node(n),
        requantiser(graph, n),
        length(dot_length(graph, n)),
        filters(output.shape.channels / n.weights.groups) {
    depthwise = n.weights.groups == input.shape.channels && filters == 1;
    if (depthwise) {  // weights[c][tap] -> [tap][c]: pixel by pixel, all channels at once
      taps = transposed(n.weights.values.data(), output.shape.channels, length);
      return;
    }
    const std::size_t of_group = std::size_t(filters) * std::size_t(length);
    for (int g = 0; g < n.weights.groups; ++g)
      products.emplace_back(transposed(n.weights.values.data() + std::size_t(g) * of_group, filters, length).data(),
                            length, filters);
  }

  void run(const RowSource& source, std::uint8_t* out) const {
    if (depthwise) {
      for (int y = 0; y < output.shape.height; ++y)
        depthwise_row(source, y, out + std::size_t(y) * output.shape.row_bytes());
      return;
    }
    const int all = output.shape.height * output.shape.width;
    const std::size_t item = std::size_t(std::max(length, filters));
    const int batch = int(std::clamp<std::size_t>(kBatchBytes / item, 1, std::size_t(all)));
    Codes windows(std::size_t(batch) * std::size_t(length));
    std::vector<std::int32_t> psums(std::size_t(batch) * std::size_t(filters));
    for (int first = 0; first < all; first += batch) {
      const int count = std::min(batch, all - first);
      std::uint8_t* codes = out + std::size_t(first) * std::size_t(output.shape.channels);
      for (int g = 0; g < node.weights.groups; ++g) {
        gather(source, g, first, count, windows.data());
        products[std::size_t(g)].run(windows.data(), input.type == CodeType::kInt8, count, psums.data());
        requantiser.apply(psums.data(), count, g * filters, filters, codes + g * filters,
                          std::size_t(output.shape.channels));
      }
    }
  }

  /// Windows first .. first + count - 1 of the map, numbered row by row, for one group.
  void gather(const RowSource& source, int group, int first, int count, std::uint8_t* windows) const {
    const int width = output.shape.width;
    for (int done = 0; done < count;) {
      const int y = (first + done) / width, x = (first + done) % width;
      const int here = std::min(width - x, count - done);
      gather_windows(input, node.window, node.weights.groups, {y, x, here, group * length, length}, source,
                     windows + std::size_t(done) * std::size_t(length));
      done += here;
    }
  }

  void depthwise_row(const RowSource& source, int y, std::uint8_t* out) const {
    const auto channels = std::size_t(output.shape.channels);
    const Window& w = node.window;
    const int flip = input.type == CodeType::kInt8 ? 0x80 : 0;
    const Codes padding(channels, std::uint8_t(input.zero_point));
    std::vector<std::int32_t> psums(output.shape.row_bytes(), 0);
    for (int ky = 0; ky < w.kernel_height; ++ky) {
      const int input_y = y * w.stride_y - w.pad_top + ky * w.dilation_y;
      const bool inside = input_y >= 0 && input_y < input.shape.height;
      const std::uint8_t* row = inside ? source(0, input_y) : nullptr;
      for (int x = 0; x < output.shape.width; ++x) {
        std::int32_t* psum = psums.data() + std::size_t(x) * channels;
        for (int kx = 0; kx < w.kernel_width; ++kx) {
          const int column = x * w.stride_x - w.pad_left + kx * w.dilation_x;
          const bool pixel_inside = row != nullptr && column >= 0 && column < input.shape.width;
          const std::uint8_t* pixel = pixel_inside ? row + std::size_t(column) * channels : padding.data();
          const std::int32_t* weight = taps.data() + std::size_t(ky * w.kernel_width + kx) * channels;
          for (std::size_t c = 0; c < channels; ++c) psum[c] += (int(pixel[c] ^ flip) - flip) * weight[c];
        }
      }
    }
    requantiser.apply(psums.data(), output.shape.width, 0, int(channels), out, channels);
  }

  const Tensor& input;
  const Tensor& output;
  const Node& node;
  Requantiser requantiser;
  int length, filters;  ///< of one group
  bool depthwise = false;
  std::vector<std::int32_t> taps;
  std::vector<arithmetic::IntegerProduct> products;
};

Reference::Reference(const Graph& graph) : graph_(&graph) {
  validate(graph);
  for (const Node& node : graph.nodes)
    packed_.push_back(node.op == Operator::kConvolution ? std::make_unique<Packed>(graph, node) : nullptr);
}

Reference::~Reference() = default;
Reference::Reference(Reference&&) noexcept = default;

std::vector<Codes> Reference::run(const std::vector<Codes>& inputs) const {
  const Graph& graph = *graph_;
  if (inputs.size() != graph.inputs.size())
    throw InputError(graph.name, 0, 0, std::to_string(inputs.size()) + " inputs", std::to_string(graph.inputs.size()));
  std::vector<Codes> tensors(graph.tensors.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[std::size_t(graph.inputs[i])];
    if (inputs[i].size() != tensor.shape.bytes())
      throw InputError(graph.name, 0, 0,
                       "input " + excerpt(tensor.name) + " has " + std::to_string(inputs[i].size()) + " codes",
                       std::to_string(tensor.shape.bytes()));
    tensors[std::size_t(graph.inputs[i])] = inputs[i];
  }
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const Shape& shape = graph.output_of(node).shape;
    Codes& out = tensors[std::size_t(node.output)];
    out.resize(shape.bytes());
    const RowSource source = [&](int input, int y) {
      return tensors[std::size_t(node.inputs[std::size_t(input)])].data() +
             std::size_t(y) * graph.input_of(node, std::size_t(input)).shape.row_bytes();
    };
    if (packed_[n]) {
      packed_[n]->run(source, out.data());
      continue;
    }
    for (int y = 0; y < shape.height; ++y)
      compute_row(graph, node, y, source, out.data() + std::size_t(y) * shape.row_bytes());
  }
  return tensors;
}

std::vector<Codes> execute(const Graph& graph, const std::vector<Codes>& inputs) {
  return Reference(graph).run(inputs);
}

}  // namespace mho::dnn
