// SPDX-License-Identifier: Apache-2.0
// Sums are integers and percentiles are elements of a sample, so the order of arithmetic cannot change a result.
#include "models/dnn/synthetic/calibration.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/arithmetic/vectorised.h"
#include "models/dnn/convolution_product.h"
#include "models/dnn/operators.h"
#include "models/dnn/percentile.h"
#include "models/dnn/synthetic/calibration_sample.h"
#include "models/dnn/synthetic/synthetic_weights.h"

namespace mho::dnn {

namespace {

/// Deviations of normalised psums in transformers. Scores spread enough for a head to look at some positions more than
/// at others; what attention adds to a position is less than what stands there, else positions would become alike.
constexpr double kScoreUnit = 1.5, kResidualUnit = 0.25;

/// All psums of a convolution, [window][filter].
std::vector<std::int32_t> psums_of(const Graph& graph, const Node& node, const RowSource& rows) {
  const auto filters = std::size_t(filters_of(graph, node));
  std::vector<std::int32_t> psums(graph.output_of(node).shape.bytes());
  ConvolutionProduct(graph, node).run(rows, [&](const PsumPart& part) {
    for (std::size_t i = 0; i < std::size_t(part.windows); ++i)
      std::copy_n(part.values + i * std::size_t(part.filters), part.filters,
                  psums.data() + (std::size_t(part.first_window) + i) * filters + std::size_t(part.first_filter));
  });
  return psums;
}

/// sum[f] += psums[window][f].
MHO_VECTORISED void add_values(const std::int32_t* psums, std::size_t windows, std::size_t filters, std::int64_t* sum) {
  for (std::size_t i = 0; i < windows; ++i, psums += filters)
    for (std::size_t f = 0; f < filters; ++f) sum[f] += psums[f];
}

/// square[f] += (psums[window][f] - mean[f])^2.
MHO_VECTORISED void add_squares(const std::int32_t* psums, std::size_t windows, std::size_t filters, const double* mean,
                                double* square) {
  for (std::size_t i = 0; i < windows; ++i, psums += filters)
    for (std::size_t f = 0; f < filters; ++f) {
      const double d = psums[f] - mean[f];
      square[f] += d * d;
    }
}

/// Mean and standard deviation of every filter's psums.
struct FilterMoments {
  std::vector<double> mean, deviation;
};

/// `pooled`: one mean and deviation for all filters. Deviations are from a whole number below 2^32: squares are summed
/// in 53 bits with nothing lost that would matter, and in one order.
FilterMoments moments_of(const std::vector<std::int32_t>& psums, std::size_t filters, bool pooled) {
  const std::size_t windows = psums.size() / filters;
  std::vector<std::int64_t> sum(filters, 0);
  add_values(psums.data(), windows, filters, sum.data());
  double total = 0;
  for (const std::int64_t s : sum) total += double(s);
  FilterMoments moments;
  for (const std::int64_t s : sum)
    moments.mean.push_back(std::floor(pooled ? total / double(psums.size()) : double(s) / double(windows)));
  std::vector<double> square(filters, 0);
  add_squares(psums.data(), windows, filters, moments.mean.data(), square.data());
  double all = 0;
  for (const double s : square) all += s;
  const double common = std::max(all / double(psums.size()), 1.0);
  // A filter that sees nothing but zeros would be blown up to noise: no variance below a sixteenth of the layer's.
  for (const double s : square)
    moments.deviation.push_back(std::sqrt(pooled ? common : std::max(s / double(windows), common / 16)));
  return moments;
}

float magnitude(double value, Activation activation) {
  return float(activation == Activation::kNone ? std::abs(value) : std::max(value, 0.0));
}

}  // namespace

Calibration::Calibration(LayerTable& table, std::vector<Codes> inputs, const CalibrationOptions& options)
    : table_(table),
      options_(options),
      codes_(table.graph.tensors.size()),
      last_reader_(table.graph.tensors.size(), 0),
      unit_(table.graph.tensors.size(), 1.0) {
  const Graph& graph = table.graph;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) codes_[std::size_t(graph.inputs[i])] = std::move(inputs.at(i));
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    for (const int input : graph.nodes[n].inputs) last_reader_[std::size_t(input)] = n;
  for (const Node& node : graph.nodes)
    for (const int input : node.inputs)
      if (node.op == Operator::kAdd && graph.tensors[std::size_t(input)].sequence)
        unit_[std::size_t(input)] = kResidualUnit;
  for (const Node& node : graph.nodes)
    if (node.op == Operator::kMatMul && node.transposed)
      unit_[std::size_t(node.inputs[0])] =
          kScoreUnit / std::sqrt(double(graph.input_of(node).shape.channels) / node.heads);
}

void Calibration::calibrate(std::size_t n, RandomBits random) {
  Node& node = table_.graph.nodes[n];
  if (node.op == Operator::kConvolution) {
    calibrate_convolution(node, table_.activations[n], random);
  } else {
    if (node.op == Operator::kAffine || node.op == Operator::kLayerNorm) normalise_channels(node, random);
    calibrate_rows(node, table_.activations[n]);
  }
  for (const int input : node.inputs)
    if (last_reader_[std::size_t(input)] == n) Codes().swap(codes_[std::size_t(input)]);
}

void Calibration::calibrate_convolution(Node& node, Activation activation, RandomBits& random) {
  Graph& graph = table_.graph;
  Tensor& output = graph.tensors[std::size_t(node.output)];
  const double x_scale = graph.input_of(node).scale;
  const Codes& input = codes_[std::size_t(node.inputs[0])];
  const std::size_t row_bytes = graph.input_of(node).shape.row_bytes();
  const std::vector<std::int32_t> psums =
      psums_of(graph, node, [&](int /*input*/, int y) { return input.data() + std::size_t(y) * row_bytes; });
  const auto filters = std::size_t(output.shape.channels);
  Weights& weights = node.weights;
  const double unit = unit_[std::size_t(node.output)];
  // Nothing in a transformer normalises filter by filter; and what positions have in common, on which attention works,
  // would be taken away.
  const bool pooled = output.sequence || psums.size() / filters < kFewWindows;
  const FilterMoments moments = moments_of(psums, filters, pooled);
  for (std::size_t f = 0; f < filters; ++f) {
    const auto [gain, offset] = draw_normalisation(random, options_);
    weights.scale.push_back(as_float(unit * gain / (moments.deviation[f] * x_scale)));
    weights.bias.push_back(std::int32_t(std::floor(offset / gain * moments.deviation[f] - moments.mean[f])));
  }
  std::vector<float> sample;
  const std::size_t step = sampling_step_of(psums.size());
  sample.reserve(psums.size() / step + 1);
  for (std::size_t i = 0, f = 0; i < psums.size(); i += step, f = (f + step) % filters)
    sample.push_back(magnitude((double(psums[i]) + weights.bias[f]) * (x_scale * weights.scale[f]), activation));
  output.type = activation == Activation::kNone ? CodeType::kInt8 : CodeType::kUint8;
  set_range(node, activation, percentile_of(sample, options_.percentile) * options_.headroom);
  Codes& codes = codes_[std::size_t(node.output)];
  codes.resize(output.shape.bytes());
  Requantiser(graph, node).apply(psums.data(), int(psums.size() / filters), 0, int(filters), codes.data(), filters);
}

}  // namespace mho::dnn
