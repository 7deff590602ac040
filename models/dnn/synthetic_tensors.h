// SPDX-License-Identifier: Apache-2.0
// Tensors that look like those of trained networks, from a seed: filters as a per-channel symmetric quantiser would
// store them, and images whose pixels resemble their neighbours. The same on every machine: integers, and of floating
// point only operations that IEEE 754 rounds exactly. Measured beside trained ones by testbenches/reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/dnn/graph.h"

namespace mho::dnn {

/// 64 random bits a draw (Steele, Lea, Flood: SplitMix64); streams of one seed are independent of each other.
class RandomBits {
 public:
  explicit RandomBits(std::uint64_t seed, std::uint64_t stream = 0);
  std::uint64_t operator()();
  /// Mean 0, standard deviation 1, normal but for tails that end at 4.2.
  double bell();

 private:
  std::uint64_t state_;
};

/// `filters` filters of `length` codes from -127 to 127, the largest |code| of each being 127. Within a filter codes
/// are bell-shaped; their mean differs from filter to filter, with a standard deviation of a tenth of theirs.
std::vector<std::int8_t> synthetic_filters(RandomBits random, std::size_t filters, std::size_t length);

/// Codes of an image [height][width][channels]: soft shapes of several sizes over a background, and a little noise;
/// mean near the middle of the type's range.
std::vector<std::uint8_t> synthetic_image(RandomBits random, const Shape& shape, CodeType type);

}  // namespace mho::dnn
