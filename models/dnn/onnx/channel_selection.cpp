// SPDX-License-Identifier: Apache-2.0
// A view's digits below the pixel, in the order of the axes, are the new channels.
#include "models/dnn/onnx/channel_selection.h"

namespace mho::dnn {

namespace {

/// One digit of the new channels: the old channels that its values stand for.
struct Digit {
  int axis;
  std::vector<std::int64_t> places;
};

std::vector<Digit> digits_of(const View& view, std::int64_t channels, int chosen,
                             const std::vector<std::int64_t>& indices) {
  std::vector<Digit> digits;
  for (int axis = 0; axis < view.rank(); ++axis) {
    const Factors& factors = view.axes[std::size_t(axis)];
    if (axis == chosen) {
      const std::vector<std::uint32_t> all = places(factors);
      Digit digit = {axis, {}};
      for (const std::int64_t index : indices) digit.places.push_back(all[std::size_t(index)]);
      digits.push_back(std::move(digit));
      continue;
    }
    for (const Factor& factor : factors) {
      if (factor.extent * factor.stride > channels) continue;
      Digit digit = {axis, {}};
      for (std::int64_t i = 0; i < factor.extent; ++i) digit.places.push_back(i * factor.stride);
      digits.push_back(std::move(digit));
    }
  }
  return digits;
}

/// True where the digits below the pixel stand in the order of the axes already.
bool is_plain(const View& view, std::int64_t channels) {
  Factors digits;
  for (const Factors& axis : view.axes)
    for (const Factor& factor : axis)
      if (factor.extent * factor.stride <= channels) digits.push_back(factor);
  return merged(digits).size() <= 1;
}

}  // namespace

std::optional<ChannelSelection> select_channels(ModelReader& model, const Value& x, int axis,
                                                const std::vector<std::int64_t>& indices) {
  const std::int64_t channels = x.shape.channels;
  const std::optional<View> view = split_at_pixels(x.view, channels);
  if (!view || (axis >= 0 && !within_channels(view->axes[std::size_t(axis)], channels))) return std::nullopt;
  model.charge((std::size_t(channels) + indices.size()) * 2 * sizeof(std::int64_t));
  const std::vector<Digit> digits = digits_of(*view, channels, axis, indices);
  ChannelSelection out;
  out.channels = {0};
  for (const Digit& digit : digits) {
    if (std::int64_t(out.channels.size()) * std::int64_t(digit.places.size()) > kMaxExtent) return std::nullopt;
    model.charge(out.channels.size() * digit.places.size() * sizeof(int));
    std::vector<int> finer;
    for (const int channel : out.channels)
      for (const std::int64_t place : digit.places) finer.push_back(channel + int(place));
    out.channels = std::move(finer);
  }
  const auto count = std::int64_t(out.channels.size());
  std::int64_t step = count;
  std::size_t next = 0;
  for (int i = 0; i < view->rank(); ++i) {
    Factors factors;
    for (const Factor& factor : view->axes[std::size_t(i)])
      if (factor.extent * factor.stride > channels)
        factors.push_back({factor.extent, factor.stride / channels * count});
    for (; next < digits.size() && digits[next].axis == i; ++next) {
      const auto extent = std::int64_t(digits[next].places.size());
      step /= extent;
      if (extent > 1) factors.push_back({extent, step});
    }
    out.view.axes.push_back(merged(factors));
  }
  return out;
}

Value in_plain_order(ModelReader& model, const Value& x) {
  const std::optional<View> view = split_at_pixels(x.view, x.shape.channels);
  if (!view || is_plain(*view, x.shape.channels)) return x;
  const std::optional<ChannelSelection> selection = select_channels(model, x, -1, {});
  if (!selection) return x;
  NetworkBuilder& network = model.network();
  PendingNode pending;
  const Tensor& tensor = network.tensor(x.tensor);
  pending.name = tensor.name + "/reordered";
  pending.node.name = pending.name;
  pending.node.op = Operator::kSelect;
  pending.node.inputs = {x.tensor};
  pending.node.channels = selection->channels;
  pending.shape = x.shape;
  pending.sequence = tensor.sequence;
  Value out = x;
  out.tensor = network.settle(pending);
  out.view = selection->view;
  return out;
}

}  // namespace mho::dnn
