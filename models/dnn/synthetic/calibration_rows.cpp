// SPDX-License-Identifier: Apache-2.0
// Ranges of the operators between products: the output is computed in a range in which nothing clips, and its codes
// show which range is needed. Normalisations without weights get gains and offsets of their own.
#include <algorithm>
#include <array>
#include <cmath>

#include "models/dnn/operators.h"
#include "models/dnn/synthetic/calibration_sample.h"
#include "models/dnn/synthetic/synthetic_weights.h"

namespace mho::dnn {

namespace {

/// Of a product of activations so many rows show the range; each costs as much as all of its second operand.
constexpr std::size_t kFewRows = 4;
/// A range in which no code is larger is too wide to measure in.
constexpr int kCoarse = 16;
/// Nothing is measured in narrower ranges: values that are all zero would need one of no width.
constexpr double kNarrowestRange = 1e-6;
/// Trained layer normalisations have gains a little below 1, and small offsets.
constexpr double kMeanGain = 0.9, kSpreadOfGains = 0.1, kSpreadOfNormOffsets = 0.1;

double end_of(const Tensor& tensor) { return tensor.scale * (tensor.type == CodeType::kUint8 ? 255 : 128); }

/// Codes only change their places.
bool keeps_codes(Operator op) { return op == Operator::kMaxPool || op == Operator::kSelect || op == Operator::kPad; }

bool never_negative(const Graph& graph, const Node& node, Activation activation) {
  if (activation != Activation::kNone || node.op == Operator::kSoftmax) return true;
  if (node.op == Operator::kFunction &&
      (node.function == Function::kSigmoid || node.function == Function::kHardSigmoid))
    return true;
  bool is_unsigned = node.op != Operator::kLayerNorm && node.op != Operator::kAffine;
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    is_unsigned = is_unsigned && graph.input_of(node, i).type == CodeType::kUint8;
  return is_unsigned;
}

double largest_of(const std::vector<double>& numbers) {
  double largest = 0;
  for (const double number : numbers) largest = std::max(largest, std::abs(number));
  return largest;
}

double largest_value(const Node& node, const Tensor& input) {
  double largest = 0;
  for (int code = lowest_code(input.type); code <= highest_code(input.type); ++code)
    largest = std::max(largest, std::abs(value_of(node.function, node.parameter, code * input.scale)));
  return largest;
}

/// A number that no |value| of the output exceeds.
double bound_of(const Graph& graph, const Node& node) {
  const Tensor& input = graph.input_of(node);
  const double end = end_of(input);
  switch (node.op) {
    case Operator::kAdd:
      return end + end_of(graph.input_of(node, 1));
    case Operator::kMultiply:
      return end * end_of(graph.input_of(node, 1));
    case Operator::kMatMul:
      return end * end_of(graph.input_of(node, 1)) * (double(input.shape.channels) / node.heads);
    case Operator::kFunction:
      return largest_value(node, input);
    case Operator::kSoftmax:
      return 1;
    case Operator::kLayerNorm:
      return std::sqrt(double(input.shape.channels)) * largest_of(node.gain) + largest_of(node.offset);
    case Operator::kAffine:
      return end * largest_of(node.gain) + largest_of(node.offset);
    default:
      break;
  }
  double largest = end;
  for (std::size_t i = 1; i < node.inputs.size(); ++i) largest = std::max(largest, end_of(graph.input_of(node, i)));
  return largest;
}

/// Rows that show the range.
int rows_wanted(const Node& node, const Shape& shape) {
  const std::size_t rows = node.op == Operator::kMatMul ? kFewRows : kSample / shape.row_bytes() + 1;
  return int(std::min(rows, std::size_t(shape.height)));
}

/// How large the |codes| of a sample are.
struct Magnitudes {
  std::array<std::size_t, 256> count{};
  std::size_t all = 0;

