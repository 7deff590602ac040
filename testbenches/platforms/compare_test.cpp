// SPDX-License-Identifier: Apache-2.0
// `mho compare`: its arithmetic on runs written by hand, and the command with runs that are invented.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "platforms/program/child_runs.h"
#include "platforms/report/comparison.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
using nlohmann::json;

namespace {

/// A finished run on disk: 10 inferences of 3 MMAC each, one layer on 30 crossbars busy half of the time and one on 10
/// that is always busy.
std::string write_run(const TemporaryFolder& folder, const std::string& name, json change = json::object()) {
  json summary = {{"scenario", "s"},
                  {"system", "m"},
                  {"network", "n"},
                  {"seed", 1},
                  {"inferences", 10},
                  {"accuracy_top1", 0.5},
                  {"accuracy_top5", nullptr},
                  {"latency_s", 1e-3},
                  {"steady_latency_s", 1e-4},
                  {"throughput_per_s", 1e4},
                  {"energy_per_inference_j", 2e-6},
                  {"area_mm2", 50.0},
                  {"power_w", 60.0},
                  {"chips", 1},
                  {"macs", 30'000'000},
                  {"adc_conversions_per_mac", 0.25},
                  {"crossbars_used", 40},
                  {"crossbars_total", 160},
                  {"output_mean_abs_error", 0.0}};
  summary.update(change);
  folder.write(name + "/layers.csv",
               "name,crossbars,other,utilisation\n\"a,\"\"b\",30,x,0.5\nb,10,x,1\npool,0,x,0.25\n");
  folder.write(name + "/summary.json", summary.dump());
  return folder.path(name);
}

ComparedRun run_of(const std::string& contender, const std::string& network, double throughput, double energy = 1.0,
                   double area = 1.0) {
  ComparedRun run;
  run.contender = contender;
  run.network = network;
  run.inferences = 4;
  const auto set = [&run](Measure measure, double value) { run.measures[std::size_t(measure)] = value; };
  set(Measure::kThroughput, throughput);
  set(Measure::kEnergy, energy);
  for (const Measure measure : {Measure::kArea, Measure::kComparisonArea}) set(measure, area);
  set(Measure::kThroughputPerArea, throughput / area);
  return run;
}

ComparedRun failed_run(const std::string& contender, const std::string& network, const std::string& reason) {
  ComparedRun run;
  run.contender = contender;
  run.network = network;
  run.failure = reason;
  return run;
}

/// The tables, columns one space apart.
std::string text_of_comparison(const Comparison& comparison, bool equal_area = false) {
  std::ostringstream out;
  write_comparison(out, comparison, equal_area);
  std::string text = out.str();
  text.erase(std::unique(text.begin(), text.end(), [](char a, char b) { return a == ' ' && b == ' '; }), text.end());
  return text;
}

/// `mho compare ARGUMENTS`, its runs invented in this process; what they were asked for is kept.
struct Compared {
  ProgramResult result;
  std::vector<std::vector<std::string>> commands;

  bool ran(const std::string& argument) const {
    return std::all_of(commands.begin(), commands.end(), [&](const auto& command) {
      return std::find(command.begin(), command.end(), argument) != command.end();
    });
  }
};

Compared compare(std::vector<std::string> arguments, const std::function<ChildResult(const std::string&)>& fate = {}) {
  Compared compared;
  std::ostringstream out, err;
  Surroundings surroundings;
  surroundings.folders = {scenarios_folder()};
  surroundings.out = &out;
  surroundings.err = &err;
  std::mutex one_at_a_time;
  surroundings.run_child = [&](const std::vector<std::string>& command) -> ChildResult {
    const std::lock_guard<std::mutex> guard(one_at_a_time);
    compared.commands.push_back(command);
    std::string line;
    for (const std::string& word : command) line += word + ' ';
    if (fate)
      if (const ChildResult result = fate(line); result.exit_code != 0) return result;
    const ProgramResult result = run_program(command);
    return {result.exit_code, result.err};
  };
  arguments.insert(arguments.begin(), {"mho", "compare"});
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  const int exit_code = run_main(int(argv.size()), argv.data(), surroundings);
  compared.result = {exit_code, out.str(), err.str()};
  return compared;
}

std::string compare_complaint(const std::vector<std::string>& arguments) {
  const Compared compared = compare(arguments);
  CHECK(compared.result.exit_code == 2);
  CHECK(compared.result.out.empty());
  CHECK(compared.commands.empty());
  CHECK(std::count(compared.result.err.begin(), compared.result.err.end(), '\n') == 1);
  return compared.result.err;
}

}  // namespace

