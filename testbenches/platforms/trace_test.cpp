// SPDX-License-Identifier: Apache-2.0
// `mho trace` and the key `trace` without a simulator: what is recorded, how layers stand alone, every mistake in an
// index. Counts and column sums of real machines are compared in testbenches/reference/compare_traces.py.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/dnn/onnx/onnx_writer.h"
#include "models/dnn/operators.h"
#include "models/dnn/synthetic/graph_builder.h"
#include "platforms/config/document.h"
#include "platforms/config/writer.h"
#include "platforms/observe/column_sum_histograms.h"
#include "platforms/scenario/layer_trace.h"
#include "platforms/scenario/workload.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;

namespace {

namespace fs = std::filesystem;

/// A tensor that two layers read, a pool, and a fully connected layer over a map of 2x2x3.
const char* const kNetwork = R"(description: "small"
input: [2, 4, 4]
layers:
  - {name: first, op: convolution, kernel: 3, pad: 1, filters: 4, activation: relu}
  - {name: second, op: convolution, kernel: 1, filters: 3, activation: relu}
  - {name: third, op: convolution, from: first, kernel: 1, filters: 3}
  - {name: sum, op: add, from: [second, third], activation: relu}
  - {name: pool, op: max_pool, kernel: 2, stride: 2}
  - {name: last, op: fully_connected, outputs: 5}
)";

/// The network in a file, and runs of it on invented machines.
struct Bench {
  TemporaryFolder folder;
  std::string model = folder.write("small.yaml", kNetwork);

  ProgramResult mho(const std::string& command, std::vector<std::string> more) const {
    std::vector<std::string> arguments{command, "--system", "isaac_8b", "--network", model};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }
  /// Records two inferences of synthetic inputs.
  std::string record(const std::string& name, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--inferences", "2", "--out", folder.path(name)});
    const ProgramResult result = mho("trace", more);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return folder.path(name);
  }
  Workload workload(const std::vector<std::string>& overrides) const {
    ScenarioRequest request;
    request.options = {{"system", "isaac_8b"}, {"network", model}};
    request.overrides = overrides;
    return load_workload(load_scenario(request, project_files()));
  }
  std::string refusal(const std::vector<std::string>& more) const {
    const ProgramResult result = mho("check", more);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    return result.err;
  }
};

