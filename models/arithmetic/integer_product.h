// SPDX-License-Identifier: Apache-2.0
// Exact integer matrix products on oneDNN's int8 kernels, weights packed once. Without VNNI the library's product is
// wrong for large weights because its 16-bit intermediates saturate; weights are then cut into parts that it multiplies
// exactly. Wider weights and codes become sums of int8 products.
#pragma once

#include <cstdint>
#include <memory>

namespace mho::arithmetic {

/// y[v][n] = sum over k of x[v][k] * w[k][n], in 32-bit two's complement. Runs on the calling thread and leaves the
/// host's OpenMP settings as they are.
class IntegerProduct {
 public:
  /// weights[k][n] (n fastest), any integers; packed as one int8 matrix where they fit, 17-bit ones as up to three.
  IntegerProduct(const std::int32_t* weights, int k, int n);
  /// The same of int8 weights[n][k], k fastest, as the filters of a layer are stored.
  static IntegerProduct of_filters(const std::int8_t* weights, int k, int n);
  ~IntegerProduct();
  IntegerProduct(IntegerProduct&&) noexcept;
  IntegerProduct& operator=(IntegerProduct&&) noexcept;

  /// x[count][k] codes, uint8 or int8 two's complement; y[count][n]. Const and safe from several threads.
  void run(const std::uint8_t* x, bool is_signed, int count, std::int32_t* y) const;
  /// 16-bit codes, x[count][k]; exact int64 results. Throws std::invalid_argument for more than 65536 rows.
  void run(const std::int16_t* x, int count, std::int64_t* y) const;
  /// int8 products per multiplication of an 8-bit code on this machine: 1, or more where weights are cut.
  int products() const;

 private:
  struct Packed;
  explicit IntegerProduct(std::unique_ptr<Packed> packed);
  std::unique_ptr<Packed> packed_;
};

}  // namespace mho::arithmetic
