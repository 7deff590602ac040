// SPDX-License-Identifier: Apache-2.0
// Sums are integers and percentiles are elements of a sample, so the order of arithmetic cannot change a result.
#include "models/dnn/calibration.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/dnn/convolution_product.h"
#include "models/dnn/operators.h"
#include "models/dnn/synthetic_weights.h"

namespace mho::dnn {

namespace {

constexpr std::size_t kSample = std::size_t(1) << 16;      ///< values that a percentile is taken of
constexpr int kFewWindows = 16;                            ///< too few for moments of a filter of its own
constexpr double kSmallestGain = 0.4, kLargestGain = 2.4;  // few filters have large ones

RowSource rows_of(const Graph& graph, const Node& node, const std::vector<std::vector<std::uint8_t>>& codes) {
  return [&](int input, int y) {
    return codes[std::size_t(node.inputs[std::size_t(input)])].data() +
           std::size_t(y) * graph.input_of(node, std::size_t(input)).shape.row_bytes();
  };
}

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

/// Mean and standard deviation of a filter's psums.
struct FilterMoments {
  double mean = 0, deviation = 1;
};

std::vector<FilterMoments> moments_of(const std::vector<std::int32_t>& psums, std::size_t filters) {
  const std::size_t windows = psums.size() / filters;
  std::vector<std::int64_t> sum(filters, 0);
  for (std::size_t i = 0; i < windows; ++i)
    for (std::size_t f = 0; f < filters; ++f) sum[f] += psums[i * filters + f];
  std::vector<FilterMoments> moments(filters);
  double total = 0;
  for (std::size_t f = 0; f < filters; ++f) total += double(sum[f]);
  const bool pooled = windows < kFewWindows;
  for (std::size_t f = 0; f < filters; ++f)
    moments[f].mean = std::floor(pooled ? total / double(psums.size()) : double(sum[f]) / double(windows));
  // Deviations from a whole number below 2^32: squares are summed in 53 bits with nothing lost that would matter, and
  // in one order.
  std::vector<double> square(filters, 0);
  for (std::size_t i = 0; i < windows; ++i)
    for (std::size_t f = 0; f < filters; ++f) {
      const double d = psums[i * filters + f] - moments[f].mean;
      square[f] += d * d;
    }
  double all = 0;
  for (const double s : square) all += s;
  const double common = std::max(all / double(psums.size()), 1.0);
  // A filter that sees nothing but zeros would be blown up to noise: no variance below a sixteenth of the layer's.
  for (std::size_t f = 0; f < filters; ++f)
    moments[f].deviation = std::sqrt(pooled ? common : std::max(square[f] / double(windows), common / 16));
  return moments;
}

/// The value below which a share of `values` lies.
double percentile_of(std::vector<float> values, double share) {
  const auto rank = std::min(values.size() - 1, std::size_t(double(values.size()) * share));
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(rank), values.end());
  return values[rank];
}

/// Every how many-th of `count` elements is sampled; odd, so that channels take turns.
std::size_t sampling_step(std::size_t count) { return count / kSample | 1u; }

float magnitude(double value, Activation activation) {
  return float(activation == Activation::kNone ? std::abs(value) : std::max(value, 0.0));
}

}  // namespace

Calibration::Calibration(LayerTable& table, std::vector<Codes> inputs, const CalibrationOptions& options)
    : table_(table),
      options_(options),
      codes_(table.graph.tensors.size()),
      last_reader_(table.graph.tensors.size(), 0) {
  const Graph& graph = table.graph;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) codes_[std::size_t(graph.inputs[i])] = std::move(inputs.at(i));
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    for (const int input : graph.nodes[n].inputs) last_reader_[std::size_t(input)] = n;
}

void Calibration::calibrate(std::size_t n, RandomBits random) {
  Node& node = table_.graph.nodes[n];
  if (node.op == Operator::kConvolution) {
    calibrate_convolution(node, table_.activations[n], random);
  } else {
    calibrate_rows(node, table_.activations[n]);
  }
  for (const int input : node.inputs)
    if (last_reader_[std::size_t(input)] == n) Codes().swap(codes_[std::size_t(input)]);
}

