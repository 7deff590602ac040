// SPDX-License-Identifier: Apache-2.0
// Weights come from a table of the quantile function of Tukey's lambda distribution, (p^l - (1 - p)^l) / l with l =
// 1/8, which is normal to 2 % up to three standard deviations and needs nothing but square roots. Images are value
// noise: random lattices of several periods, interpolated between their points.
#include "models/dnn/synthetic_tensors.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mho::dnn {

namespace {

constexpr int kUnit = 4096;             // steps of the table a standard deviation
constexpr double kMeanOfMeans = -0.06;  // in standard deviations of a filter's weights
constexpr double kSpreadOfMeans = 0.1;

double eighth_root(double p) { return std::sqrt(std::sqrt(std::sqrt(p))); }

/// Quantiles at (i + 1/2) / 65536, in steps.
const std::array<std::int16_t, 65536>& bell_table() {
  static const auto table = [] {
    std::array<std::int16_t, 65536> steps{};
    std::array<double, 65536> quantiles{};
    double square = 0;
    for (std::size_t i = 0; i < quantiles.size(); ++i) {
      const double p = (double(i) + 0.5) / 65536;
      quantiles[i] = eighth_root(p) - eighth_root(1 - p);
      square += quantiles[i] * quantiles[i];
    }
    const double unit = kUnit / std::sqrt(square / 65536);
    for (std::size_t i = 0; i < quantiles.size(); ++i) steps[i] = std::int16_t(std::floor(quantiles[i] * unit + 0.5));
    return steps;
  }();
  return table;
}

/// Four table entries a draw, moved by `mean`.
void draw_filter(RandomBits& random, std::size_t length, int mean, int* steps) {
  const auto& table = bell_table();
  for (std::size_t k = 0; k < length; k += 4) {
    std::uint64_t bits = random();
    for (std::size_t i = k; i < std::min(k + 4, length); ++i, bits >>= 16) steps[i] = table[bits & 0xffff] + mean;
  }
}

/// One layer of value noise: a lattice of random bytes every `period` pixels, for `channels` channels.
class Lattice {
 public:
  Lattice(RandomBits& random, const Shape& shape, int period)
      : period_(period), columns_(shape.width / period + 2), channels_(shape.channels) {
    points_.resize(std::size_t(shape.height / period + 2) * std::size_t(columns_ * channels_));
    for (std::uint8_t& point : points_) point = std::uint8_t(random() >> 56);
  }
  /// Interpolated between the four points around the pixel, 0 to 255.
  int at(int y, int x, int c) const {
    const int row = y / period_, column = x / period_, dy = y % period_, dx = x % period_;
    const int upper = point(row, column, c) * (period_ - dx) + point(row, column + 1, c) * dx;
    const int lower = point(row + 1, column, c) * (period_ - dx) + point(row + 1, column + 1, c) * dx;
    return (upper * (period_ - dy) + lower * dy) / (period_ * period_);
  }

 private:
  int point(int row, int column, int c) const {
    return points_[std::size_t((row * columns_ + column) * channels_ + c)];
  }
  int period_, columns_, channels_;
  std::vector<std::uint8_t> points_;
};

}  // namespace

RandomBits::RandomBits(std::uint64_t seed, std::uint64_t stream) : state_(seed) {
  state_ = (*this)() ^ (stream * 0xd1342543de82ef95u);
  state_ = (*this)();
}

std::uint64_t RandomBits::operator()() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

double RandomBits::bell() { return double(bell_table()[(*this)() >> 48]) / kUnit; }

std::vector<std::int8_t> synthetic_filters(RandomBits random, std::size_t filters, std::size_t length) {
  std::vector<std::int8_t> codes(filters * length);
  std::vector<int> steps(length);
  std::int8_t* code = codes.data();
  for (std::size_t f = 0; f < filters; ++f) {
    const int mean = int((kMeanOfMeans + kSpreadOfMeans * random.bell()) * kUnit);
    draw_filter(random, length, mean, steps.data());
    int largest = 1;
    for (const int step : steps) largest = std::max(largest, std::abs(step));
    const float scale = 127.0f / float(largest);
    for (const int step : steps) *code++ = std::int8_t(int(float(step) * scale + 128.5f) - 128);
  }
  return codes;
}

std::vector<std::uint8_t> synthetic_image(RandomBits random, const Shape& shape, CodeType type) {
  // What all channels share, what each has of its own, noise. Periods follow the size, so that every image holds
  // several of the largest shapes and is like the next as a whole.
  Shape grey = shape;
  grey.channels = 1;
  const auto part = [&](int parts) { return std::max(shape.height / parts, 1); };
  const Lattice background(random, grey, part(3)), shapes(random, grey, part(8)), texture(random, grey, part(40));
  const Lattice colour(random, shape, part(4)), noise(random, shape, 1);
  std::vector<std::uint8_t> codes(shape.bytes());
  const int middle = type == CodeType::kUint8 ? 128 : 0;
  std::uint8_t* code = codes.data();
  for (int y = 0; y < shape.height; ++y)
    for (int x = 0; x < shape.width; ++x) {
      const int common = 15 * background.at(y, x, 0) + 7 * shapes.at(y, x, 0) + 2 * texture.at(y, x, 0);
      for (int c = 0; c < shape.channels; ++c) {
        const int sum = common + 7 * colour.at(y, x, c) + noise.at(y, x, c);
        const int value = (sum - 32 * 255 / 2) / 13;  // 32 parts, contrast raised to 32 / 13
        *code++ = std::uint8_t(std::clamp(value + middle, lowest_code(type), highest_code(type)));
      }
    }
  return codes;
}

}  // namespace mho::dnn
