// SPDX-License-Identifier: Apache-2.0
// One u8 x s8 -> s32 matrix product on oneDNN with weights packed once: the only place that knows the library. It
// runs on the calling thread alone. Which weights it multiplies exactly depends on the instruction set.
#pragma once

#include <cstdint>
#include <memory>

namespace mho::arithmetic {

/// Largest |weight| that Int8Matmul multiplies exactly: 128 where the instruction set in effect (ONEDNN_MAX_CPU_ISA
/// counts) has VNNI, else 64, because two products are then added in 16 bits that saturate: 2 * 255 * 64 fits.
int exact_weight_limit();

/// y[row][n] = sum over k of x[row][k] * w[k][n], modulo 2^32.
class Int8Matmul {
 public:
  enum class Order : std::uint8_t { kRows, kColumns };  ///< weights[k][n], n fastest, or weights[n][k], k fastest
  Int8Matmul(const std::int8_t* weights, int k, int n, Order order = Order::kRows);
  ~Int8Matmul();

  /// x[rows][k], y[rows][n]. Safe from several threads at once. The first call with a new number of rows costs about
  /// 0.1 ms, because the library generates its kernel then; every later one 0.4 us beside the arithmetic.
  void run(const std::uint8_t* x, int rows, std::int32_t* y) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mho::arithmetic
