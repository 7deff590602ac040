// SPDX-License-Identifier: Apache-2.0
// The program with its real platform and everything recorded: what is observed does not change what is computed.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "platforms/observe/path_pattern.h"
#include "platforms/platform_modules.h"
#include "testbenches/platforms/program.h"
#include "testbenches/strict_reports.h"

using namespace mho;
using namespace mho::testbenches;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

std::vector<std::string> run_of(const std::string& out, std::vector<std::string> more) {
  std::vector<std::string> arguments{"run", "classify_shapes", "--inferences", "1", "--json", "--out", out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// One simulation a process, so the second is a process of its own: this program again, in a case that is hidden.
json summary_in(const std::string& folder) {
  json summary = json::parse(text_of(folder + "/summary.json"));
  summary.erase("wall_time_s");
  summary.erase("compile_time_s");
  summary.erase("host_peak_memory_bytes");
  return summary;
}

/// `mho ARGUMENTS` in a process of its own.
int run_elsewhere(const std::vector<std::string>& arguments) {
  std::ostringstream line;
  line << "MHO_ARGUMENTS='";
  for (const std::string& argument : arguments) line << argument << '\n';
  line << "' '" << fs::read_symlink("/proc/self/exe").string() << "' 'run the program' > /dev/null";
  return std::system(line.str().c_str());
}

void check_unchanged(const std::vector<std::string>& mode) {
  const TemporaryFolder folder;
  std::vector<std::string> observed = mode;
  observed.insert(observed.end(),
                  {"--waves", "**.busy", "--waves", "**.conversions", "--waves", "**.irq", "--waves", "host.state",
                   "--waves", "power.watts", "--set", "observe.power_window=7 ns", "--log"});
  REQUIRE(run_elsewhere(run_of(folder.path("plain"), mode)) == 0);
  REQUIRE(run_elsewhere(run_of(folder.path("observed"), observed)) == 0);
  CHECK(summary_in(folder.path("observed")) == summary_in(folder.path("plain")));
  CHECK(text_of(folder.path("plain/statistics.csv")).size() > 1000);
  for (const char* const name : {"statistics.csv", "layers.csv"})
    CHECK(text_of(folder.path("observed/") + name) == text_of(folder.path("plain/") + name));
  for (const auto& output : fs::directory_iterator(folder.path("plain/outputs")))
    CHECK(text_of(folder.path("observed/outputs/") + output.path().filename().string()) ==
          text_of(output.path().string()));
  CHECK_FALSE(fs::exists(folder.path("plain/wave.vcd")));
  for (const char* const name : {"wave.vcd", "wave.gtkw", "wave_states_host.txt", "transactions.bin"})
    CHECK(fs::file_size(folder.path("observed/") + name) > 0);
  // The folder is that of an earlier run: the next one may replace it.
  CHECK(run_elsewhere(run_of(folder.path("observed"), {})) == 0);
  CHECK_FALSE(fs::exists(folder.path("observed/wave.vcd")));
}

}  // namespace

TEST_CASE("run the program", "[.]") {
  std::istringstream lines(std::getenv("MHO_ARGUMENTS"));
  std::vector<std::string> arguments;
  for (std::string line; std::getline(lines, line);) arguments.push_back(line);
  const ProgramResult result = run_program(arguments, Simulate{});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
}

TEST_CASE("a loosely timed run has the same results whether it is observed or not") { check_unchanged({}); }

TEST_CASE("an approximately timed run has the same results whether it is observed or not") {
  check_unchanged({"--set", "timing=approximately_timed"});
}

TEST_CASE("a pattern without a wave exits with 2 at its place in the file and leaves nothing behind") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write(
      "run.yaml",
      "system: isaac_8b\nnetwork: resnet20_shapes\ninferences: 1\nobserve:\n  waves: ['**.busy', '**.adc.buzy']\n");
  const ProgramResult result = run_program({"run", scenario, "--out", folder.path("out")}, Simulate{});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, Catch::StartsWith(scenario + ":5:22: `observe.waves`: no wave is named `**.adc.buzy` (among "
                                                      "others `pim0.core.tile_*.group_*.adc.busy`"));
  CHECK(std::distance(fs::directory_iterator(folder.path(".")), fs::directory_iterator()) == 1);
}

