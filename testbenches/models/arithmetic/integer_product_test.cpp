// SPDX-License-Identifier: Apache-2.0
// The integer product against a loop in 64 bits. CTest runs this program again under older instruction sets
// (ONEDNN_MAX_CPU_ISA), where weights are split differently.
#include "models/arithmetic/integer_product.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "testbenches/models/arithmetic/naive.h"

using mho::arithmetic::IntegerProduct;
using naive::pick;

extern "C" {
__attribute__((weak)) int omp_get_max_threads();
__attribute__((weak)) void omp_set_num_threads(int);
}

namespace {

template <class Code>
using Codes = std::vector<Code>;
using Weights = std::vector<std::int32_t>;

template <class Code>
Codes<Code> make_codes(std::size_t count, const std::function<std::int64_t()>& next) {
  Codes<Code> codes;
  while (codes.size() < count) codes.push_back(Code(next()));
  return codes;
}

Weights make_weights(int count, const std::function<std::int64_t()>& next) {
  Weights weights;
  while (int(weights.size()) < count) weights.push_back(std::int32_t(next()));
  return weights;
}

/// Value of one output, whatever the codes' type.
template <class Code>
std::int64_t reference(const Codes<Code>& x, const Weights& w, int k, int n, int vector, int column) {
  std::int64_t sum = 0;
  for (int i = 0; i < k; ++i)
    sum += std::int64_t{x[std::size_t(vector * k + i)]} * std::int64_t{w[std::size_t(i * n + column)]};
  return sum;
}

template <class Code, class Result>
void compare(const Codes<Code>& x, const Weights& w, int k, int n, int count, const std::vector<Result>& y) {
  for (int vector = 0; vector < count; ++vector)
    for (int column = 0; column < n; ++column) {
      const auto expected = Result(std::uint64_t(reference(x, w, k, n, vector, column)));
      if (y[std::size_t(vector * n + column)] != expected)
        FAIL(k << " x " << n << ", vector " << vector << " of " << count << ", column " << column << ": "
               << y[std::size_t(vector * n + column)] << " instead of " << expected);
    }
}

/// All three kinds of codes through one matrix.
void check_product(const Weights& w, int k, int n, int count, const std::function<std::int64_t()>& next) {
  const IntegerProduct product(w.data(), k, n);
  const std::size_t inputs = std::size_t(count * k), outputs = std::size_t(count * n);
  std::vector<std::int32_t> y(outputs, -1);
  const auto plain = make_codes<std::uint8_t>(inputs, next);
  product.run(plain.data(), false, count, y.data());
  compare(plain, w, k, n, count, y);
  const auto with_sign = make_codes<std::int8_t>(inputs, next);
  product.run(reinterpret_cast<const std::uint8_t*>(with_sign.data()), true, count, y.data());
  compare(with_sign, w, k, n, count, y);
  const auto wide = make_codes<std::int16_t>(inputs, next);
  std::vector<std::int64_t> wide_y(outputs, -1);
  product.run(wide.data(), count, wide_y.data());
  compare(wide, w, k, n, count, wide_y);
}

}  // namespace

TEST_CASE("a product by hand") {
  // (1, 255) and (2, 0) times ((1, -2), (3, 4)): 1 + 765, -2 + 1020; 2, -4. Signed, 255 is -1: 1 - 3, -2 - 4.
  const Weights w{1, -2, 3, 4};
  const IntegerProduct product(w.data(), 2, 2);
  const Codes<std::uint8_t> x{1, 255, 2, 0};
  std::vector<std::int32_t> y(4);
  product.run(x.data(), false, 2, y.data());
  REQUIRE(y == std::vector<std::int32_t>{766, 1018, 2, -4});
  product.run(x.data(), true, 2, y.data());
  REQUIRE(y == std::vector<std::int32_t>{-2, -6, 2, -4});
}

TEST_CASE("products of random codes and weights of 1 to 17 bits are exact") {
  naive::Random random(5);
  const auto any = [&random] { return std::int64_t(random()); };
  for (int bits = 1; bits <= 17; ++bits)
    for (const auto& [k, n] : std::vector<std::pair<int, int>>{{1, 1}, {3, 70}, {27, 16}, {128, 33}, {200, 5}}) {
      const std::int64_t half = std::int64_t{1} << (bits - 1);
      const auto w = make_weights(k * n, [&] { return pick(random, -half, half - 1); });
      for (const int count : {1, 2, 7}) check_product(w, k, n, count, any);
    }
}

