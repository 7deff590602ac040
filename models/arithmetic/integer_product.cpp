// SPDX-License-Identifier: Apache-2.0
// Weights become digits that the int8 product multiplies exactly; the digits' columns stand side by side in one
// product, which reads the codes once. Accumulating inside the library is no choice: it rounds sums through float.
#include "models/arithmetic/integer_product.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/arithmetic/int8_matmul.h"
#include "models/arithmetic/vectorised.h"

namespace mho::arithmetic {
namespace {

/// Vectors of one pass over the buffers between codes and results, which should stay in the second-level cache.
constexpr int kBatch = 64;
/// 255 * 128 * 65536 < 2^31: no partial sum of a digit wraps.
constexpr int kMostExactRows = 65536;

struct Extremes {
  std::int32_t least = 0, greatest = 0;
};

template <class Weight>
MHO_INLINE Extremes extremes(const Weight* weights, std::size_t count) {
  Weight least = weights[0], greatest = weights[0];
  for (std::size_t i = 0; i < count; ++i) {
    least = weights[i] < least ? weights[i] : least;
    greatest = weights[i] > greatest ? weights[i] : greatest;
  }
  return {least, greatest};
}

MHO_VECTORISED Extremes extremes_of(const std::int32_t* weights, std::size_t count) { return extremes(weights, count); }
MHO_VECTORISED Extremes extremes_of(const std::int8_t* weights, std::size_t count) { return extremes(weights, count); }

MHO_VECTORISED
void narrow(const std::int32_t* from, std::size_t count, std::int8_t* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = std::int8_t(from[i]);
}

/// to[j] += 128 * from[j].
MHO_VECTORISED
void add_offsets(const std::int32_t* from, std::size_t n, std::int64_t* to) {
  for (std::size_t j = 0; j < n; ++j) to[j] += std::int64_t{128} * from[j];
}

/// At most 2^24 weights: their sum then fits 32 bits.
MHO_VECTORISED
std::int32_t sum_of(const std::int8_t* weights, std::size_t count) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += weights[i];
  return sum;
}

/// w = sum over d of digit[d] * 2^(bits() * d), balanced digits of -2^(bits() - 1) .. 2^(bits() - 1) - 1; seven bits
/// without VNNI, where the last digit may be 64 as well. An int8 weight then takes two.
class Digits {
 public:
  explicit Digits(Extremes weights) : half_(exact_weight_limit()) {
    count_ = std::max(needed(weights.least), needed(weights.greatest));
  }
  int count() const { return count_; }
  int bits() const { return half_ == 128 ? 8 : 7; }

  /// Cuts weights[n] into digits[count()][n].
  void cut(const std::int32_t* weights, std::size_t n, std::int8_t* digits) const {
    if (count_ == 1) return narrow(weights, n, digits);
    for (std::size_t j = 0; j < n; ++j) {
      std::int64_t rest = weights[j];
      for (std::size_t d = 0; d + 1 < std::size_t(count_); ++d) {
        digits[d * n + j] = std::int8_t(lowest_digit(rest));
        rest = without_lowest(rest);
      }
      digits[std::size_t(count_ - 1) * n + j] = std::int8_t(rest);
    }
  }

 private:
  std::int64_t lowest_digit(std::int64_t value) const { return ((value + half_) & (2 * half_ - 1)) - half_; }
  std::int64_t without_lowest(std::int64_t value) const { return (value - lowest_digit(value)) >> bits(); }
  bool fits(std::int64_t value) const { return value >= -half_ && value <= std::min(half_, 127); }
  int needed(std::int64_t value) const {
    int digits = 1;
    for (; !fits(value); ++digits) value = without_lowest(value);
    return digits;
  }