TEST_CASE("keys of observation are checked, written to the effective scenario and read again") {
  const Scenario scenario =
      scenario_with({"observe.log=true", "observe.waves=['**.irq', host.state]", "observe.power_window=250 ns"});
  const ObserveConfig& observe = scenario.platform.observe;
  CHECK(observe.log);
  REQUIRE(observe.waves.size() == 2);
  CHECK(observe.waves[1].text == "host.state");
  CHECK(observe.power_window_s == Approx(250e-9));
  const Scenario again = read_scenario(scenario.effective, project_files());
  CHECK(again.platform.observe.waves.size() == 2);
  CHECK(again.platform.observe.log);
  CHECK(again.platform.observe.power_window_s == observe.power_window_s);
  CHECK(scenario_with({}).platform.observe.waves.empty());
  CHECK_FALSE(scenario_with({}).platform.observe.log);
  CHECK(scenario_with({"observe.waves=none"}).platform.observe.waves.empty());
  CHECK_THAT(refusal_of({"observe.power_window=0 s"}), Catch::Contains("observe.power_window"));
  CHECK_THAT(refusal_of({"observe.waves=busy"}), Catch::Contains("observe.waves"));
  CHECK_THAT(refusal_of({"observe.wave=[busy]"}), Catch::Contains("did you mean `waves`"));
}

TEST_CASE("the list of statistics holds actions and the statistics of every kind of module") {
  const ProgramResult result = run_program({"list", "statistics"});
  CHECK(result.err.empty());
  CHECK_THAT(result.out, Catch::Contains("adc_saturations") && Catch::Contains("\npim0.core.tile_*.group_*.adc\n") &&
                             Catch::Contains("\nmemory\n") && Catch::Contains("\nhost\n"));
}

TEST_CASE("the list of waves holds the waves of every kind of module and the names of states") {
  const ProgramResult result = run_program({"list", "waves"});
  CHECK(result.err.empty());
  CHECK_THAT(result.out, Catch::StartsWith("(the platform)\n  irq") && Catch::Contains("crossbar_*.state") &&
                             Catch::Contains("load, program, infer, read, done") && Catch::Contains("power\n  watts"));
  CHECK_THAT(result.out, !Catch::Contains("\nmemory\n"));  // it has none
}

TEST_CASE("every statistic of a run is in the list") {
  const std::vector<ModuleKind> kinds = platform_module_kinds();
  const TemporaryFolder folder;
  REQUIRE(run_elsewhere(run_of(folder.path("out"), {})) == 0);
  std::istringstream table(text_of(folder.path("out/statistics.csv")));
  std::string line;
  std::getline(table, line);
  CHECK(line == "module,name,value,unit,description");
  std::size_t rows = 0;
  for (; std::getline(table, line); ++rows) {
    const std::size_t comma = line.find(',');
    const std::string module = kind_of(line.substr(std::string("platform.").size(), comma - 9));
    const std::string name = line.substr(comma + 1, line.find(',', comma + 1) - comma - 1);
    INFO(line);
    const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const auto& each) { return each.path == module; });
    REQUIRE(kind != kinds.end());
    CHECK(std::any_of(kind->statistics.begin(), kind->statistics.end(),
                      [&](const auto& entry) { return entry.name == name; }));
  }
  CHECK(rows > 500);
}

TEST_CASE("a run of which no row was selected to be approximately timed says so") {
  const TemporaryFolder folder;
  const std::string timing = "timing=approximately_timed", tile = "approximately_timed.tiles=";
  REQUIRE(run_elsewhere(run_of(folder.path("none"), {"--set", timing, "--set", tile + "[4095]"})) == 0);
  REQUIRE(run_elsewhere(run_of(folder.path("some"), {"--set", timing, "--set", tile + "[0]"})) == 0);
  CHECK_THAT(summary_in(folder.path("none"))["notes"].dump(), Catch::Contains("no row was approximately timed"));
  CHECK_THAT(summary_in(folder.path("some"))["notes"].dump(), !Catch::Contains("no row was approximately timed"));
}

TEST_CASE("host, memory and router count what the host moved") {
  const TemporaryFolder folder;
  REQUIRE(run_elsewhere(run_of(folder.path("out"), {})) == 0);
  const std::string table = text_of(folder.path("out/statistics.csv"));
  const json summary = summary_in(folder.path("out"));
  const auto value = [&](const std::string& of) {
    const std::size_t at = table.find("\nplatform." + of + ',');
    REQUIRE(at != std::string::npos);
    return std::stod(table.substr(at + of.size() + 11));
  };
  CHECK(value("host,interrupts") == 2);
  // One inference: programming and the run are all that it waited for.
  CHECK(value("host,waited") >= summary["latency_s"].get<double>() + summary["programming_time_s"].get<double>());
  CHECK(value("router,refused") == 0);
  // Host and DMA moved what memory counts and 64 bytes of registers: ID and ERROR twice (3 x 4), a window (8 + 8),
  // IRQ_ENABLE (4), and for each of two jobs DESCRIPTOR, DOORBELL and IRQ_STATUS (8 + 4 + 4).
  CHECK(value("pim0.core.dma,bytes") + value("host,bytes_written") + value("host,bytes_read") ==
        value("memory,bytes_read") + value("memory,bytes_written") + 64);
}
