// SPDX-License-Identifier: Apache-2.0
// From real numbers to codes: scales, biases and ranges worked by hand, formats that belong together, and how far the
// result is from what it came from.
#include "models/dnn/quantisation/quantise.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <cmath>
#include <limits>
#include <random>

#include "models/dnn/quantisation/quantise_comparison.h"
#include "models/dnn/share_out.h"
#include "models/input_error.h"
#include "testbenches/models/dnn/quantisation/float_networks.h"

using namespace mho::dnn;
using namespace mho::dnn::testing;
using mho::InputError;

namespace {

/// Samples of a network with one input.
SampleSource samples_of(const std::vector<Reals>& samples) {
  return [samples](std::size_t index) { return std::vector<Reals>{samples.at(index)}; };
}

Graph quantised(const FloatNetwork& network, const std::vector<Reals>& samples, const QuantiseOptions& options = {}) {
  return quantise(network, samples_of(samples), samples.size(), options);
}

double as_float(double value) { return double(float(value)); }

Distribution distribution_of(const Reals& values) {
  Distribution distribution;
  REQUIRE(distribution.widen(values));
  distribution.count(values);
  return distribution;
}

std::string complaint(const FloatNetwork& network, const std::vector<Reals>& samples) {
  try {
    quantised(network, samples);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// Two inputs channels to `filters` outputs at one pixel.
FloatNetwork one_layer(const std::vector<float>& weights, const std::vector<float>& bias) {
  FloatNetwork network = one_real_node(Operator::kConvolution, {{1, 1, 2}}, {1, 1, int(weights.size() / 2)});
  network.real_weights[0] = {weights, bias};
  return network;
}

/// A network of a few layers with a skip branch and random weights.
FloatNetwork random_network(std::mt19937_64& random) {
  const auto reals = [&](std::size_t count, float size) {
    std::vector<float> values(count);
    for (float& value : values) value = size * (float(random() % 20001) / 10000.0f - 1.0f);
    return values;
  };
  FloatNetwork network = one_real_node(Operator::kConvolution, {{8, 8, 3}}, {8, 8, 16}, {3, 3, 1, 1, 1, 1, 1, 1});
  network.real_weights[0] = {reals(16 * 27, 0.4f), reals(16, 0.2f)};
  network.range[0].lower = 0;
  const int second = append(network, Operator::kConvolution, {1}, {8, 8, 16});
  network.graph.nodes[1].window = {3, 3, 1, 1, 1, 1, 1, 1};
  network.real_weights[1] = {reals(16 * 144, 0.2f), {}};
  const int sum = append(network, Operator::kAdd, {second, 1}, {8, 8, 16});
  const int pooled = append(network, Operator::kMaxPool, {sum}, {4, 4, 16});
  network.graph.nodes[3].window = {2, 2, 2, 2};
  append(network, Operator::kConvolution, {pooled}, {1, 1, 10});
  network.graph.nodes[4].window = {4, 4};
  network.real_weights[4] = {reals(10 * 256, 0.1f), reals(10, 1.0f)};
  return network;
}

std::vector<Reals> random_samples(std::size_t count, std::size_t elements, std::mt19937_64& random) {
  std::vector<Reals> samples(count, Reals(elements));
  for (Reals& sample : samples)
    for (float& value : sample) value = float(random() % 1001) / 1000.0f;
  return samples;
}

}  // namespace

TEST_CASE("weights, biases and formats of a layer follow from its largest numbers") {
  // Filters {0.5, -1.27} and {0.01, 0.0254}, biases 0.3 and -2; inputs up to 2.55, outputs between
  // -1.27 * 2.55 + 0.3 and 0.0254 * 0 ... ; all scales are rounded to float.
  const FloatNetwork network = one_layer({0.5f, -1.27f, 0.01f, 0.0254f}, {0.3f, -2.0f});
  const Graph graph = quantised(network, {{2.55f, 0}, {0, 2.55f}});
  const Tensor &x = graph.tensors[0], &y = graph.tensors[1];
  CHECK(x.type == CodeType::kUint8);
  CHECK(x.scale == as_float(double(2.55f) / 255));
  CHECK(x.zero_point == 0);
  const Weights& w = graph.nodes[0].weights;
  CHECK(w.scale == std::vector<double>{as_float(double(1.27f) / 127), as_float(double(0.0254f) / 127)});
  CHECK(w.values == std::vector<std::int8_t>{50, -127, 50, 127});
  // 0.3 / (0.01 * 0.01) and -2 / (0.01 * 0.0002)
  CHECK(w.bias == std::vector<std::int32_t>{3000, -1000000});
  CHECK(y.type == CodeType::kInt8);
  CHECK(y.scale == as_float((1.27 * 2.55 - 0.3) / 127));  // the largest |value| is negative: 2.9385
  CHECK(graph.nodes[0].lower == -128);
  CHECK(graph.nodes[0].upper == 127);
}

TEST_CASE("a fused ReLU makes codes unsigned and a fused clip ends them where it ends") {
  FloatNetwork network = one_layer({1, 0}, {});
  network.range[0].lower = 0;
  Graph graph = quantised(network, {{-3, 0}, {2, 1}});
  CHECK(graph.tensors[0].type == CodeType::kInt8);
  CHECK(graph.tensors[0].scale == as_float(3.0 / 127));
  CHECK(graph.tensors[1].type == CodeType::kUint8);
  CHECK(graph.tensors[1].scale == as_float(2.0 / 255));
  CHECK((graph.nodes[0].lower == 0 && graph.nodes[0].upper == 255));
  network.range[0] = {-1.4, 6};
  graph = quantised(network, {{-3, 0}, {20, 1}});
  CHECK(graph.tensors[1].type == CodeType::kInt8);
  CHECK(graph.tensors[1].scale == as_float(6.0 / 127));
  CHECK((graph.nodes[0].lower == -30 && graph.nodes[0].upper == 127));  // -1.4 * 127 / 6 = -29.6
}

TEST_CASE("what the file states in codes stays as it is") {
  FloatNetwork network = one_layer({1, 0}, {});
  network.quantised[0] = true;
  network.graph.tensors[0].type = CodeType::kInt8;
  network.graph.tensors[0].scale = 0.5;
  network.graph.tensors[0].zero_point = -7;
  Graph graph = quantised(network, {{1, 1}});
  CHECK(graph.tensors[0].scale == 0.5);
  CHECK(graph.tensors[0].zero_point == -7);
  network.quantised[1] = true;
  network.graph.tensors[1].scale = 0.125;
  network.graph.nodes[0].lower = 3;
  network.graph.nodes[0].upper = 200;
  graph = quantised(network, {{1, 1}});
  CHECK(graph.tensors[1].scale == 0.125);
  CHECK((graph.nodes[0].lower == 3 && graph.nodes[0].upper == 200));
}

TEST_CASE("filters and tensors that are always zero get harmless scales") {
  // The second filter is zero but has a bias, the third has neither.
  const FloatNetwork network = one_layer({1, 1, 0, 0, 0, 0}, {0, 0.7f, 0});
  Graph graph = quantised(network, {{0, 0}});
  const Weights& w = graph.nodes[0].weights;
  CHECK(graph.tensors[0].scale == as_float(1.0 / 255));
  CHECK(w.values == std::vector<std::int8_t>{127, 127, 0, 0, 0, 0});
  CHECK(w.bias[1] * w.scale[1] * graph.tensors[0].scale == Approx(0.7).epsilon(1e-6));
  CHECK(w.bias[2] == 0);
  graph = quantised(one_layer({0, 0}, {}), {{1, 1}});
  CHECK(graph.nodes[0].weights.scale[0] > 0);
  CHECK(graph.tensors[1].scale == as_float(1.0 / 255));
}

TEST_CASE("the scale of a filter grows until its bias fits, and stays above what anybody would hear") {
  // A bias of 1e6 at x_scale 1/255 and a weight of 1e-6 would be 3.2e16 steps.
  Graph graph = quantised(one_layer({1e-6f, 0, 1, 0, 1e-30f, 0}, {1e6f, 0, 0}), {{1, 0}});
  const Weights& w = graph.nodes[0].weights;
  CHECK(double(w.bias[0]) < 0x1p30 * 1.001);
  CHECK(w.bias[0] * w.scale[0] * graph.tensors[0].scale == Approx(1e6).epsilon(1e-6));
  CHECK(w.values[0] == 0);
  CHECK(w.values[2] == 127);
  CHECK(w.scale[2] == Approx(w.scale[1] * 0x1p-24).epsilon(1e-6));
  CHECK(w.values[4] == 0);
}

TEST_CASE("copies keep the format of what they copy") {
  FloatNetwork network = one_layer({1, 0, 0, 1}, {});
  const int pooled = append(network, Operator::kMaxPool, {1}, {1, 1, 2});
  const int padded = append(network, Operator::kPad, {pooled}, {1, 2, 2});
  network.graph.nodes[2].window.pad_left = 1;
  const int selected = append(network, Operator::kSelect, {padded}, {1, 2, 1});
  network.graph.nodes[3].channels = {1};
  const Graph graph = quantised(network, {{-4, 0.5f}});  // the selected channel is never negative
  for (const int tensor : {pooled, padded, selected}) {
    CHECK(graph.tensors[std::size_t(tensor)].type == CodeType::kInt8);
    CHECK(graph.tensors[std::size_t(tensor)].scale == graph.tensors[1].scale);
  }
  CHECK(graph.nodes[3].lower == -128);
}

TEST_CASE("a padded map keeps its format though zeros shift its percentiles") {
  FloatNetwork network = one_real_node(Operator::kPad, {{1, 1, 2}}, {1, 10, 2});
  network.graph.nodes[0].window.pad_left = 9;
  QuantiseOptions options;
  options.range = RangeMethod::kPercentile;
  options.percentile = 96;  // of 20 values 18 are zero: the range of the padded map would end at the smaller value
  const Graph graph = quantised(network, {{1, 4}}, options);
  CHECK(graph.tensors[0].scale * 255 == Approx(4.0).epsilon(0.001));
  CHECK(graph.tensors[1].scale == graph.tensors[0].scale);
}

TEST_CASE("a tensor that only a concatenation reads is rounded once, in the format of the result") {
  FloatNetwork network = one_layer({1, 0}, {});                                     // tensor 1, values up to 1
  const int large = append(network, Operator::kConcat, {0, 1}, {1, 1, 3});          // also reads the input
  const int twice = append(network, Operator::kAdd, {large, large}, {1, 1, 3});     // values up to 20
  const int whole = append(network, Operator::kConcat, {large, twice}, {1, 1, 6});  // large has two readers
  const int deep = append(network, Operator::kRequantise, {0}, {1, 1, 2});
  const int inner = append(network, Operator::kConcat, {0, deep}, {1, 1, 4});
  const int outer = append(network, Operator::kConcat, {inner, whole}, {1, 1, 10});
  const Graph graph = quantised(network, {{1, 10}});
  const auto scale = [&](int tensor) { return graph.tensors[std::size_t(tensor)].scale; };
  CHECK(scale(1) == scale(large));
  CHECK(scale(large) == as_float(10.0 / 255));
  CHECK(scale(0) == as_float(10.0 / 255));
  CHECK(scale(twice) == as_float(20.0 / 255));
  CHECK(scale(outer) == as_float(20.0 / 255));
  CHECK(scale(whole) == scale(outer));
  CHECK(scale(inner) == scale(outer));
  CHECK(scale(deep) == scale(outer));  // through a concatenation inside another
}

TEST_CASE("outputs, copies and stated codes keep their formats before a concatenation") {
  FloatNetwork network = one_layer({1, 0}, {});  // tensor 1: an output of the network as well
  const int pooled = append(network, Operator::kMaxPool, {0}, {1, 1, 2});
  const int stated = append(network, Operator::kRequantise, {0}, {1, 1, 2});
  const int large = append(network, Operator::kAdd, {0, 0}, {1, 1, 2});
  const int joined = append(network, Operator::kConcat, {1, pooled, stated, large}, {1, 1, 7});
  network.quantised[std::size_t(stated)] = true;
  network.graph.tensors[std::size_t(stated)].scale = 0.5;
  network.graph.nodes[2].upper = 255;
  network.graph.outputs = {1, joined};
  const Graph graph = quantised(network, {{1, -10}});
  CHECK(graph.tensors[1].scale == as_float(1.0 / 255));
  CHECK(graph.tensors[std::size_t(pooled)].scale == graph.tensors[0].scale);
  CHECK(graph.tensors[std::size_t(stated)].scale == 0.5);
  CHECK(graph.tensors[std::size_t(joined)].scale == as_float(20.0 / 127));
}

TEST_CASE("shares of one are steps of 1/255, whatever the samples say") {
  FloatNetwork network = one_real_node(Operator::kSoftmax, {{1, 1, 4}}, {1, 1, 4});
  const Graph graph = quantised(network, {{1, 1, 1, 1}});
  CHECK(graph.tensors[1].type == CodeType::kUint8);
  CHECK(graph.tensors[1].scale == as_float(1.0 / 255));
}

TEST_CASE("numbers of operators are those that a file would hold") {
  FloatNetwork network = one_real_node(Operator::kAffine, {{1, 1, 1}}, {1, 1, 1});
  network.graph.nodes[0].gain = {0.1};
  network.graph.nodes[0].offset = {0.3};
  const Graph graph = quantised(network, {{1}});
  CHECK(graph.nodes[0].gain[0] == double(0.1f));
  CHECK(graph.nodes[0].offset[0] == double(0.3f));
}

TEST_CASE("a percentile counts all values and stands between those of its bin") {
  Reals values;
  for (int i = 1; i <= 2048; ++i) values.push_back(float(i % 2 == 0 ? i : -i) - (i % 2 == 0 ? 0.5f : -0.5f));
  // One value in every bin of 2047.5 / 2048; 25 % of them end behind bin 512.
  Distribution distribution = distribution_of(values);
  CHECK(distribution.largest() == 2047.5);
  CHECK(distribution.lowest() == -2046.5f);
  CHECK(distribution.percentile(25) == Approx(512.0 * 2047.5 / 2048));
  CHECK(distribution.percentile(100) == 2047.5);
  distribution.count(Reals(2048, 0.0f));  // half of all values are zero now
  CHECK(distribution.percentile(50) == 0);
  CHECK(distribution.percentile(62.5) == Approx(512.0 * 2047.5 / 2048));
  Distribution other = distribution_of({-2047.5f, 0, 0, 0});
  other.merge_counts(distribution);  // 2051 zeros of 4100
  CHECK(other.percentile(100.0 * 2051 / 4100) == 0);
  CHECK(other.percentile(100.0 * 2563 / 4100) == Approx(512.0 * 2047.5 / 2048));
  QuantiseOptions options;
  options.range = RangeMethod::kPercentile;
  options.percentile = 50;
  FloatNetwork network = one_layer({0, 1}, {});
  // Inputs 0, 4, 0, 3: half are zero, which leaves no range: then the largest. Outputs 4 and 3: 3 and its bin.
  const Graph graph = quantised(network, {{0, 4}, {0, 3}}, options);
  CHECK(graph.tensors[0].scale == as_float(4.0 / 255));
  CHECK(graph.tensors[1].scale * 255 == Approx(3.0).epsilon(0.001));
}

TEST_CASE("the range with the least error is the one that trying them all finds") {
  std::mt19937_64 random(3);
  for (const double outlier : {1.0, 3.0, 30.0}) {
    Reals values;
    for (int i = 0; i < 200000; ++i) values.push_back(float(random() % 1000003) / 1000003.0f);
    values.push_back(float(outlier));
    const auto error_of = [&](double end) {
      double error = 0;
      for (const float value : values) {
        const double steps = std::min(std::nearbyint(double(value) / (end / 255)), 255.0);
        error += std::pow(double(value) - steps * (end / 255), 2);
      }
      return error;
    };
    const double found = distribution_of(values).least_error(255);
    double least = std::numeric_limits<double>::max();
    for (int i = 1; i <= 128; ++i) least = std::min(least, error_of(outlier * i / 128));
    INFO("outlier " << outlier << ", range up to " << found);
    CHECK(error_of(found) < least * 1.02);
    CHECK((outlier > 1.0) == (found < outlier));
  }
  CHECK(distribution_of(Reals(5, 0.0f)).least_error(255) == 0);
}

TEST_CASE("weights with an outlier are clipped only where the mean square error asks for it") {
  // An end at T costs (1.3 - T)^2 for the outlier and 20000 (T / 127)^2 / 12 for the others: least at 1.18.
  std::vector<float> weights(20001, 0.0f);
  for (std::size_t i = 0; i < 20000; ++i) weights[i] = float(i) / 40000.0f;
  weights[20000] = 1.3f;
  QuantiseOptions options;
  CHECK(quantised_weights({weights, {}}, 1, 1, 1.0, options).scale[0] == as_float(double(1.3f) / 127));
  options.range = RangeMethod::kMeanSquareError;
  const Weights w = quantised_weights({weights, {}}, 1, 1, 1.0, options);
  CHECK(w.scale[0] * 127 == Approx(1.18).epsilon(0.03));
  CHECK(w.values[20000] == 127);
  const auto error_of = [&](double scale) {
    double error = 0;
    for (const float v : weights)
      error += std::pow(double(v) - std::min(std::nearbyint(double(v) / scale), 127.0) * scale, 2);
    return error;
  };
  for (int i = 0; i < 60; ++i) CHECK(error_of(w.scale[0]) <= error_of(double(1.3f) / 127 * (1 - 0.01 * i)) * 1.001);
}

TEST_CASE("threads change nothing, and every method comes close to float") {
  std::mt19937_64 random(11);
  const FloatNetwork network = random_network(random);
  const std::vector<Reals> samples = random_samples(40, 192, random);
  for (const RangeMethod range : {RangeMethod::kMinMax, RangeMethod::kPercentile, RangeMethod::kMeanSquareError}) {
    QuantiseOptions options;
    options.range = range;
    const Graph graph = quantise(network, samples_of(samples), 20, options);
    options.threads = 3;
    const Graph again = quantise(network, samples_of(samples), 20, options);
    for (std::size_t t = 0; t < graph.tensors.size(); ++t) CHECK(graph.tensors[t].scale == again.tensors[t].scale);
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      CHECK(graph.nodes[n].weights.values == again.nodes[n].weights.values);
      CHECK(graph.nodes[n].weights.bias == again.nodes[n].weights.bias);
    }
    const Comparison one = compare(network, graph, samples_of(samples), 20, 20, 1);
    const Comparison three = compare(network, graph, samples_of(samples), 20, 20, 3);
    INFO(name_of(range) << ": " << one.outputs[0].sqnr_db() << " dB");
    CHECK(one.outputs[0].sqnr_db() > 35);
    CHECK(one.outputs[0].noise == three.outputs[0].noise);
    CHECK(one.float_class == three.float_class);
    CHECK(one.agreement() > 0.9);
  }
}

TEST_CASE("networks and samples that give no ranges are refused in one line") {
  const FloatNetwork network = one_layer({1e30f, 0}, {});
  CHECK_THAT(complaint(network, {}), Catch::Contains("no samples to take ranges from"));
  CHECK_THAT(complaint(network, {{1e30f, 0}}), Catch::Contains("gives tensor `output` a value that is not finite"));
  CHECK_THAT(complaint(network, {{float(NAN), 0}}), Catch::Contains("`input_0` a value that is not finite"));
  CHECK_THAT(complaint(network, {{0, -float(INFINITY)}}), Catch::Contains("is not finite"));
  CHECK_THAT(complaint(network, {{0, 0, 0}}), Catch::Contains("has 3 elements (2)"));
  FloatNetwork long_sum = one_real_node(Operator::kConvolution, {{1, 1, 70000}}, {1, 1, 1});
  long_sum.real_weights[0].values.assign(70000, 1.0f);
  CHECK_THAT(complaint(long_sum, {Reals(70000, 1.0f)}), Catch::Contains("can leave 32 bits"));
}

TEST_CASE("progress is told for every pass, and work is shared out once") {
  std::mt19937_64 random(5);
  QuantiseOptions options;
  options.range = RangeMethod::kMeanSquareError;
  std::size_t calls = 0, last = 0;
  quantise(one_layer({1, 0}, {}), samples_of({{1, 2}, {3, 4}, {5, 6}}), 3, options,
           [&](std::size_t done, std::size_t all) {
             CHECK(all == 6);
             CHECK(done == last + 1);
             last = done;
             ++calls;
           });
  CHECK(calls == 6);
  std::vector<std::atomic<int>> seen(1000);
  share_out(seen.size(), 4, [&](std::size_t index, int worker) { seen[index] += worker >= 0 && worker < 4 ? 1 : 100; });
  CHECK(std::all_of(seen.begin(), seen.end(), [](const std::atomic<int>& times) { return times == 1; }));
  CHECK_THROWS_WITH(share_out(100, 3,
                              [](std::size_t index, int) {
                                if (index == 57) throw std::runtime_error("57");
                              }),
                    "57");
}
