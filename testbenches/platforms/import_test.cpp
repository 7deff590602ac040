// SPDX-License-Identifier: Apache-2.0
// `mho import`: what it prints of a float network, what it quantises and keeps, and what it refuses.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/dnn/onnx/onnx_reader.h"
#include "models/input_error.h"
#include "platforms/program/import_report.h"
#include "platforms/program/import_samples.h"
#include "platforms/scenario/labels.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
using nlohmann::json;

namespace {

std::string shapes(const std::string& file) { return scenarios_folder() + "/networks/resnet20_shapes/" + file; }

dnn::OnnxTensor first_of(dnn::OnnxTensor tensor, std::size_t count) {
  const std::size_t bytes = tensor.raw.size() / std::size_t(tensor.dims[0]);
  tensor.dims[0] = std::int64_t(count);
  tensor.raw.resize(count * bytes);
  return tensor;
}

/// Sixty labelled images, calibrated on forty of them.
struct Images {
  Images() {
    dnn::write_tensor(images(), first_of(dnn::read_tensor(shapes("images_500.pb")), 60));
    dnn::write_tensor(labels(), first_of(dnn::read_tensor(shapes("labels_500.pb")), 60));
  }
  std::string images() const { return folder.path("images.pb"); }
  std::string labels() const { return folder.path("labels.pb"); }
  ProgramResult import(std::vector<std::string> more, const std::string& model = shapes("float.onnx")) const {
    more.insert(more.begin(), {"import", model, "--samples", images()});
    return run_program(more);
  }
  TemporaryFolder folder;
};

template <class F>
std::string refusal_by(const F& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// A network whose inputs have these shapes; only its inputs are looked at.
dnn::FloatNetwork network_of(const std::vector<dnn::Shape>& shapes) {
  dnn::FloatNetwork network;
  for (const dnn::Shape& shape : shapes) {
    network.graph.inputs.push_back(int(network.graph.tensors.size()));
    network.graph.tensors.push_back({"in" + std::to_string(network.graph.inputs.size()), shape});
    network.quantised.push_back(false);
  }
  return network;
}

std::string write(const TemporaryFolder& folder, const std::string& name, dnn::OnnxTensor::Type type,
                  const std::vector<std::int64_t>& dims, const std::vector<std::uint8_t>& raw) {
  dnn::write_tensor(folder.path(name), {name, type, dims, raw});
  return folder.path(name);
}

using Type = dnn::OnnxTensor::Type;

}  // namespace

TEST_CASE("a float model's layers are listed with their sizes, and how to go on is said") {
  const ProgramResult text = run_program({"import", shapes("float.onnx")});
  REQUIRE(text.exit_code == 0);
  CHECK_THAT(text.out, Catch::Contains(": a float network\n\n  input image, 32 x 32 x 3\n\n"));
  CHECK_THAT(text.out,
             Catch::Contains("convolution, relu   32 x 32 x 3  32 x 32 x 16            3x3      432    442 368"));
  CHECK_THAT(text.out, Catch::Contains("3x3/2   18 432  1 179 648"));
  CHECK_THAT(text.out,
             Catch::Contains("fully_connected              64            12            1x1      768        768"));
  // 271 024 weights as in the quantised model; biases of folded batch normalisation: 16 * 7 + 32 * 7 + 64 * 7 + 12.
  CHECK_THAT(text.out,
             Catch::Contains("\n  32 layers, 271 024 weights and 796 biases, 40 813 312 multiply-accumulates an "
                             "inference\n"));
  CHECK_THAT(text.out, Catch::Contains("give `--samples FILE`"));
  const json object = json::parse(run_program({"import", shapes("float.onnx"), "--json"}).out);
  CHECK(object["quantised"] == false);
  CHECK(object["range"].is_null());
  CHECK(object["comparison"].is_null());
  CHECK(object["weights"] == 271024);
  CHECK(object["macs"] == 40813312);
  CHECK(object["digital_macs"] == 0);
  CHECK(object["layers"].size() == 32);
  const json& first = object["layers"][0];
  CHECK(first["operator"] == "convolution");
  CHECK(first["activation"] == "relu");
  CHECK(first["input"] == json({32, 32, 3}));
  CHECK(first["output"] == json({32, 32, 16}));
  CHECK(first["kernel"] == json({3, 3}));
  CHECK(first["stride"] == json({1, 1}));
  CHECK_FALSE(first.contains("scale"));
  CHECK(object["inputs"] == json::parse(R"([{"name": "image", "shape": [32, 32, 3]}])"));
}

TEST_CASE("a float model is quantised on the first samples and judged on the others") {
  const Images images;
  const json object = json::parse(images.import({"--labels", images.labels(), "--calibration", "40", "--json"}).out);
  CHECK(object["quantised"] == true);
  CHECK(object["range"] == "min_max");
  CHECK(object["calibration_samples"] == 40);
  CHECK(object["layers"][0]["type"] == "uint8");
  CHECK(object["layers"][0]["scale"].get<double>() > 0);
  const json& comparison = object["comparison"];
  CHECK(comparison["samples"] == 20);
  CHECK(comparison["held_out"] == true);
  CHECK(comparison["outputs"][0]["name"] == "logits");
  CHECK(comparison["outputs"][0]["sqnr_db"].get<double>() > 28);
  CHECK(comparison["outputs"][0]["mean_abs_error"].get<double>() < 0.2);
  CHECK(comparison["top1_agreement"].get<double>() >= 0.9);
  CHECK(comparison["accuracy_float"].get<double>() >= 0.8);
  CHECK(std::abs(comparison["accuracy_difference"].get<double>()) <= 0.1);
  CHECK(comparison["accuracy_difference_interval"][0] < comparison["accuracy_difference_interval"][1]);
  CHECK(object["inputs"][0]["scale"] == double(float(1.0 / 255)));
}

TEST_CASE("ranges that end too early cost accuracy, and samples are multiplied by their step") {
  const Images images;
  const json coarse = json::parse(
      images.import({"--labels", images.labels(), "--range", "percentile", "--percentile", "50", "--json"}).out);
  const double difference = coarse["comparison"]["accuracy_difference"].get<double>();
  CHECK(difference < -0.2);
  CHECK(difference == Approx(coarse["comparison"]["accuracy_quantised"].get<double>() -
                             coarse["comparison"]["accuracy_float"].get<double>()));
  const json large = json::parse(images.import({"--step", "0.5", "--json"}).out);
  CHECK(large["inputs"][0]["scale"] == 0.5);
  CHECK(large["layers"][0]["scale"].get<double>() > 50 * coarse["layers"][0]["scale"].get<double>());
}

TEST_CASE("ranges are chosen as asked, and each way differs") {
  const Images images;
  const auto scale = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--json"});
    const json object = json::parse(images.import(more).out);
    CHECK(object["calibration_samples"] == 60);
    CHECK(object["comparison"]["samples"] == 60);
    CHECK(object["comparison"]["held_out"] == false);
    CHECK(object["comparison"]["accuracy_float"].is_null());
    return std::make_pair(object["range"].get<std::string>(), object["layers"][0]["scale"].get<double>());
  };
  const auto whole = scale({}), most = scale({"--range", "percentile"}),
             half = scale({"--range", "percentile", "--percentile", "90.5"}), least = scale({"--range", "mse"});
  CHECK(whole.first == "min_max");
  CHECK(most.first == "percentile 99.99");
  CHECK(half.first == "percentile 90.5");
  CHECK(least.first == "mse");
  CHECK(whole.second > most.second);
  CHECK(most.second > half.second);
  CHECK(least.second <= whole.second);
  const std::string text = images.import({}).out;
  CHECK_THAT(text, Catch::Contains(": 8-bit codes, ranges by min_max of 60 samples\n"));
  CHECK_THAT(text, Catch::Contains("\nAgainst float on 60 samples, the same that gave the ranges\n"));
  CHECK_THAT(text, Catch::Contains("  same answer  ") && Catch::Contains("  uint8, 0.0"));
}

