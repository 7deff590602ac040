// SPDX-License-Identifier: Apache-2.0
// `mho log`, and what `mho run --log` leaves behind when it succeeds and when it fails.
#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>

#include "models/observe/transaction_log.h"
#include "platforms/report/log_summary.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
using nlohmann::json;

namespace {

void record_some(observe::Recorder& recorder) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    observe::Occupation occupation;
    occupation.module = "platform.pim0.core.tile_0.adc";
    occupation.kind = observe::Kind::kConversion;
    occupation.id = recorder.new_id();
    occupation.work = 128;
    occupation.begin = sc_core::sc_time::from_value(i * 100'000);
    occupation.end = occupation.begin + sc_core::sc_time::from_value(100'000);
    occupation.service = occupation.end - occupation.begin;
    recorder.record(occupation);
  }
}

/// Ten conversions a run.
RunRecord recorded_run(const PlatformConfig& config, const dnn::Graph& graph,
                       const std::vector<std::vector<std::vector<std::uint8_t>>>& inputs, const Progress& progress,
                       observe::Recorder* recorder) {
  if (recorder != nullptr) record_some(*recorder);
  return invented_run(config, graph, inputs, progress);
}

ProgramResult run_into(const std::string& out, std::vector<std::string> more, const Simulate& simulate = recorded_run) {
  more.insert(more.begin(), {"run", "classify_shapes", "--inferences", "1", "--out", out});
  return run_program(more, simulate);
}

/// Names in a folder.
std::vector<std::string> entries(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// While it lives, a file of more bytes is one that the disk has no room for.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallFiles() { setrlimit(RLIMIT_FSIZE, &before_); }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;

 private:
  rlimit before_{};
};

struct Recorded {
  Recorded() {
    observe::TransactionLog log(path());
    record_some(log);
    log.close();
  }
  std::string path() const { return folder.path("transactions.bin"); }
  TemporaryFolder folder;
};

}  // namespace

TEST_CASE("a run with --log leaves a complete log, one without leaves none") {
  const TemporaryFolder folder;
  REQUIRE(run_into(folder.path("out"), {"--log"}).exit_code == 0);
  const LogSummary summary = summarise_log(folder.path("out/transactions.bin"));
  CHECK(summary.complete);
  CHECK(summary.records == 10);
  REQUIRE(run_into(folder.path("out"), {"--set", "observe.log=true"}).exit_code == 0);  // replaces the first
  CHECK(summarise_log(folder.path("out/transactions.bin")).records == 10);
  REQUIRE(run_into(folder.path("out"), {}).exit_code == 0);
  CHECK(!std::filesystem::exists(folder.path("out/transactions.bin")));
  CHECK(entries(folder.path("")) == std::vector<std::string>{"out"});
}

TEST_CASE("records need a folder") {
  CHECK_THAT(
      complaint({"run", "classify_shapes", "--log"}, recorded_run),
      Catch::StartsWith("mho run: `observe.log` is true and there is no folder for transactions.bin (`--out DIR`"));
  CHECK_THAT(
      complaint({"run", "classify_shapes", "--waves", "*"}, recorded_run),
      Catch::StartsWith("mho run: `observe.waves` names waves and there is no folder for wave.vcd (`--out DIR`"));
}

TEST_CASE("patterns of --waves are added to those of the scenario, and the waveform gets a place in the folder") {
  const TemporaryFolder folder;
  ObserveConfig seen;
  const Simulate simulate = [&](const PlatformConfig& config, auto&&... rest) {
    seen = config.observe;
    return recorded_run(config, rest...);
  };
  REQUIRE(run_into(folder.path("out"), {"--set", "observe.waves=[a.*]", "--waves", "b.*", "--waves", "c"}, simulate)
              .exit_code == 0);
  std::vector<std::string> patterns;
  for (const WavePattern& wave : seen.waves) patterns.push_back(wave.text);
  CHECK(patterns == std::vector<std::string>{"a.*", "b.*", "c"});
  CHECK(seen.wave_path.rfind(folder.path("out.partial-"), 0) == 0);
  CHECK_THAT(seen.wave_path, Catch::EndsWith("/wave.vcd"));
  REQUIRE(run_into(folder.path("out"), {"--set", "observe.waves=none", "--waves", "b"}, simulate).exit_code == 0);
  CHECK(seen.waves.size() == 1);
  REQUIRE(run_into(folder.path("out"), {"--log"}, simulate).exit_code == 0);
  CHECK(seen.waves.empty());
  CHECK(seen.wave_path.empty());
  CHECK_THAT(complaint({"run", "classify_shapes", "--set", "observe=3", "--waves", "b", "--out", folder.path("no")},
                       recorded_run),
             Catch::StartsWith("--set observe: `observe` is "));
}

