// SPDX-License-Identifier: Apache-2.0
// Arithmetic of a comparison. At equal area a machine counts as many times as it fits on the baseline's area, parts of
// it included, so the ratio of throughputs becomes that of throughputs per area.
#include "platforms/report/comparison.h"

#include <algorithm>
#include <cmath>

#include "platforms/config/quantity.h"
#include "platforms/text_table.h"

namespace mho {

const MeasureDescription& describe(Measure measure) {
  static const std::array<MeasureDescription, kMeasures> table{{
      {"accuracy_top1", "accuracy, top-1"},
      {"accuracy_top5", "accuracy, top-5"},
      {"output_mean_abs_error", "deviation, codes"},
      {"latency_s", "latency"},
      {"steady_latency_s", "steady interval"},
      {"throughput_per_s", "inferences a second"},
      {"energy_per_inference_j", "energy of an inference"},
      {"tops_per_w", "efficiency, TOPS/W"},
      {"inferences_per_j", "inferences a joule"},
      {"chips", "chips"},
      {"area_mm2", "area"},
      {"comparison_area_mm2", "area to compare by"},
      {"power_w", "power, table peak"},
      {"throughput_per_s_per_mm2", "inferences/s/mm2"},
      {"gops_per_s_per_mm2", "GOPS/s/mm2"},
      {"adc_conversions_per_mac", "conversions a MAC"},
      {"adc_conversions_per_mac_full_rows", "  on fully used rows"},
      {"sums_in_range", "column sums in range"},
      {"speculations_right", "speculations right"},
      {"crossbars_used", "crossbars with weights"},
      {"crossbars_total", "crossbars"},
      {"crossbars_used_share", "share of crossbars used"},
      {"crossbars_busy_share", "share of time they are busy"},
  }};
  return table[std::size_t(measure)];
}

const RatioDescription& describe(Ratio ratio) {
  static const std::array<RatioDescription, kRatios> table{{
      {"speed_up", "speed-up", Measure::kThroughput},
      {"speed_up_equal_area", "speed-up at equal area", Measure::kThroughputPerArea},
      {"latency_ratio", "latency ratio", Measure::kLatency},
      {"energy_ratio", "energy ratio", Measure::kEnergy},
      {"conversions_ratio", "conversions ratio", Measure::kConversionsPerMac},
      {"area_ratio", "area ratio", Measure::kComparisonArea},
  }};
  return table[std::size_t(ratio)];
}

const ComparedRun* Comparison::find(const std::string& contender, const std::string& network) const {
  for (const ComparedRun& run : runs)
    if (run.contender == contender && run.network == network) return &run;
  return nullptr;
}

std::optional<double> ratio(const Comparison& comparison, Ratio ratio, const std::string& contender,
                            const std::string& network) {
  if (comparison.contenders.empty()) return std::nullopt;
  const ComparedRun* run = comparison.find(contender, network);
  const ComparedRun* baseline = comparison.find(comparison.contenders.front(), network);
  if (run == nullptr || baseline == nullptr) return std::nullopt;
  const std::optional<double> own = (*run)[describe(ratio).measure], base = (*baseline)[describe(ratio).measure];
  if (!own || !base || !(*own > 0.0) || !(*base > 0.0)) return std::nullopt;
  return *own / *base;
}

GeometricMean geometric_mean(const Comparison& comparison, Ratio kind, const std::string& contender) {
  GeometricMean mean;
  double logarithms = 0.0;
  for (const std::string& network : comparison.networks) {
    const std::optional<double> one = ratio(comparison, kind, contender, network);
    if (!one) continue;
    logarithms += std::log(*one);
    ++mean.networks;
  }
  if (mean.networks > 0) mean.value = std::exp(logarithms / mean.networks);
  return mean;
}

namespace {

/// True if two runs of the network that succeeded differ in a value.
template <class Value>
bool differ(const Comparison& comparison, const std::string& network, Value value) {
  const ComparedRun* first = nullptr;
  for (const ComparedRun& run : comparison.runs) {
    if (run.network != network || !run.failure.empty()) continue;
    if (first != nullptr && value(run) != value(*first)) return true;
    first = first == nullptr ? &run : first;
  }
  return false;
}

/// Areas that are not those of the counted parts, once for each machine.
void add_notes_on_areas(std::vector<std::string>& notes, const Comparison& comparison) {
  for (const std::string& contender : comparison.contenders)
    for (const ComparedRun& run : comparison.runs) {
      const std::optional<double> counted = run[Measure::kArea], area = run[Measure::kComparisonArea];
      if (run.contender != contender || !counted || !area || *area == *counted) continue;
      const auto text = [&run](double mm2) {
        const double chips = std::max(run[Measure::kChips].value_or(1.0), 1.0);
        return config::format_engineering(mm2 / chips * 1e-6, config::Quantity::area);
      };
      notes.push_back("figures per area of " + contender + " take a chip as " + text(*area) +
                      ", as `chip.area` says; its parts add up to " + text(*counted));
      break;
    }
}

void add_notes_on_network(std::vector<std::string>& notes, const Comparison& comparison, const std::string& network) {
  const auto note = [&](const std::string& text) { notes.push_back("runs of " + network + " " + text); };
  if (differ(comparison, network, [](const ComparedRun& run) { return run.inferences; }))
    note("differ in their number of inferences: accuracies are of other inputs (`--inferences N` makes them equal)");
  if (differ(comparison, network, [](const ComparedRun& run) { return run.seed; }))
    note("differ in their seed: synthetic inputs and weights are not the same");
  if (differ(comparison, network,
             [](const ComparedRun& run) { return run.inferences == 0 ? 0 : run.macs / run.inferences; }))
    note("differ in multiply-accumulates: these are different networks of one name");
  for (const ComparedRun& run : comparison.runs)
    if (run.network == network && run.failure.empty() && !run[Measure::kThroughput])
      return note("with one inference have no throughput and no speed-up (`--inferences 4`)");
}

}  // namespace

std::vector<std::string> notes(const Comparison& comparison) {
  std::vector<std::string> notes;
  for (const std::string& network : comparison.networks) add_notes_on_network(notes, comparison, network);
  add_notes_on_areas(notes, comparison);
  if (comparison.networks.size() < 2) return notes;
  for (const std::string& contender : comparison.contenders) {
    const GeometricMean mean = geometric_mean(comparison, Ratio::kSpeedUp, contender);
    if (mean.networks < int(comparison.networks.size()))
      notes.push_back("the mean speed-up of " + contender + " is over " + std::to_string(mean.networks) + " of " +
                      count_of(comparison.networks.size(), "network") + ", so not comparable with the others");
  }
  return notes;
}

}  // namespace mho
