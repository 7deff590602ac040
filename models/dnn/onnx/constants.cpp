// SPDX-License-Identifier: Apache-2.0
// Broadcasting of constants: which element of a constant meets which stored channel.
#include "models/dnn/onnx/constants.h"

#include <cmath>
#include <cstring>

#include "models/dnn/onnx/stored_tensor.h"

namespace mho::dnn {

namespace {

constexpr const char* kPerChannel = "one number, or one a channel";

/// Adds the contribution of one axis to every channel's index into the constant.
void add_axis(const Factors& axis, std::int64_t step, std::vector<std::int64_t>& index) {
  for (auto factor = axis.rbegin(); factor != axis.rend(); ++factor) {
    for (std::size_t c = 0; c < index.size(); ++c) index[c] += std::int64_t(c) / factor->stride % factor->extent * step;
    step *= factor->extent;
  }
}

std::vector<float> dequantised(const ScaledConstant& constant) {
  const std::vector<std::int64_t> codes = integers(constant.codes);
  std::vector<float> values(codes.size());
  std::size_t inner = 1;
  for (std::size_t i = std::size_t(constant.axis) + 1; i < constant.codes.dims.size(); ++i)
    inner *= std::size_t(constant.codes.dims[i]);
  for (std::size_t i = 0; i < codes.size(); ++i)
    values[i] =
        float(double(codes[i]) * constant.scale[constant.scale.size() == 1 ? 0 : i / inner % constant.scale.size()]);
  return values;
}

}  // namespace

void require_finite(const NodeReader& node, const std::vector<float>& values) {
  for (const float value : values)
    if (!std::isfinite(value)) node.refuse("a constant holds " + std::to_string(value), "finite numbers");
}

std::vector<float> real_values(const NodeReader& node, const ScaledConstant& constant) {
  std::vector<float> values;
  if (!constant.scale.empty()) {
    values = dequantised(constant);
  } else {
    if (constant.codes.type != OnnxTensor::Type::kFloat)
      node.refuse(std::string("a constant is ") + name_of(constant.codes.type),
                  "float, or int8 behind a DequantizeLinear");
    values.resize(constant.codes.raw.size() / sizeof(float));
    std::memcpy(values.data(), constant.codes.raw.data(), constant.codes.raw.size());
  }
  require_finite(node, values);
  return values;
}

std::vector<double> per_channel(const NodeReader& node, const Value& like, const std::vector<std::int64_t>& dims,
                                const std::vector<float>& values) {
  const std::int64_t channels = like.shape.channels;
  const std::optional<View> view = split_at_pixels(like.view, channels);
  node.model().charge(std::size_t(channels) * 2 * sizeof(double));
  std::vector<std::int64_t> index(std::size_t(channels), 0);
  std::int64_t step = 1;
  if (std::int64_t(dims.size()) > like.view.rank()) node.refuse("a constant has more axes than the input", kPerChannel);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::int64_t extent = dims[dims.size() - 1 - i];
    if (extent == 1) continue;
    const int axis = like.view.rank() - 1 - int(i);
    if (!view || extent != view->extent(axis) || !within_channels(view->axes[std::size_t(axis)], channels))
      node.refuse("a constant has " + std::to_string(extent) + " values along axis " + std::to_string(axis) +
                      ", which are no channels of the input",
                  kPerChannel);
    add_axis(view->axes[std::size_t(axis)], step, index);
    step *= extent;
  }
  std::vector<double> all(index.size());
  for (std::size_t c = 0; c < all.size(); ++c) all[c] = double(values[std::size_t(index[c])]);
  return all;
}

}  // namespace mho::dnn