TEST_CASE("a run that fails keeps what was recorded beside the folder and says where") {
  const TemporaryFolder folder;
  const Simulate fails = [](auto&&, auto&&, auto&&, auto&&, observe::Recorder* recorder) -> RunRecord {
    if (recorder != nullptr) record_some(*recorder);
    throw std::runtime_error("error 3");
  };
  REQUIRE(run_into(folder.path("out"), {}).exit_code == 0);
  const ProgramResult result = run_into(folder.path("out"), {"--log"}, fails);
  CHECK(result.exit_code == 1);
  CHECK(result.err ==
        "internal fault: error 3; what was recorded until then is in " + folder.path("out.failed") + "\n");
  CHECK(summarise_log(folder.path("out.failed/transactions.bin")).complete);
  CHECK(summarise_log(folder.path("out.failed/transactions.bin")).records == 10);
  CHECK(std::filesystem::exists(folder.path("out/summary.json")));
  CHECK(run_into(folder.path("other"), {}, fails).err == "internal fault: error 3\n");
  CHECK(entries(folder.path("")) == std::vector<std::string>{"out", "out.failed"});
}

TEST_CASE("a run that fails before anything happened, or for its input, keeps nothing") {
  const TemporaryFolder folder;
  const Simulate fails = [](auto&&...) -> RunRecord { throw std::runtime_error("error 3"); };
  CHECK(run_into(folder.path("out"), {"--log"}, fails).err == "internal fault: error 3\n");
  const Simulate refuses = [](auto&&, auto&&, auto&&, auto&&, observe::Recorder* recorder) -> RunRecord {
    if (recorder != nullptr) record_some(*recorder);
    throw InputError("observe.waves", 0, 0, "no module is called that");
  };
  CHECK(run_into(folder.path("out"), {"--log"}, refuses).exit_code == 2);
  CHECK(entries(folder.path("")).empty());
}

TEST_CASE("a disk that is full ends a run in one line about the disk") {
  const TemporaryFolder folder;
  const SmallFiles limit(100'000);
  const Simulate fills = [](auto&&, auto&&, auto&&, auto&&, observe::Recorder* recorder) -> RunRecord {
    try {
      for (;;) record_some(*recorder);
    } catch (const std::exception&) {
      throw std::runtime_error("uncaught exception in process `scheduler`");  // as the simulator says it
    }
  };
  const ProgramResult result = run_into(folder.path("out"), {"--log"}, fills);
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, Catch::Contains("/transactions.bin: cannot be written: File too large (a file on a disk"));
  CHECK(entries(folder.path("")).empty());
}

TEST_CASE("a disk that is full when the log is closed leaves no folder that looks complete") {
  const TemporaryFolder folder;
  const SmallFiles limit(500);  // the header, but not two hundred records
  const Simulate fills = [](const PlatformConfig& config, auto&&... rest) {
    for (int i = 0; i < 20; ++i) record_some(*std::get<3>(std::tie(rest...)));
    return invented_run(config, rest...);
  };
  const ProgramResult result = run_into(folder.path("out"), {"--log"}, fills);
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, Catch::Contains("/transactions.bin: cannot be written: File too large"));
  CHECK(entries(folder.path("")).empty());
}

TEST_CASE("log prints a summary") {
  const Recorded log;
  const ProgramResult text = run_program({"log", log.path()});
  CHECK(text.exit_code == 0);
  CHECK_THAT(text.out, Catch::StartsWith("10 records from 0 s to 1.00000 us\n") &&
                           Catch::Contains("platform.pim0.core.tile_0.adc") && Catch::Contains("1 280"));
  const ProgramResult written = run_program({"log", log.path(), "--json"});
  CHECK(written.exit_code == 0);
  CHECK(json::parse(written.out)["modules"][0]["busy_s"].get<double>() == Approx(1e-6));
}

