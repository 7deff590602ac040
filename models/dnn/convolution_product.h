// SPDX-License-Identifier: Apache-2.0
// The psums of a convolution over a whole feature map, as matrix products over many windows at once. Depthwise layers
// and layers of few windows take loops of their own: products would be too thin for a packed matrix to pay off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "models/arithmetic/integer_product.h"
#include "models/dnn/operators.h"

namespace mho::dnn {

/// Psums of windows first_window .. first_window + windows - 1, numbered row by row, and of some filters.
struct PsumPart {
  int first_window = 0, windows = 0;
  int first_filter = 0, filters = 0;
  const std::int32_t* values = nullptr;  ///< [windows][filters]: sum of codes * weights, bias apart
};

class ConvolutionProduct {
 public:
  /// Packs the weights of `node`, a valid convolution. Graph and node must outlive this object.
  ConvolutionProduct(const Graph& graph, const Node& node);

  /// Calls `visit` with parts that cover every window and filter once. Const and safe from several threads.
  void run(const RowSource& rows, const std::function<void(const PsumPart&)>& visit) const;

 private:
  using Visit = std::function<void(const PsumPart&)>;
  void run_products(const RowSource& rows, const Visit& visit) const;
  void run_depthwise(const RowSource& rows, const Visit& visit) const;
  void run_direct(const RowSource& rows, const Visit& visit) const;
  void gather(const RowSource& rows, int group, int first, int count, std::uint8_t* windows) const;

  const Tensor& input_;
  const Tensor& output_;
  const Node& node_;
  int length_, filters_;  ///< of one group
  bool depthwise_ = false, direct_ = false;
  std::vector<std::int32_t> taps_;                    ///< depthwise: [tap][channel]
  std::vector<arithmetic::IntegerProduct> products_;  ///< else one a group, unless direct
};

}  // namespace mho::dnn
