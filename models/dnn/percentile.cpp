// SPDX-License-Identifier: Apache-2.0
// High percentiles are found among the few values above a bound that a small part of the sample suggests; the bound
// only saves time.
#include "models/dnn/percentile.h"

#include <algorithm>
#include <cstddef>

namespace mho::dnn {

namespace {

constexpr std::size_t kProbes = 512;

float element(std::vector<float> values, std::size_t rank) {
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(rank), values.end());
  return values[rank];
}

}  // namespace

float percentile_of(const std::vector<float>& values, double share) {
  const std::size_t rank = std::min(values.size() - 1, std::size_t(double(values.size()) * share));
  const std::size_t from_top = values.size() - rank;
  if (values.size() < 16 * kProbes) return element(values, rank);
  std::vector<float> probes, above;
  const std::size_t step = values.size() / kProbes;
  for (std::size_t i = 0; i < values.size(); i += step) probes.push_back(values[i]);
  const auto safe = double(from_top) / double(values.size()) * 3 + 0.01;  // share that certainly reaches down to `rank`
  const std::size_t low = std::size_t(double(probes.size()) * std::max(1 - safe, 0.0));
  const float bound = element(std::move(probes), low);
  for (const float value : values)
    if (value >= bound) above.push_back(value);
  if (above.size() < from_top) return element(values, rank);
  const std::size_t place = above.size() - from_top;
  return element(std::move(above), place);
}

}  // namespace mho::dnn
