// SPDX-License-Identifier: Apache-2.0
// What a run leaves behind and prints: layers.csv, tables, the folder, the bar.
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "models/dnn/onnx/onnx_reader.h"
#include "platforms/program/progress_bar.h"
#include "platforms/report/pace_report.h"
#include "platforms/report/run_folder.h"
#include "platforms/text_table.h"
#include "testbenches/platforms/program.h"

using namespace mho;
using namespace mho::testbenches;
namespace fs = std::filesystem;

namespace {

using Row = std::map<std::string, std::string>;

/// Rows of a CSV file without quoted commas, by column name.
std::vector<Row> rows_of(const std::string& csv) {
  std::vector<Row> rows;
  std::vector<std::string> names;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    std::istringstream text(line + ",");
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
    if (names.empty()) {
      names = cells;
      continue;
    }
    REQUIRE(cells.size() == names.size());
    rows.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i) rows.back()[names[i]] = cells[i];
  }
  return rows;
}

}  // namespace

TEST_CASE("a run leaves summary, layers, effective scenario and outputs") {
  TemporaryFolder folder;
  const ProgramResult result = run_program({"run", "classify_shapes", "--inferences", "3", "--out", folder.path("a")});
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, Catch::Contains("Results are in " + folder.path("a")));
  const dnn::OnnxTensor output = dnn::read_tensor(folder.path("a/outputs/logits.pb"));
  CHECK(output.dims == std::vector<std::int64_t>{3, 12});
  CHECK(nlohmann::json::parse(text_of(folder.path("a/summary.json")))["inferences"] == 3);
  std::size_t entries = 0;
  for (const auto& entry : fs::directory_iterator(folder.path(".")))
    entries += entry.path().filename() == "a" ? 1 : 100;
  CHECK(entries == 1);  // nothing temporary stays
}

TEST_CASE("the effective scenario of a run gives the same summary again") {
  TemporaryFolder folder;
  REQUIRE(run_program({"run", "classify_shapes", "--inferences", "2", "--set", "adc.bits=7", "--out", folder.path("a")})
              .exit_code == 0);
  REQUIRE(run_program({"run", folder.path("a/effective.yaml"), "--out", folder.path("b")}).exit_code == 0);
  CHECK(text_of(folder.path("a/effective.yaml")) == text_of(folder.path("b/effective.yaml")));
  CHECK(text_of(folder.path("a/layers.csv")) == text_of(folder.path("b/layers.csv")));
  auto first = nlohmann::json::parse(text_of(folder.path("a/summary.json"))),
       second = nlohmann::json::parse(text_of(folder.path("b/summary.json")));
  for (auto* summary : {&first, &second}) summary->erase("host_peak_memory_bytes");
  CHECK(first == second);
}

TEST_CASE("layers.csv has one row a node and one for the machine, and they sum to the summary") {
  TemporaryFolder folder;
  REQUIRE(run_program({"run", "classify_shapes", "--inferences", "2", "--out", folder.path("a")}).exit_code == 0);
  const auto summary = nlohmann::json::parse(text_of(folder.path("a/summary.json")));
  const std::vector<Row> rows = rows_of(text_of(folder.path("a/layers.csv")));
  REQUIRE(rows.size() == 33);
  CHECK(rows.back().at("name") == "(machine)");
  double energy = 0.0, adc = 0.0, conversions = 0.0, macs = 0.0, crossbars = 0.0;
  for (const Row& row : rows) {
    energy += std::stod(row.at("energy_j"));
    adc += std::stod(row.at("energy_adc_j"));
    conversions += std::stod(row.at("adc_conversions"));
    macs += std::stod(row.at("macs"));
    crossbars += std::stod(row.at("crossbars"));
  }
  CHECK(energy == Approx(summary["energy_per_inference_j"].get<double>()).epsilon(1e-12));
  CHECK(adc == Approx(summary["energy_breakdown_j"]["adc"].get<double>()).epsilon(1e-12));
  CHECK(conversions == summary["adc_conversions"].get<double>());
  CHECK(2 * macs == summary["macs"].get<double>());
  CHECK(crossbars == summary["crossbars_used"].get<double>());
}

