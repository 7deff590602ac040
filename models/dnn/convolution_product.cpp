// SPDX-License-Identifier: Apache-2.0
// Batches are cut so that gathered windows are still in the cache when they are multiplied.
#include "models/dnn/convolution_product.h"

#include <algorithm>

#include "models/arithmetic/vectorised.h"

namespace mho::dnn {

namespace {

using Codes = std::vector<std::uint8_t>;

constexpr std::size_t kBatchBytes = std::size_t(1) << 18;
/// So few windows are multiplied straight from the stored weights: packing them would cost more than it saves.
constexpr int kFewWindows = 4;

/// weights[f][k] -> [k][f].
std::vector<std::int32_t> transposed(const std::int8_t* weights, int filters, int length) {
  std::vector<std::int32_t> out(std::size_t(filters) * std::size_t(length));
  for (std::size_t f = 0; f < std::size_t(filters); ++f)
    for (std::size_t k = 0; k < std::size_t(length); ++k)
      out[k * std::size_t(filters) + f] = weights[f * std::size_t(length) + k];
  return out;
}

/// psums[f] = sum over k of (codes[k], sign bit flipped, minus flip) * weights[f][k].
MHO_VECTORISED void multiply(const std::uint8_t* codes, int flip, const std::int8_t* weights, int filters, int length,
                             std::int32_t* psums) {
  for (int f = 0; f < filters; ++f, weights += length) {
    std::int32_t sum = 0;
    for (int k = 0; k < length; ++k) sum += (int(codes[k] ^ flip) - flip) * weights[k];
    psums[f] = sum;
  }
}

/// psums[c] += the pixel's code * weight of one tap, channel by channel.
MHO_VECTORISED void accumulate(const std::uint8_t* pixel, int flip, const std::int32_t* weights, std::size_t channels,
                               std::int32_t* psums) {
  for (std::size_t c = 0; c < channels; ++c) psums[c] += (int(pixel[c] ^ flip) - flip) * weights[c];
}

}  // namespace

ConvolutionProduct::ConvolutionProduct(const Graph& graph, const Node& node)
    : input_(graph.input_of(node)),
      output_(graph.output_of(node)),
      node_(node),
      length_(dot_length(graph, node)),
      filters_(output_.shape.channels / node.weights.groups) {
  const int groups = node.weights.groups;
  const std::int8_t* weights = node.weights.values.data();
  depthwise_ = groups == input_.shape.channels && filters_ == 1;
  direct_ = !depthwise_ && output_.shape.height * output_.shape.width <= kFewWindows;
  if (depthwise_) taps_ = transposed(weights, output_.shape.channels, length_);
  if (depthwise_ || direct_) return;
  const std::size_t of_group = std::size_t(filters_) * std::size_t(length_);
  for (int g = 0; g < groups; ++g)
    products_.push_back(arithmetic::IntegerProduct::of_filters(weights + std::size_t(g) * of_group, length_, filters_));
}

void ConvolutionProduct::run(const RowSource& rows, const Visit& visit) const {
  if (depthwise_) return run_depthwise(rows, visit);
  if (direct_) return run_direct(rows, visit);
  run_products(rows, visit);
}

void ConvolutionProduct::run_products(const RowSource& rows, const Visit& visit) const {
  const int all = output_.shape.height * output_.shape.width;
  const auto item = std::size_t(std::max(length_, filters_));
  const int batch = int(std::clamp<std::size_t>(kBatchBytes / item, 1, std::size_t(all)));
  Codes windows(std::size_t(batch) * std::size_t(length_));
  std::vector<std::int32_t> psums(std::size_t(batch) * std::size_t(filters_));
  for (int first = 0; first < all; first += batch) {
    const int count = std::min(batch, all - first);
    for (int g = 0; g < node_.weights.groups; ++g) {
      gather(rows, g, first, count, windows.data());
      products_[std::size_t(g)].run(windows.data(), input_.type == CodeType::kInt8, count, psums.data());
      visit({first, count, g * filters_, filters_, psums.data()});
    }
  }
}

void ConvolutionProduct::run_direct(const RowSource& rows, const Visit& visit) const {
  const int count = output_.shape.height * output_.shape.width;
  const int flip = input_.type == CodeType::kInt8 ? 0x80 : 0;
  Codes window(std::size_t(length_), 0);
  std::vector<std::int32_t> psums(std::size_t(filters_), 0);
  for (int g = 0; g < node_.weights.groups; ++g) {
    const std::int8_t* weights = node_.weights.values.data() + std::size_t(g) * psums.size() * window.size();
    for (int i = 0; i < count; ++i) {
      gather(rows, g, i, 1, window.data());
      multiply(window.data(), flip, weights, filters_, length_, psums.data());
      visit({i, 1, g * filters_, filters_, psums.data()});
    }
  }
}

void ConvolutionProduct::run_depthwise(const RowSource& rows, const Visit& visit) const {
  const auto channels = std::size_t(output_.shape.channels);
  const Window& w = node_.window;
  const int flip = input_.type == CodeType::kInt8 ? 0x80 : 0;
  const Codes padding(channels, std::uint8_t(input_.zero_point));
  std::vector<std::int32_t> psums(output_.shape.row_bytes());
  for (int y = 0; y < output_.shape.height; ++y) {
    std::fill(psums.begin(), psums.end(), 0);
    for (int ky = 0; ky < w.kernel_height; ++ky) {
      const int input_y = y * w.stride_y - w.pad_top + ky * w.dilation_y;
      const bool inside = input_y >= 0 && input_y < input_.shape.height;
      const std::uint8_t* row = inside ? rows(0, input_y) : nullptr;
      for (int x = 0; x < output_.shape.width; ++x)
        for (int kx = 0; kx < w.kernel_width; ++kx) {
          const int column = x * w.stride_x - w.pad_left + kx * w.dilation_x;
          const bool pixel_inside = row != nullptr && column >= 0 && column < input_.shape.width;
          accumulate(pixel_inside ? row + std::size_t(column) * channels : padding.data(), flip,
                     taps_.data() + std::size_t(ky * w.kernel_width + kx) * channels, channels,
                     psums.data() + std::size_t(x) * channels);
        }
    }
    visit({y * output_.shape.width, output_.shape.width, 0, output_.shape.channels, psums.data()});
  }
}

/// Windows first .. first + count - 1 of the map, for one group.
void ConvolutionProduct::gather(const RowSource& rows, int group, int first, int count, std::uint8_t* windows) const {
  const int width = output_.shape.width;
  for (int done = 0; done < count;) {
    const int y = (first + done) / width, x = (first + done) % width;
    const int here = std::min(width - x, count - done);
    gather_windows(input_, node_.window, node_.weights.groups, {y, x, here, group * length_, length_}, rows,
                   windows + std::size_t(done) * std::size_t(length_));
    done += here;
  }
}

}  // namespace mho::dnn