TEST_CASE("efficiencies and shares of a run follow from its summary and its layers") {
  const TemporaryFolder folder;
  const ComparedRun run = read_run(write_run(folder, "a"));
  CHECK(run.system == "m");
  CHECK(run.network == "n");
  // 2 x 3 MMAC = 6 M operations an inference; / 2 uJ = 3e12 a joule; x 1e4 / s = 6e10 a second, / 50 mm2 = 1.2e9.
  CHECK(run[Measure::kTopsPerW].value() == Approx(3.0));
  CHECK(run[Measure::kInferencesPerJ].value() == Approx(5e5));
  CHECK(run[Measure::kThroughputPerArea].value() == Approx(200.0));
  CHECK(run[Measure::kOpsPerArea].value() == Approx(1.2));
  CHECK(run[Measure::kCrossbarsUsedShare].value() == Approx(0.25));
  CHECK(run[Measure::kCrossbarsBusyShare].value() == Approx((30 * 0.5 + 10 * 1.0) / 40));
  CHECK(run[Measure::kInterval].value() == 1e-4);
  CHECK(run[Measure::kDeviation].value() == 0.0);
  CHECK(!run[Measure::kAccuracyTop5]);
  folder.write("a/layers.csv", "");
  CHECK(!read_run(folder.path("a"))[Measure::kCrossbarsBusyShare]);
  const ComparedRun single = read_run(
      write_run(folder, "b", {{"inferences", 1}, {"throughput_per_s", nullptr}, {"steady_latency_s", nullptr}}));
  CHECK(!single[Measure::kOpsPerArea]);
  CHECK(!single[Measure::kThroughputPerArea]);
}

