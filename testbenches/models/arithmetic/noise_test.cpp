// SPDX-License-Identifier: Apache-2.0
// Seeds, words and normals of noise: published test vectors, double precision, statistics of a million numbers, and the
// same bits from every instruction set.
#include "models/arithmetic/noise.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

#include "models/arithmetic/noisy_kernels.h"

using namespace mho::arithmetic;

namespace {

constexpr double kPi = 3.14159265358979323846;

std::vector<float> normals(std::uint64_t key, std::uint32_t blocks) {
  std::vector<float> drawn(blocks * kDrawnAtOnce);
  for (std::uint32_t block = 0; block < blocks; ++block)
    draw_normals_at_once(key, block, drawn.data() + block * kDrawnAtOnce);
  return drawn;
}

double mean_of_products(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * double(b[i]);
  return sum / double(a.size());
}

/// FNV-1a over the bits of normals under 64 keys: one changed bit of one number changes it.
MHO_INLINE std::uint64_t hash_of_normals() {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (std::uint64_t key = 0; key < 64; ++key)
    for (std::uint32_t block = 0; block < 4; ++block) {
      float drawn[kDrawnAtOnce];
      draw_normals_at_once(key * 0x9E3779B97F4A7C15u, block, drawn);
      for (const float normal : drawn) hash = (hash ^ bits_of(normal)) * 0x100000001b3u;
    }
  return hash;
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((optimize("O3"))) std::uint64_t hash_of_baseline() { return hash_of_normals(); }
__attribute__((optimize("O3"), target("arch=x86-64-v3"))) std::uint64_t hash_of_v3() { return hash_of_normals(); }
__attribute__((optimize("O3"), target("arch=x86-64-v4"))) std::uint64_t hash_of_v4() { return hash_of_normals(); }
#endif

std::string refusal(const NoiseModel& model) {
  try {
    validate(model);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("seeds are mixed by the finaliser of splitmix64") {
  // From ten lines of Python; the first two steps of mix(0, 0) are those of splitmix64 with seed 0, whose published
  // first output is e220a8397b1dcdaf.
  REQUIRE(mix(0, 0) == 0xa706dd2f4d197e6fu);
  REQUIRE(mix(1, 2) == 0x0b95f66d327e8d78u);
  REQUIRE(mix(~std::uint64_t{0}, ~std::uint64_t{0}) == 0x445018e305810b78u);
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (std::uint64_t number = 0; number < 100; ++number) seen.insert(mix(seed, number));
  REQUIRE(seen.size() == 10000);
}

TEST_CASE("words are those of Threefry2x32 with 13 rounds") {
  // Known answers of Random123, the authors' library: keys and counters of zeros, of ones, and the digits of pi.
  const auto zeros = threefry(0, 0, 0), ones = threefry(~std::uint64_t{0}, ~0u, ~0u);
  REQUIRE((zeros.first == 0x9d1c5ec6u && zeros.second == 0x8bd50731u));
  REQUIRE((ones.first == 0xfd36d048u && ones.second == 0x2d17272cu));
  const auto pi = threefry(0x0370734413198a2eu, 0x243f6a88u, 0x85a308d3u);
  REQUIRE((pi.first == 0xba3e4725u && pi.second == 0xf27d669eu));
  std::uint32_t words[kDrawnAtOnce];
  draw_words_at_once(5, 3, words);
  for (std::uint32_t j = 0; j < 16; ++j) {
    const auto pair = threefry(5, 3 * 16 + j);
    REQUIRE((words[j] == pair.first && words[j + 16] == pair.second));
  }
}

TEST_CASE("normals are Box and Muller's in double precision") {
  for (std::uint32_t block = 0; block < 4000; ++block) {
    std::uint32_t words[kDrawnAtOnce];
    float drawn[kDrawnAtOnce];
    draw_words_at_once(77, block, words);
    draw_normals_at_once(77, block, drawn);
    for (std::size_t j = 0; j < 16; ++j) {
      const double radius = std::sqrt(-2.0 * std::log((double(words[j] >> 1) + 0.5) / 2147483648.0));
      const double angle = double(words[j + 16]) / 4294967296.0 * 2.0 * kPi;
      // The float nearest to a 31-bit word is off by up to 2^-25 of it, which near 1 changes the radius by 2^-25 /
      // radius.
      const double off = 2e-6 + 0x1p-24 / std::max(radius, 1e-4);
      if (!(std::abs(drawn[j] - radius * std::cos(angle)) < off)) FAIL("cosine of " << block << ", " << j);
      if (!(std::abs(drawn[j + 16] - radius * std::sin(angle)) < off)) FAIL("sine of " << block << ", " << j);
    }
  }
}

TEST_CASE("the ends of the words give finite normals within the bound") {
  // w' = 0: sqrt(-2 ln(1 / 2^32)) = sqrt(64 ln 2) = 6.66044. The largest w' is 1 in float: a radius of zero.
  REQUIRE(std::abs(square_root(squared_radius(0)) - 6.66044f) < 1e-5f);
  REQUIRE(square_root(squared_radius(0)) < kLargestNormal);
  REQUIRE(squared_radius(~0u) == 0.0f);
  REQUIRE(square_root(0.0f) == 0.0f);
  REQUIRE(std::abs(square_root(2.0f) - 1.4142136f) < 1e-6f);
  // Quarters of a turn, at angles 0, pi/2, pi, 3 pi/2, and one eighth.
  REQUIRE((std::abs(on_circle(2, 0).first - 2) < 1e-6f && std::abs(on_circle(2, 0).second) < 1e-6f));
  REQUIRE((std::abs(on_circle(2, 1u << 30).first) < 1e-6f && std::abs(on_circle(2, 1u << 30).second - 2) < 1e-6f));
  REQUIRE((std::abs(on_circle(2, 2u << 30).first + 2) < 1e-6f && std::abs(on_circle(2, 2u << 30).second) < 1e-6f));
  REQUIRE((std::abs(on_circle(2, 3u << 30).first) < 1e-6f && std::abs(on_circle(2, 3u << 30).second + 2) < 1e-6f));
  const auto eighth = on_circle(2, 1u << 29);
  REQUIRE((std::abs(eighth.first - 1.4142136f) < 1e-6f && std::abs(eighth.second - 1.4142136f) < 1e-6f));
}

TEST_CASE("a normal drawn alone is the one drawn with its block") {
  const auto all = normals(123, 6);
  for (std::uint32_t i = 0; i < all.size(); ++i) REQUIRE(bits_of(draw_normal(123, i)) == bits_of(all[i]));
}

TEST_CASE("a million normals have the moments and the distribution of the normal distribution") {
  // Bounds are five standard errors: of the mean 1 / sqrt(n), variance sqrt(2 / n), third and fourth moment sqrt(15 /
  // n) and sqrt(96 / n); Kolmogorov's sqrt(n) D lies above 2.2 once in 8000 times.
  std::vector<float> all;
  for (std::uint64_t key = 0; key < 512; ++key) {
    const auto some = normals(mix(9, key), 64);
    all.insert(all.end(), some.begin(), some.end());
  }
  double moments[5] = {};
  for (const float x : all)
    for (int power = 1; power < 5; ++power) moments[power] += std::pow(double(x), power) / double(all.size());
  const double n = double(all.size());
  REQUIRE(std::abs(moments[1]) < 5 / std::sqrt(n));
  REQUIRE(std::abs(moments[2] - 1) < 5 * std::sqrt(2 / n));
  REQUIRE(std::abs(moments[3]) < 5 * std::sqrt(15 / n));
  REQUIRE(std::abs(moments[4] - 3) < 5 * std::sqrt(96 / n));
  std::sort(all.begin(), all.end());
  double distance = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double below = 0.5 * std::erfc(-double(all[i]) / std::sqrt(2.0));
    distance = std::max({distance, std::abs(below - double(i) / n), std::abs(double(i + 1) / n - below)});
  }
  REQUIRE(distance * std::sqrt(n) < 2.2);
}

TEST_CASE("neighbouring indices, cycles, vectors and seeds have nothing in common") {
  // The mean of products of independent normals has a standard error of 1 / sqrt(n): five of them.
  const auto from = [](std::uint64_t seed, std::uint64_t vector, std::uint64_t cycle) {
    std::vector<float> drawn;
    for (std::uint64_t v = vector; v < vector + 64; ++v) {
      const auto row = normals(mix(mix(seed, v), cycle), 32);
      drawn.insert(drawn.end(), row.begin(), row.end());
    }
    return drawn;
  };
  const auto base = from(1, 0, 0);
  const double bound = 5 / std::sqrt(double(base.size()));
  for (const auto& other : {from(1, 0, 1), from(1, 64, 0), from(2, 0, 0), from(1, 1, 0), from(1ull << 40, 0, 0)})
    REQUIRE(std::abs(mean_of_products(base, other)) < bound);
  for (const std::size_t lag : {1, 15, 16, 17, 31, 32, 1024}) {
    auto shifted = base;
    std::rotate(shifted.begin(), shifted.begin() + std::ptrdiff_t(lag), shifted.end());
    INFO("lag " << lag);
    REQUIRE(std::abs(mean_of_products(base, shifted)) < bound);
    auto squares = base, shifted_squares = shifted;  // of variance 2
    for (float& x : squares) x = (x * x - 1.0f) / 1.41421356f;
    for (float& x : shifted_squares) x = (x * x - 1.0f) / 1.41421356f;
    REQUIRE(std::abs(mean_of_products(squares, shifted_squares)) < bound);
  }
}

TEST_CASE("normals have the same bits whatever instructions compute them") {
  constexpr std::uint64_t kHash = 0xc8f9ee3d8fac8065u;  // what the first machine gave
  REQUIRE(hash_of_normals() == kHash);                  // without optimisation
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  REQUIRE(hash_of_baseline() == kHash);
  if (__builtin_cpu_supports("x86-64-v3")) REQUIRE(hash_of_v3() == kHash);
  if (__builtin_cpu_supports("x86-64-v4")) REQUIRE(hash_of_v4() == kHash);
#endif
}

TEST_CASE("rounding is to the nearest integer, of two the even one") {
  REQUIRE((rounded(0.5f) == 0 && rounded(1.5f) == 2 && rounded(2.5f) == 2 && rounded(-0.5f) == 0));
  REQUIRE((rounded(-1.5f) == -2 && rounded(2.4999f) == 2 && rounded(32766.75f) == 32767 && rounded(-7.51f) == -8));
}

TEST_CASE("models out of range are refused by their keys") {
  REQUIRE(refusal({}).empty());
  REQUIRE(refusal({1.0, 1000.0, 10.0, 0.5, 0.5}).empty());
  REQUIRE(refusal({1.5, 0, 0, 0, 0}) == "noise.conductance_spread is 1.5 (0 to 1)");
  REQUIRE(refusal({0, -1, 0, 0, 0}) == "noise.read_noise is -1 (0 to 1000)");
  REQUIRE(refusal({0, 0, 11, 0, 0}) == "noise.proportional_noise is 11 (0 to 10)");
  REQUIRE(refusal({0, 0, 0, -0.5, 0}) == "noise.stuck_off is -0.5 (0 to 1)");
  REQUIRE(refusal({0, 0, 0, 0, 1.25}) == "noise.stuck_on is 1.25 (0 to 1)");
  REQUIRE(refusal({0, 0, std::nan(""), 0, 0}) == "noise.proportional_noise is nan (0 to 10)");
  REQUIRE(refusal({0, 0, 0, 0.75, 0.5}) ==
          "noise.stuck_on and noise.stuck_off together are more than all devices (up to 1)");
}
