// SPDX-License-Identifier: Apache-2.0
// One layer under trial: how far its outputs are off when its weights are encoded in a certain way and converters clip
// its column sums. Only sums that can leave the converter's range are computed, and only what clipping changes is
// carried on: psum = exact psum + sum of (clipped - sum) * place values.
#pragma once

#include <cstdint>
#include <vector>

#include "models/arithmetic/adc_transfer.h"
#include "models/arithmetic/encoding.h"
#include "models/arithmetic/input_stream.h"
#include "models/dnn/operators.h"
#include "models/mapping/slicing_search_columns.h"
#include "models/mapping/slicing_search_sample.h"

namespace mho::mapping {

class LayerTrial {
 public:
  /// Graph and sample must outlive this object.
  LayerTrial(const dnn::Graph& graph, const Machine& machine, const LayerSample& sample);

  /// Sampled outputs whose exact code is not the zero point: only these have errors.
  std::uint64_t outputs() const { return outputs_; }
  /// The layer's filters come in so many parts.
  int parts() const { return int(parts_.size()); }
  /// Sum of |code - exact code| over the outputs of one part, as `encoding` stores its filters. The encoding's filters
  /// must not depend on each other and its unit must be digital.
  std::uint64_t error(const arithmetic::WeightEncoding& encoding, int part) const;

 private:
  /// One input slice of one vector into a row block.
  struct Drive {
    std::int32_t vector = 0, pulses = 0, weight = 0;  ///< rows that are driven; place value, negative in a second pass
    std::uint32_t magnitudes = 0;                     ///< which [vectors][rows] row of BlockDrives::magnitudes
    int shift = 0;
  };
  struct BlockDrives {
    std::vector<std::uint8_t> magnitudes;  ///< [passes * vectors][rows]
    std::vector<Drive> drives;             ///< most pulses first, those without any left out
    int most_pulses() const { return drives.empty() ? 0 : drives.front().pulses; }
  };
  /// Filters first .. first + count - 1 of one window of each vector, and the blocks that hold their rows.
  struct Part {
    int window = 0, first = 0, count = 0;
    int copy = 0;  ///< `first` in the order [window][filter]
    std::vector<int> blocks;
    std::vector<std::int32_t> psums;  ///< [vectors][count], exact
    std::vector<std::uint8_t> codes;  ///< the same requantised; the zero point where there is no such window
  };

  BlockDrives drives_of(const SampledBlock& block, const arithmetic::InputStream& stream) const;
  void make_parts();
  void compute_exactly(Part& part);
  std::vector<std::int32_t> weights(const Part& part, const BlockShape& block) const;
  void multiply(const RiskyColumns& columns, const BlockDrives& drives, std::size_t filters,
                std::vector<std::uint32_t>& psums) const;

  const dnn::Node& node_;
  const LayerSample& sample_;
  dnn::Requantiser requantiser_;
  arithmetic::AdcRange range_;
  int zero_point_;
  bool signed_codes_, signed_inputs_;
  std::vector<BlockDrives> drives_;
  std::vector<Part> parts_;
  std::uint64_t outputs_ = 0;
};

}  // namespace mho::mapping