TEST_CASE("what is no summary of a run is refused") {
  const TemporaryFolder folder;
  const auto refusal = [&](const json& change) {
    try {
      read_run(write_run(folder, "a", change));
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(refusal({{"latency_s", "long"}}), Catch::Contains("a/summary.json: is no summary of a run: `latency_s`"));
  CHECK_THAT(refusal({{"macs", -1}}), Catch::Contains("`macs` is no count"));
  CHECK_THAT(refusal({{"system", 1}}), Catch::Contains("`system` is no text"));
  folder.write("a/summary.json", "{\"system\": ");
  CHECK_THROWS_WITH(read_run(folder.path("a")), Catch::Contains("it is no JSON object"));
  folder.write("a/summary.json",
               "{\"system\": \"m\", \"network\": \"n\", \"inferences\": 1, \"seed\": 1, \"macs\": 1}");
  CHECK_THROWS_WITH(read_run(folder.path("a")), Catch::Contains("there is no `accuracy_top1`"));
  CHECK_THROWS_WITH(read_run(folder.path("")), Catch::Contains("is a folder without summary.json"));
}

TEST_CASE("ratios are to the first machine, and their geometric mean is that by hand") {
  const Comparison comparison{{"a", "b"},
                              {"n1", "n2", "n3"},
                              {run_of("a", "n1", 10, 4), run_of("a", "n2", 10, 4), run_of("a", "n3", 10, 4),
                               run_of("b", "n1", 10, 2), run_of("b", "n2", 20, 4), run_of("b", "n3", 40, 16)}};
  CHECK(ratio(comparison, Ratio::kSpeedUp, "b", "n3").value() == 4.0);
  CHECK(ratio(comparison, Ratio::kEnergy, "b", "n1").value() == 0.5);
  // (1 x 2 x 4)^(1/3) = 2; (0.5 x 1 x 4)^(1/3) = 2^(1/3)
  CHECK(geometric_mean(comparison, Ratio::kSpeedUp, "b").value.value() == Approx(2.0));
  CHECK(geometric_mean(comparison, Ratio::kEnergy, "b").value.value() == Approx(1.2599210498948732));
  CHECK(geometric_mean(comparison, Ratio::kSpeedUp, "b").networks == 3);
  for (std::size_t i = 0; i < kRatios; ++i)
    for (const std::string& network : comparison.networks)
      if (const auto self = ratio(comparison, Ratio(i), "a", network)) CHECK(*self == 1.0);
  CHECK(geometric_mean(comparison, Ratio::kSpeedUp, "a").value.value() == Approx(1.0));
  CHECK(!ratio(comparison, Ratio::kConversions, "b", "n1"));
  const Comparison nothing{{"a", "b"}, {"n"}, {run_of("a", "n", 10), run_of("b", "n", 0)}};
  CHECK(!ratio(nothing, Ratio::kSpeedUp, "b", "n"));
  CHECK(!geometric_mean(comparison, Ratio::kConversions, "b").value);
  CHECK_THAT(text_of_comparison(comparison),
             Catch::Contains("Geometric means over 3 networks\n\n a b\n speed-up 1.00 2.00\n"));
}

TEST_CASE("at equal area a machine twice as large and twice as fast is as fast") {
  Comparison comparison{{"a", "b"}, {"n"}, {run_of("a", "n", 10, 1, 3), run_of("b", "n", 20, 1, 6)}};
  CHECK(ratio(comparison, Ratio::kSpeedUp, "b", "n").value() == 2.0);
  CHECK(ratio(comparison, Ratio::kSpeedUpEqualArea, "b", "n").value() == Approx(1.0));
  comparison.runs[1] = run_of("b", "n", 20, 1, 1.5);  // half of the area, so two of it fit
  CHECK(ratio(comparison, Ratio::kSpeedUpEqualArea, "b", "n").value() == Approx(4.0));
  CHECK(ratio(comparison, Ratio::kArea, "b", "n").value() == Approx(0.5));
  CHECK_THAT(text_of_comparison(comparison, true), Catch::Contains("speed-up at equal area 1.00 4.00"));
  CHECK_THAT(text_of_comparison(comparison), !Catch::Contains("equal area"));
}

TEST_CASE("a run that failed is a gap with a reason, and means say over what they are") {
  const Comparison comparison{{"a", "b"},
                              {"n1", "n2"},
                              {run_of("a", "n1", 10), run_of("a", "n2", 10), run_of("b", "n1", 30),
                               failed_run("b", "n2", "x: is wrong, \"so\"")}};
  CHECK(!ratio(comparison, Ratio::kSpeedUp, "b", "n2"));
  CHECK(geometric_mean(comparison, Ratio::kSpeedUp, "b").value.value() == Approx(3.0));
  CHECK(geometric_mean(comparison, Ratio::kSpeedUp, "b").networks == 1);
  const std::string text = text_of_comparison(comparison);
  CHECK_THAT(text, Catch::Contains("speed-up 1.00 failed"));
  CHECK_THAT(text, Catch::Contains("3.00 *"));
  CHECK_THAT(text, Catch::Contains("Failed\n - b on n2: x: is wrong, \"so\"\n"));
  REQUIRE(notes(comparison).size() == 1);
  CHECK_THAT(notes(comparison)[0], Catch::StartsWith("the mean speed-up of b is over 1 of 2 networks"));
  const std::string csv = to_csv(comparison);
  CHECK_THAT(csv, Catch::Contains(",\"x: is wrong, \"\"so\"\"\"\n"));
  std::istringstream lines(csv);
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  REQUIRE((all.size() == 1 + 4 + 2 && all[6].rfind("b,(geometric mean),", 0) == 0));  // head, runs, means
  for (const std::size_t i : {1u, 5u, 6u})
    CHECK(std::count(all[i].begin(), all[i].end(), ',') == std::count(all[0].begin(), all[0].end(), ','));
  const json parsed = json::parse(to_json(comparison));
  CHECK(parsed["runs"][3]["failure"] == "x: is wrong, \"so\"");
  CHECK(parsed["runs"][3]["throughput_per_s"].is_null());
  CHECK(parsed["ratios"]["n1"]["b"]["speed_up"] == 3.0);
  CHECK(parsed["ratios"]["n2"]["b"]["speed_up"].is_null());
  CHECK(parsed["geometric_means"]["b"]["speed_up"]["networks"] == 1);
}

TEST_CASE("runs that are not alike are noted") {
  Comparison comparison{{"a", "b"}, {"n"}, {run_of("a", "n", 10), run_of("b", "n", 20)}};
  CHECK(notes(comparison).empty());
  const auto only_note = [&] { return notes(comparison).size() == 1 ? notes(comparison).front() : "not one note"; };
  comparison.runs[1].macs = 8;
  CHECK_THAT(only_note(), Catch::Contains("differ in multiply-accumulates"));
  comparison.runs[1].inferences = 8;
  comparison.runs[0].macs = 4;  // one each
  CHECK_THAT(only_note(), Catch::Contains("differ in their number of inferences"));
  comparison.runs[1] = run_of("b", "n", 20);
  comparison.runs[0].macs = 0;
  comparison.runs[1].seed = 2;
  CHECK_THAT(only_note(), Catch::Contains("differ in their seed"));
  comparison.runs[1].seed = 0;
  comparison.runs[1].measures[std::size_t(Measure::kThroughput)].reset();
  CHECK_THAT(only_note(), Catch::Contains("have no throughput"));
}

TEST_CASE("every system runs on every network, in folders that are kept on request") {
  const TemporaryFolder folder;
  const Compared compared = compare({"isaac_8b", "isaac", "--network", "resnet20_shapes", "--network", "resnet20",
                                     "--inferences=2", "--set", "adc.bits=9", "--out", folder.path("out"), "--json"});
  REQUIRE(compared.result.exit_code == 0);
  CHECK(compared.commands.size() == 4);
  CHECK(compared.ran("--set=adc.bits=9"));
  CHECK(compared.ran("--inferences=2"));
  const json parsed = json::parse(compared.result.out);
  CHECK(json::parse(text_of(folder.path("out/comparison.json"))) == parsed);
  CHECK(parsed["baseline"] == "isaac_8b");
  CHECK(parsed["networks"] == json({"resnet20_shapes", "resnet20"}));
  const json run = parsed["runs"][3];
  CHECK(run["contender"] == "isaac");
  CHECK(run["folder"] == "runs/isaac/resnet20");
  CHECK(run["summary"] == json::parse(text_of(folder.path("out/runs/isaac/resnet20/summary.json"))));
  CHECK(run["energy_per_inference_j"] == run["summary"]["energy_per_inference_j"]);
  CHECK(parsed["ratios"]["resnet20"]["isaac_8b"]["energy_ratio"] == 1.0);
  CHECK_THAT(text_of(folder.path("out/comparison.csv")),
             Catch::StartsWith("contender,network,inferences,accuracy_top1"));
  CHECK_THAT(compare_complaint({"isaac", "--network", "resnet20", "--out", folder.path("out/runs/isaac/resnet20")}),
             Catch::Contains("is a folder with files in it"));
}

TEST_CASE("finished runs are not run again and go by their machine, or by their folder where that is not enough") {
  const TemporaryFolder folder;
  const std::string a = write_run(folder, "a"), b = write_run(folder, "b", {{"system", "m2"}, {"latency_s", 2e-3}});
  const Compared compared = compare({b, a + "/", "--json"});
  CHECK(compared.commands.empty());
  json parsed = json::parse(compared.result.out);
  CHECK(parsed["contenders"] == json({"m2", "m"}));
  CHECK(parsed["ratios"]["n"]["m"]["latency_ratio"] == 0.5);
  CHECK(parsed["runs"][1]["folder"] == a);
  const std::string same = write_run(folder, "c");
  CHECK(json::parse(compare({a, same, "--json"}).result.out)["contenders"] == json({a, same}));
  parsed = json::parse(compare({a, "classify_shapes", "--inferences", "1", "--json"}).result.out);
  CHECK(parsed["contenders"] == json({"m", "classify_shapes"}));
  CHECK(parsed["networks"] == json({"n", "resnet20_shapes"}));
}

TEST_CASE("inferences are those of the scenario, all of the files, or four synthetic ones") {
  const auto asked = [](const std::string& network, const std::vector<std::string>& more, const std::string& argument) {
    std::vector<std::string> arguments{"isaac_8b", "--network", network};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Compared compared = compare(arguments, [](const std::string&) { return ChildResult{2, "not now"}; });
    CHECK(compared.commands.size() == 1);
    return compared.ran(argument);
  };
  CHECK(!asked("resnet20_shapes", {}, "--inferences=4"));
  CHECK(asked("resnet20", {}, "--inferences=4"));
  CHECK(asked("resnet20_shapes", {"--set", "inputs=synthetic"}, "--inferences=4"));
  CHECK(!asked("resnet20", {"--set", "inferences=2"}, "--inferences=4"));
  CHECK(asked("resnet20", {"--set", "inferences=2"}, "--set=inferences=2"));
  CHECK(asked("resnet20", {"--inferences", "3", "--seed", "5"}, "--inferences=3"));
  CHECK(asked("resnet20", {"--inferences", "3", "--seed", "5"}, "--seed=5"));
}

TEST_CASE("files are systems or scenarios by what they say, and names that coincide are told apart") {
  const TemporaryFolder folder;
  const std::string system = folder.write("isaac_8b.yaml", "base: isaac_8b\nadc: {bits: 7}\n");
  const std::string scenario = folder.write("own.yaml", "base: classify_shapes\ninferences: 1\n");
  const Compared compared =
      compare({"isaac_8b", system, scenario, "--network", "resnet20_shapes", "--inferences", "1", "--json"});
  REQUIRE(compared.result.exit_code == 0);
  const json parsed = json::parse(compared.result.out);
  CHECK(parsed["contenders"] == json({"isaac_8b", "isaac_8b (2)", "own"}));
  CHECK(parsed["networks"] == json({"resnet20_shapes"}));
  CHECK(parsed["runs"][1]["energy_per_inference_j"] != parsed["runs"][0]["energy_per_inference_j"]);
  std::vector<std::string> starts;
  for (const auto& command : compared.commands) starts.push_back(command[1]);
  std::sort(starts.begin(), starts.end());
  CHECK(starts == std::vector<std::string>{"--system=" + system, "--system=isaac_8b", scenario});
}

TEST_CASE("a run that fails lets the others go on and gives the exit code of the worst") {
  const std::vector<std::string> arguments{"isaac_8b", "isaac", "--network", "resnet20_shapes", "--inferences", "1"};
  const auto refused = [](const std::string& line) {
    return line.find("--system=isaac ") == std::string::npos ? ChildResult{}
                                                             : ChildResult{2, "a warning\nx.yaml: no good (good)\n\n"};
  };
  Compared compared = compare(arguments, refused);
  CHECK(compared.result.exit_code == 2);
  CHECK(compared.commands.size() == 2);
  CHECK_THAT(compared.result.out, Catch::Contains("  - isaac on resnet20_shapes: x.yaml: no good (good)\n"));
  CHECK(compared.result.err == "mho compare: 1 of 2 runs failed (each reason stands beside the results)\n");
  compared = compare(arguments, [](const std::string&) { return ChildResult{139, ""}; });
  CHECK(compared.result.exit_code == 1);
  CHECK_THAT(compared.result.out, Catch::Contains("isaac on resnet20_shapes: exit code 139"));
  CHECK_THAT(compared.result.out, Catch::Contains("resnet20_shapes: no run has succeeded"));
  compared = compare({"isaac_8b", "--network", "resnet20_shapes", "--network", "resnet18", "--inferences", "501"});
  CHECK_THAT(compared.result.out, Catch::Contains("resnet20_shapes: --inferences: inferences: 501 are asked for"));
  const Compared throws =
      compare(arguments, [](const std::string&) -> ChildResult { throw std::runtime_error("gone"); });
  CHECK(throws.result.exit_code == 1);
  CHECK_THAT(throws.result.out, Catch::Contains("isaac on resnet20_shapes: gone"));
}

TEST_CASE("a key that one machine refuses is a failure of its runs alone") {
  const TemporaryFolder folder;
  const std::string scenario =
      folder.write("narrow.yaml", "system: isaac_8b\nnetwork: resnet20_shapes\ninferences: 1\nadc: {bits: 99}\n");
  const Compared compared = compare({"classify_shapes", scenario, "--inferences", "1"});
  CHECK(compared.result.exit_code == 2);
  CHECK(compared.commands.size() == 1);
  CHECK_THAT(compared.result.out, Catch::Contains("narrow on resnet20_shapes: " + scenario + ":4:"));
}

TEST_CASE("what cannot be compared is refused in one line before anything runs") {
  CHECK_THAT(compare_complaint({}), Catch::StartsWith("mho compare: what?"));
  CHECK_THAT(compare_complaint({"isac", "--network", "resnet18"}),
             Catch::StartsWith("mho compare: there is no system, scenario or folder `isac`; did you mean `isaac`?"));
  CHECK_THAT(compare_complaint({"./gone.yaml"}), Catch::Contains("scenario or folder `./gone.yaml`"));
  CHECK_THAT(compare_complaint({"isaac_8b"}), Catch::StartsWith("mho compare: on which network? `isaac_8b`"));
  CHECK_THAT(compare_complaint({"isaac_8b", "--network", "resnt18"}),
             Catch::StartsWith("--network: there is no network `resnt18`; did you mean `resnet18`?"));
  CHECK_THAT(compare_complaint({"isaac_8b", "isaac", "--network", "resnet18", "--set", "adc.bit=3"}),
             Catch::StartsWith("--set adc.bit: unknown key `adc.bit`"));
  CHECK_THAT(compare_complaint({"isaac_8b", "--network", "resnet18", "--jobs", "0"}), Catch::Contains("`--jobs`"));
  CHECK_THAT(compare_complaint({"isaac_8b", "--jobs", "many"}), Catch::StartsWith("mho compare: "));
  CHECK_THAT(compare_complaint({"isaac_8b", "--system", "isaac"}), Catch::Contains("unknown option"));
  CHECK_THAT(compare_complaint({scenarios_folder()}), Catch::Contains("is a folder without summary.json"));
}

TEST_CASE("commands run in parallel, each once, and no more of them than allowed") {
  const std::vector<std::vector<std::string>> commands(20, std::vector<std::string>{"x"});
  std::vector<int> done(commands.size(), 0);
  std::atomic<int> now{0}, most{0};
  const auto run = [&](const std::vector<std::string>&) {
    const int running = ++now;
    for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    --now;
    return ChildResult{};
  };
  run_children(
      commands, 3, run, [&](std::size_t i, const ChildResult&) { ++done[i]; }, [] {});
  CHECK(most <= 3);
  CHECK(done == std::vector<int>(commands.size(), 1));
  run_children(
      {}, 3, run, [&](std::size_t, const ChildResult&) { FAIL(); }, [] {});
  CHECK(processors() >= 1);
}
