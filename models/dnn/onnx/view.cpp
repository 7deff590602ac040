// SPDX-License-Identifier: Apache-2.0
// Digits of a mixed-radix number: splitting and merging them is all that reshaping does.
#include "models/dnn/onnx/view.h"

#include <algorithm>

namespace mho::dnn {

namespace {

/// Leaves digits of extent 1 out.
Factors digits(std::initializer_list<Factor> all) {
  Factors kept;
  for (const Factor& factor : all)
    if (factor.extent > 1) kept.push_back(factor);
  return merged(kept);
}

/// Takes digits of `extent` elements in all from the end of `rest`, whose last digit is the next one.
std::optional<Factors> take(Factors& rest, std::int64_t extent) {
  Factors axis;
  while (extent > 1) {
    if (rest.empty()) return std::nullopt;
    Factor& next = rest.back();
    if (extent % next.extent == 0) {
      extent /= next.extent;
      axis.push_back(next);
      rest.pop_back();
      continue;
    }
    if (next.extent % extent != 0) return std::nullopt;
    next.extent /= extent;
    axis.push_back({extent, next.stride * next.extent});
    extent = 1;
  }
  return axis;
}

}  // namespace

std::int64_t extent_of(const Factors& factors) {
  std::int64_t extent = 1;
  for (const Factor& factor : factors) extent *= factor.extent;
  return extent;
}

Factors merged(const Factors& factors) {
  Factors out;
  for (const Factor& factor : factors) {
    if (!out.empty() && out.back().stride == factor.extent * factor.stride)
      out.back() = {out.back().extent * factor.extent, factor.stride};
    else
      out.push_back(factor);
  }
  return out;
}

std::vector<std::uint32_t> places(const Factors& factors) {
  std::vector<std::uint32_t> all = {0};
  for (const Factor& factor : factors) {
    std::vector<std::uint32_t> finer;
    finer.reserve(all.size() * std::size_t(factor.extent));
    for (const std::uint32_t place : all)
      for (std::int64_t i = 0; i < factor.extent; ++i) finer.push_back(place + std::uint32_t(i * factor.stride));
    all = std::move(finer);
  }
  return all;
}

View View::map(const Shape& s) {
  const std::int64_t channels = s.channels, row = channels * s.width;
  return {{{}, digits({{channels, 1}}), digits({{s.height, row}}), digits({{s.width, channels}})}};
}

View View::vector(const Shape& s) {
  const std::int64_t channels = s.channels, row = channels * s.width;
  return {{{}, digits({{channels, 1}, {s.height, row}, {s.width, channels}})}};
}

View View::sequence(const Shape& s) {
  const std::int64_t channels = s.channels;
  return {{{}, digits({{std::int64_t(s.height) * s.width, channels}}), digits({{channels, 1}})}};
}

std::vector<std::int64_t> View::dims() const {
  std::vector<std::int64_t> out;
  for (const Factors& axis : axes) out.push_back(extent_of(axis));
  return out;
}

Factors View::joined(int first, int last) const {
  Factors all;
  for (int axis = first; axis < last; ++axis)
    all.insert(all.end(), axes[std::size_t(axis)].begin(), axes[std::size_t(axis)].end());
  return merged(all);
}

View View::transposed(const std::vector<int>& order) const {
  View out;
  for (const int axis : order) out.axes.push_back(axes[std::size_t(axis)]);
  return out;
}

std::optional<View> View::reshaped(const std::vector<std::int64_t>& dims) const {
  Factors rest = joined(0, rank());
  std::reverse(rest.begin(), rest.end());
  View out;
  for (const std::int64_t extent : dims) {
    const std::optional<Factors> axis = take(rest, extent);
    if (!axis) return std::nullopt;
    out.axes.push_back(*axis);
  }
  if (!rest.empty()) return std::nullopt;
  return out;
}

bool within_channels(const Factors& factors, std::int64_t channels) {
  return std::all_of(factors.begin(), factors.end(),
                     [=](const Factor& factor) { return factor.extent * factor.stride <= channels; });
}

bool within_pixels(const Factors& factors, std::int64_t channels) {
  return std::all_of(factors.begin(), factors.end(),
                     [=](const Factor& factor) { return factor.stride % channels == 0; });
}

std::optional<View> split_at_pixels(const View& view, std::int64_t channels) {
  View out = view;
  for (Factors& axis : out.axes)
    for (std::size_t i = 0; i < axis.size(); ++i) {
      const Factor factor = axis[i];
      const std::int64_t span = factor.extent * factor.stride;
      if (span <= channels || factor.stride % channels == 0) continue;
      if (channels % factor.stride != 0 || span % channels != 0) return std::nullopt;
      axis[i] = {channels / factor.stride, factor.stride};
      axis.insert(axis.begin() + std::ptrdiff_t(i), {span / channels, channels});
      ++i;
    }
  return out;
}

Factors with_channels(const Factors& pixels, std::int64_t from, std::int64_t to) {
  Factors out = pixels;
  for (Factor& factor : out) factor.stride = factor.stride / from * to;
  return merged(out);
}

}  // namespace mho::dnn