TEST_CASE("log writes files for other programs") {
  const Recorded log;
  const std::string perfetto = log.folder.path("seen.json"), csv = log.folder.path("seen.csv");
  const ProgramResult result = run_program({"log", log.path(), "--perfetto", perfetto, "--csv", csv});
  CHECK(result.exit_code == 0);
  CHECK(result.out == "Wrote " + perfetto + ".\nWrote " + csv + ".\n");
  CHECK(json::parse(text_of(perfetto))["traceEvents"].size() == 14);  // four lines of names
  CHECK_THAT(text_of(csv), Catch::StartsWith("module,lane,kind,"));
  CHECK(json::parse(run_program({"log", log.path(), "--csv", csv, "--json"}).out)["records"] == 10);
}

TEST_CASE("log refuses in one line and leaves nothing half-written") {
  const Recorded log;
  const std::string csv = log.folder.path("seen.csv"), gone = log.folder.path("gone/seen.json");
  CHECK_THAT(complaint({"log"}), Catch::StartsWith("mho log: which log?"));
  CHECK_THAT(complaint({"log", log.path(), "--csv", ""}), Catch::StartsWith("mho log: "));
  CHECK_THAT(complaint({"log", log.path(), "--cvs", csv}), Catch::Contains("did you mean `--csv`?"));
  CHECK_THAT(complaint({"log", log.path(), "b"}), Catch::Contains("one argument too many: `b`"));
  CHECK_THAT(complaint({"log", log.folder.path("gone.bin"), "--csv", csv}),
             Catch::Contains("gone.bin: cannot be read"));
  CHECK_THAT(complaint({"log", log.path(), "--csv", csv, "--perfetto", gone}),
             Catch::StartsWith("--perfetto " + gone + ": cannot be written"));
  std::string bytes = text_of(log.path());
  const std::string other_name = log.folder.path("./transactions.bin");
  CHECK_THAT(complaint({"log", log.path(), "--csv", other_name}), Catch::StartsWith("--csv " + other_name + ": is `"));
  CHECK_THAT(complaint({"log", log.path(), "--perfetto", log.path()}), Catch::StartsWith("--perfetto "));
  CHECK_THAT(complaint({"log", log.path(), "--csv", csv, "--perfetto", csv}), Catch::Contains("a file of its own"));
  CHECK(text_of(log.path()) == bytes);
  bytes[bytes.size() - 1] ^= 1;
  log.folder.write("damaged.bin", bytes);
  CHECK_THAT(complaint({"log", log.folder.path("damaged.bin"), "--csv", csv}),
             Catch::Contains("damaged.bin: damaged before byte "));
  CHECK(entries(log.folder.path("")) == std::vector<std::string>{"damaged.bin", "transactions.bin"});
}

TEST_CASE("a disk that is full leaves no table and no picture") {
  const Recorded log;
  const SmallFiles limit(500);  // ten lines of a table are more
  const std::string csv = log.folder.path("seen.csv");
  CHECK_THAT(complaint({"log", log.path(), "--csv", csv}),
             Catch::StartsWith("--csv " + csv + ": cannot be written: File too large (a file in a folder"));
  CHECK(entries(log.folder.path("")) == std::vector<std::string>{"transactions.bin"});
}

TEST_CASE("help of log and run tell about logs") {
  CHECK_THAT(run_program({"log", "--help"}).out, Catch::Contains("mho log seen/transactions.bin --perfetto seen.json"));
  CHECK_THAT(run_program({"help", "log"}).out, Catch::Contains("  mho log "));
  CHECK_THAT(run_program({"--help"}).out, Catch::Contains("  log "));
  CHECK_THAT(run_program({"run", "--help"}).out,
             Catch::Contains("--log ") && Catch::Contains("--waves PATTERN") && Catch::Contains("DIR.failed"));
  CHECK_THAT(complaint({"lgo"}), Catch::Contains("did you mean `log`?"));
}