TEST_CASE("what is imported runs, and is read back as the same network") {
  const Images images;
  const std::string out = images.folder.path("mine/");
  const ProgramResult result = images.import({"--labels", images.labels(), "--calibration", "60", "--out", out});
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, Catch::Contains("--network " + images.folder.path("mine/mine.yaml") + " --inferences 1\n"));
  CHECK(text_of(images.folder.path("mine/mine.yaml")) ==
        "description: \"imported from " + shapes("float.onnx") +
            "\"\nmodel: model.onnx\ninputs: [\"../images.pb\"]\nlabels: \"../labels.pb\"\n");
  const json first = json::parse(text_of(images.folder.path("mine/import.json")));
  const ProgramResult run = run_program({"run", "--system", "isaac_8b", "--network",
                                         images.folder.path("mine/mine.yaml"), "--json", "--inferences", "60"});
  REQUIRE(run.exit_code == 0);
  const json summary = json::parse(run.out);
  CHECK(summary["network"] == "mine");
  CHECK(summary["accuracy_top1"] == first["comparison"]["accuracy_quantised"]);
  // The codes of the file are the codes that were judged.
  const ProgramResult read = images.import({"--labels", images.labels(), "--json"}, out + "model.onnx");
  REQUIRE(read.exit_code == 0);
  const json again = json::parse(read.out);
  CHECK(again["range"].is_null());
  CHECK(again["calibration_samples"] == 0);
  CHECK(again["comparison"]["samples"] == 60);
  CHECK(again["comparison"]["accuracy_quantised"] == first["comparison"]["accuracy_quantised"]);
  CHECK(again["macs"] == first["macs"]);
  for (std::size_t n = 0; n < 31; ++n) CHECK(again["layers"][n]["scale"] == first["layers"][n]["scale"]);
}

