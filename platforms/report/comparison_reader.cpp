// SPDX-License-Identifier: Apache-2.0
// Reads what a comparison needs back from the folder of a run. Keys that a later version adds are kept, not judged.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>

#include "models/input_error.h"
#include "platforms/report/comparison.h"

namespace mho {
namespace {

using nlohmann::json;

const char* const kRemedy = "the folder of a finished run, with summary.json and effective.yaml";

InputError no_summary(const std::string& path, const std::string& problem) {
  return InputError(path, 0, 0, "is no summary of a run: " + problem, kRemedy);
}

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A number of the summary; none where it is null.
std::optional<double> number(const json& summary, const char* key, const std::string& path) {
  const auto found = summary.find(key);
  if (found == summary.end()) throw no_summary(path, std::string("there is no `") + key + "`");
  if (found->is_null()) return std::nullopt;
  if (!found->is_number()) throw no_summary(path, std::string("`") + key + "` is no number");
  return found->get<double>();
}

/// A number that earlier versions did not write.
std::optional<double> later_number(const json& summary, const char* key, const std::string& path) {
  return summary.contains(key) ? number(summary, key, path) : std::nullopt;
}

std::string text(const json& summary, const char* key, const std::string& path) {
  const auto found = summary.find(key);
  if (found == summary.end() || !found->is_string()) throw no_summary(path, std::string("`") + key + "` is no text");
  return found->get<std::string>();
}

std::uint64_t count(const json& summary, const char* key, const std::string& path) {
  const auto found = summary.find(key);
  if (found == summary.end() || !found->is_number_unsigned())
    throw no_summary(path, std::string("`") + key + "` is no count");
  return found->get<std::uint64_t>();
}

/// One record of a CSV file, quotes resolved (RFC 4180; no line breaks within names).
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      const bool escaped = quoted && i + 1 < line.size() && line[i + 1] == '"';
      if (escaped) cells.back() += line[++i];
      if (!escaped) quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  return cells;
}

/// Share of the steady interval in which crossbars that hold weights are busy, the mean over them.
std::optional<double> busy_share(const std::string& layers) {
  std::istringstream lines(layers);
  std::string line;
  std::getline(lines, line);
  const std::vector<std::string> header = cells(line);
  std::size_t crossbars_at = header.size(), share_at = header.size();
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] == "crossbars") crossbars_at = i;
    if (header[i] == "utilisation") share_at = i;
  }
  double busy = 0.0, all = 0.0;
  while (std::getline(lines, line)) {
    const std::vector<std::string> row = cells(line);
    if (row.size() != header.size() || std::max(crossbars_at, share_at) >= row.size()) return std::nullopt;
    const double crossbars = std::strtod(row[crossbars_at].c_str(), nullptr);
    busy += crossbars * std::strtod(row[share_at].c_str(), nullptr);
    all += crossbars;
  }
  return all > 0.0 ? std::optional<double>(busy / all) : std::nullopt;
}

std::optional<double> quotient(std::optional<double> a, std::optional<double> b) {
  if (!a || !b || !(*b > 0.0)) return std::nullopt;
  return *a / *b;
}

/// What follows from measures that summary.json has. An operation is a multiplication or an addition: two a MAC.
void derive(ComparedRun& run) {
  const auto set = [&run](Measure measure, std::optional<double> value) { run.measures[std::size_t(measure)] = value; };
  std::optional<double> tera_ops, giga_ops;
  if (run.inferences > 0) {
    giga_ops = 2.0 * double(run.macs) / double(run.inferences) * 1e-9;
    tera_ops = *giga_ops * 1e-3;
  }
  set(Measure::kTopsPerW, quotient(tera_ops, run[Measure::kEnergy]));
  set(Measure::kInferencesPerJ, quotient(1.0, run[Measure::kEnergy]));
  if (!run[Measure::kComparisonArea]) set(Measure::kComparisonArea, run[Measure::kArea]);
  set(Measure::kThroughputPerArea, quotient(run[Measure::kThroughput], run[Measure::kComparisonArea]));
  if (giga_ops && run[Measure::kThroughputPerArea])
    set(Measure::kOpsPerArea, *giga_ops * *run[Measure::kThroughputPerArea]);
  set(Measure::kCrossbarsUsedShare, quotient(run[Measure::kCrossbarsUsed], run[Measure::kCrossbarsTotal]));
}

}  // namespace

ComparedRun read_run(const std::string& folder) {
  const std::string path = (std::filesystem::path(folder) / "summary.json").lexically_normal().string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw InputError(folder, 0, 0, "is a folder without summary.json", kRemedy);
  ComparedRun run;
  run.folder = folder;
  run.summary = text_of(path);
  const json summary = json::parse(run.summary, nullptr, false);
  if (!summary.is_object()) throw no_summary(path, "it is no JSON object");
  run.contender = run.system = text(summary, "system", path);
  run.network = text(summary, "network", path);
  run.inferences = count(summary, "inferences", path);
  run.seed = count(summary, "seed", path);
  run.macs = count(summary, "macs", path);
  for (const Measure measure :
       {Measure::kAccuracyTop1, Measure::kAccuracyTop5, Measure::kDeviation, Measure::kLatency, Measure::kInterval,
        Measure::kThroughput, Measure::kEnergy, Measure::kChips, Measure::kArea, Measure::kPower,
        Measure::kConversionsPerMac, Measure::kCrossbarsUsed, Measure::kCrossbarsTotal})
    run.measures[std::size_t(measure)] = number(summary, describe(measure).key, path);
  for (const Measure measure : {Measure::kComparisonArea, Measure::kConversionsPerMacFullRows, Measure::kSumsInRange})
    run.measures[std::size_t(measure)] = later_number(summary, describe(measure).key, path);
  if (const auto wrong =
          quotient(later_number(summary, "speculation_failures", path), later_number(summary, "speculations", path)))
    run.measures[std::size_t(Measure::kSpeculationsRight)] = 1.0 - *wrong;
  derive(run);
  run.measures[std::size_t(Measure::kCrossbarsBusyShare)] =
      busy_share(text_of((std::filesystem::path(folder) / "layers.csv").string()));
  return run;
}

}  // namespace mho
