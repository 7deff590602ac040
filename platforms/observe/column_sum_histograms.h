// SPDX-License-Identifier: Apache-2.0
// How often each column sum reached the converters, per layer, input slice and weight slice: what tells how many bits a
// converter needs. Sums, which have a sign where cells are pairs, are counted as they are sampled, before they are
// clipped; of inputs that speculate the wide slices are counted, not what is read again.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "models/observe/column_sums.h"

namespace mho {

/// Counts of whole numbers; grows with what it is given.
class SumHistogram {
 public:
  void add(int sum, std::uint64_t times) {
    const int index = sum - lowest_;
    if (index < 0 || std::size_t(index) >= counts_.size()) grow(sum);
    counts_[std::size_t(sum - lowest_)] += times;
  }
  /// Sums `lowest`, lowest + 1, ...
  int lowest() const { return lowest_; }
  const std::vector<std::uint64_t>& counts() const { return counts_; }

 private:
  void grow(int sum);
  int lowest_ = 0;
  std::vector<std::uint64_t> counts_;
};

/// Of one layer.
struct LayerSums {
  /// [input slice][weight slice], most significant first, and then the unit columns, empty where there are none; slices
  /// of a second pass come behind those of the first.
  std::vector<std::vector<SumHistogram>> slices;
};

class ColumnSumHistograms : public observe::ColumnSumRecorder {
 public:
  /// Other nodes are not counted.
  explicit ColumnSumHistograms(std::set<int> nodes) : nodes_(std::move(nodes)) {}
  void record(const observe::ColumnSums& sums) override;
  /// Null where none of the node's sums reached a converter.
  const LayerSums* of(int node) const;

 private:
  std::set<int> nodes_;
  std::map<int, LayerSums> layers_;
};

/// A table `input_slice,weight_slice,sum,count`; `unit` in place of a weight slice, and no lines for counts of zero.
/// Counts of weight slices add up to the layer's conversions without those that recover, those of unit columns to its
/// unit conversions.
std::string to_csv(const LayerSums& layer);

/// Share of the sums of weight slices from `lowest` to `highest`, -64 to 63 what 7 bits convert; 1 where there are
/// none.
double share_within(const LayerSums& layer, int lowest, int highest);

}  // namespace mho
