// SPDX-License-Identifier: Apache-2.0
// Extremes, histograms and the two ways to read them.
#include "models/dnn/quantisation/quantise_ranges.h"

#include <algorithm>
#include <cmath>

namespace mho::dnn {

namespace {

constexpr int kCandidates = 128;  ///< ends of a range that are tried, evenly between zero and the largest value

/// Integral of the squared rounding error from 0 to `x`, in steps: the nearest of the codes 0 .. levels is taken. Whole
/// steps contribute 1/12 each; the last piece, which is open above the highest code, is a cube.
double squared_error_up_to(double x, int levels) {
  const double code = std::min(std::floor(x + 0.5), double(levels));
  const double rest = x - code;
  return code / 12.0 + rest * rest * rest / 3.0;
}

}  // namespace

const char* name_of(RangeMethod method) {
  switch (method) {
    case RangeMethod::kMinMax:
      return "min_max";
    case RangeMethod::kPercentile:
      return "percentile";
    case RangeMethod::kMeanSquareError:
      return "mse";
  }
  return "unknown";
}

double Distribution::largest() const { return std::max(-double(lowest_), double(highest_)); }

bool Distribution::widen(const Reals& values) {
  if (values.empty()) return true;
  float low = values.front(), high = low;
  bool finite = true;
  for (const float value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
    finite = finite && std::isfinite(value);
  }
  if (!finite) return false;
  Distribution part;
  part.seen_ = true;
  part.lowest_ = low;
  part.highest_ = high;
  merge_extremes(part);
  return true;
}

void Distribution::merge_extremes(const Distribution& other) {
  if (!other.seen_) return;
  lowest_ = seen_ ? std::min(lowest_, other.lowest_) : other.lowest_;
  highest_ = seen_ ? std::max(highest_, other.highest_) : other.highest_;
  seen_ = true;
}

void Distribution::count(const Reals& values) {
  if (bins_.empty()) bins_.assign(kBins, 0);
  const double end = largest(), per_unit = end > 0 ? kBins / end : 0;
  for (const float value : values) {
    if (value == 0.0f) {
      ++zeros_;
    } else {
      ++bins_[std::size_t(std::min(int(std::abs(double(value)) * per_unit), kBins - 1))];
    }
  }
}

void Distribution::merge_counts(const Distribution& other) {
  if (other.bins_.empty()) return;
  if (bins_.empty()) bins_.assign(kBins, 0);
  zeros_ += other.zeros_;
  for (std::size_t b = 0; b < bins_.size(); ++b) bins_[b] += other.bins_[b];
}

double Distribution::percentile(double percent) const {
  std::uint64_t all = zeros_;
  for (const std::uint64_t count : bins_) all += count;
  const double wanted = percent / 100.0 * double(all);
  double below = double(zeros_);
  if (below >= wanted) return 0;
  for (std::size_t b = 0; b < bins_.size(); ++b) {
    const auto here = double(bins_[b]);
    if (here > 0 && below + here >= wanted) return largest() * (double(b) + (wanted - below) / here) / kBins;
    below += here;
  }
  return largest();
}

double Distribution::error_of(double end, int levels) const {
  const double bin = largest() / kBins * levels / end;  // its width in steps
  double error = 0, before = 0;
  for (std::size_t b = 0; b < bins_.size(); ++b) {
    const double after = squared_error_up_to(double(b + 1) * bin, levels);
    error += double(bins_[b]) * (after - before);
    before = after;
  }
  return error / bin * (end / levels) * (end / levels);
}

double Distribution::least_error(int levels) const {
  const double whole = largest();
  if (!(whole > 0) || bins_.empty()) return whole;
  double best = whole, least = error_of(whole, levels);
  for (int i = kCandidates - 1; i > 0; --i) {
    const double end = whole * i / kCandidates, error = error_of(end, levels);
    if (error < least) {
      least = error;
      best = end;
    }
  }
  return best;
}

}  // namespace mho::dnn