TEST_CASE("a row of layers.csv states placement and time of its layer") {
  // The first convolution: 3 x 3 x 3 = 27 of 128 rows, 16 filters x 4 slices = 64 of 128 columns, so 27 x 64 / 16384 =
  // 10.5 % of its cells hold weights; 32 x 32 windows on 16 replicas at 800 ns take 64 x 0.8 = 51.2 us, which is 2.56
  // times the invented interval of 20 us.
  TemporaryFolder folder;
  REQUIRE(run_program({"run", "classify_shapes", "--inferences", "2", "--out", folder.path("a")}).exit_code == 0);
  const Row row = rows_of(text_of(folder.path("a/layers.csv"))).front();
  CHECK(row.at("operator") == "convolution");
  CHECK(row.at("fidelity") == "exact");
  CHECK(row.at("windows") == "1024");
  CHECK(row.at("replicas") == "16");
  CHECK(std::stod(row.at("cell_utilisation")) == Approx(27.0 * 64 / 16384));
  CHECK(std::stod(row.at("time_per_inference_s")) == Approx(51.2e-6));
  CHECK(std::stod(row.at("utilisation")) == Approx(2.56));
  CHECK(row.at("adc_saturations") == "7");
  CHECK(row.at("slicing") == "2-2-2-2");
  CHECK(row.at("expansion") == "1");
  CHECK(row.at("conversions_per_mac_full_rows") == "0.25");
  CHECK(row.at("recovery_conversions") == "0");
  CHECK(row.at("limited_by") == "platform.pim0.tile_0.group_0.crossbars");
}

TEST_CASE("a layer's busy time is that of one replica") {
  // 4 inferences, rows of 8 windows. 4 replicas take two intervals of 100 ns a row, 10 rows: 4 x 10 x 200 ns = 8 us of
  // busy time, 2 us an inference. 16 replicas take one interval a row and two rows at once: 4 x 10 x 100 ns = 4 us of
  // busy time on half of the replicas, 0.5 us an inference.
  CHECK(busy_per_inference(8e-6, 4, 4, 8) == Approx(2e-6));
  CHECK(busy_per_inference(4e-6, 4, 16, 8) == Approx(0.5e-6));
}

TEST_CASE("the busy time of a layer with Toeplitz copies goes by vectors, not by windows") {
  // 32 windows a row, two a vector: 16 vectors. More replicas than that take rows side by side.
  TemporaryFolder folder;
  REQUIRE(run_program({"run", "classify_shapes", "--inferences", "2", "--set", "toeplitz=true", "--set",
                       "replication=greedy", "--out", folder.path("a")})
              .exit_code == 0);
  const Row row = rows_of(text_of(folder.path("a/layers.csv"))).front();
  const double replicas = std::stod(row.at("replicas"));
  CHECK(row.at("expansion") == "2");
  REQUIRE(replicas > 16);
  CHECK(std::stod(row.at("time_per_inference_s")) == Approx(std::stod(row.at("busy_s")) * 16 / replicas / 2));
}

TEST_CASE("modules are called by the part of the machine they are") {
  CHECK(part_called("platform.pim0.tile_3.group_1.adc") == "converters");
  CHECK(part_called("platform.pim0.tile_3.group_1.crossbars") == "crossbar cycles");
  CHECK(part_called("platform.pim0.tile_3.bus") == "bus to the crossbars");
  CHECK(part_called("platform.own.thing") == "thing");
  CHECK(part_called("").empty());
}

TEST_CASE("the report says which layer sets the pace") {
  std::ostringstream out;
  LayerRow slow, quick;
  slow.name = "slow";
  slow.time_per_inference_s = 19.8e-6;
  slow.utilisation = 0.99;
  slow.timing.limited_by = "tile_0.group_0.adc";
  quick.name = "quick";
  quick.time_per_inference_s = 2e-6;
  quick.utilisation = 0.1;
  write_pace(out, {quick, slow}, 100e-6);
  CHECK_THAT(out.str(), Catch::Contains("slow sets the pace, limited by converters"));
  CHECK(out.str().find("slow ") < out.str().find("quick "));
  out.str("");
  write_pace(out, {slow, quick, slow}, 100e-6);
  CHECK_THAT(out.str(), Catch::Contains("2 layers are busy nearly all the time"));
  out.str("");
  write_pace(out, {quick}, 100e-6);
  CHECK_THAT(out.str(), Catch::Contains("No layer is busy all the time"));
}

