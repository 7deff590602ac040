// SPDX-License-Identifier: Apache-2.0
// The program as its users meet it: commands, help, exit codes, one line for every mistake.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;

namespace {}  // namespace

TEST_CASE("every mistake gives exit code 2 and one line that says what is allowed") {
  const auto run = [](std::vector<std::string> more) {
    std::vector<std::string> arguments{"run", "classify_shapes", "--inferences", "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return complaint(arguments);
  };
  CHECK_THAT(complaint({}), Catch::StartsWith("mho: no command"));
  CHECK_THAT(complaint({"rnu"}), Catch::StartsWith("mho: unknown command `rnu`; did you mean `run`?"));
  CHECK_THAT(complaint({"run"}), Catch::Contains("which scenario?"));
  CHECK_THAT(complaint({"run", "a", "b"}), Catch::Contains("one argument too many: `b`"));
  CHECK_THAT(complaint({"run", "classify_shape"}),
             Catch::Contains("there is no scenario `classify_shape`; did you mean `classify_shapes`?"));
  CHECK_THAT(complaint({"run", "gone/run.yaml"}), Catch::Contains("there is no file `gone/run.yaml`"));
  CHECK_THAT(complaint({"run", scenarios_folder()}), Catch::Contains("a directory"));
  CHECK_THAT(complaint({"run", "--system", "isaac_8b"}), Catch::Contains("missing key `network`"));
  CHECK_THAT(complaint({"run", "--system", "isaac_8b", "--network", "gone.onnx"}),
             Catch::StartsWith("--network: there is no file `gone.onnx`"));
  CHECK_THAT(run({"--inferenes", "3"}), Catch::Contains("unknown option `--inferenes`; did you mean `--inferences`?"));
  CHECK_THAT(run({"--set"}), Catch::StartsWith("mho run: "));
  CHECK_THAT(run({"--set", "crossbar.rows"}),
             Catch::StartsWith("--set `crossbar.rows`: no `=`") || Catch::StartsWith("--set crossbar.rows: no `=`"));
  CHECK_THAT(run({"--set", "fidelity=timing"}),
             Catch::StartsWith("--set fidelity: `fidelity` is `timing`, which is not available yet"));
  CHECK_THAT(run({"--fidelity", "timing"}), Catch::StartsWith("--fidelity: `fidelity` is `timing`"));
  CHECK_THAT(run({"--set", "timing=timed"}), Catch::StartsWith("--set timing: `timing` is"));
  CHECK_THAT(run({"--set", "adc.rate=1.28"}), Catch::Contains("has no unit"));
  CHECK_THAT(run({"--inputs", "gone.pb"}), Catch::StartsWith("--inputs: inputs: there is no file `gone.pb`"));
  CHECK_THAT(run({"--labels", "gone.pb"}), Catch::StartsWith("--labels: labels: there is no file `gone.pb`"));
  CHECK_THAT(run({"--json", "--report"}), Catch::Contains("exclude each other"));
  CHECK_THAT(run({"--out", "/dev/null"}), Catch::StartsWith("--out /dev/null: exists and is no folder"));
  CHECK_THAT(run({"--out", std::string(300, 'x')}), Catch::Contains("cannot be made: "));
  const TemporaryFolder folder;
  std::filesystem::create_symlink("nowhere", folder.path("link"));
  CHECK_THAT(run({"--out", folder.path("link")}), Catch::Contains("exists and is no folder"));
  CHECK_THAT(run({"--out", ""}), Catch::StartsWith("mho run: "));
  CHECK_THAT(complaint({"run", "classify_shapes", "--inferences", "501"}),
             Catch::StartsWith("--inferences: inferences: 501 are asked for, the files hold 500 (1 to 500, or all)"));
  // 4 GiB / (32 x 32 x 3 bytes) = 1 398 101.3 pictures.
  CHECK_THAT(complaint({"run", "classify_shapes", "--set", "inputs=synthetic", "--inferences", "1398102"}),
             Catch::StartsWith("--inferences: inferences: main memory holds the inputs of 1398101"));
  CHECK_THAT(complaint({"run", "classify_shapes", "--inferences", "many"}), Catch::StartsWith("--inferences: "));
  CHECK_THAT(complaint({"list", "system"}), Catch::Contains("did you mean `systems`?"));
  CHECK_THAT(complaint({"check", "classify_shapes", "--json"}), Catch::Contains("unknown option `--json`"));
}

TEST_CASE("files that do not belong together are refused") {
  const std::string network = scenarios_folder() + "/networks/resnet20_shapes/";
  const auto run = [&](const std::string& inputs, const std::string& labels) {
    std::vector<std::string> arguments{"run",      "--system", "isaac_8b", "--network", "resnet20_shapes",
                                       "--inputs", inputs};
    if (!labels.empty()) arguments.insert(arguments.end(), {"--labels", labels});
    return complaint(arguments);
  };
  CHECK_THAT(run(network + "labels_500.pb", ""), Catch::Contains("labels_500.pb"));
  CHECK_THAT(run(network + "model.onnx", ""), Catch::Contains("model.onnx"));
  CHECK_THAT(run(network + "images_500.pb", network + "images_500.pb"), Catch::Contains("images_500.pb"));
  CHECK_THAT(complaint({"run", "classify_shapes", "--inputs", network + "images_500.pb", "--inputs",
                        network + "images_500.pb"}),
             Catch::StartsWith("--inputs: inputs: 2 files for 1 graph input"));
  CHECK_THAT(complaint({"run", "classify_shapes", "--set", "inputs={picture: " + network + "images_500.pb}"}),
             Catch::Contains("no file for graph input"));
}

TEST_CASE("a network that does not fit a fixed number of chips is refused with what is missing") {
  CHECK_THAT(complaint({"check", "classify_shapes", "--set", "chip.tiles=1", "--set", "chips=1"}),
             Catch::Contains("crossbar"));
}

TEST_CASE("text of a user cannot break the one line") {
  const std::string line = complaint({"run", "classify_shapes", "--set", "fidelity=\"a\\nb\""});
  CHECK_THAT(line, Catch::Contains("a\\nb"));
}

TEST_CASE("a fault of the platform is exit code 1 and one line") {
  const Simulate faulty = [](auto&&...) -> RunRecord { throw std::runtime_error("the accelerator reports\nerror 3"); };
  const ProgramResult result = run_program({"run", "classify_shapes", "--inferences", "1"}, faulty);
  CHECK(result.exit_code == 1);
  CHECK(result.err == "internal fault: the accelerator reports\\nerror 3\n");
}

TEST_CASE("a record that does not fit the network is a fault, not a crash") {
  const Simulate empty = [](auto&&...) { return RunRecord{}; };
  CHECK(run_program({"run", "classify_shapes", "--inferences", "1"}, empty).exit_code == 1);
}

TEST_CASE("with --json the summary is printed and nothing else") {
  const ProgramResult result = run_program({"run", "classify_shapes", "--inferences", "2", "--json"});
  CHECK(result.exit_code == 0);
  CHECK(nlohmann::json::parse(result.out).is_object());
  CHECK(result.err.empty());
}

TEST_CASE("options say the same as a scenario") {
  const ProgramResult file = run_program({"run", "classify_shapes", "--inferences", "2", "--json"});
  const ProgramResult options =
      run_program({"run", "--system", "isaac_8b", "--network", "resnet20_shapes", "--inferences", "2", "--json"});
  auto first = nlohmann::json::parse(file.out), second = nlohmann::json::parse(options.out);
  CHECK(second["scenario"] == "resnet20_shapes on isaac_8b");
  for (auto* summary : {&first, &second})
    for (const char* key : {"scenario", "host_peak_memory_bytes"}) summary->erase(key);
  CHECK(first == second);
}

TEST_CASE("check places without simulating") {
  const Simulate never = [](auto&&...) -> RunRecord { throw std::logic_error("simulated"); };
  const ProgramResult result = run_program({"check", "classify_shapes", "--report"}, never);
  CHECK(result.exit_code == 0);
  for (const char* text :
       {"1 chip", "339 of 16 128 hold weights", "peak 165.15 TOPS", "500 inferences, labelled", "exact"})
    CHECK_THAT(result.out, Catch::Contains(text));
}

TEST_CASE("check says which layers a narrow converter would not convert exactly") {
  const ProgramResult result = run_program({"check", "classify_shapes", "--set", "adc.bits=5"});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, Catch::Contains("sliced: "));
  CHECK_THAT(complaint({"check", "classify_shapes", "--set", "adc.bits=5", "--fidelity", "exact"}),
             Catch::Contains("adc.bits"));
}

