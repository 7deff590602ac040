// SPDX-License-Identifier: Apache-2.0
// A transaction log for people, spreadsheets and Perfetto: every number worked by hand from five occupations.
#include "platforms/report/log_export.h"

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>

#include "models/input_error.h"
#include "models/observe/transaction_log.h"
#include "platforms/report/log_summary.h"
#include "platforms/report/replaced_file.h"
#include "platforms/report/run_folder.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
using nlohmann::json;
using observe::Kind;
using observe::Occupation;

namespace {

sc_core::sc_time ps(std::uint64_t value) { return sc_core::sc_time::from_value(value); }

Occupation occupation(const char* module, Kind kind, std::uint64_t id, std::uint64_t begin, std::uint64_t end) {
  Occupation made;
  made.module = module;
  made.kind = kind;
  made.id = id;
  made.begin = ps(begin);
  made.end = ps(end);
  made.service = made.end - made.begin;
  return made;
}

/// A command of the scheduler from 1 to 3 us; its conversions: four items of 300 ns every 400 ns on converter 0 of
/// tile_2, one of 128 conversions and 100.5 ns on converter 1, and one on tile_10; a transfer of 7 bytes that belongs
/// to a command that is not there.
std::vector<Occupation> five_occupations() {
  Occupation stream = occupation("p.core.tile_2.adc", Kind::kConversion, 2, 1'100'000, 2'600'000);
  stream.parent = 1;
  stream.node = 5;
  stream.items = 4;
  stream.work = 1000;
  stream.interval = ps(400'000);
  stream.service = ps(300'000);
  Occupation single = occupation("p.core.tile_2.adc", Kind::kConversion, 3, 1'200'000, 1'300'500);
  single.lane = 1;
  single.parent = 1;
  single.work = 128;
  Occupation far = occupation("p.core.tile_10.adc", Kind::kConversion, 4, 2'000'000, 2'000'001);
  far.parent = 1;
  Occupation transfer = occupation("p.core.tile_2.bus", Kind::kTransfer, 5, 1'000'000, 1'000'000);
  transfer.parent = 77;
  transfer.work = 7;
  Occupation command = occupation("p.core.scheduler", Kind::kCommand, 1, 1'000'000, 3'000'000);
  command.node = 5;
  command.work = 1;
  return {stream, single, far, transfer, command};
}

class LogFile {
 public:
  explicit LogFile(const std::vector<Occupation>& occupations) {
    observe::TransactionLog log(path());
    for (const Occupation& each : occupations) log.record(each);
    log.close();
  }
  std::string path() const { return folder_.path("transactions.bin"); }
  std::string csv() const {
    std::ostringstream out;
    export_csv(path(), out);
    return out.str();
  }
  json perfetto() const {
    std::ostringstream out;
    export_perfetto(path(), out);
    return json::parse(out.str())["traceEvents"];
  }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
};

/// Events of a phase.
std::vector<json> events(const json& all, const std::string& phase) {
  std::vector<json> found;
  for (const json& event : all)
    if (event["ph"] == phase) found.push_back(event);
  return found;
}

/// Name that metadata gives to a process or thread.
std::string name_of(const json& all, const char* what, const json& of) {
  for (const json& event : events(all, "M"))
    if (event["name"] == what && event["pid"] == of["pid"] && (of["tid"] == event["tid"] || event["tid"] == 0))
      return event["args"]["name"];
  return "";
}

/// On every track slices follow each other or lie within each other.
bool nested(const json& all) {
  std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> tracks;
  for (const json& slice : events(all, "X")) {
    const double begin = slice["ts"], duration = slice["dur"];
    tracks[{slice["pid"], slice["tid"]}].emplace_back(begin, -(begin + duration));
  }
  for (auto& [track, slices] : tracks) {
    std::sort(slices.begin(), slices.end());
    std::vector<double> open;
    for (const auto& [begin, minus_end] : slices) {
      while (!open.empty() && open.back() <= begin + 1e-9) open.pop_back();
      if (!open.empty() && open.back() < -minus_end - 1e-9) return false;
      open.push_back(-minus_end);
    }
  }
  return true;
}

}  // namespace

TEST_CASE("decimals are exact at every resolution") {
  CHECK(decimal(0, -12) == "0");
  CHECK(decimal(1, -12) == "0.000000000001");
  CHECK(decimal(1'500'000, -12) == "0.0000015");
  CHECK(decimal(123'456'789, -6) == "123.456789");
  CHECK(decimal(1'000'000, -6) == "1");
  CHECK(decimal(7, 3) == "7000");
  CHECK(decimal(18446744073709551615u, -15) == "18446.744073709551615");
}

TEST_CASE("a table has one line a record, in seconds") {
  const LogFile log(five_occupations());
  CHECK(log.csv() ==
        "module,lane,kind,id,parent,operation,node,items,work,work_unit,begin_s,end_s,interval_s,service_s\n"
        "p.core.tile_2.adc,0,conversion,2,1,0,5,4,1000,conversions,0.0000011,0.0000026,0.0000004,0.0000003\n"
        "p.core.tile_2.adc,1,conversion,3,1,0,-1,1,128,conversions,0.0000012,0.0000013005,0,0.0000001005\n"
        "p.core.tile_10.adc,0,conversion,4,1,0,-1,1,0,conversions,0.000002,0.000002000001,0,0.000000000001\n"
        "p.core.tile_2.bus,0,transfer,5,77,0,-1,1,7,bytes,0.000001,0.000001,0,0\n"
        "p.core.scheduler,0,command,1,0,0,5,1,1,rows,0.000001,0.000003,0,0.000002\n");
}

TEST_CASE("names with commas, quotes and bytes that are no text are written as the formats ask") {
  const LogFile log({occupation("a.b,\"c\"", Kind::kArray, 1, 0, 1), occupation("a.\xff", Kind::kArray, 2, 0, 1)});
  CHECK_THAT(log.csv(), Catch::Contains("\n\"a.b,\"\"c\"\"\",0,array,1,"));
  const json all = log.perfetto();
  CHECK(name_of(all, "process_name", events(all, "X")[0]) == "b,\"c\"");
  CHECK(name_of(all, "process_name", events(all, "X")[1]) == "\xef\xbf\xbd");
  std::ostringstream text;
  write_text(text, summarise_log(log.path()));
  CHECK_THAT(text.str(), Catch::Contains("a.\\xff"));
  CHECK(json::parse(to_json(summarise_log(log.path())))["modules"].size() == 2);
}

TEST_CASE("a process is the part of the path behind what all share, in natural order") {
  const json all = LogFile(five_occupations()).perfetto();
  std::map<int, std::string> processes;
  for (const json& event : events(all, "M"))
    if (event["name"] == "process_name") processes[event["pid"]] = event["args"]["name"];
  CHECK(processes == std::map<int, std::string>{{1, "scheduler"}, {2, "tile_2"}, {3, "tile_10"}});
  std::set<std::string> tracks;
  for (const json& slice : events(all, "X")) tracks.insert(name_of(all, "thread_name", slice));
  CHECK(tracks == std::set<std::string>{"scheduler", "adc[0]", "adc[1]", "adc", "bus"});
}

TEST_CASE("a slice has the time of its occupation and says what it was") {
  const json all = LogFile(five_occupations()).perfetto();
  const std::vector<json> slices = events(all, "X");
  REQUIRE(slices.size() == 5);
  CHECK(slices[0]["name"] == "command node 5");  // commands come first
  CHECK(slices[0]["ts"] == 1.0);
  CHECK(slices[0]["dur"] == 2.0);
  const json& stream = slices[1];
  CHECK(stream["name"] == "conversion node 5");
  CHECK(stream["cat"] == "conversion");
  CHECK(stream["ts"] == 1.1);
  CHECK(stream["dur"] == 1.5);
  const json& arguments = stream["args"];
  CHECK(arguments["id"] == 2);
  CHECK(arguments["parent"] == 1);
  CHECK(arguments["node"] == 5);
  CHECK(arguments["items"] == 4);
  CHECK(arguments["work"] == 1000);
  CHECK(arguments["work_unit"] == "conversions");
  CHECK(arguments["interval_ns"] == 400);
  CHECK(arguments["service_ns"] == 300);
  CHECK(arguments["busy_share"].get<double>() == Approx(0.8));  // 4 * 300 ns of 1.5 us
  CHECK(slices[2]["name"] == "conversion");
  CHECK(slices[2]["dur"] == 0.1005);
  CHECK(slices[2]["args"].count("busy_share") == 0);
  CHECK(slices[3]["dur"] == 0.000001);
}

TEST_CASE("arrows lead from a command to its conversions, which may begin with it but not before it") {
  std::vector<Occupation> occupations = five_occupations();
  Occupation early = occupation("p.core.tile_2.adc", Kind::kConversion, 6, 999'999, 1'000'000);
  early.parent = 1;
  early.lane = 2;
  Occupation together = occupation("p.core.tile_2.adc", Kind::kConversion, 7, 1'000'000, 1'000'001);
  together.parent = 1;
  together.lane = 3;
  occupations.push_back(early);
  occupations.push_back(together);
  const json all = LogFile(occupations).perfetto();
  const std::vector<json> starts = events(all, "s"), ends = events(all, "f");
  REQUIRE(starts.size() == 4);
  REQUIRE(ends.size() == 4);
  const std::vector<int> ids{2, 3, 4, 7};
  const std::vector<double> times{1.1, 1.2, 2.0, 1.0};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(starts[i]["id"] == ids[i]);
    CHECK(starts[i]["ts"] == 1.0);
    CHECK(name_of(all, "process_name", starts[i]) == "scheduler");
    CHECK(ends[i]["id"] == ids[i]);
    CHECK(ends[i]["ts"] == times[i]);
    CHECK(ends[i]["bp"] == "e");
    CHECK(ends[i]["cat"] == starts[i]["cat"]);
    CHECK(ends[i]["name"] == starts[i]["name"]);
  }
  CHECK(name_of(all, "thread_name", ends[1]) == "adc[1]");
}

TEST_CASE("occupations of one server that overlap are spread over as many tracks as they need") {
  // 0-10, 5-15 and 8-9 overlap at 8: three tracks. 10-20 follows the first, 15-16 the second.
  const LogFile log({occupation("a.x", Kind::kHop, 1, 0, 10), occupation("a.x", Kind::kHop, 2, 5, 15),
                     occupation("a.x", Kind::kHop, 3, 8, 9), occupation("a.x", Kind::kHop, 4, 10, 20),
                     occupation("a.x", Kind::kHop, 5, 15, 16), occupation("a.x", Kind::kHop, 6, 3, 4)});
  const json all = log.perfetto();
  std::vector<std::string> tracks;
  for (const json& slice : events(all, "X")) tracks.push_back(name_of(all, "thread_name", slice));
  // The last one begins before what is drawn on any track ends.
  CHECK(tracks == std::vector<std::string>{"x", "x (2)", "x (3)", "x", "x (2)", "x (4)"});
  CHECK(nested(all));
}

TEST_CASE("slices nest on every track, whatever overlaps and in whatever order it was recorded") {
  std::mt19937 random(11);
  std::vector<Occupation> occupations;
  for (std::uint64_t id = 1; id < 3000; ++id) {
    const std::uint64_t begin = id * 100 + random() % 1000;
    occupations.push_back(occupation(random() % 2 == 0 ? "a.x" : "a.y", Kind::kHop, id, begin, begin + random() % 700));
  }
  CHECK(nested(LogFile(occupations).perfetto()));
}

TEST_CASE("one module of several kinds has tracks named by kind") {
  const json all =
      LogFile({occupation("a.x", Kind::kHop, 1, 0, 1), occupation("a.x", Kind::kLink, 2, 0, 1)}).perfetto();
  CHECK(name_of(all, "thread_name", events(all, "X")[0]) == "x hop");
  CHECK(name_of(all, "thread_name", events(all, "X")[1]) == "x link");
}

TEST_CASE("an empty log is an empty picture, an empty table and no sums") {
  const LogFile log({});
  CHECK(log.perfetto().empty());
  CHECK(log.csv().find('\n') == log.csv().size() - 1);
  const LogSummary summary = summarise_log(log.path());
  CHECK(summary.complete);
  CHECK(summary.records == 0);
  std::ostringstream text;
  write_text(text, summary);
  CHECK(text.str() == "0 records\n");
}

TEST_CASE("a summary adds up modules and kinds, busiest first") {
  const LogSummary summary = summarise_log(LogFile(five_occupations()).path());
  CHECK(summary.complete);
  CHECK(summary.records == 5);
  CHECK(summary.begin_s == Approx(1e-6));
  CHECK(summary.end_s == Approx(3e-6));
  REQUIRE(summary.modules.size() == 4);
  CHECK(summary.modules[0].module == "p.core.scheduler");  // 2 us
  // 4 * 300 + 100.5 ns on two converters for 2 us.
  CHECK(summary.modules[1].module == "p.core.tile_2.adc");
  CHECK(summary.modules[1].servers == 2);
  CHECK(summary.modules[1].records == 2);
  CHECK(summary.modules[1].items == 5);
  CHECK(summary.modules[1].work == 1128);
  CHECK(summary.modules[1].busy_s == Approx(1300.5e-9));
  CHECK(summary.modules[1].share == Approx(1300.5 / 4000));
  CHECK(summary.modules[2].module == "p.core.tile_10.adc");
  CHECK(summary.modules[3].module == "p.core.tile_2.bus");
  REQUIRE(summary.kinds.size() == 3);
  CHECK(summary.kinds[1].kind == "conversion");
  CHECK(summary.kinds[1].servers == 3);
  CHECK(summary.kinds[1].work == 1128);
  CHECK(summary.kinds[1].busy_s == Approx(1300.501e-9));
  const json written = json::parse(to_json(summary));
  CHECK(written["kinds"][1]["work_unit"] == "conversions");
  CHECK(written["modules"][1]["busy_s"].get<double>() == Approx(1300.5e-9));
  CHECK(written["complete"] == true);
  std::ostringstream text;
  write_text(text, summary);
  CHECK_THAT(text.str(), Catch::StartsWith("5 records from 1.00000 us to 3.00000 us\n") &&
                             Catch::Contains("conversions") && Catch::Contains("p.core.tile_2.adc"));
}

TEST_CASE("a summary says that a log was cut off") {
  const LogFile log(five_occupations());
  const std::string bytes = text_of(log.path());
  log.folder().write("transactions.bin", bytes.substr(0, bytes.size() - 5));
  std::ostringstream text;
  write_text(text, summarise_log(log.path()));
  CHECK_THAT(text.str(), Catch::Contains("The log is not complete"));
  CHECK(json::parse(to_json(summarise_log(log.path())))["complete"] == false);
  CHECK(events(log.perfetto(), "X").size() == 5);
}

TEST_CASE("no mutant of a log crashes an export") {
  const LogFile log(five_occupations());
  const std::string whole = text_of(log.path());
  const std::string original = whole.substr(0, whole.size() - 6);  // no checksum, so that many are read to their end
  std::mt19937 random(5);
  int drawn = 0;
  for (int mutant = 0; mutant < 2000; ++mutant) {
    std::string bytes = original;
    for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = 180 + random() % (bytes.size() - 180);  // behind the header
      if (random() % 3 == 0) {
        bytes[at] = char(random());
      } else if (random() % 2 == 0) {
        bytes.insert(at, bytes.substr(180 + random() % (bytes.size() - 180), 20));
      } else {
        bytes.insert(at, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
      }
    }
    log.folder().write("transactions.bin", bytes);
    try {
      const json all = log.perfetto();
      CHECK(events(all, "s").size() == events(all, "f").size());
      drawn += all.empty() ? 0 : 1;
      log.csv();
      to_json(summarise_log(log.path()));
    } catch (const InputError&) {
    }
  }
  CHECK(drawn > 100);
}

TEST_CASE("a file is replaced as a whole or stays as it was") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out.csv", "old");
  {
    ReplacedFile file("--csv", path);
    file.stream() << "half";
    CHECK(text_of(path) == "old");
  }
  CHECK(text_of(path) == "old");
  {
    ReplacedFile file("--csv", path);
    file.stream() << "whole";
    file.close();
    file.commit();
  }
  CHECK(text_of(path) == "whole");
  CHECK_THROWS_WITH(ReplacedFile("--csv", folder.path("gone/out.csv")),
                    Catch::Contains("out.csv: cannot be written: No such file or directory"));
  CHECK_THROWS_WITH(ReplacedFile("--csv", folder.path("")), Catch::Contains("exists and is no file"));
  CHECK_THROWS_WITH(ReplacedFile("--csv", "/dev/full"), Catch::StartsWith("--csv /dev/full: exists and is no file"));
}

TEST_CASE("what a failed run leaves takes the place of what an earlier failed run left, and of nothing else") {
  const TemporaryFolder folder;
  const std::string out = folder.path("out");
  const auto fail = [&](const std::string& text) {
    RunFolder run(out);
    run.write("transactions.bin", text);
    return run.keep_failed();
  };
  CHECK(fail("first") == out + ".failed");
  CHECK(fail("second") == out + ".failed");
  CHECK(text_of(out + ".failed/transactions.bin") == "second");
  CHECK(text_of(out + "/transactions.bin").empty());
  folder.write("out.failed/thesis.tex", "mine");
  const std::string elsewhere = fail("third");
  CHECK(elsewhere.rfind(out + ".partial-", 0) == 0);
  CHECK(text_of(elsewhere + "/transactions.bin") == "third");
  CHECK(text_of(out + ".failed/thesis.tex") == "mine");
}
