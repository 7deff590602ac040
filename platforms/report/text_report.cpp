// SPDX-License-Identifier: Apache-2.0
// Lays out the printed report. Three significant digits: what is behind them stands in summary.json.
#include "platforms/report/text_report.h"

#include <algorithm>
#include <cstdio>
#include <ostream>

#include "platforms/config/quantity.h"
#include "platforms/report/pace_report.h"
#include "platforms/text_table.h"

namespace mho {
namespace {

using config::format_engineering;
using config::Quantity;

constexpr int kBar = 30;

std::string si(double value, Quantity quantity) { return format_engineering(value, quantity); }

std::string fixed(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// How many layers were computed in which way: "22 exact", "layers, 0 sliced".
std::vector<std::string> arithmetic_of(const std::vector<LayerRow>& rows) {
  std::uint64_t exact = 0, sliced = 0, noisy = 0;
  for (const LayerRow& row : rows) {
    exact += row.fidelity == "exact" ? 1 : 0;
    sliced += row.fidelity == "sliced" ? 1 : 0;
    noisy += row.fidelity == "noisy" ? 1 : 0;
  }
  if (noisy > 0) return {"arithmetic", grouped(noisy) + " noisy", "layers"};
  return {"arithmetic", grouped(exact) + " exact", "layers, " + grouped(sliced) + " sliced"};
}

/// "19 layers, 2-2-2-2 in 2", for the slicing that most layers have.
std::string layers_with(const Summary& s) {
  std::string text = count_of(std::uint64_t(s.weight_slicings.front().second), "layer");
  for (std::size_t i = 1; i < s.weight_slicings.size(); ++i)
    text += ", " + s.weight_slicings[i].first + " in " + std::to_string(s.weight_slicings[i].second);
  return text;
}

void add_sums(TextTable& table, const Summary& s) {
  if (!s.weight_slicings.empty())
    table.add({"weight slices", s.weight_slicings.front().first, "bits in " + layers_with(s)});
  if (s.sums_in_range)
    table.add({"in range", percent(*s.sums_in_range), "of the column sums that are converted first"});
  if (s.speculations == 0) return;
  const double speculations = double(s.speculations);
  table.add(
      {"speculation", percent(1.0 - double(s.speculation_failures) / speculations),
       "right, " + fixed("%.3g", double(s.recovery_conversions) / speculations) + " conversions to recover for each"});
}

void add_results(TextTable& table, const Summary& s) {
  if (s.accuracy_top1)
    table.add({"accuracy", percent(*s.accuracy_top1), "top-1, " + percent(s.accuracy_top5.value_or(0.0)) + " top-5"});
  if (s.output_mean_abs_error == 0.0)
    table.add({"deviation", "none", "outputs equal the integer reference"});
  else
    table.add(
        {"deviation", fixed("%.3g codes", s.output_mean_abs_error), "from the integer reference, mean of outputs"});
  table.add({"latency", si(s.latency_s, Quantity::time), "first inference, from inputs in main memory to its output"});
  if (s.steady_latency_s && s.throughput_per_s)
    table.add({"steady interval", si(*s.steady_latency_s, Quantity::time),
               grouped(std::uint64_t(*s.throughput_per_s + 0.5)) + " inferences a second"});
  table.add({"energy", si(s.energy_per_inference_j, Quantity::energy),
             "an inference, " + si(s.average_power_w, Quantity::power) + " on average"});
}

void add_machine(TextTable& table, const Summary& s) {
  const std::uint64_t conversions = s.adc_conversions + s.adc_unit_conversions;
  const double saturated = conversions == 0 ? 0.0 : double(s.adc_saturations) / double(conversions);
  table.add({"conversions", fixed("%.4g", s.adc_conversions_per_mac),
             "a multiply-accumulate, " + fixed("%.4g", s.adc_conversions_per_mac_full_rows) + " on fully used rows"});
  add_sums(table, s);
  table.add(
      {"saturated", percent(saturated), grouped(s.adc_saturations) + " of " + grouped(conversions) + " conversions"});
  table.add({"machine", count_of(std::uint64_t(s.chips), "chip"),
             grouped(s.crossbars_used) + " of " + grouped(s.crossbars_total) + " crossbars hold weights"});
  table.add({"area and power", si(s.area_mm2 * 1e-6, Quantity::area),
             si(s.power_w, Quantity::power) + " with every part busy (component table)"});
  table.add({"programming", si(s.programming_time_s, Quantity::time),
             si(s.programming_energy_j, Quantity::energy) + " once, before the run"});
}

void write_figures(std::ostream& out, const Summary& s, const std::vector<LayerRow>& rows) {
  TextTable table({Align::kLeft, Align::kLeft, Align::kLeft});
  add_results(table, s);
  table.add(arithmetic_of(rows));
  add_machine(table, s);
  table.write(out);
}

void write_energy(std::ostream& out, const Summary& s) {
  out << "\nEnergy of an inference\n";
  auto parts = s.energy_breakdown_j;
  std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  TextTable table({Align::kLeft, Align::kRight, Align::kRight, Align::kLeft});
  const double largest = parts.empty() ? 0.0 : parts.front().second;
  for (const auto& [name, joules] : parts) {
    if (joules == 0.0) continue;
    table.add(
        {name, si(joules, Quantity::energy), percent(joules / s.energy_per_inference_j), bar(joules / largest, kBar)});
  }
  table.write(out);
}

}  // namespace

void write_text_report(std::ostream& out, const Summary& s, const std::vector<LayerRow>& rows, double duration_s) {
  const std::string what = s.network + " on " + s.system;
  if (s.scenario != what) out << printable(s.scenario, 200) << ": ";
  out << printable(what, 400) << ", " << count_of(s.inferences, "inference") << "\n\n";
  write_figures(out, s, rows);
  write_energy(out, s);
  write_pace(out, rows, duration_s);
  if (!s.notes.empty()) out << "\nNotes\n";
  for (const std::string& note : s.notes) out << "  - " << printable(note, 1000) << '\n';
  out << "\nSimulated in " << si(s.wall_time_s, Quantity::time) << ", " << si(s.compile_time_s, Quantity::time)
      << " of processor time to compile the network among it, with "
      << si(double(s.host_peak_memory_bytes), Quantity::bytes) << " of memory.\n";
}

}  // namespace mho