  int half_;  ///< of the radix, and the largest |digit|
  int count_;
};

/// u8 codes that are 128 more than the int8 codes; the 128 * sum(w) too much comes off the sums.
MHO_VECTORISED
void offset_by_128(const std::uint8_t* from, std::size_t count, std::uint8_t* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = from[i] ^ 0x80u;
}

/// to[j] = from[j] << shift, added to what stands there unless `first`.
MHO_VECTORISED
void add_shifted(const std::uint32_t* from, std::size_t n, int shift, bool first, std::uint32_t* to) {
  if (first)
    for (std::size_t j = 0; j < n; ++j) to[j] = from[j] << shift;
  else
    for (std::size_t j = 0; j < n; ++j) to[j] += from[j] << shift;
}

MHO_VECTORISED
void subtract(const std::uint32_t* from, std::size_t n, std::uint32_t* to) {
  for (std::size_t j = 0; j < n; ++j) to[j] -= from[j];
}

/// y[j] += (low[j] + 256 * high[j]) << shift, modulo 2^64: sums of some digits may leave 64 bits, that of all does not.
MHO_VECTORISED
void add_wide(const std::int32_t* low, const std::int32_t* high, std::size_t n, int shift, std::int64_t* y) {
  for (std::size_t j = 0; j < n; ++j) {
    const auto digit = std::uint64_t(low[j] + 256 * std::int64_t{high[j]});
    y[j] = std::int64_t(std::uint64_t(y[j]) + (digit << shift));
  }
}

/// Low bytes as they are, high bytes offset by 128.
MHO_VECTORISED
void split_bytes(const std::int16_t* from, std::size_t count, std::uint8_t* low, std::uint8_t* high) {
  for (std::size_t i = 0; i < count; ++i) {
    low[i] = std::uint8_t(from[i]);
    high[i] = std::uint8_t((std::uint16_t(from[i]) >> 8) ^ 0x80u);
  }
}

template <class T>
std::unique_ptr<T[]> uninitialised(std::size_t count) {
  return std::unique_ptr<T[]>(new T[count]);
}

void check_size(int k, int n) {
  if (k < 1 || n < 1)
    throw std::invalid_argument("an integer product of " + std::to_string(k) + " rows and " + std::to_string(n) +
                                " columns (1 or more)");
}

std::uint32_t* bits_of(std::int32_t* y) { return reinterpret_cast<std::uint32_t*>(y); }

}  // namespace

struct IntegerProduct::Packed {
  std::size_t k, n;
  Digits digits;
  std::vector<std::int64_t> offset;           ///< 128 * sum of a column's weights
  std::vector<std::uint32_t> offset_modular;  ///< the same modulo 2^32
  std::unique_ptr<Int8Matmul> matmul;         ///< k x (digits * n)

  Packed(const std::int32_t* weights, std::size_t rows, std::size_t columns)
      : k(rows), n(columns), digits(extremes_of(weights, rows * columns)), offset(columns) {
    const std::size_t width = std::size_t(digits.count()) * n;
    auto cut = uninitialised<std::int8_t>(k * width);
    for (std::size_t i = 0; i < k; ++i) {
      digits.cut(weights + i * n, n, cut.get() + i * width);
      add_offsets(weights + i * n, n, offset.data());
    }
    for (const std::int64_t value : offset) offset_modular.push_back(std::uint32_t(value));
    matmul = std::make_unique<Int8Matmul>(cut.get(), int(k), int(width));
  }

  /// Of filters that are one digit as they stand.
  Packed(const std::int8_t* filters, std::size_t rows, std::size_t columns, Digits one)
      : k(rows), n(columns), digits(one), offset(columns) {
    constexpr std::size_t kPart = std::size_t{1} << 24;
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t i = 0; i < k; i += kPart)
        offset[j] += std::int64_t{128} * sum_of(filters + j * k + i, std::min(kPart, k - i));
    for (const std::int64_t value : offset) offset_modular.push_back(std::uint32_t(value));
    matmul = std::make_unique<Int8Matmul>(filters, int(k), int(n), Int8Matmul::Order::kColumns);
  }

  /// One batch through the product and its digits put together; `scratch` holds count * digits * n sums.
  void run_batch(const std::uint8_t* x, int count, std::int32_t* scratch, std::int32_t* y) const {
    if (digits.count() == 1) return matmul->run(x, count, y);
    matmul->run(x, count, scratch);
    for (std::size_t v = 0; v < std::size_t(count); ++v)
      for (int d = 0; d < digits.count() && digits.bits() * d < 32; ++d)
        add_shifted(bits_of(scratch) + (v * std::size_t(digits.count()) + std::size_t(d)) * n, n, digits.bits() * d,
                    d == 0, bits_of(y) + v * n);
  }
};

