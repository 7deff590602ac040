// SPDX-License-Identifier: Apache-2.0
// The figures of one run, from which summary.json and the printed report are written. Counts are those of the whole
// run, energies and times those of one inference where the name says so; SI units except square millimetres.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platforms/cost/energy_report.h"
#include "platforms/report/layer_rows.h"
#include "platforms/run_record.h"
#include "platforms/scenario/scenario.h"
#include "platforms/scenario/workload.h"

namespace mho {

struct Summary {
  std::string scenario, system, network;
  std::uint64_t seed = 0;
  std::uint64_t inferences = 0;
  std::optional<double> accuracy_top1, accuracy_top5;  ///< 0..1; none without labels
  double latency_s = 0.0;                              ///< doorbell to the first inference's output complete
  std::optional<double> steady_latency_s;              ///< see steady_latency
  std::optional<double> throughput_per_s;              ///< its inverse
  double energy_per_inference_j = 0.0;                 ///< of the run / inferences; programming is apart
  std::vector<std::pair<std::string, double>> energy_breakdown_j;  ///< by component; sums to energy_per_inference_j
  double area_mm2 = 0.0;                                           ///< component table, all chips
  double comparison_area_mm2 = 0.0;  ///< `chip.area` of all chips where it is given, else area_mm2
  double power_w = 0.0;              ///< component table (peak), all chips
  double average_power_w = 0.0;      ///< energy of the run / its duration
  int chips = 0;
  std::uint64_t macs = 0;             ///< outputs x dot length, padding included
  std::uint64_t digital_macs = 0;     ///< products of two activations, which no crossbar computes
  std::uint64_t adc_conversions = 0;  ///< of columns that hold weights
  std::uint64_t adc_unit_conversions = 0;
  double adc_conversions_per_mac = 0.0;
  double adc_conversions_per_mac_full_rows = 0.0;  ///< mean of the layers', weighted with their MACs (layer_rows.h)
  std::uint64_t adc_saturations = 0;               ///< of codes that count; failed speculations are none
  /// Column sums of cycles that convert every column, within the converter's range, 0..1; none without such sums.
  std::optional<double> sums_in_range;
  std::uint64_t speculations = 0, speculation_failures = 0, recovery_conversions = 0;
  std::vector<std::pair<std::string, int>> weight_slicings;  ///< "4-2-2", layers that have it; most frequent first
  std::uint64_t cell_write_steps = 0;                        ///< of programming and run
  std::uint64_t crossbars_used = 0, crossbars_total = 0;
  double output_mean_abs_error = 0.0;  ///< codes, against the integer reference
  double programming_time_s = 0.0, programming_energy_j = 0.0;
  double wall_time_s = 0.0;
  double compile_time_s = 0.0;  ///< as RunRecord's
  std::uint64_t host_peak_memory_bytes = 0;
  std::vector<std::string> notes;
};

/// Mean interval between completions over the second half of the run: of n inferences, those that end with inference
/// max(1, n / 2) or later. None for a single inference.
std::optional<double> steady_latency(const std::vector<double>& completions_s);

/// Everything that follows from scenario, workload and record; `costs` are those of the scenario's machine, `rows` the
/// record's (layer_rows.h).
Summary summarise(const Scenario& scenario, const Workload& workload, const RunRecord& record, const CostModel& costs,
                  const EnergyReport& energy, const std::vector<LayerRow>& rows);

/// One flat JSON object and `energy_breakdown_j`, keys in the order of the struct; absent figures are null.
std::string to_json(const Summary& summary);

}  // namespace mho