  Magnitudes(const std::vector<std::uint8_t>& codes, CodeType type) {
    const std::size_t step = sampling_step_of(codes.size());
    std::array<std::size_t, 256> of_code{};
    for (std::size_t i = 0; i < codes.size(); i += step, ++all) ++of_code[codes[i]];
    for (std::size_t byte = 0; byte < of_code.size(); ++byte)
      count[type == CodeType::kInt8 ? std::size_t(std::abs(int(std::int8_t(byte)))) : byte] += of_code[byte];
  }
  int largest() const {
    int code = 255;
    while (code > 0 && count[std::size_t(code)] == 0) --code;
    return code;
  }
  /// The code below which a share of the sample lies.
  int percentile(double share) const {
    const std::size_t rank = std::min(all - 1, std::size_t(double(all) * share));
    int code = 0;
    for (std::size_t below = count[0]; below <= rank; below += count[std::size_t(code)]) ++code;
    return code;
  }
};

/// Mean and deviation of a channel's real values.
struct ChannelMoments {
  std::vector<double> mean, deviation;
};

ChannelMoments moments_of(const Tensor& tensor, const std::vector<std::uint8_t>& codes) {
  const auto channels = std::size_t(tensor.shape.channels), pixels = codes.size() / channels;
  std::vector<std::int64_t> sum(channels, 0), squares(channels, 0);
  for (std::size_t i = 0; i < codes.size(); i += channels)
    for (std::size_t c = 0; c < channels; ++c) {
      const int code = tensor.type == CodeType::kInt8 ? int(std::int8_t(codes[i + c])) : int(codes[i + c]);
      sum[c] += code;
      squares[c] += code * code;
    }
  ChannelMoments moments;
  double common = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = double(sum[c]) / double(pixels);
    moments.mean.push_back(mean * tensor.scale);
    moments.deviation.push_back(double(squares[c]) / double(pixels) - mean * mean);
    common += moments.deviation.back() / double(channels);
  }
  // A channel of zeros would be blown up to noise, and few pixels say nothing about one channel.
  for (double& deviation : moments.deviation)
    deviation =
        tensor.scale * std::sqrt(std::max(pixels < kFewWindows ? common : deviation, std::max(common, 1.0) / 16));
  return moments;
}

}  // namespace

void Calibration::set_range(Node& node, Activation activation, double largest) {
  Tensor& output = table_.graph.tensors[std::size_t(node.output)];
  if (activation == Activation::kRelu6) largest = std::min(largest, 6.0);
  output.zero_point = 0;
  output.scale = as_float(std::max(largest, kNarrowestRange) / highest_code(output.type));
  node.lower = lowest_code(output.type);
  node.upper = highest_code(output.type);
  if (activation == Activation::kRelu6)
    node.upper = int(std::min(std::nearbyint(6.0 / output.scale), double(highest_code(output.type))));
}

/// Rows first, first + step, ... of the output.
Calibration::Codes Calibration::computed(const Node& node, int step) const {
  const Graph& graph = table_.graph;
  const Shape& shape = graph.output_of(node).shape;
  const RowSource rows = [&](int input, int y) {
    return codes_[std::size_t(node.inputs[std::size_t(input)])].data() +
           std::size_t(y) * graph.input_of(node, std::size_t(input)).shape.row_bytes();
  };
  Codes codes(std::size_t((shape.height + step - 1) / step) * shape.row_bytes());
  std::uint8_t* out = codes.data();
  for (int y = 0; y < shape.height; y += step, out += shape.row_bytes()) compute_row(graph, node, y, rows, out);
  return codes;
}

/// Gains and offsets of a normalisation behind which no layer can take them in.
void Calibration::normalise_channels(Node& node, RandomBits& random) const {
  const Tensor& input = table_.graph.input_of(node);
  if (node.op == Operator::kLayerNorm) {
    for (int c = 0; c < input.shape.channels; ++c) {
      node.gain.push_back(as_float(kMeanGain + kSpreadOfGains * random.bell()));
      node.offset.push_back(as_float(kSpreadOfNormOffsets * random.bell()));
    }
    return;
  }
  const ChannelMoments moments = moments_of(input, codes_[std::size_t(node.inputs[0])]);
  for (std::size_t c = 0; c < moments.mean.size(); ++c) {
    const auto [gain, offset] = draw_normalisation(random, options_);
    node.gain.push_back(as_float(gain / moments.deviation[c]));
    node.offset.push_back(as_float(offset - moments.mean[c] * node.gain.back()));
  }
}

/// Sets the range that the node's values need.
void Calibration::find_range(Node& node, Activation activation) {
  const Tensor& output = table_.graph.output_of(node);
  const double bound = bound_of(table_.graph, node);
  set_range(node, activation, bound);
  const int step = std::max(output.shape.height / rows_wanted(node, output.shape), 1);
  for (;;) {
    const Magnitudes codes(computed(node, step), output.type);
    const double narrower = (codes.largest() + 1) * output.scale;
    const bool resolved = codes.largest() >= kCoarse || output.scale * highest_code(output.type) < bound * 1e-6 ||
                          narrower <= kNarrowestRange;
    if (resolved) {
      const double range = std::max(codes.percentile(options_.percentile), 1) * output.scale * options_.headroom;
      return set_range(node, activation, std::min(range, bound));
    }
    set_range(node, activation, narrower);
  }
}

void Calibration::calibrate_rows(Node& node, Activation activation) {
  Graph& graph = table_.graph;
  Tensor& output = graph.tensors[std::size_t(node.output)];
  output.type = never_negative(graph, node, activation) ? CodeType::kUint8 : CodeType::kInt8;
  if (keeps_codes(node.op) || node.op == Operator::kConcat) {
    set_range(node, activation, bound_of(graph, node));
    if (keeps_codes(node.op)) output.scale = graph.input_of(node).scale;
  } else {
    find_range(node, activation);
  }
  codes_[std::size_t(node.output)] = computed(node, 1);
}

}  // namespace mho::dnn