TEST_CASE("lists name systems, networks, scenarios, keys and statistics") {
  const auto list = [](const std::string& topic) {
    const ProgramResult result = topic.empty() ? run_program({"list"}) : run_program({"list", topic});
    CHECK(result.exit_code == 0);
    return result.out;
  };
  CHECK_THAT(list("systems"), Catch::Contains("isaac_8b") && !Catch::Contains("claims"));
  CHECK_THAT(list("networks"), Catch::Contains("resnet20_shapes") && Catch::Contains("twelve shapes"));
  CHECK_THAT(list("scenarios"), Catch::Contains("classify_shapes"));
  CHECK_THAT(list("keys"), Catch::Contains("crossbar.cycle") && Catch::Contains("100 ns") &&
                               Catch::Contains("technology.components.<name>.power.value"));
  CHECK_THAT(list("statistics"), Catch::Contains("adc_saturations"));
  CHECK_THAT(list(""), Catch::Contains("isaac") && Catch::Contains("classify_shapes"));
}

TEST_CASE("a file that cannot be read does not break a list") {
  TemporaryFolder folder;
  folder.write("systems/broken.yaml", "a: [");
  std::ostringstream out, err;
  const Surroundings surroundings{{folder.path(".")}, &out, &err, false, {}, {}, {}};
  const char* arguments[] = {"mho", "list", "systems"};
  CHECK(run_main(3, arguments, surroundings) == 0);
  CHECK_THAT(out.str(), Catch::Contains("broken  cannot be read: "));
}

TEST_CASE("help teaches with examples") {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--help"}, {"help"}, {"run", "--help"}, {"help", "run"}, {"check", "-h"}, {"list", "--help"}}) {
    const ProgramResult result = run_program(arguments);
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.out, Catch::Contains("mho ") && Catch::Contains("  mho "));
    CHECK(result.err.empty());
  }
  CHECK_THAT(run_program({"run", "--help"}).out,
             Catch::Contains("mho run classify_shapes --inferences 20 --set adc.bits=6"));
}

TEST_CASE("the examples of the help are accepted") {
  CHECK(run_program({"run", "classify_shapes", "--inferences", "2", "--set", "adc.bits=6"}).exit_code == 0);
  CHECK(
      run_program({"check", "classify_shapes", "--set", "crossbar.rows=256", "--set", "adc.bits=lossless"}).exit_code ==
      0);
  CHECK(run_program({"check", "classify_shapes", "--set", "adc.rate=2.56 GS/s"}).exit_code == 0);
}

TEST_CASE("a comparison without a place for its runs is refused") {
  setenv("TMPDIR", "/gone", 1);
  CHECK_THAT(complaint({"compare", "isaac_8b", "--network", "resnet20_shapes"}),
             Catch::StartsWith("mho compare: no folder for runs can be made in TMPDIR"));
}