TEST_CASE("the printed report names accuracy, times, energy, size and the layers that limit") {
  const ProgramResult result = run_program({"run", "classify_shapes", "--inferences", "3", "--report"});
  REQUIRE(result.exit_code == 0);
  for (const char* text : {"classify_shapes: resnet20_shapes on isaac_8b, 3 inferences",
                           "accuracy",
                           "top-1",
                           "50.0 us",
                           "steady interval",
                           "20.0 us",
                           "50 000 inferences a second",
                           "Energy of an inference",
                           "adc",
                           "####",
                           "85.4 mm2",
                           "65.8 W",
                           "Where the time went",
                           "crossbar cycles",
                           "outputs equal the integer reference",
                           "7 of ",
                           "< 0.1 %",
                           "22 exact",
                           "Layers",
                           "stage3.block2.conv2"})
    CHECK_THAT(result.out, Catch::Contains(text));
  CHECK(result.err.empty());
}

TEST_CASE("columns of a table align and bars are proportional") {
  std::ostringstream out;
  TextTable table({Align::kLeft, Align::kRight});
  table.add({"a", "1"});
  table.add({"\xc3\xa4\xc3\xb6", "100"});  // two letters of two bytes each
  table.write(out);
  CHECK(out.str() == "  a     1\n  \xc3\xa4\xc3\xb6  100\n");
  CHECK(bar(0.5, 30).size() == 15);
  CHECK(bar(1e-6, 30).size() == 1);
  CHECK(bar(0.0, 30).empty());
  CHECK(grouped(1234567) == "1 234 567");
  CHECK(percent(0.5822) == "58.2 %");
  CHECK(percent(0.0) == "0.0 %");
  CHECK(percent(0.0001) == "< 0.1 %");
}

TEST_CASE("a folder appears whole or not at all, and replaces only what a run wrote") {
  TemporaryFolder folder;
  const std::string path = folder.path("out");
  {
    RunFolder abandoned(path);
    abandoned.write("summary.json", "{}");
    CHECK_FALSE(fs::exists(path));
  }
  CHECK(fs::is_empty(folder.path(".")));
  for (const char* text : {"first", "second"}) {
    RunFolder run(path + "/");
    run.write("summary.json", text);
    run.commit();
    CHECK(text_of(path + "/summary.json") == text);
  }
  folder.write("out/thesis.tex", "mine");
  CHECK_THROWS_WITH(RunFolder(path), Catch::Contains("thesis.tex"));
  CHECK_THROWS_AS(RunFolder(folder.write("file", "")), InputError);
  {
    RunFolder full(folder.path("full"));  // a folder stands where a file is written, as a full disk would
    full.write("a/b", "");
    CHECK_THROWS_WITH(full.write("a", ""), Catch::StartsWith("--out ") && Catch::Contains("cannot be written: `a`"));
    CHECK_THROWS_AS(full.write("a/b/c", ""), InputError);
    folder.write("full/thesis.tex", "mine");  // came while the run went on
    CHECK_THROWS_AS(full.commit(), InputError);
  }
  CHECK(text_of(folder.path("full/thesis.tex")) == "mine");
  CHECK(text_of(path + "/summary.json") == "second");
}

TEST_CASE("the bar draws on a terminal after a second and removes itself") {
  std::chrono::steady_clock::time_point now{};
  std::ostringstream out;
  ProgressBar bar(out, true, [&] { return now; });
  now += std::chrono::milliseconds(900);
  bar.update(1, 10);
  CHECK(out.str().empty());
  now += std::chrono::milliseconds(1100);
  bar.update(5, 10);  // half done after 2 s: 2 s left
  CHECK_THAT(out.str(), Catch::Contains("5 of 10 inferences, 2 s left"));
  const std::size_t length = out.str().size();
  now += std::chrono::milliseconds(50);
  bar.update(6, 10);
  CHECK(out.str().size() == length);
  bar.clear();
  CHECK_THAT(out.str(), Catch::EndsWith("\r\x1b[K"));
}

TEST_CASE("the bar is silent where there is no terminal") {
  std::chrono::steady_clock::time_point now{};
  std::ostringstream out;
  ProgressBar bar(out, false, [&] { return now; });
  now += std::chrono::hours(1);
  bar.update(5, 10);
  bar.clear();
  CHECK(out.str().empty());
}
