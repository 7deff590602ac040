// SPDX-License-Identifier: Apache-2.0
// Runs side by side: measures that machines are compared by, their ratios to the first machine, network by network, and
// the geometric means of these ratios. It starts from finished runs; what to run is the program's business.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace mho {

/// What runs are compared by; `describe` says what each is.
enum class Measure {
  kAccuracyTop1,
  kAccuracyTop5,
  kDeviation,
  kLatency,
  kInterval,
  kThroughput,
  kEnergy,
  kTopsPerW,
  kInferencesPerJ,
  kChips,
  kArea,
  kComparisonArea,
  kPower,
  kThroughputPerArea,
  kOpsPerArea,
  kConversionsPerMac,
  kConversionsPerMacFullRows,
  kSumsInRange,
  kSpeculationsRight,
  kCrossbarsUsed,
  kCrossbarsTotal,
  kCrossbarsUsedShare,
  kCrossbarsBusyShare,
};
inline constexpr std::size_t kMeasures = 23;

/// One measure of a machine over the same measure of the baseline.
enum class Ratio { kSpeedUp, kSpeedUpEqualArea, kLatency, kEnergy, kConversions, kArea };
inline constexpr std::size_t kRatios = 6;

struct MeasureDescription {
  const char* key;    ///< in JSON and CSV; that of summary.json where it has the measure
  const char* label;  ///< in tables
};
const MeasureDescription& describe(Measure measure);

struct RatioDescription {
  const char* key;
  const char* label;
  Measure measure;
};
const RatioDescription& describe(Ratio ratio);

/// A run of one machine ("contender") on one network: measures, or why there are none.
struct ComparedRun {
  std::string contender, network;
  std::string folder;            ///< as programs find it beside comparison.json; empty where it is not kept
  std::string failure;           ///< one line; empty: it has succeeded
  bool fault = false;            ///< it failed by no mistake of the input
  std::string system;            ///< name of the machine in its summary
  std::string summary;           ///< summary.json as text
  std::uint64_t inferences = 0;  ///< of the run
  std::uint64_t seed = 0, macs = 0;
  std::array<std::optional<double>, kMeasures> measures{};

  std::optional<double> operator[](Measure measure) const { return measures[std::size_t(measure)]; }
};

/// Reads summary.json and, where it is there, layers.csv of a run's folder; contender and network are the summary's.
/// Throws mho::InputError where `folder` is not that of a finished run.
ComparedRun read_run(const std::string& folder);

struct Comparison {
  std::vector<std::string> contenders;  ///< the first is the baseline
  std::vector<std::string> networks;
  std::vector<ComparedRun> runs;  ///< at most one for each contender and network

  /// The run, failed or not, or nullptr.
  const ComparedRun* find(const std::string& contender, const std::string& network) const;
};

/// None where either run lacks the measure or it is not above zero.
std::optional<double> ratio(const Comparison& comparison, Ratio ratio, const std::string& contender,
                            const std::string& network);

struct GeometricMean {
  std::optional<double> value;
  int networks = 0;  ///< over which the mean was taken: those with a ratio
};
GeometricMean geometric_mean(const Comparison& comparison, Ratio ratio, const std::string& contender);

/// What a reader must know before believing the ratios: runs of a network with other inputs, means over fewer networks.
std::vector<std::string> notes(const Comparison& comparison);

/// One JSON object: runs with their summaries, ratios by network and contender, geometric means.
std::string to_json(const Comparison& comparison);
/// A line for each run with measures and ratios, then one with the geometric means of each contender.
std::string to_csv(const Comparison& comparison);
/// Tables for people; `equal_area` adds ratios at the baseline's area.
void write_comparison(std::ostream& out, const Comparison& comparison, bool equal_area);

}  // namespace mho
