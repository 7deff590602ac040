// SPDX-License-Identifier: Apache-2.0
// Weights come from a table of the quantile function of Tukey's lambda distribution, (p^l - (1 - p)^l) / l with l =
// 1/8, which is normal to 2 % up to three standard deviations and needs nothing but square roots. Images are value
// noise: random lattices of several periods, interpolated between their points.
#include "models/dnn/synthetic/synthetic_tensors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "models/arithmetic/vectorised.h"

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

/// `length` (1 or more) steps, four table entries a draw.
void draw_filter(RandomBits& random, std::size_t length, std::int16_t* steps) {
  const std::int16_t* table = bell_table().data();
  std::size_t k = 0;
  for (; k + 4 <= length; k += 4) {
    const std::uint64_t bits = random();
    steps[k] = table[bits & 0xffff];
    steps[k + 1] = table[bits >> 16 & 0xffff];
    steps[k + 2] = table[bits >> 32 & 0xffff];
    steps[k + 3] = table[bits >> 48];
  }
  if (k == length) return;
  for (std::uint64_t bits = random(); k < length; ++k, bits >>= 16) steps[k] = table[bits & 0xffff];
}

MHO_VECTORISED int largest_magnitude(const std::int16_t* steps, std::size_t length, int mean) {
  int least = steps[0], greatest = steps[0];
  for (std::size_t k = 1; k < length; ++k) {
    least = std::min<int>(least, steps[k]);
    greatest = std::max<int>(greatest, steps[k]);
  }
  return std::max(std::abs(least + mean), std::abs(greatest + mean));
}

MHO_VECTORISED void quantise_filter(const std::int16_t* steps, std::size_t length, int mean, float scale,
                                    std::int8_t* codes) {
  for (std::size_t k = 0; k < length; ++k) codes[k] = std::int8_t(int(float(steps[k] + mean) * scale + 128.5f) - 128);
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

double RandomBits::bell() { return double(bell_table()[(*this)() >> 48]) / kUnit; }

std::vector<std::int8_t> synthetic_filters(RandomBits random, std::size_t filters, std::size_t length,
                                           bool means_scatter) {
  std::vector<std::int8_t> codes(filters * length);
  std::vector<std::int16_t> steps(length);
  for (std::size_t f = 0; f < filters; ++f) {
    const int mean = means_scatter ? int((kMeanOfMeans + kSpreadOfMeans * random.bell()) * kUnit) : 0;
    draw_filter(random, length, steps.data());
    const int largest = std::max(largest_magnitude(steps.data(), length, mean), 1);
    quantise_filter(steps.data(), length, mean, 127.0f / float(largest), codes.data() + f * length);
  }
  return codes;
}

std::vector<std::uint8_t> synthetic_tokens(RandomBits common, RandomBits random, const Shape& shape) {
  constexpr std::size_t kPeriod = 8;  // positions between points of what changes slowly
  const auto channels = std::size_t(shape.channels);
  const std::size_t positions = shape.bytes() / channels;
  const auto& table = bell_table();
  const auto draw = [&table](RandomBits& bits, std::size_t count) {
    std::vector<std::int16_t> steps(count);
    for (std::int16_t& step : steps) step = table[bits() >> 48];
    return steps;
  };
  const std::vector<std::int16_t> channel = draw(common, channels);
  const std::vector<std::int16_t> slow = draw(random, (positions / kPeriod + 2) * channels);
  std::vector<std::uint8_t> codes(shape.bytes());
  std::uint8_t* code = codes.data();
  for (std::size_t p = 0; p < positions; ++p) {
    const std::int16_t* before = slow.data() + p / kPeriod * channels;
    const int after = int(p % kPeriod), unit = int(kPeriod);
    const std::vector<std::int16_t> own = draw(random, channels);
    for (std::size_t c = 0; c < channels; ++c) {
      const int drift = before[c] * (unit - after) + before[c + channels] * after;
      // In sixteenths: 8^2 + (about 6)^2 + 12^2 = 16^2.
      const int sum = 8 * channel[c] + 7 * drift / unit + 12 * own[c];
      *code++ = std::uint8_t(std::clamp(sum * 27 / (16 * kUnit), -127, 127));
    }
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
