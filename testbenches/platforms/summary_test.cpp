// SPDX-License-Identifier: Apache-2.0
// Figures of a run: accuracy, intervals, counts; and the keys of summary.json, which are an interface.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <set>

#include "platforms/report/summary.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
using nlohmann::json;

TEST_CASE("accuracy counts labels among the highest codes, the first of equal codes winning") {
  // Codes 5 9 9 1: class 1 is first (9, before class 2), class 2 second, class 0 third, class 3 fourth.
  const std::vector<std::vector<std::uint8_t>> output{{5, 9, 9, 1}};
  const auto rank = [&](std::int64_t label) {
    std::size_t k = 1;
    while (accuracy(output, dnn::CodeType::kUint8, {label}, k) == 0.0) ++k;
    return k;
  };
  CHECK(rank(1) == 1);
  CHECK(rank(2) == 2);
  CHECK(rank(0) == 3);
  CHECK(rank(3) == 4);
  // Of the labels 1, 1, 2, 3 two are right.
  CHECK(accuracy({4, output[0]}, dnn::CodeType::kUint8, {1, 1, 2, 3}, 1) == 0.5);
}

TEST_CASE("accuracy orders signed codes by their sign") {
  // 0xff is -1 as a signed code and less than 3.
  const std::vector<std::vector<std::uint8_t>> output{{0xff, 3}};
  CHECK(accuracy(output, dnn::CodeType::kInt8, {1}, 1) == 1.0);
  CHECK(accuracy(output, dnn::CodeType::kUint8, {1}, 1) == 0.0);
}

TEST_CASE("the steady interval is the mean over the second half of the completions") {
  // Of 10 30 40 52 us the intervals that end with inference 2 or later are 10 and 12 us: 11 us.
  CHECK(*steady_latency({10e-6, 30e-6, 40e-6, 52e-6}) == Approx(11e-6));
  CHECK(*steady_latency({10e-6, 30e-6}) == Approx(20e-6));
  CHECK(*steady_latency({10e-6, 30e-6, 36e-6}) == Approx(13e-6));
  CHECK_FALSE(steady_latency({10e-6}));
  CHECK_FALSE(steady_latency({}));
}

TEST_CASE("summary.json holds exactly the keys that other programs read") {
  const ProgramResult result = run_program({"run", "classify_shapes", "--inferences", "4", "--json"});
  REQUIRE(result.exit_code == 0);
  const json summary = json::parse(result.out);
  const std::set<std::string> expected{"scenario",
                                       "system",
                                       "network",
                                       "seed",
                                       "inferences",
                                       "accuracy_top1",
                                       "accuracy_top5",
                                       "latency_s",
                                       "steady_latency_s",
                                       "throughput_per_s",
                                       "energy_per_inference_j",
                                       "energy_breakdown_j",
                                       "area_mm2",
                                       "comparison_area_mm2",
                                       "power_w",
                                       "average_power_w",
                                       "chips",
                                       "macs",
                                       "digital_macs",
                                       "adc_conversions",
                                       "adc_unit_conversions",
                                       "adc_conversions_per_mac",
                                       "adc_conversions_per_mac_full_rows",
                                       "adc_saturations",
                                       "sums_in_range",
                                       "speculations",
                                       "speculation_failures",
                                       "recovery_conversions",
                                       "weight_slicings",
                                       "cell_write_steps",
                                       "crossbars_used",
                                       "crossbars_total",
                                       "output_mean_abs_error",
                                       "programming_time_s",
                                       "programming_energy_j",
                                       "wall_time_s",
                                       "compile_time_s",
                                       "host_peak_memory_bytes",
                                       "notes"};
  std::set<std::string> found;
  for (const auto& [key, value] : summary.items()) found.insert(key);
  CHECK(found == expected);
}

TEST_CASE("the summary states what the record holds") {
  // The invented run: 4 inferences end at 50, 70, 90, 110 us; 7 saturations; a quarter conversion a MAC; 1000 level
  // steps of programming at 48.95 / 3 pJ = 16.3167 nJ.
  const ProgramResult result = run_program({"run", "classify_shapes", "--inferences", "4", "--json"});
  const json summary = json::parse(result.out);
  CHECK(summary["scenario"] == "classify_shapes");
  CHECK(summary["system"] == "isaac_8b");
  CHECK(summary["network"] == "resnet20_shapes");
  CHECK(summary["inferences"] == 4);
  CHECK(summary["latency_s"].get<double>() == Approx(50e-6));
  CHECK(summary["steady_latency_s"].get<double>() == Approx(20e-6));
  CHECK(summary["throughput_per_s"].get<double>() == Approx(50e3));
  CHECK(summary["adc_saturations"] == 7);
  CHECK(summary["adc_conversions_per_mac"].get<double>() == Approx(0.25).epsilon(1e-6));
  CHECK(summary["macs"].get<std::uint64_t>() == 4u * 40813312u);
  CHECK(summary["cell_write_steps"] == 1000);
  CHECK(summary["programming_energy_j"].get<double>() == Approx(16.3167e-9).epsilon(1e-5));
  CHECK(summary["programming_time_s"].get<double>() == 1e-3);
  CHECK(summary["chips"] == 1);
  CHECK(summary["area_mm2"].get<double>() == Approx(85.42).epsilon(1e-3));
  CHECK(summary["comparison_area_mm2"] == summary["area_mm2"]);
  // Four slices in eight cycles on 128 rows: 32 / 128.
  CHECK(summary["adc_conversions_per_mac_full_rows"].get<double>() == Approx(0.25));
  CHECK(summary["sums_in_range"] == 1.0);
  CHECK(summary["speculations"] == 0);
  CHECK(summary["weight_slicings"] == json{{"2-2-2-2", 22}});
  CHECK(summary["power_w"].get<double>() == Approx(65.81).epsilon(1e-3));
  CHECK(summary["output_mean_abs_error"] == 0.0);
}