std::size_t entries(const std::string& folder) {
  return std::size_t(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// Every node's input in one inference, by the integer reference.
std::vector<std::uint8_t> input_of(const dnn::Graph& graph, const std::string& node,
                                   const std::vector<std::vector<std::uint8_t>>& inputs) {
  for (const dnn::Node& each : graph.nodes)
    if (each.name == node) return dnn::execute(graph, inputs)[std::size_t(each.inputs.front())];
  throw std::runtime_error("no node " + node);
}

TEST_CASE("a trace holds the inputs of all layers with weights, its index says what they are, and it replays") {
  const Bench bench;
  const std::string folder = bench.record("all");
  const TraceIndex index = read_trace_index(folder);
  REQUIRE(index.layers.size() == 4);
  CHECK(index.network == "small");
  CHECK(index.inferences == 2);
  const Workload whole = bench.workload({"inferences=2"}), alone = bench.workload({"trace=" + folder});
  REQUIRE(alone.inputs.size() == 2);
  REQUIRE(alone.graph.nodes.size() == 4);
  CHECK_FALSE(alone.synthetic);
  for (std::size_t i = 0; i < 4; ++i) {
    const TracedLayer& layer = index.layers[i];
    INFO(layer.name);
    const dnn::Node& node = alone.graph.nodes[i];
    CHECK(node.name == layer.name);
    CHECK(node.inputs == std::vector<int>{alone.graph.inputs[i]});
    CHECK(node.output == alone.graph.outputs[i]);
    CHECK(layer.scale == alone.graph.input_of(node).scale);
    for (std::size_t n = 0; n < 2; ++n) CHECK(alone.inputs[n][i] == input_of(whole.graph, layer.name, whole.inputs[n]));
  }
  CHECK(alone.inputs[0][0] != alone.inputs[1][0]);
  CHECK(index.layers[0].dims == std::vector<std::int64_t>{2, 2, 4, 4});
  CHECK(index.layers[0].tensor.name == "first.pb");
  CHECK(index.layers[3].op == "fully_connected");
  // Each layer by itself gives what it gives in the network.
  const auto outputs = dnn::execute(alone.graph, alone.inputs[0]), full = dnn::execute(whole.graph, whole.inputs[0]);
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string& name = alone.graph.tensors[std::size_t(alone.graph.outputs[i])].name;
    for (std::size_t t = 0; t < full.size(); ++t)
      if (whole.graph.tensors[t].name == name) CHECK(outputs[std::size_t(alone.graph.outputs[i])] == full[t]);
  }
  CHECK(bench.mho("run", {"--set", "trace=" + folder, "--out", bench.folder.path("out")}).exit_code == 0);
  CHECK(entries(bench.folder.path("out/outputs")) == 4);
  CHECK_THAT(text_of(bench.folder.path("out/summary.json")),
             Catch::Contains("4 layers of the network, each by itself"));
}

TEST_CASE("layers are chosen where they are recorded and where they are replayed, whatever their order") {
  const Bench bench;
  const std::string folder = bench.record("two", {"--layers", "third,first", "--layers", "second"});
  CHECK(read_trace_index(folder).layers.size() == 3);
  const Workload workload = bench.workload({"trace={folder: " + folder + ", layers: [third, first]}", "inferences=1"});
  REQUIRE(workload.graph.nodes.size() == 2);
  CHECK(workload.graph.nodes[0].name == "first");
  CHECK(workload.graph.nodes[1].name == "third");
  CHECK(workload.inputs.size() == 1);
  const Workload timed =
      bench.workload({"trace=" + folder, "timing=approximately_timed", "approximately_timed={layers: [third]}"});
  CHECK(timed.timed_nodes == std::vector<int>{2});
  CHECK(bench.mho("trace", {"--layers", "first,,third", "--out", bench.folder.path("x")}).err ==
        "mho trace: `--layers first,,third` has an empty name (see `mho trace --help`)\n");
  CHECK_THAT(bench.mho("trace", {"--layers", "frist", "--out", bench.folder.path("x")}).err,
             Catch::StartsWith("--layers: `layers`: the network has no node `frist` (among others `first`"));
  CHECK_THAT(bench.mho("trace", {"--layers", "third,pool", "--out", bench.folder.path("x")}).err,
             Catch::StartsWith("--layers: `layers`: `pool` (max_pool) has no weights (conv"));
  CHECK_FALSE(fs::exists(bench.folder.path("x")));
}

TEST_CASE("layers whose names make one file name have files of their own") {
  const Bench bench;
  dnn::GraphBuilder builder("names");
  dnn::ConvolutionOptions one, other;
  one.name = "a/b", other.name = "a_b";
  const int image = builder.input({2, 2, 1});
  builder.convolution(builder.convolution(image, 2, dnn::square_window(1), one), 3, dnn::square_window(1), other);
  const std::string model = bench.folder.path("names.onnx"), out = bench.folder.path("names");
  dnn::write_onnx(model, builder.build());
  REQUIRE(run_program({"trace", "--system", "isaac_8b", "--network", model, "--out", out}).exit_code == 0);
  const TraceIndex index = read_trace_index(out);
  REQUIRE(index.layers.size() == 2);
  CHECK(index.layers[0].tensor.name != index.layers[1].tensor.name);
  CHECK(index.layers[0].dims[1] == 1);
  CHECK(index.layers[1].dims[1] == 2);
  // The weights of a model do not come from the seed.
  CHECK(run_program({"run", "--system", "isaac_8b", "--network", model, "--seed", "5", "--set", "trace=" + out})
            .exit_code == 0);
}

TEST_CASE("a trace is a new folder or none") {
  const Bench bench;
  const std::string out = bench.record("all");
  const std::string before = text_of(out + "/index.yaml");
  CHECK(bench.mho("trace", {"--out", out}).err == "--out " + out + ": is a folder with files in it (a new folder)\n");
  CHECK(text_of(out + "/index.yaml") == before);
  CHECK(bench.mho("trace", {}).err == "mho trace: where to? Give `--out DIR` (see `mho trace --help`)\n");
  CHECK(bench.mho("trace", {"--histograms", "--out", bench.folder.path("sums")}).err ==
        "mho trace --histograms: an exact layer is computed by integer products, no column sums reach its converters "
        "(`--set fidelity=sliced`, which gives the same outputs)\n");
  const Simulate fails = [](const auto&...) -> RunRecord { throw std::runtime_error("the disk is full"); };
  const ProgramResult failed = run_program(
      {"trace", "--system", "isaac_8b", "--network", bench.model, "--out", bench.folder.path("failed")}, fails);
  CHECK(failed.exit_code == 1);
  CHECK(entries(bench.folder.path(".")) == 2);  // model and trace
  CHECK_THAT(run_program({"trace", "--help"}).out, Catch::Contains("--histograms") && Catch::Contains("--layers"));
}

TEST_CASE("effective.yaml of a replay runs again from any folder") {
  const Bench bench;
  const std::string folder = bench.record("all");
  bench.folder.write("run.yaml", "system: isaac_8b\nnetwork: small.yaml\ntrace: {folder: all, layers: [third]}\n");
  ScenarioRequest request;
  request.file = bench.folder.path("run.yaml");
  const Scenario first = load_scenario(request, project_files());
  request.file = bench.folder.write("deep/effective.yaml", config::write_yaml(first.effective));
  const Scenario again = load_scenario(request, project_files());
  REQUIRE((again.trace && first.trace));
  CHECK(again.trace->folder == folder);
  REQUIRE(again.trace->layers.size() == 1);
  CHECK(again.trace->layers[0].name == "third");
  CHECK(again.inputs.empty());
  for (const char* key : {"folder", "layers"}) CHECK(first.effective.find("trace")->find(key) != nullptr);
  CHECK(first.effective.find("inputs") == nullptr);
}

TEST_CASE("a trace takes the place of inputs and labels") {
  const Bench bench;
  const std::string trace = "trace=" + bench.record("all");
  CHECK_THAT(bench.refusal({"--set", trace, "--inputs", bench.folder.path("all/third.pb")}),
             Catch::StartsWith("--inputs: `inputs` stands beside `trace`") && Catch::Contains("--set inputs=~"));
  CHECK_THAT(bench.refusal({"--set", trace, "--labels", bench.folder.path("all/third.pb")}),
             Catch::StartsWith("--labels: `labels` stands beside `trace`"));
  CHECK(bench.refusal({"--set", trace, "--inferences", "3"}) ==
        "--inferences: inferences: 3 are asked for, the files hold 2 (1 to 2, or all)\n");
  CHECK_THAT(
      bench.refusal({"--set", "trace=" + bench.folder.path("none")}),
      Catch::StartsWith("--set trace: `trace`: there is no file `" + bench.folder.path("none/index.yaml") + "`"));
  CHECK_THAT(bench.refusal({"--set", "trace.folder=" + bench.folder.path("none")}),
             Catch::StartsWith("--set trace.folder: `trace.folder`: there is no file"));
  CHECK_THAT(bench.refusal({"--set", "trace.layers=[third]"}), Catch::Contains("missing key `trace.folder`"));
  // Inputs and labels that a network brings along are left out.
  CHECK(scenario_with({trace}).inputs.empty());
  CHECK(scenario_with({trace}).labels.empty());
}

TEST_CASE("scenarios name recorded layers of the network") {
  const Bench bench;
  const std::string folder = bench.record("two", {"--layers", "third,first"});
  const std::string run = bench.folder.path("run.yaml");
  const auto refusal = [&](const std::string& layers) {
    bench.folder.write("run.yaml",
                       "system: isaac_8b\nnetwork: small.yaml\ntrace:\n  folder: two\n  layers: " + layers + "\n");
    return run_program({"check", run}).err;
  };
  CHECK(refusal("[third, second]") ==
        run + ":5:19: `trace.layers`: `" + folder + "` has no layer `second` (`first` or `third`)\n");
  CHECK_THAT(refusal("[fourth]"), Catch::StartsWith(run + ":5:12: `trace.layers`: the network has no node `fourth`"));
  CHECK_THAT(refusal("[]"), Catch::StartsWith(run + ":5:11: `trace.layers`"));
  CHECK_THAT(refusal("third"), Catch::StartsWith(run + ":5:11: `trace.layers`"));
  CHECK(refusal("all").empty());
}

/// index.yaml of a trace with one text in place of another.
struct Edited {
  const Bench& bench;
  std::string folder = bench.record("all");
  std::string index = folder + "/index.yaml", original = text_of(index);
  std::string operator()(const std::string& from, const std::string& to) const {
    std::string text = original;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    bench.folder.write("all/index.yaml", text.replace(at, from.size(), to));
    const std::string refusal = bench.refusal({"--set", "trace=" + folder});
    return refusal.substr(0, index.size()) == index ? refusal.substr(index.size()) : refusal;
  }
};

TEST_CASE("a mistake in an index is reported at its line and column") {
  const Bench bench;
  const Edited edited{bench};
  using Catch::Contains;
  using Catch::StartsWith;
  CHECK(edited("version: 1", "version: 2") == ":2:10: `version` is 2 (integer, 1 to 1)\n");
  CHECK_THAT(edited("format: mho trace", "format: mho log"), StartsWith(":1:9: `format`"));
  CHECK_THAT(edited("inferences: 2", "inferences: 3"),
             StartsWith(":11:11: `layers.0.dims` begins with 2 (`inferences`"));
  CHECK_THAT(edited("inferences: 2\n", ""), Contains("missing key `inferences`"));
  CHECK_THAT(edited("name: \"first\"", "name: \"fist\""),
             StartsWith(":7:11: `layers.0.name`: the network has no node `fist`"));
  CHECK_THAT(edited("name: \"second\"", "name: \"first\""),
             StartsWith(":15:11: `layers.1.name` is `first`, as that of a layer before"));
  CHECK_THAT(edited("operator: conv", "operatr: conv"), StartsWith(":8:5: unknown key `layers.0.operatr`"));
  CHECK_THAT(edited("file: \"first.pb\"", "file: \"../first.pb\""),
             StartsWith(":9:11: `layers.0.file` leads out of the folder"));
  CHECK_THAT(edited("file: \"first.pb\"", "file: \"fifth.pb\""), StartsWith(":9:11: `layers.0.file` is not there: `"));
  CHECK_THAT(edited("file: \"first.pb\"", "file: \"third.pb\""),
             StartsWith(":10:12: `layers.0.crc32` is 0x") && Contains(", that of the file 0x"));
  CHECK_THAT(edited("crc32: 0x", "crc32: 0x1000000000"), StartsWith(":10:12: `layers.0.crc32`"));
  CHECK_THAT(edited("dims: [2, 2, 4, 4]", "dims: [2, 2, 2, 8]"), StartsWith(":11:11: `layers.0.dims` differs"));
  CHECK_THAT(edited("dims: [2, 2, 4, 4]", "dims: [2]"), StartsWith(":11:11: `layers.0.dims`"));
  CHECK_THAT(edited("type: uint8", "type: int8"),
             StartsWith(":12:11: `layers.0.type` is int8 (uint8, scale ") && Contains("as in the network, or float"));
  CHECK_THAT(edited("type: uint8", "type: uint16"), StartsWith(":12:11: `layers.0.type`"));
  CHECK_THAT(edited("scale: ", "scale: 1"), StartsWith(":13:12: `layers.0.scale` is 1"));
  CHECK_THAT(edited("scale: ", "scale: -"), StartsWith(":13:12: `layers.0.scale`"));
  CHECK_THAT(edited("zero_point: 0", "zero_point: 1"), StartsWith(":14:17: `layers.0.zero_point` is 1 (uint8, scale "));
  CHECK_THAT(edited("    zero_point: 0\n", ""), StartsWith(":7:5: missing key `layers.0.zero_point`"));
  CHECK_THAT(edited(edited.original.substr(edited.original.find("layers:")), "layers: []\n"),
             StartsWith(":6:9: `layers` names no layer"));
  fs::resize_file(edited.folder + "/second.pb", 20);
  CHECK_THAT(edited("version", "version"), Contains("`layers.1.crc32` is 0x"));
}

/// Writes a folder by hand: one tensor for the network's node `last`, a fully connected layer over a map of 2x2x3.
void write_folder(const Bench& bench, const dnn::OnnxTensor& tensor, const std::string& dims, const std::string& type) {
  bench.folder.write("torch/x", "");
  dnn::write_tensor(bench.folder.path("torch/fc.pb"), tensor);
  bench.folder.write("torch/index.yaml",
                     "format: mho trace\nversion: 1\ninferences: 1\nlayers:\n  - name: classifier.0\n    node: last\n"
                     "    file: fc.pb\n    dims: " +
                         dims + "\n    type: " + type +
                         "\n    crc32: " + std::to_string(crc32_of(bench.folder.path("torch/fc.pb")).value()) + "\n");
}

TEST_CASE("real numbers become codes of the input of the node that the index names, also where they were flattened") {
  const Bench bench;
  const Workload whole = bench.workload({});
  const dnn::Node& last = *std::find_if(whole.graph.nodes.begin(), whole.graph.nodes.end(),
                                        [](const dnn::Node& node) { return node.name == "last"; });
  const dnn::Tensor& input = whole.graph.input_of(last);
  REQUIRE((input.shape == dnn::Shape{2, 2, 3}));
  dnn::OnnxTensor tensor;
  tensor.type = dnn::OnnxTensor::Type::kFloat;
  tensor.dims = {1, 12};
  std::vector<std::uint8_t> expected(12);
  std::vector<float> values(12);
  for (int channel = 0; channel < 3; ++channel)
    for (int pixel = 0; pixel < 4; ++pixel) {  // channels first in the file, last in the graph
      const int code = 20 * pixel + channel;
      values[std::size_t(channel * 4 + pixel)] = float((code - input.zero_point + 0.3) * input.scale);
      expected[std::size_t(pixel * 3 + channel)] = std::uint8_t(code);
    }
  tensor.raw.resize(48);
  std::memcpy(tensor.raw.data(), values.data(), 48);
  write_folder(bench, tensor, "[1, 12]", "float");
  const std::string folder = bench.folder.path("torch");
  for (const char* layers : {"", ", layers: [last]"}) {
    const Workload alone = bench.workload({"trace={folder: " + folder + layers + "}"});
    REQUIRE(alone.graph.nodes.size() == 1);
    CHECK(alone.inputs == std::vector<std::vector<std::vector<std::uint8_t>>>{{expected}});
  }
  write_folder(bench, tensor, "[1, 12]", "uint8");
  CHECK_THAT(bench.refusal({"--set", "trace=" + folder}),
             Catch::Contains("index.yaml:5:5: missing key `layers.0.scale`: the tensor holds codes"));
  tensor.dims = {1, 3, 4};
  write_folder(bench, tensor, "[1, 3, 4]", "float");
  CHECK_THAT(bench.refusal({"--set", "trace=" + folder}), Catch::Contains("fc.pb: has dimensions [1, 3, 4]"));
}

TEST_CASE("a network of synthetic weights is replayed with the seed that it was recorded with") {
  const Bench bench;
  const std::string trace = bench.record("seven", {"--seed", "7"});
  CHECK(bench.refusal({"--set", "trace=" + trace}) ==
        trace +
            "/index.yaml:4:7: the weights of `small` were drawn from seed 7, this run draws them from 1 (`seed: 7` "
            "in the scenario)\n");
  CHECK(bench.mho("check", {"--set", "trace=" + trace, "--seed", "7"}).exit_code == 0);
}

TEST_CASE("inputs of layers become outputs once, and not where they are inputs of the network") {
  const Bench bench;
  dnn::Graph graph = bench.workload({}).graph, clash = graph;
  const std::vector<int> before = graph.outputs, nodes = weighted_layers(graph);
  REQUIRE(nodes.size() == 4);
  add_inputs_to_outputs(graph, nodes);
  CHECK(graph.outputs.size() == before.size() + 2);  // what two layers read, and the pool's output; not the image
  dnn::validate(graph);
  clash.tensors.back().name = "second.input";
  const dnn::Graph alone = layers_alone(clash, {nodes[1]});
  CHECK(alone.tensors[0].name == "second.input_");
  CHECK(alone.name == clash.name);
}

TEST_CASE("column sums are counted by input slice and weight slice as they are sampled") {
  // Two vectors of two slices from input slice 1 on; four columns of two weight slices, the unit column of two
  // crossbars, one element of padding.
  const std::vector<std::int16_t> sums{1, 2, 1,  -3, 9, 77, 4, 5, 4, 5,   8, 77,  //
                                       1, 2, 70, 2,  9, 77, 4, 5, 6, 500, 7, 77};
  ColumnSumHistograms histograms({3});
  observe::ColumnSums batch{3, sums.data(), 2, 2, 1, 4, 6, 2, 2};
  histograms.record(batch);
  batch.node = 4;
  histograms.record(batch);
  CHECK(histograms.of(4) == nullptr);
  REQUIRE(histograms.of(3) != nullptr);
  CHECK(to_csv(*histograms.of(3)) ==
        "input_slice,weight_slice,sum,count\n"
        "1,0,1,3\n1,0,70,1\n1,1,-3,1\n1,1,2,3\n1,unit,9,4\n"
        "2,0,4,3\n2,0,6,1\n2,1,5,3\n2,1,500,1\n2,unit,7,2\n2,unit,8,2\n");
  CHECK(share_within(*histograms.of(3), -3, 4) == Approx(10.0 / 16.0));  // 3 ones, -3, 3 twos, 3 fours
  CHECK(share_within(*histograms.of(3), -2, 70) == Approx(14.0 / 16.0));
}

TEST_CASE("column sums of pairs have a sign and no unit column") {
  const std::vector<std::int16_t> sums{-65, -64, 4000, 63, 64, 4000};  // the inputs' sum is no column's
  ColumnSumHistograms histograms({3});
  histograms.record({3, sums.data(), 2, 1, 0, 2, 3, 1, 0});
  CHECK(to_csv(*histograms.of(3)) == "input_slice,weight_slice,sum,count\n0,0,-65,1\n0,0,-64,1\n0,0,63,1\n0,0,64,1\n");
  CHECK(share_within(*histograms.of(3), -64, 63) == 0.5);
  CHECK(share_within({}, -64, 63) == 1.0);
}

}  // namespace
