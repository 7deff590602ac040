// SPDX-License-Identifier: Apache-2.0
// Float32 convolutions and matrix products on oneDNN, for networks that are not quantised yet. Sums are rounded in an
// order that depends on the instruction set: results agree between machines to float's precision, not bit for bit.
#pragma once

#include <memory>

namespace mho::arithmetic {

/// Extents of a convolution of one feature map; every number > 0 but paddings >= 0, and the window must fit.
struct FloatConvolutionShape {
  int height = 1, width = 1, channels = 1;               ///< of the input
  int output_height = 1, output_width = 1, filters = 1;  ///< of the output
  int kernel_height = 1, kernel_width = 1, groups = 1;   ///< groups divide channels and filters
  int stride_y = 1, stride_x = 1, dilation_y = 1, dilation_x = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
};

/// One convolution with weights packed once. It runs on the calling thread alone.
class FloatConvolution {
 public:
  /// weights[filters][kernel_height][kernel_width][channels / groups], bias[filters]. Throws std::runtime_error where
  /// the library refuses the shape.
  FloatConvolution(const FloatConvolutionShape& shape, const float* weights, const float* bias);
  ~FloatConvolution();
  FloatConvolution(FloatConvolution&&) noexcept;

  /// x[height][width][channels] -> y[output_height][output_width][filters]. Safe from several threads at once.
  void run(const float* x, float* y) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A matrix inside a larger one: consecutive rows are `stride` elements apart.
struct FloatMatrix {
  const float* values = nullptr;
  int stride = 0;
};

/// y[rows][columns] = a[rows][length] * b, with b[length][columns], or b[columns][length] where `transposed`.
void multiply(const FloatMatrix& a, const FloatMatrix& b, bool transposed, int rows, int length, int columns, float* y,
              int y_stride);

}  // namespace mho::arithmetic