void Calibration::set_range(Node& node, Activation activation, double largest) {
  Tensor& output = table_.graph.tensors[std::size_t(node.output)];
  if (activation == Activation::kRelu6) largest = std::min(largest, 6.0);
  output.zero_point = 0;
  output.scale = as_float(std::max(largest, 1e-6) / highest_code(output.type));
  node.lower = lowest_code(output.type);
  node.upper = highest_code(output.type);
  if (activation == Activation::kRelu6)
    node.upper = int(std::min(std::nearbyint(6.0 / output.scale), double(highest_code(output.type))));
}

void Calibration::calibrate_convolution(Node& node, Activation activation, RandomBits& random) {
  Graph& graph = table_.graph;
  Tensor& output = graph.tensors[std::size_t(node.output)];
  const double x_scale = graph.input_of(node).scale;
  const std::vector<std::int32_t> psums = psums_of(graph, node, rows_of(graph, node, codes_));
  const auto filters = std::size_t(output.shape.channels);
  Weights& weights = node.weights;
  for (const FilterMoments& m : moments_of(psums, filters)) {
    const double share = double(random() >> 11) * 0x1p-53;
    const double gain = kSmallestGain + (kLargestGain - kSmallestGain) * share * share * share;
    const double offset = options_.mean_offset + options_.spread_of_offsets * random.bell();
    weights.scale.push_back(as_float(gain / (m.deviation * x_scale)));
    weights.bias.push_back(std::int32_t(std::floor(offset / gain * m.deviation - m.mean)));
  }
  std::vector<float> sample;
  const std::size_t step = sampling_step(psums.size());
  for (std::size_t i = 0; i < psums.size(); i += step) {
    const std::size_t f = i % filters;
    sample.push_back(magnitude((double(psums[i]) + weights.bias[f]) * (x_scale * weights.scale[f]), activation));
  }
  output.type = activation == Activation::kNone ? CodeType::kInt8 : CodeType::kUint8;
  set_range(node, activation, percentile_of(std::move(sample), options_.percentile) * options_.headroom);
  Codes& codes = codes_[std::size_t(node.output)];
  codes.resize(output.shape.bytes());
  Requantiser(graph, node).apply(psums.data(), int(psums.size() / filters), 0, int(filters), codes.data(), filters);
}

void Calibration::compute(const Node& node) {
  const Graph& graph = table_.graph;
  const Shape& shape = graph.output_of(node).shape;
  Codes& codes = codes_[std::size_t(node.output)];
  codes.resize(shape.bytes());
  const RowSource rows = rows_of(graph, node, codes_);
  for (int y = 0; y < shape.height; ++y)
    compute_row(graph, node, y, rows, codes.data() + std::size_t(y) * shape.row_bytes());
}

/// Codes of a range in which nothing clips show which range is needed. Maxima and concatenations keep that first one.
void Calibration::calibrate_rows(Node& node, Activation activation) {
  Graph& graph = table_.graph;
  Tensor& output = graph.tensors[std::size_t(node.output)];
  double largest = 0;
  bool is_unsigned = true;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Tensor& input = graph.input_of(node, i);
    const double end = input.scale * (input.type == CodeType::kUint8 ? 255 : 128);
    largest = node.op == Operator::kAdd ? largest + end : std::max(largest, end);
    is_unsigned = is_unsigned && input.type == CodeType::kUint8;
  }
  output.type = activation != Activation::kNone || is_unsigned ? CodeType::kUint8 : CodeType::kInt8;
  set_range(node, activation, largest);
  if (node.op == Operator::kMaxPool) output.scale = graph.input_of(node).scale;
  compute(node);
  if (node.op == Operator::kMaxPool || node.op == Operator::kConcat) return;
  const Codes& codes = codes_[std::size_t(node.output)];
  std::vector<float> sample;
  for (std::size_t i = 0; i < codes.size(); i += sampling_step(codes.size()))
    sample.push_back(std::abs(output.type == CodeType::kInt8 ? float(std::int8_t(codes[i])) : float(codes[i])));
  const double code = std::max(percentile_of(std::move(sample), options_.percentile), 1.0);
  set_range(node, activation, std::min(code * output.scale * options_.headroom, largest));
  compute(node);
}

}  // namespace mho::dnn
