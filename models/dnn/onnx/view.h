// SPDX-License-Identifier: Apache-2.0
// How the axes of an ONNX value lie over the codes of a stored tensor ([height][width][channels]). Reshape, Transpose
// and their like only change this description; operators ask it whether an axis is what they need. Knows no operators.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/dnn/graph.h"

namespace mho::dnn {

/// A digit of an element's place: it counts to `extent` (> 1) in steps of `stride` stored elements.
struct Factor {
  std::int64_t extent = 1, stride = 1;
  bool operator==(const Factor& o) const { return extent == o.extent && stride == o.stride; }
};

/// Digits of one or more axes, the most significant first; empty for an extent of 1.
using Factors = std::vector<Factor>;

/// Most axes of a value.
inline constexpr int kMaxRank = 12;

/// Product of the extents.
std::int64_t extent_of(const Factors& factors);
/// Neighbours that count on are one digit.
Factors merged(const Factors& factors);
/// Places of all elements in their logical order: extent_of(factors) numbers.
std::vector<std::uint32_t> places(const Factors& factors);

/// Axes over the stored elements of one inference; together they reach each element exactly once.
struct View {
  std::vector<Factors> axes;

  static View map(const Shape& shape);       ///< [1, C, H, W]
  static View vector(const Shape& shape);    ///< [1, C], or a flattened map
  static View sequence(const Shape& shape);  ///< [1, positions, C]

  int rank() const { return int(axes.size()); }
  std::int64_t extent(int axis) const { return extent_of(axes[std::size_t(axis)]); }
  std::vector<std::int64_t> dims() const;
  /// Digits of axes first .. last - 1 as if they were one axis.
  Factors joined(int first, int last) const;
  bool operator==(const View& o) const { return axes == o.axes; }

  /// Axis i of the result is axis order[i].
  View transposed(const std::vector<int>& order) const;
  /// Empty where an axis of `dims` would cut through digits. `dims` has as many elements.
  std::optional<View> reshaped(const std::vector<std::int64_t>& dims) const;
};

/// True where the digits stay within the channels of a pixel.
bool within_channels(const Factors& factors, std::int64_t channels);
/// True where the digits count pixels only.
bool within_pixels(const Factors& factors, std::int64_t channels);
/// Each digit counts either channels or pixels; empty where one cannot be split so.
std::optional<View> split_at_pixels(const View& view, std::int64_t channels);
/// The same digits over pixels that have other channels: `to` instead of `from`.
Factors with_channels(const Factors& pixels, std::int64_t from, std::int64_t to);

}  // namespace mho::dnn