TEST_CASE("products are exact where every code and every weight is extreme") {
  // Neighbouring products of 255 * 127 leave 16 bits: the case that int8 kernels without VNNI get wrong.
  for (int bits = 1; bits <= 17; ++bits)
    for (const std::int64_t weight : {-(std::int64_t{1} << (bits - 1)), (std::int64_t{1} << (bits - 1)) - 1})
      for (const std::int64_t code : {0, 1, -1, 127, -128, 255, 32767, -32768}) {
        const auto w = make_weights(130 * 17, [&] { return weight; });
        check_product(w, 130, 17, 3, [&] { return code; });
      }
}

TEST_CASE("one extreme weight among zeros is multiplied exactly") {
  for (const std::int32_t weight : {63, 64, 65, -64, -65, 127, 128, -128, -129, 8127, 8128, -8256, -8257, 32639, 32640,
                                    -32896, -32897, 65535, -65536})
    for (int place = 0; place < 6; ++place) {
      auto w = make_weights(6, [] { return 0; });
      w[std::size_t(place)] = weight;
      check_product(w, 3, 2, 1, [] { return -1; });
    }
}

TEST_CASE("weights of up to 32 bits are multiplied exactly") {
  naive::Random random(9);
  const std::int64_t half = std::int64_t{1} << 31;
  for (const std::int64_t reach : {half, half >> 3, half >> 7})
    check_product(make_weights(40 * 3, [&] { return pick(random, -reach, reach - 1); }), 40, 3, 2,
                  [&] { return std::int64_t(random()); });
  for (const std::int64_t weight : {-half, half - 1})
    for (const std::int64_t code : {-32768, 32767})
      check_product(make_weights(40 * 3, [&] { return weight; }), 40, 3, 2, [&] { return code; });
}

TEST_CASE("sums beyond 24 bits are not rounded") {
  // 4608 * 255 * 127 = 149 229 440: a library that adds in single precision loses the last bits.
  naive::Random random(6);
  const auto w = make_weights(4608 * 3, [&] { return pick(random, 120, 127); });
  check_product(w, 4608, 3, 2, [&] { return pick(random, 250, 255); });
  check_product(w, 4608, 3, 2, [&] { return pick(random, -128, -120); });
}

TEST_CASE("32-bit results wrap") {
  // 40000 rows * 255 * 255 = 2 601 000 000 = -1 693 967 296 modulo 2^32.
  const auto w = make_weights(40000, [] { return 255; });
  const Codes<std::uint8_t> x(40000, 255);
  std::int32_t y = 0;
  IntegerProduct(w.data(), 40000, 1).run(x.data(), false, 1, &y);
  REQUIRE(y == -1693967296);
}

TEST_CASE("results do not depend on how many vectors come at once") {
  naive::Random random(7);
  const int k = 64, n = 20, most = 530;
  for (const std::int64_t half : {64, 128, 32768}) {
    const auto w = make_weights(k * n, [&] { return pick(random, -half, half - 1); });
    const IntegerProduct product(w.data(), k, n);
    const auto x = make_codes<std::uint8_t>(std::size_t(most * k), [&] { return std::int64_t(random()); });
    for (const bool is_signed : {false, true}) {
      std::vector<std::int32_t> single(std::size_t(most * n));
      for (int v = 0; v < most; ++v)
        product.run(x.data() + std::ptrdiff_t(v) * k, is_signed, 1, single.data() + std::ptrdiff_t(v) * n);
      for (const int count : {63, 64, 65, 128, 255, 256, 257, 530}) {
        std::vector<std::int32_t> y(std::size_t(count * n));
        product.run(x.data(), is_signed, count, y.data());
        REQUIRE(std::equal(y.begin(), y.end(), single.begin()));
      }
    }
  }
}

TEST_CASE("no vectors give no results") {
  const Weights w{1};
  const IntegerProduct product(w.data(), 1, 1);
  std::int32_t y = 7;
  std::int64_t wide_y = 7;
  product.run(static_cast<const std::uint8_t*>(nullptr), true, 0, &y);
  product.run(static_cast<const std::int16_t*>(nullptr), 0, &wide_y);
  REQUIRE(y == 7);
  REQUIRE(wide_y == 7);
}

