// SPDX-License-Identifier: Apache-2.0
// Sums are kept a sample and added in the order of samples, so that threads change no digit.
#include "models/dnn/quantisation/quantise_comparison.h"

#include <algorithm>
#include <cmath>

#include "models/dnn/codes.h"
#include "models/dnn/reference.h"
#include "models/dnn/share_out.h"

namespace mho::dnn {

namespace {

using Codes = std::vector<std::uint8_t>;

Codes codes_of(const Reals& values, const Tensor& tensor) {
  const Quantiser quantise(tensor, lowest_code(tensor.type), highest_code(tensor.type));
  Codes codes(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) codes[i] = quantise(double(values[i]));
  return codes;
}

OutputError error_of(const Reals& wanted, const Codes& codes, const Tensor& tensor) {
  const Centred centred(tensor);
  OutputError error;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double real = double(wanted[i]), difference = centred(codes[i]) * tensor.scale - real;
    error.mean_abs_error += std::abs(difference);
    error.signal += real * real;
    error.noise += difference * difference;
  }
  return error;
}

int class_of(const Reals& values) { return int(std::max_element(values.begin(), values.end()) - values.begin()); }

int class_of(const Codes& codes, const Tensor& tensor) {
  const Centred centred(tensor);
  const auto below = [&](std::uint8_t a, std::uint8_t b) { return centred(a) < centred(b); };
  return int(std::max_element(codes.begin(), codes.end(), below) - codes.begin());
}

}  // namespace

double OutputError::sqnr_db() const { return 10 * std::log10(signal / noise); }

double Comparison::agreement() const {
  std::size_t equal = 0;
  for (std::size_t i = 0; i < float_class.size(); ++i) equal += float_class[i] == quantised_class[i] ? 1 : 0;
  return double(equal) / double(float_class.size());
}

Comparison compare(const FloatNetwork& network, const Graph& graph, const SampleSource& samples, std::size_t first,
                   std::size_t count, int threads, const QuantiseProgress& progress) {
  const FloatReference reals(network);
  const Reference integers(graph);
  Comparison result;
  result.float_class.resize(count);
  result.quantised_class.resize(count);
  std::vector<std::vector<OutputError>> errors(count);
  const auto run = [&](std::size_t i, int) {
    std::vector<Reals> inputs = samples(first + i);
    std::vector<Codes> codes;
    for (std::size_t k = 0; k < inputs.size(); ++k)
      codes.push_back(codes_of(inputs[k], graph.tensors[std::size_t(graph.inputs[k])]));
    const std::vector<Reals> wanted = reals.run(std::move(inputs));
    const std::vector<Codes> tensors = integers.run(codes);
    for (std::size_t o = 0; o < wanted.size(); ++o) {
      const auto t = std::size_t(graph.outputs[o]);
      errors[i].push_back(error_of(wanted[o], tensors[t], graph.tensors[t]));
    }
    const auto t = std::size_t(graph.outputs.front());
    result.float_class[i] = class_of(wanted.front());
    result.quantised_class[i] = class_of(tensors[t], graph.tensors[t]);
  };
  share_out(count, threads, run, [&](std::size_t done) {
    if (progress) progress(done, count);
  });
  for (std::size_t o = 0; o < graph.outputs.size(); ++o) {
    OutputError sum;
    for (const auto& sample : errors) {
      sum.mean_abs_error += sample[o].mean_abs_error;
      sum.signal += sample[o].signal;
      sum.noise += sample[o].noise;
    }
    const double elements = double(count) * double(graph.tensors[std::size_t(graph.outputs[o])].shape.bytes());
    result.outputs.push_back({sum.mean_abs_error / elements, sum.signal / elements, sum.noise / elements});
  }
  return result;
}

PairedShares paired_shares(const std::vector<int>& first, const std::vector<int>& second,
                           const std::vector<std::int64_t>& labels) {
  double right_first = 0, right_second = 0, only_first = 0, only_second = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool a = first[i] == labels[i], b = second[i] == labels[i];
    right_first += a ? 1 : 0;
    right_second += b ? 1 : 0;
    only_first += a && !b ? 1 : 0;
    only_second += b && !a ? 1 : 0;
  }
  const auto n = double(labels.size());
  const double all = n + 2, gained = only_second + 0.5, lost = only_first + 0.5;
  const double difference = (gained - lost) / all;
  const double deviation = std::sqrt(std::max(gained + lost - (gained - lost) * (gained - lost) / all, 0.0)) / all;
  return {right_first / n, right_second / n, difference - 1.96 * deviation, difference + 1.96 * deviation};
}

}  // namespace mho::dnn