IntegerProduct::IntegerProduct(const std::int32_t* weights, int k, int n) {
  check_size(k, n);
  packed_ = std::make_unique<Packed>(weights, std::size_t(k), std::size_t(n));
}

IntegerProduct::IntegerProduct(std::unique_ptr<Packed> packed) : packed_(std::move(packed)) {}

IntegerProduct IntegerProduct::of_filters(const std::int8_t* weights, int k, int n) {
  check_size(k, n);
  const auto rows = std::size_t(k), columns = std::size_t(n);
  const Digits digits(extremes_of(weights, rows * columns));
  if (digits.count() == 1) return IntegerProduct(std::make_unique<Packed>(weights, rows, columns, digits));
  std::vector<std::int32_t> by_rows(rows * columns);
  for (std::size_t j = 0; j < columns; ++j)
    for (std::size_t i = 0; i < rows; ++i) by_rows[i * columns + j] = weights[j * rows + i];
  return IntegerProduct(by_rows.data(), k, n);
}

IntegerProduct::~IntegerProduct() = default;
IntegerProduct::IntegerProduct(IntegerProduct&&) noexcept = default;
IntegerProduct& IntegerProduct::operator=(IntegerProduct&&) noexcept = default;

int IntegerProduct::products() const { return packed_->digits.count(); }

void IntegerProduct::run(const std::uint8_t* x, bool is_signed, int count, std::int32_t* y) const {
  const auto& [k, n, digits, offset, offset_modular, matmul] = *packed_;
  if (!is_signed && digits.count() == 1) return matmul->run(x, count, y);
  const std::size_t batch = std::size_t(std::min(count, kBatch));
  const auto scratch = uninitialised<std::int32_t>(digits.count() == 1 ? 0 : batch * std::size_t(digits.count()) * n);
  const auto offset_codes = uninitialised<std::uint8_t>(is_signed ? batch * k : 0);
  for (int left = count; left > 0; left -= kBatch) {
    const int now = std::min(left, kBatch);
    if (is_signed) offset_by_128(x, std::size_t(now) * k, offset_codes.get());
    packed_->run_batch(is_signed ? offset_codes.get() : x, now, scratch.get(), y);
    for (std::size_t v = 0; is_signed && v < std::size_t(now); ++v)
      subtract(offset_modular.data(), n, bits_of(y) + v * n);
    x += std::size_t(now) * k;
    y += std::size_t(now) * n;
  }
}

void IntegerProduct::run(const std::int16_t* x, int count, std::int64_t* y) const {
  const auto& [k, n, digits, offset, offset_modular, matmul] = *packed_;
  if (k > kMostExactRows)
    throw std::invalid_argument("a product of 16-bit codes over " + std::to_string(k) + " rows (up to 65536)");
  const std::size_t width = std::size_t(digits.count()) * n, batch = std::size_t(std::min(count, kBatch));
  const auto bytes = uninitialised<std::uint8_t>(2 * batch * k);
  const auto sums = uninitialised<std::int32_t>(2 * batch * width);
  for (int left = count; left > 0; left -= kBatch) {
    const std::size_t now = std::size_t(std::min(left, kBatch));
    split_bytes(x, now * k, bytes.get(), bytes.get() + now * k);
    matmul->run(bytes.get(), int(2 * now), sums.get());
    for (std::size_t v = 0; v < now; ++v, y += n) {
      for (std::size_t j = 0; j < n; ++j) y[j] = -256 * offset[j];
      for (std::size_t d = 0; d < std::size_t(digits.count()); ++d) {
        const std::int32_t* low = sums.get() + v * width + d * n;
        add_wide(low, low + now * width, n, digits.bits() * int(d), y);
      }
    }
    x += now * k;
  }
}

}  // namespace mho::arithmetic
