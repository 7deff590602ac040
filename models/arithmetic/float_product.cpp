// SPDX-License-Identifier: Apache-2.0
// oneDNN's direct convolution on channel-last maps, whose kernels need no unrolled windows, and its SGEMM.
#include "models/arithmetic/float_product.h"

#include <cstddef>
#include <stdexcept>

#include <dnnl.hpp>

#include "models/arithmetic/calling_thread.h"

namespace mho::arithmetic {
namespace {

using dnnl::memory;
using Dims = memory::dims;

memory::desc map_of(int channels, int height, int width) {
  return {Dims{1, channels, height, width}, memory::data_type::f32, memory::format_tag::nhwc};
}

/// Weights in the library's order of axes, [group][filter][channel][y][x], without the first where there is one group:
/// its fastest kernels want it so. In memory the order is filter, y, x, channel of the group.
struct WeightAxes {
  Dims extents, strides;
};

WeightAxes axes_of(const FloatConvolutionShape& s) {
  const memory::dim channels = s.channels / s.groups, row = channels * s.kernel_width, filter = row * s.kernel_height;
  WeightAxes axes{{s.filters / s.groups, channels, s.kernel_height, s.kernel_width}, {filter, 1, row, channels}};
  if (s.groups == 1) return axes;
  axes.extents.insert(axes.extents.begin(), s.groups);
  axes.strides.insert(axes.strides.begin(), filter * (s.filters / s.groups));
  return axes;
}

dnnl::convolution_forward::primitive_desc describe(const FloatConvolutionShape& s, const dnnl::engine& engine) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::convolution_forward::desc description(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, map_of(s.channels, s.height, s.width),
      {axes_of(s).extents, memory::data_type::f32, memory::format_tag::any},
      {Dims{s.filters}, memory::data_type::f32, memory::format_tag::a},
      map_of(s.filters, s.output_height, s.output_width), Dims{s.stride_y, s.stride_x},
      Dims{s.dilation_y - 1, s.dilation_x - 1}, Dims{s.pad_top, s.pad_left}, Dims{s.pad_bottom, s.pad_right});
  return {description, attributes, engine};
}

}  // namespace

struct FloatConvolution::State {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::convolution_forward::primitive_desc description;
  dnnl::convolution_forward primitive;
  memory weights, bias;
};

FloatConvolution::FloatConvolution(const FloatConvolutionShape& shape, const float* weights, const float* bias)
    : state_(std::make_unique<State>()) {
  const OnCallingThread on_calling_thread;
  State& s = *state_;
  s.description = describe(shape, s.engine);
  s.primitive = dnnl::convolution_forward(s.description);
  s.weights = memory(s.description.weights_desc(), s.engine);
  s.bias = memory(s.description.bias_desc(), s.engine);
  dnnl::stream stream(s.engine);
  const WeightAxes axes = axes_of(shape);
  memory given({axes.extents, memory::data_type::f32, axes.strides}, s.engine, const_cast<float*>(weights));
  dnnl::reorder(given, s.weights).execute(stream, given, s.weights);
  stream.wait();
  auto* own = static_cast<float*>(s.bias.get_data_handle());
  for (int f = 0; f < shape.filters; ++f) own[f] = bias[f];
}

FloatConvolution::~FloatConvolution() = default;
FloatConvolution::FloatConvolution(FloatConvolution&&) noexcept = default;

void FloatConvolution::run(const float* x, float* y) const {
  const OnCallingThread on_calling_thread;
  const State& s = *state_;
  dnnl::stream stream(s.engine);
  const memory from(s.description.src_desc(), s.engine, const_cast<float*>(x));
  const memory to(s.description.dst_desc(), s.engine, y);
  const memory scratchpad(s.description.scratchpad_desc(), s.engine);
  s.primitive.execute(stream, {{DNNL_ARG_SRC, from},
                               {DNNL_ARG_WEIGHTS, s.weights},
                               {DNNL_ARG_BIAS, s.bias},
                               {DNNL_ARG_DST, to},
                               {DNNL_ARG_SCRATCHPAD, scratchpad}});
  stream.wait();
}

void multiply(const FloatMatrix& a, const FloatMatrix& b, bool transposed, int rows, int length, int columns, float* y,
              int y_stride) {
  const OnCallingThread on_calling_thread;
  if (dnnl_sgemm('N', transposed ? 'T' : 'N', rows, columns, length, 1.0f, a.values, a.stride, b.values, b.stride, 0.0f,
                 y, y_stride) != dnnl_success)
    throw std::runtime_error("could not execute a float product");
}

}  // namespace mho::arithmetic
