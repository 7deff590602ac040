// SPDX-License-Identifier: Apache-2.0
// A comparison for people: one table a network, measures down, machines across; then the geometric means.
#include <algorithm>
#include <cstdio>
#include <ostream>

#include "models/input_error.h"
#include "platforms/config/quantity.h"
#include "platforms/report/comparison.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

using config::format_engineering;
using config::Quantity;

constexpr std::size_t kNameLength = 24;

/// Three significant digits without exponents where a reader can do without.
std::string number(double value) {
  if (value >= 999.5 && value < 1e15) return grouped(std::uint64_t(value + 0.5));
  char text[32];
  std::snprintf(text, sizeof text, "%#.3g", value);
  const std::string digits = text;
  return digits.back() == '.' ? digits.substr(0, digits.size() - 1) : digits;
}

std::string formatted(Measure measure, double value) {
  switch (measure) {
    case Measure::kAccuracyTop1:
    case Measure::kAccuracyTop5:
    case Measure::kSumsInRange:
    case Measure::kSpeculationsRight:
    case Measure::kCrossbarsUsedShare:
    case Measure::kCrossbarsBusyShare:
      return percent(value);
    case Measure::kLatency:
    case Measure::kInterval:
      return format_engineering(value, Quantity::time);
    case Measure::kEnergy:
      return format_engineering(value, Quantity::energy);
    case Measure::kArea:
    case Measure::kComparisonArea:
      return format_engineering(value * 1e-6, Quantity::area);
    case Measure::kPower:
      return format_engineering(value, Quantity::power);
    case Measure::kChips:
    case Measure::kCrossbarsUsed:
      return grouped(std::uint64_t(value));
    case Measure::kDeviation:
      return value == 0.0 ? "none" : number(value);
    default:
      return number(value);
  }
}

class NetworkTable {
 public:
  NetworkTable(const Comparison& comparison, std::string network)
      : comparison_(comparison), network_(std::move(network)), table_(columns(comparison)) {
    std::vector<std::string> heads{""};
    for (const std::string& contender : comparison.contenders) heads.push_back(printable(contender, kNameLength));
    table_.add(std::move(heads));
  }

  static std::vector<Align> columns(const Comparison& comparison) {
    std::vector<Align> columns(comparison.contenders.size() + 1, Align::kRight);
    columns.front() = Align::kLeft;
    return columns;
  }

  /// A row, unless no run has the measure.
  void add(Measure measure) {
    const auto value = [measure](const ComparedRun& run) { return run[measure]; };
    add_row(describe(measure).label, value, [measure](double v) { return formatted(measure, v); });
  }
  void add(Ratio kind) {
    const auto value = [&](const ComparedRun& run) { return ratio(comparison_, kind, run.contender, run.network); };
    add_row(std::string("  ") + describe(kind).label, value, number);
  }
  void write(std::ostream& out) const { table_.write(out); }

 private:
  template <class Value, class Format>
  void add_row(const std::string& label, Value value, Format format) {
    std::vector<std::string> row{label};
    bool any = false;
    for (const std::string& contender : comparison_.contenders) {
      const ComparedRun* run = comparison_.find(contender, network_);
      const bool failed = run != nullptr && !run->failure.empty();
      const std::optional<double> measure = run == nullptr || failed ? std::nullopt : value(*run);
      any = any || measure;
      row.push_back(measure ? format(*measure) : failed ? "failed" : "-");
    }
    if (any) table_.add(std::move(row));
  }

  const Comparison& comparison_;
  std::string network_;
  TextTable table_;
};

void write_network(std::ostream& out, const Comparison& comparison, const std::string& network, bool equal_area) {
  std::vector<std::uint64_t> inferences;
  for (const ComparedRun& run : comparison.runs)
    if (run.network == network && run.failure.empty()) inferences.push_back(run.inferences);
  const auto [least, most] = std::minmax_element(inferences.begin(), inferences.end());
  out << printable(network, 200);
  if (inferences.empty()) {
    out << ": no run has succeeded\n\n";
    return;
  }
  out << ", " << (*least == *most ? "" : grouped(*least) + " to ") << count_of(*most, "inference") << "\n\n";
  NetworkTable table(comparison, network);
  for (const Measure measure : {Measure::kAccuracyTop1, Measure::kDeviation, Measure::kLatency}) table.add(measure);
  table.add(Ratio::kLatency);
  table.add(Measure::kInterval);
  table.add(Measure::kThroughput);
  table.add(Ratio::kSpeedUp);
  if (equal_area) table.add(Ratio::kSpeedUpEqualArea);
  table.add(Measure::kEnergy);
  table.add(Ratio::kEnergy);
  table.add(Measure::kTopsPerW);
  for (const Measure measure : {Measure::kChips, Measure::kArea}) table.add(measure);
  if (equal_area) table.add(Measure::kComparisonArea);
  if (equal_area) table.add(Ratio::kArea);
  for (const Measure measure : {Measure::kThroughputPerArea, Measure::kOpsPerArea, Measure::kConversionsPerMac,
                                Measure::kConversionsPerMacFullRows})
    table.add(measure);
  table.add(Ratio::kConversions);
  for (const Measure measure : {Measure::kSumsInRange, Measure::kSpeculationsRight}) table.add(measure);
  for (const Measure measure : {Measure::kCrossbarsUsed, Measure::kCrossbarsUsedShare, Measure::kCrossbarsBusyShare})
    table.add(measure);
  table.write(out);
  out << '\n';
}

void write_means(std::ostream& out, const Comparison& comparison, bool equal_area) {
  out << "Geometric means over " << count_of(comparison.networks.size(), "network") << "\n\n";
  TextTable table(NetworkTable::columns(comparison));
  std::vector<std::string> heads{""};
  for (const std::string& contender : comparison.contenders) heads.push_back(printable(contender, kNameLength));
  table.add(std::move(heads));
  for (std::size_t i = 0; i < kRatios; ++i) {
    const bool of_area = Ratio(i) == Ratio::kSpeedUpEqualArea || Ratio(i) == Ratio::kArea;
    if (of_area && !equal_area) continue;
    std::vector<std::string> row{describe(Ratio(i)).label};
    bool any = false;
    for (const std::string& contender : comparison.contenders) {
      const GeometricMean mean = geometric_mean(comparison, Ratio(i), contender);
      any = any || mean.value;
      const bool partial = mean.value && mean.networks < int(comparison.networks.size());
      row.push_back(mean.value ? number(*mean.value) + (partial ? " *" : "") : "-");
    }
    if (any) table.add(std::move(row));
  }
  table.write(out);
  out << '\n';
}

}  // namespace

void write_comparison(std::ostream& out, const Comparison& comparison, bool equal_area) {
  for (const std::string& network : comparison.networks) write_network(out, comparison, network, equal_area);
  if (comparison.networks.size() > 1) write_means(out, comparison, equal_area);
  if (comparison.contenders.size() > 1)
    out << "Ratios: a machine's figure over that of " << printable(comparison.contenders.front(), 200) << ".\n";
  bool failed = false;
  for (const ComparedRun& run : comparison.runs) {
    if (run.failure.empty()) continue;
    if (!failed) out << "\nFailed\n";
    failed = true;
    out << "  - " << printable(run.contender + " on " + run.network + ": " + run.failure, 1000) << '\n';
  }
  const std::vector<std::string> all = notes(comparison);
  if (!all.empty()) out << "\nNotes\n";
  for (const std::string& note : all) out << "  - " << printable(note, 1000) << '\n';
}

}  // namespace mho
