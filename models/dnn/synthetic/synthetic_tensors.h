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
  std::uint64_t operator()() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Mean 0, standard deviation 1, normal but for tails that end at 4.2.
  double bell();

 private:
  std::uint64_t state_;
};

/// `filters` filters of `length` codes from -127 to 127, the largest |code| of each being 127. Within a filter codes
/// are bell-shaped. Where means scatter they differ from filter to filter with a standard deviation of a tenth of the
/// codes'; else their expectation is 0.
std::vector<std::int8_t> synthetic_filters(RandomBits random, std::size_t filters, std::size_t length,
                                           bool means_scatter = true);

/// Codes of an image [height][width][channels]: soft shapes of several sizes over a background, and a little noise;
/// mean near the middle of the type's range.
std::vector<std::uint8_t> synthetic_image(RandomBits random, const Shape& shape, CodeType type);

/// int8 codes of a sequence of embedded, normalised tokens [position][channel]: mean 0, standard deviation near 27. A
/// quarter of the variance belongs to the channel, whatever the token (`common`, which inferences share), a seventh
/// changes slowly along the sequence, the rest is the token's own.
std::vector<std::uint8_t> synthetic_tokens(RandomBits common, RandomBits random, const Shape& shape);
/// Real value of a deviation of such codes is 1 with this scale.
inline constexpr double kTokenScale = 1.0 / 27;

}  // namespace mho::dnn