TEST_CASE("import refuses in one line and leaves nothing behind") {
  const Images images;
  const std::string model = shapes("float.onnx"), quantised = shapes("model.onnx"), out = images.folder.path("out");
  CHECK_THAT(complaint({"import"}), Catch::StartsWith("mho import: which model?"));
  CHECK_THAT(complaint({"import", "gone.onnx"}), Catch::StartsWith("gone.onnx: "));
  CHECK_THAT(complaint({"import", model, "--out", out}),
             Catch::StartsWith("--out: a float network is quantised first"));
  CHECK_THAT(complaint({"import", model, "--labels", images.labels()}),
             Catch::StartsWith("--labels: is given without"));
  CHECK_THAT(complaint({"import", model, "--range", "mse"}), Catch::StartsWith("--range: is given without samples"));
  const auto with = [&](std::vector<std::string> more, const std::string& file) {
    more.insert(more.begin(), {"import", file, "--samples", images.images(), "--out", out});
    return complaint(more);
  };
  CHECK_THAT(with({"--range", "max"}, model), Catch::StartsWith("--range: ") && Catch::Contains("`percentile`"));
  CHECK_THAT(with({"--percentile", "99"}, model), Catch::Contains("is given without `--range percentile`"));
  CHECK_THAT(with({"--range", "percentile", "--percentile", "101"}, model), Catch::StartsWith("--percentile: "));
  CHECK_THAT(with({"--calibration", "0"}, model), Catch::StartsWith("--calibration: "));
  CHECK_THAT(with({"--step", "x"}, model), Catch::StartsWith("--step: "));
  CHECK_THAT(with({"--range", "mse"}, quantised), Catch::StartsWith("--range: the model is quantised already"));
  CHECK_THAT(with({"--labels", shapes("images_500.pb")}, model), Catch::Contains("images_500.pb: label "));
  CHECK_THAT(with({"--samples", images.images()}, model), Catch::Contains("two files for input `image`"));
  CHECK_THAT(with({"--rnage", "mse"}, model), Catch::Contains("did you mean `--range`?"));
  CHECK_THAT(complaint({"import", model, "--samples", images.labels(), "--out", out}),
             Catch::Contains("has dimensions [60] for input `image` ([60, 3, 32, 32]"));
  images.folder.write("full/note.txt", "");
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("a folder with files in it is no place for an imported network") {
  const Images images;
  const ProgramResult result = images.import({"--out", images.folder.path("")});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, Catch::Contains("is a folder with files in it"));
  CHECK_FALSE(std::filesystem::exists(images.folder.path("model.onnx")));
}

TEST_CASE("samples become real numbers in the order of feature maps") {
  const TemporaryFolder folder;
  dnn::FloatNetwork network = network_of({{1, 2, 2}, {1, 1, 3}, {2, 1, 2}});
  network.graph.tensors[2].sequence = true;
  const std::vector<float> reals{1.5f, -2, 3, 4, 5, 6};
  std::vector<std::uint8_t> raw(reals.size() * sizeof(float));
  std::memcpy(raw.data(), reals.data(), raw.size());
  const std::vector<std::string> files{
      "in3=" + write(folder, "c", Type::kInt8, {2, 2, 2}, {1, 2, 3, 255, 5, 6, 7, 8}),
      "in1=" + write(folder, "a", Type::kUint8, {2, 2, 1, 2}, {10, 20, 30, 200, 50, 60, 70, 80}),
      "in2=" + write(folder, "b", Type::kFloat, {2, 3}, raw)};
  const ImportSamples samples(network, files, 0.5);
  CHECK(samples.count() == 2);
  CHECK(samples(0) == std::vector<dnn::Reals>{{5, 15, 10, 100}, {1.5f, -2, 3}, {0.5f, 1, 1.5f, -0.5f}});
  CHECK(samples(1)[0] == dnn::Reals{25, 35, 30, 40});
  CHECK(samples(1)[1] == dnn::Reals{4, 5, 6});
  CHECK(samples.paths() == std::vector<std::string>{folder.path("a"), folder.path("b"), folder.path("c")});
  samples.state_codes(network);
  CHECK(network.quantised == std::vector<bool>{true, false, true});
  CHECK(network.graph.tensors[0].type == dnn::CodeType::kUint8);
  CHECK(network.graph.tensors[0].scale == 0.5);
  CHECK(network.graph.tensors[2].type == dnn::CodeType::kInt8);
  CHECK(network.graph.tensors[2].sequence);
  // Codes of an input that the model states count with its own scale.
  network.graph.tensors[0].scale = 2;
  network.graph.tensors[0].zero_point = 10;
  CHECK(ImportSamples(network, files, 0.5)(0)[0] == dnn::Reals{0, 40, 20, 380});
}