TEST_CASE("the number of int8 products grows with the weights") {
  const auto products = [](std::int32_t weight) { return IntegerProduct(&weight, 1, 1).products(); };
  REQUIRE(products(64) == 1);
  REQUIRE(products(-64) == 1);
  REQUIRE(products(127) <= 2);
  REQUIRE(products(128) == 2);
  REQUIRE(products(8127) == 2);
  REQUIRE(products(65535) == 3);
}

TEST_CASE("an empty matrix and 16-bit codes over too many rows are refused") {
  const Weights w(65537, 1);
  REQUIRE_THROWS_AS(IntegerProduct(w.data(), 0, 1), std::invalid_argument);
  REQUIRE_THROWS_AS(IntegerProduct(w.data(), 1, 0), std::invalid_argument);
  const Codes<std::int16_t> x(65537, 1);
  std::int64_t y = 0;
  REQUIRE_THROWS_AS(IntegerProduct(w.data(), 65537, 1).run(x.data(), 1, &y), std::invalid_argument);
  IntegerProduct(w.data(), 65536, 1).run(x.data(), 1, &y);
  REQUIRE(y == 65536);
}

TEST_CASE("filters stored one after the other are multiplied like a matrix of rows") {
  const int k = GENERATE(1, 3, 27, 130), n = GENERATE(1, 5, 64);
  const int limit = GENERATE(3, 64, 127);
  naive::Random random(7);
  const auto w = make_weights(k * n, [&] { return pick(random, -limit - 1, limit); });
  std::vector<std::int8_t> filters(w.size());
  for (int i = 0; i < k; ++i)
    for (int j = 0; j < n; ++j) filters[std::size_t(j * k + i)] = std::int8_t(w[std::size_t(i * n + j)]);
  const IntegerProduct product = IntegerProduct::of_filters(filters.data(), k, n);
  const auto codes = make_codes<std::uint8_t>(std::size_t(3 * k), [&] { return pick(random, 0, 255); });
  std::vector<std::int32_t> y(std::size_t(3 * n));
  product.run(codes.data(), false, 3, y.data());
  compare(codes, w, k, n, 3, y);
  Codes<std::int8_t> signed_codes(codes.begin(), codes.end());
  product.run(codes.data(), true, 3, y.data());
  compare(signed_codes, w, k, n, 3, y);
  CHECK_THROWS_AS(IntegerProduct::of_filters(filters.data(), 0, n), std::invalid_argument);
}

TEST_CASE("a moved product computes as before") {
  const Weights w{3};
  IntegerProduct first(w.data(), 1, 1);
  IntegerProduct second = std::move(first);
  const std::uint8_t x = 5;
  std::int32_t y = 0;
  second.run(&x, false, 1, &y);
  REQUIRE(y == 15);
}

TEST_CASE("several threads share one product") {
  naive::Random random(8);
  const int k = 100, n = 30, count = 9;
  const auto w = make_weights(k * n, [&] { return pick(random, -128, 127); });
  const auto x = make_codes<std::uint8_t>(std::size_t(count * k), [&] { return std::int64_t(random()); });
  const IntegerProduct product(w.data(), k, n);
  std::vector<std::vector<std::int32_t>> results(4, std::vector<std::int32_t>(std::size_t(count * n)));
  std::vector<std::thread> threads;
  for (auto& y : results)
    threads.emplace_back([&product, &x, &y] {
      for (int round = 0; round < 50; ++round) product.run(x.data(), round % 2 == 1, count, y.data());
    });
  for (auto& thread : threads) thread.join();
  for (const auto& y : results) REQUIRE(y == results.front());
}

TEST_CASE("a product starts no thread and leaves the caller's OpenMP setting alone") {
  const auto threads = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  if (omp_set_num_threads != nullptr) omp_set_num_threads(3);
  const auto before = threads();
  const Weights w(512 * 512, 1);
  const Codes<std::uint8_t> x(256 * 512, 1);
  std::vector<std::int32_t> y(256 * 512);
  IntegerProduct(w.data(), 512, 512).run(x.data(), true, 256, y.data());
  REQUIRE(threads() == before);
  if (omp_get_max_threads != nullptr) REQUIRE(omp_get_max_threads() == 3);
}
