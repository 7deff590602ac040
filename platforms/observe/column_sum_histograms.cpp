// SPDX-License-Identifier: Apache-2.0
// Counting of column sums, and the table of it.
#include "platforms/observe/column_sum_histograms.h"

namespace mho {
namespace {

/// Rows sum to little more than they have: growing by this much at once is rarely done twice.
constexpr int kStep = 64;

}  // namespace

void SumHistogram::grow(int sum) {
  if (sum < lowest_) {
    const int more = (lowest_ - sum + kStep - 1) / kStep * kStep;
    counts_.insert(counts_.begin(), std::size_t(more), 0);
    lowest_ -= more;
  }
  const auto needed = std::size_t(sum - lowest_) + 1;
  if (needed > counts_.size()) counts_.resize((needed + kStep - 1) / kStep * kStep);
}

void ColumnSumHistograms::record(const observe::ColumnSums& batch) {
  if (nodes_.count(batch.node) == 0) return;
  auto& of_slices = layers_[batch.node].slices;
  if (of_slices.size() < batch.first_slice + batch.slices) of_slices.resize(batch.first_slice + batch.slices);
  const std::int16_t* sums = batch.sums;
  for (std::size_t vector = 0; vector < batch.vectors; ++vector)
    for (std::size_t slice = 0; slice < batch.slices; ++slice, sums += batch.stride) {
      auto& histograms = of_slices[batch.first_slice + slice];
      histograms.resize(batch.weight_slices + 1);
      std::size_t weight_slice = 0;
      for (std::size_t column = 0; column < batch.columns; ++column) {
        histograms[weight_slice].add(sums[column], 1);
        if (++weight_slice == batch.weight_slices) weight_slice = 0;
      }
      if (batch.unit_columns > 0) histograms.back().add(sums[batch.columns], batch.unit_columns);
    }
}

const LayerSums* ColumnSumHistograms::of(int node) const {
  const auto found = layers_.find(node);
  return found == layers_.end() ? nullptr : &found->second;
}

double share_within(const LayerSums& layer, int lowest, int highest) {
  std::uint64_t all = 0, within = 0;
  for (const std::vector<SumHistogram>& slices : layer.slices)
    for (std::size_t weight = 0; weight + 1 < slices.size(); ++weight)
      for (std::size_t i = 0; i < slices[weight].counts().size(); ++i) {
        const int sum = slices[weight].lowest() + int(i);
        all += slices[weight].counts()[i];
        if (lowest <= sum && sum <= highest) within += slices[weight].counts()[i];
      }
  return all == 0 ? 1.0 : double(within) / double(all);
}

std::string to_csv(const LayerSums& layer) {
  std::string text = "input_slice,weight_slice,sum,count\n";
  for (std::size_t slice = 0; slice < layer.slices.size(); ++slice)
    for (std::size_t weight = 0; weight < layer.slices[slice].size(); ++weight) {
      const SumHistogram& histogram = layer.slices[slice][weight];
      const bool unit = weight + 1 == layer.slices[slice].size();
      const std::string place = std::to_string(slice) + ',' + (unit ? "unit" : std::to_string(weight)) + ',';
      for (std::size_t i = 0; i < histogram.counts().size(); ++i)
        if (histogram.counts()[i] != 0)
          text +=
              place + std::to_string(histogram.lowest() + int(i)) + ',' + std::to_string(histogram.counts()[i]) + '\n';
    }
  return text;
}

}  // namespace mho