TEST_CASE("samples that do not fit are refused at their file") {
  const TemporaryFolder folder;
  const dnn::FloatNetwork one = network_of({{1, 1, 2}}), two = network_of({{1, 1, 2}, {1, 1, 2}});
  const std::string a = write(folder, "a=b", Type::kUint8, {2, 2}, {1, 2, 3, 4}),
                    b = write(folder, "b", Type::kUint8, {1, 2}, {1, 2}),
                    c = write(folder, "c", Type::kInt64, {1, 2}, std::vector<std::uint8_t>(16)),
                    d = write(folder, "d", Type::kUint8, {0, 2}, {});
  const auto refused = [&](const dnn::FloatNetwork& network, const std::vector<std::string>& files) {
    return refusal_by([&] { ImportSamples(network, files, 1.0); });
  };
  CHECK(refused(one, {a}).empty());  // `=` in a path names no input here
  CHECK_THAT(refused(two, {b, b}), Catch::StartsWith("--samples: `" + folder.path("")));
  CHECK_THAT(refused(two, {"in1=" + b}), Catch::Contains("1 file for 2 inputs (NAME=FILE for each of in1, in2)"));
  CHECK_THAT(refused(two, {"in1=" + a, "in2=" + b}), Catch::Contains("b: 1 sample, another input has 2"));
  CHECK_THAT(refused(one, {c}), Catch::Contains("holds other numbers than input `in1` takes (float, uint8 or int8)"));
  CHECK_THAT(refused(one, {d}), Catch::Contains("d: has a dimension of 0"));
  dnn::FloatNetwork coded = one;
  coded.quantised[0] = true;
  coded.graph.tensors[0].type = dnn::CodeType::kInt8;
  CHECK_THAT(refused(coded, {b}), Catch::Contains("(int8 or float)"));
}

TEST_CASE("labels are whole numbers of classes, one a sample") {
  const TemporaryFolder folder;
  const std::string bytes = write(folder, "bytes", Type::kUint8, {3}, {2, 0, 1}),
                    words = write(folder, "words", Type::kInt32, {2}, {1, 0, 0, 0, 255, 255, 255, 255}),
                    reals = write(folder, "reals", Type::kFloat, {1}, {0, 0, 0, 0});
  CHECK(load_labels(bytes, 2, "a sample", 3) == std::vector<std::int64_t>{2, 0});
  CHECK(load_labels(words, 1, "a sample", 2) == std::vector<std::int64_t>{1});
  CHECK_THAT(refusal_by([&] { load_labels(words, 2, "a sample", 9); }), Catch::Contains("label 1 is -1 (0 to 8)"));
  CHECK_THAT(refusal_by([&] { load_labels(bytes, 3, "a sample", 2); }), Catch::Contains("label 0 is 2 (0 to 1)"));
  CHECK_THAT(refusal_by([&] { load_labels(bytes, 4, "a sample", 3); }), Catch::Contains("3 labels for 4 samples"));
  CHECK_THAT(refusal_by([&] { load_labels(reals, 1, "a sample", 3); }), Catch::Contains("labels are real numbers"));
}

TEST_CASE("help of import teaches") {
  const std::string help = run_program({"import", "--help"}).out;
  for (const char* word : {"--samples FILE", "--step S", "--labels FILE", "--calibration N", "percentile", "mse",
                           "--out DIR", "--json", "95 % interval"})
    CHECK_THAT(help, Catch::Contains(word));
  CHECK_THAT(run_program({"--help"}).out, Catch::Contains("  import "));
  CHECK_THAT(complaint({"imprt"}), Catch::Contains("did you mean `import`?"));
}