TEST_CASE("energy_breakdown_j sums to the energy per inference") {
  const json summary = json::parse(run_program({"run", "classify_shapes", "--inferences", "3", "--json"}).out);
  double sum = 0.0;
  for (const auto& [component, joules] : summary["energy_breakdown_j"].items()) sum += joules.get<double>();
  CHECK(sum == Approx(summary["energy_per_inference_j"].get<double>()).epsilon(1e-12));
  // Average power is the energy of the run over its duration: 3 inferences in 90 us.
  CHECK(summary["average_power_w"].get<double>() == Approx(3 * sum / 90e-6));
}

TEST_CASE("energy of an inference is that of the counts") {
  // Conversions and drives of one inference: c = 40 813 312 / 4 (rounded down layer by layer), unit conversions c /
  // 128. ADC: 1.5625 pJ x c x (1 + 1 / 128) = 16.067 uJ; DAC: 0.390625 pJ x c = 3.9857 uJ; memory: 1000 B x 64 pJ = 64
  // nJ.
  const json energy =
      json::parse(run_program({"run", "classify_shapes", "--inferences", "2", "--json"}).out)["energy_breakdown_j"];
  const double conversions = 40813312.0 / 4;
  CHECK(energy["adc"].get<double>() == Approx(1.5625e-12 * conversions).epsilon(1e-5));
  CHECK(energy["adc_unit_columns"].get<double>() == Approx(1.5625e-12 * conversions / 128).epsilon(1e-5));
  CHECK(energy["dac"].get<double>() == Approx(0.390625e-12 * conversions).epsilon(1e-5));
  CHECK(energy["main_memory"].get<double>() == Approx(64e-9));
}

TEST_CASE("without labels accuracy is null, with one inference there is no throughput") {
  const json summary = json::parse(run_program({"run", "--system", "isaac_8b", "--network", "resnet20_shapes", "--set",
                                                "inputs=synthetic", "--json"})
                                       .out);
  CHECK(summary["accuracy_top1"].is_null());
  CHECK(summary["accuracy_top5"].is_null());
  CHECK(summary["steady_latency_s"].is_null());
  CHECK(summary["throughput_per_s"].is_null());
  CHECK(summary["inferences"] == 1);
  CHECK_THAT(summary["notes"].dump(), Catch::Contains("random codes") && Catch::Contains("one inference"));
}

TEST_CASE("the output error is the mean difference in codes to the integer reference") {
  // One code of the twelve of one of two inferences is changed by 6: 6 / 24 = 0.25 codes.
  const Simulate off_by_six = [](const PlatformConfig& config, const dnn::Graph& graph,
                                 const std::vector<std::vector<std::vector<std::uint8_t>>>& inputs,
                                 const Progress& progress, observe::Recorder* recorder) {
    RunRecord record = invented_run(config, graph, inputs, progress, recorder);
    std::uint8_t& code = record.outputs[0][1][3];
    const bool high =
        graph.tensors[std::size_t(graph.outputs[0])].type == dnn::CodeType::kInt8 ? std::int8_t(code) > 0 : code > 127;
    code = std::uint8_t(high ? code - 6 : code + 6);
    return record;
  };
  const ProgramResult result = run_program({"run", "classify_shapes", "--inferences", "2", "--json"}, off_by_six);
  REQUIRE(result.exit_code == 0);
  CHECK(json::parse(result.out)["output_mean_abs_error"].get<double>() == Approx(0.25));
}

TEST_CASE("synthetic inputs are the same for the same seed and others for another") {
  const auto inputs_of = [](const char* seed) {
    return load_workload(scenario_with({"inputs=synthetic", std::string("seed=") + seed})).inputs;
  };
  CHECK(inputs_of("1") == inputs_of("1"));
  CHECK(inputs_of("1") != inputs_of("2"));
  // The upper eight bits of each number of a Mersenne twister, the same on every platform.
  CHECK(inputs_of("1")[0][0][0] == std::uint8_t(std::mt19937_64(1)() >> 56));
}
